//! What happens under the mutex: new entries are linked, unless by [stripes](super::stripes); dead ones are unlinked.
//!
//! The user's code never runs under it: keys are compared before, by a [search](super::searched) that takes no lock.
//!
//! Removing does not need the mutex. Who has killed an entry unlinks it if the mutex is free in one of a few tries; if not, it leaves the entry
//! on the *dead list*, and the holder of the mutex, who looks there after it has let go, unlinks it.

use super::census::Census;
use super::entry::Entry;
use super::garbage::{Host, Unlinked};
use super::hash::Hash;
use super::searched::Searched;
use super::shape::Shape;
use super::stripes::{NotByStripe, Striping};
use super::table::{Full, NoTable, Used};
use super::{CLOSED, Found, OPEN, State, Tables, YOUNG};
use crate::reclaim::{Held, Stack};
use crate::sync::{AtomicU64, AtomicUsize, IN_MODEL, Mutex, MutexGuard, Ordering, const_unless_loom, fence};

/// How often a removal tries the mutex, and how long it pauses in between: no longer than what leaving the entry behind costs both threads.
const TRIES: usize = if IN_MODEL { 1 } else { 5 };
const PAUSES: usize = 2;

/// The part of a map that readers do not touch; apart from what they do, so as not to disturb them.
#[repr(C, align(128))]
pub(super) struct Writer<K, V> {
    pub(super) census: Census,
    mutex: Mutex<Shape<K>>,
    /// Entries linked so far under the mutex: how an insert knows that its search still holds.
    pub(super) links: AtomicU64,
    /// Killed while the mutex was taken, with the hashes under which they are linked.
    dead: Stack<(Hash, Entry<K, V>)>,
    /// Reads that had to look into the dirty table since the last promotion, give or take what threads have not told.
    pub(super) misses: AtomicUsize,
    pub(super) total_misses: AtomicU64,
    // On another line: nobody writes it while writers follow one another.
    /// How several threads link at once.
    pub(super) striping: Striping,
    pub(super) promotions: AtomicU64,
    /// Lots of misses told since a writer has last had the mutex.
    pub(super) lots_alone: AtomicUsize,
}

// Where a mutex is a word, as on most systems.
#[cfg(all(target_os = "linux", target_pointer_width = "64", not(any(loom, shuttle))))]
const _: () = assert!(std::mem::offset_of!(Writer<u64, u64>, striping) == 128);

impl<K, V> Writer<K, V> {
    const_unless_loom! {
        pub(super) fn new() -> Writer<K, V> {
            Writer {
                mutex: Mutex::new(Shape::NONE),
                census: Census::new(),
                links: AtomicU64::new(0),
                dead: Stack::new(),
                misses: AtomicUsize::new(0),
                promotions: AtomicU64::new(0),
                total_misses: AtomicU64::new(0),
                striping: Striping::new(),
                lots_alone: AtomicUsize::new(0),
            }
        }
    }
}

impl<K, V> Writer<K, V> {
    /// A writer has come, so readers leave the tables to those.
    #[inline]
    pub(super) fn note_writer(&self) {
        if self.lots_alone.load(Ordering::Relaxed) != 0 {
            self.lots_alone.store(0, Ordering::Relaxed);
        }
    }
}

/// What became of a new entry.
pub(super) enum Link {
    Done,
    /// The search has to be done again.
    SearchAgain,
    /// Nothing is linked here any more.
    Closed,
    NoTable(NoTable),
}

/// Permission to change the tables.
pub(super) type Lock<'c, K> = MutexGuard<'c, Shape<K>>;

impl<K, V, G> Tables<K, V, G> {
    /// What the mutex guards, for who has the map to itself.
    pub(super) fn shape_mut(&mut self) -> &mut Shape<K> {
        // As in `lock`.
        let shape = self.writer.mutex.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.writer.striping.shut(shape);
        shape
    }
}

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    pub(super) fn lock(&self) -> Lock<'_, K> {
        // No user code runs under it, so a panic leaves nothing half done.
        self.writer.mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Tries some times over: for who would leave work to the holder of the mutex, who mostly has it for less time than that takes.
    #[inline(always)]
    fn try_lock_patiently(&self) -> Option<Lock<'_, K>> {
        self.try_lock().or_else(|| self.try_lock_again())
    }

    #[cold]
    fn try_lock_again(&self) -> Option<Lock<'_, K>> {
        (1..TRIES).find_map(|_| {
            (0..PAUSES).for_each(|_| std::hint::spin_loop());
            self.try_lock()
        })
    }

    pub(super) fn try_lock(&self) -> Option<Lock<'_, K>> {
        match self.writer.mutex.try_lock() {
            Ok(lock) => Some(lock),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// Lets go of the mutex, after a share of what is to be done for the tables.
    #[inline(always)]
    pub(super) fn unlock<'c>(&'c self, guard: &Held<'_, G>, lock: Lock<'c, K>) {
        self.unlock_after(guard, lock, 1);
    }

    /// [`unlock`](Self::unlock) for who has linked or unlinked so many entries.
    #[inline(never)]
    pub(super) fn unlock_after<'c>(&'c self, guard: &Held<'_, G>, lock: Lock<'c, K>, entries: usize) {
        self.let_go(guard, lock, entries);
        guard.go_on();
    }

    /// Lets go of the mutex, and leaves no dead entry linked that was left to its holder. `shares` is how much the caller
    /// does for the tables: 0 if it has only looked.
    #[inline(always)]
    pub(super) fn let_go<'c>(&'c self, guard: &Held<'_, G>, mut lock: Lock<'c, K>, mut shares: usize) {
        loop {
            // For those who have left us their work, too.
            shares += self.unlink_dead(guard, &mut lock);
            let tended = std::mem::take(&mut shares);
            self.tend(guard, &mut lock, tended);
            if G::CLOSES {
                self.close_if_empty(guard, &mut lock);
            }
            // Who takes the mutex next may rely on it that what was left to us is stamped (R3).
            guard.seal();
            // Who has only looked does not know whether the next dirty table is to be prepared first.
            if tended > 0 {
                self.open_stripes(guard, &mut lock);
            }
            drop(lock);
            // ORDERING: the holder's side of *let go against leave behind*: it lets go, fences, and looks at the list;
            // `bury` leaves the entry on the list, fences, and tries the mutex. Not both can miss.
            fence(Ordering::SeqCst);
            if self.writer.dead.is_empty() {
                return;
            }
            match self.try_lock() {
                Some(again) => lock = again,
                None => return,
            }
        }
    }

    /// Closes a map in which nothing is linked. Whoever uses it looks whether it is closed when an operation has ended, and takes it
    /// out of where it was found (N1).
    #[inline]
    fn close_if_empty(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) {
        if lock.linked() > 0 || self.stage.load(Ordering::Relaxed) != OPEN {
            return;
        }
        if !self.is_vacant() || lock.next.is_some() || lock.spare.is_some() {
            self.forget_tables(guard, lock);
        }
        // ORDERING: Release pairs with the Acquire of `is_closed`. Who links looks under the mutex.
        self.stage.store(CLOSED, Ordering::Release);
    }

    /// No longer [keeps it open](super::KEPT_OPEN).
    pub(super) fn let_close(&self, guard: &Held<'_, G>) {
        let lock = self.lock();
        self.stage.store(OPEN, Ordering::Relaxed);
        self.unlock(guard, lock);
    }

    /// Links a new entry of a key that `searched` did not find. The linearization point of an insert is the store that shows it.
    pub(super) fn link(&self, guard: &Held<'_, G>, searched: Searched, hash: Hash, entry: Entry<K, V>) -> Link {
        let mut lock = loop {
            let Some(stripes) = self.writer.striping.get() else { break self.lock_to_link(guard) };
            match self.link_by_stripe(guard, stripes, searched, hash, entry) {
                Ok(link) => {
                    self.answer(guard, stripes);
                    return link;
                }
                Err(NotByStripe::Full) => break self.lock(),
                Err(NotByStripe::Shut) => {
                    let lock = self.lock();
                    if !self.is_open_for(guard, &lock, stripes, hash) {
                        break lock;
                    }
                    // Whoever had the mutex has opened them. If we shut them again, everybody would come here from now on.
                    self.let_go(guard, lock, 0);
                }
            }
        };
        let result = self.link_locked(guard, &mut lock, searched, hash, entry);
        self.unlock(guard, lock);
        result
    }

    /// Takes the mutex. Makes stripes, if others have had it too often.
    fn lock_to_link(&self, guard: &Held<'_, G>) -> Lock<'_, K> {
        // In a model that would be one more step for nothing.
        if !cfg!(loom) {
            if let Some(lock) = self.try_lock() {
                return lock;
            }
            if self.writer.striping.meet() {
                self.make_stripes(guard);
            }
        }
        self.lock()
    }

    /// [`link`](Self::link) under the mutex, which the caller has.
    #[inline(always)]
    pub(super) fn link_locked(
        &self,
        guard: &Held<'_, G>,
        lock: &mut Lock<'_, K>,
        searched: Searched,
        hash: Hash,
        entry: Entry<K, V>,
    ) -> Link {
        self.writer.note_writer();
        if G::CLOSES && self.is_closed() {
            return Link::Closed;
        }
        self.writer.striping.shut(lock);
        if !self.still_holds(guard, searched, hash) && self.may_be_linked(guard, hash) {
            return Link::SearchAgain;
        }
        let mut dirty = match self.room(guard, lock) {
            Ok(dirty) => dirty,
            Err(no_table) => return Link::NoTable(no_table),
        };
        // Before it can be found, and removed again.
        self.writer.census.born();
        // A slot is used again in two steps, its pointer first. Who has seen the tag of its last entry, and comes to the pointer between
        // the two, would find what those who come after it do not find yet.
        // SAFETY: E6: it is not linked, so nobody else knows it.
        unsafe { entry.hide() };
        let used = loop {
            // SAFETY: T1: the current table, under the mutex.
            match unsafe { dirty.link(hash, entry.into_raw()) } {
                Ok(used) => break used,
                Err(Full) => match self.widen(guard, lock, dirty) {
                    Ok(another) => dirty = another,
                    Err(no_table) => {
                        self.writer.census.not_born();
                        return Link::NoTable(no_table);
                    }
                },
            }
        };
        // SAFETY: E2, E6: linked just now, and nobody unlinks it without the mutex.
        unsafe { entry.show() };
        lock.linked_dirty(1, usize::from(used == Used::First));
        guard.allocated(Entry::<K, V>::weight());
        // ORDERING: Release pairs with the Acquire of `searching`.
        self.writer.links.store(self.writer.links.load(Ordering::Relaxed) + 1, Ordering::Release);
        Link::Done
    }

    /// Unlinks entries that the caller has killed, mostly one, or leaves that to the holder of the mutex. Never waits.
    ///
    /// # Safety
    /// They were found under a guard that is still live, and killed by the caller.
    #[inline(always)]
    pub(super) unsafe fn bury(&self, guard: &Held<'_, G>, dead: &[Found<K, V>]) {
        self.writer.census.died(dead.len());
        // Whoever will hand them over: we may be gone by then, with the permit that they are covered by.
        for found in dead {
            // SAFETY: E2: dead, and found under the guard.
            guard.count(unsafe { found.entry.weight_now() });
        }
        if let Some(mut lock) = self.try_lock_patiently() {
            self.writer.note_writer();
            for found in dead {
                // SAFETY: by the caller's promise.
                unsafe { self.unlink_found(guard, &mut lock, found) };
                guard.hand_over(Unlinked::Entry(found.entry));
            }
            return self.unlock_after(guard, lock, dead.len());
        }
        for found in dead {
            // SAFETY: found under the guard.
            self.writer.dead.push((unsafe { found.hash() }, found.entry));
        }
        // ORDERING: our side of *let go against leave behind*, see `let_go`.
        fence(Ordering::SeqCst);
        if let Some(lock) = self.try_lock() {
            self.unlock(guard, lock);
        }
    }

    /// [`unlink`](Self::unlink) for an entry of which it is known where it was found: as long as that table is in use
    /// nobody needs to look, nor to fetch the hash beside it.
    ///
    /// # Safety
    /// As for [`bury`](Self::bury). Called once, and not together with that.
    #[inline(always)]
    pub(super) unsafe fn unlink_found(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, found: &Found<K, V>) {
        let State { read, young, .. } = self.state(guard);
        if lock.next.is_some() || (found.table != *read && !young.contains(&found.table)) {
            // SAFETY: found under the guard.
            return self.unlink(guard, lock, unsafe { found.hash() }, found.entry);
        }
        lock.reserved = false;
        let index = young.iter().position(|table| *table == found.table);
        let writers = lock.unlinked(index);
        // SAFETY: T1: a current table, under the mutex. W1: the entry stands where it was found, because nobody but us unlinks it.
        unsafe { found.table.unlink_at(found.slot, found.entry.into_raw(), writers) };
    }

    /// Unlinks a dead entry from the current tables, if it is in one. It is the caller's to retire. Its killer, or whoever took it off
    /// the dead list, calls this once (W1).
    fn unlink(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, hash: Hash, entry: Entry<K, V>) {
        let (read, young) = self.tables(guard);
        lock.reserved = false;
        let head = entry.into_raw();
        // SAFETY: T1, T2: the current tables, and the next one, under the mutex.
        unsafe {
            if read.unlink(hash, head, lock.writers(None)) {
                lock.unlinked(None);
            } else if let Some(index) =
                (0..YOUNG).find(|index| young[*index].unlink(hash, head, lock.writers(Some(*index))))
            {
                lock.unlinked(Some(index));
            }
            if let Some(next) = &mut lock.next {
                next.unlink(hash, head);
            }
        }
    }

    /// Unlinks what was left to the holder of the mutex; tells how much that was.
    #[inline(always)]
    fn unlink_dead(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) -> usize {
        if self.writer.dead.is_empty() { 0 } else { self.unlink_all_dead(guard, lock) }
    }

    #[cold]
    fn unlink_all_dead(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) -> usize {
        let unlink = |(hash, entry)| {
            self.unlink(guard, lock, hash, entry);
            // Its killer has counted it.
            guard.hand_over(Unlinked::Entry(entry));
        };
        self.writer.dead.take().map(unlink).count()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

//! Linking by several threads at once.
//!
//! New keys go to the dirty table, under the writer mutex. When threads have met at that often enough, the table is opened to them in *stripes*: ranges of
//! its homes, each with a small lock of its own, and with room for some entries. Who links takes the stripe of its hash and
//! leaves the mutex alone. Everything else needs the mutex, as before. Its holder *shuts* the stripes before anything for which
//! nobody may link meanwhile, and before it counts: takes the room away, and adds up what was done with it. They are opened again when the
//! mutex is let go.
//!
//! A stripe without room sends whoever comes to the mutex. So one number under its lock says whether it is shut, whether the table is
//! full, and whether it is time to prepare the next one.
//!
//! Who has a stripe never waits for the mutex; the holder of the mutex waits for stripes, one at a time.

use std::sync::{OnceLock, PoisonError, TryLockError};

use super::bucket::Writers;
use super::entry::Entry;
use super::garbage::{Host, table_weight};
use super::hash::Hash;
use super::searched::Searched;
use super::shape::{LARGE, Shape};
use super::table::{Size, Table, Used};
use super::writer::{Link, Lock};
use super::{GROUP, Tables};
use crate::reclaim::Held;
use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, IN_MODEL, Mutex, MutexGuard, Ordering, const_unless_loom, fence};

/// Stripes of a dirty table.
const STRIPES: usize = if IN_MODEL { 2 } else { 16 };

/// A stripe with room for fewer entries is not opened.
const LEAST_ROOM: usize = if IN_MODEL { 1 } else { 16 };

/// So many inserts find the mutex taken before there are stripes. Models of loom say themselves that they want them.
const MEETINGS: u32 = if IN_MODEL { 1 } else { 32 };

/// The stripes of a map, if there has been a need for them. Once made they stay.
pub(super) struct Striping {
    /// Inserts that have found the mutex taken.
    met: AtomicU32,
    stripes: OnceLock<Box<Stripes>>,
}

pub(super) struct Stripes {
    /// [`OPEN`], [`DUE`] and [`ASKED`]: hints for who has not the mutex, under which they are written.
    hints: AtomicU32,
    stripes: [Stripe; STRIPES],
}

/// The stripes are open. Who does not see it takes the mutex.
const OPEN: u32 = 1;
/// There is something to be done for the tables: who has linked by a stripe does a share of it, if nobody else is at it.
const DUE: u32 = 2;
/// Somebody has found a stripe taken: who has taken it, and whoever links by one from then on, takes the mutex afterwards, and does what was to be done.
const ASKED: u32 = 4;

/// A cache line.
#[cfg_attr(not(loom), repr(align(64)))]
struct Stripe {
    share: Mutex<Share>,
    /// Entries linked by this stripe, ever: before they can be found, and so what [`Tables::len`] counts.
    len: AtomicUsize,
    /// The same, when they can be found.
    links: AtomicU64,
}

/// What has been done in a stripe since it was opened.
#[derive(Default)]
struct Share {
    /// So many slots more may be used. 0 if it is shut.
    room: usize,
    used: usize,
    /// Entries linked. Those that are unlinked are taken off in the [`Shape`].
    linked: usize,
}

/// Why an entry was not linked by a stripe.
pub(super) enum NotByStripe {
    /// The stripe has no room.
    Shut,
    /// There is no place for its hash in the stripe.
    Full,
}

impl Striping {
    const_unless_loom! {
        pub(super) fn new() -> Striping {
            Striping { met: AtomicU32::new(0), stripes: OnceLock::new() }
        }
    }

    #[inline]
    pub(super) fn get(&self) -> Option<&Stripes> {
        self.stripes.get().map(|stripes| &**stripes)
    }

    /// An insert has found the mutex taken. True if that is so often that there should be stripes.
    #[cold]
    pub(super) fn meet(&self) -> bool {
        self.get().is_none() && self.met.fetch_add(1, Ordering::Relaxed) + 1 == MEETINGS
    }

    /// Adds up what was done in the stripes, and leaves no room there. From then on nobody links without the mutex.
    #[inline]
    pub(super) fn shut<K>(&self, shape: &mut Shape<K>) {
        if shape.is_open {
            self.take_room(shape, |stripe| Some(stripe.lock()));
        }
    }

    /// The same, but waits for nobody: false if somebody is linking by a stripe.
    pub(super) fn try_shut<K>(&self, shape: &mut Shape<K>) -> bool {
        if shape.is_open {
            self.take_room(shape, Stripe::try_lock);
        }
        !shape.is_open
    }

    #[cold]
    fn take_room<'s, K>(&'s self, shape: &mut Shape<K>, lock: impl Fn(&'s Stripe) -> Option<MutexGuard<'s, Share>>) {
        let Some(stripes) = self.get() else { return };
        stripes.hints.store(stripes.hints.load(Ordering::Relaxed) & !OPEN, Ordering::Relaxed);
        shape.is_open = false;
        for stripe in &stripes.stripes {
            let Some(mut share) = lock(stripe) else {
                shape.is_open = true;
                continue;
            };
            let Share { used, linked, .. } = std::mem::take(&mut *share);
            shape.linked_dirty(linked, used);
        }
    }

    /// Entries that were linked by stripes: counted before they can be found.
    pub(super) fn len(&self) -> usize {
        // ORDERING: Acquire, as in `Tables::len`.
        let lens = self.get().into_iter().flat_map(|stripes| &stripes.stripes);
        lens.fold(0, |sum, stripe| sum.wrapping_add(stripe.len.load(Ordering::Acquire)))
    }

    /// The same, counted when they can be found.
    pub(super) fn links(&self) -> u64 {
        // ORDERING: Acquire, as in `Tables::searching`.
        let links = self.get().into_iter().flat_map(|stripes| &stripes.stripes);
        links.map(|stripe| stripe.links.load(Ordering::Acquire)).sum()
    }
}

impl Stripes {
    fn new() -> Stripes {
        let stripe =
            |_| Stripe { share: Mutex::new(Share::default()), len: AtomicUsize::new(0), links: AtomicU64::new(0) };
        Stripes { hints: AtomicU32::new(0), stripes: std::array::from_fn(stripe) }
    }

    /// Entries linked by the stripe of this hash in this table. ORDERING: see [`Tables::searching`].
    #[inline]
    pub(super) fn links_of<K>(&self, dirty: Table<K>, hash: Hash) -> u64 {
        let (index, _) = dirty.part(STRIPES, hash);
        self.stripes[index].links.load(Ordering::Acquire)
    }
}

impl Stripe {
    fn lock(&self) -> MutexGuard<'_, Share> {
        // No user code runs under it.
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Share>> {
        match self.share.try_lock() {
            Ok(share) => Some(share),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// Of a table of this size, of which so many slots are used, how many more a stripe may use; 0 if there are so few that the stripes
/// would soon be shut again.
///
/// Hashes spread, not evenly: so it is a little more than a fair share, or the first of the stripes would be full long before all together have used up what there is. Half of
/// a large table is given first: then its successor has to be prepared, in the time that it takes to use the other half. And while tables are in the making there is no room for as many entries as there are
/// shares to do, and a group more, which is linked before its shares are done: for these one has to take the mutex, one share each; so they are made in time, however many threads link.
fn room(size: Size, used: usize, shares: usize) -> usize {
    let reserve = if shares == 0 || IN_MODEL { 0 } else { shares + GROUP };
    let (left, prepare) = (size.limit().saturating_sub(used + reserve), (size.limit() / 2 + 1).max(LARGE));
    let share = if used < prepare { left.min(prepare - used).min(left / 4 * 3) } else { left } / STRIPES;
    let more = if reserve > 0 { 0 } else { share.isqrt() };
    if share < LEAST_ROOM { 0 } else { share + more }
}

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    /// Has stripes from now on. A map that closes cannot: it has to know at each moment whether it is empty.
    pub(super) fn make_stripes(&self, guard: &Held<'_, G>) {
        if !G::CLOSES && self.writer.striping.get().is_none() {
            let made = self.writer.striping.stripes.set(Box::new(Stripes::new()));
            if made.is_ok() {
                guard.allocated(table_weight(size_of::<Stripes>()));
            }
        }
    }

    /// For tests and models: makes the stripes, and opens them.
    #[cfg(any(loom, test))]
    pub(crate) fn stripe_now(&self, guard: &Held<'_, G>) {
        self.make_stripes(guard);
        self.unlock(guard, self.lock());
    }

    /// For tests and models.
    #[cfg(any(loom, test))]
    pub(crate) fn linked_by_stripes(&self) -> u64 {
        self.writer.striping.links()
    }

    /// Opens the stripes, if there are any, and there is room. For who is about to let go of the mutex.
    #[inline(always)]
    pub(super) fn open_stripes(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) {
        if let Some(stripes) = self.writer.striping.get() {
            self.give_room(guard, lock, stripes);
        }
    }

    #[inline(never)]
    fn give_room(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, stripes: &Stripes) {
        let room =
            if lock.is_open { 0 } else { room(self.tables(guard).1[0].size(), lock.dirty_used, lock.shares_left()) };
        if room > 0 {
            lock.is_open = true;
            // Waits for nobody: this may be a removal. A stripe that somebody has just found shut stays that, for now.
            stripes.stripes.iter().filter_map(Stripe::try_lock).for_each(|mut share| share.room = room);
        }
        let is_due = lock.next.is_some() || lock.spare.as_ref().is_some_and(|spare| !spare.is_cleared());
        let hint = |is_so, hint| if is_so { hint } else { 0 };
        let hints = hint(lock.is_open, OPEN) | hint(is_due, DUE) | hint(lock.ask_again, ASKED);
        if hints != stripes.hints.load(Ordering::Relaxed) {
            stripes.hints.store(hints, Ordering::Relaxed);
        }
    }

    /// Shuts the stripes without waiting. If somebody is linking by one, that one is asked to have a look himself when he lets go.
    pub(super) fn shut_or_ask(&self, lock: &mut Lock<'_, K>) -> bool {
        let striping = &self.writer.striping;
        if striping.try_shut(lock) {
            return true;
        }
        lock.ask_again = true;
        if let Some(stripes) = striping.get() {
            stripes.hints.store(stripes.hints.load(Ordering::Relaxed) | ASKED, Ordering::Relaxed);
        }
        // ORDERING: our side of *let go of a stripe against ask*: we ask, fence, and try the stripes; who has one lets go, fences, and
        // looks whether he is asked. Not both can miss.
        fence(Ordering::SeqCst);
        striping.try_shut(lock)
    }

    /// For who has linked by a stripe, or would have, and has let go of it: goes on with the tables, if there is something to be done.
    #[inline]
    pub(super) fn answer(&self, guard: &Held<'_, G>, stripes: &Stripes) {
        self.writer.note_writer();
        // ORDERING: our side of *let go of a stripe against ask*, see `shut_or_ask`.
        fence(Ordering::SeqCst);
        let hints = stripes.hints.load(Ordering::Relaxed);
        let lock = match hints {
            _ if hints & ASKED != 0 => Some(self.lock()),
            // If somebody has it, let be: there is room for as many entries as there are shares left.
            _ if hints & DUE != 0 => self.try_lock(),
            _ => None,
        };
        match lock {
            Some(lock) => self.unlock(guard, lock),
            None => guard.go_on(),
        }
    }

    /// Links a new entry by the stripe of its hash, if that is possible. As [`link`](Self::link). The caller [answers](Self::answer) afterwards, or takes the mutex.
    pub(super) fn link_by_stripe(
        &self,
        guard: &Held<'_, G>,
        stripes: &Stripes,
        searched: Searched,
        hash: Hash,
        entry: Entry<K, V>,
    ) -> Result<Link, NotByStripe> {
        if stripes.hints.load(Ordering::Relaxed) & OPEN == 0 {
            return Err(NotByStripe::Shut);
        }
        let dirty = self.state(guard).young[0];
        let (index, end) = dirty.part(STRIPES, hash);
        let stripe = &stripes.stripes[index];
        let mut share = stripe.lock();
        // L2: with room in it the stripe is open, and what is the dirty table now stays that until we let go.
        if share.room == 0 || self.state(guard).young[0] != dirty {
            return Err(NotByStripe::Shut);
        }
        if !self.still_holds(guard, searched, hash) && self.may_be_linked(guard, hash) {
            return Ok(Link::SearchAgain);
        }
        // Before it can be found, and removed again.
        let len = stripe.len.load(Ordering::Relaxed);
        // ORDERING: Release, as in `Census::born`.
        stripe.len.store(len.wrapping_add(1), Ordering::Release);
        // SAFETY: E6, as in `link_locked`. T1, L1: the dirty table, and we have its stripe.
        let used = unsafe {
            entry.hide();
            dirty.link_before(end, hash, entry.into_raw(), Writers::Several)
        };
        let Ok(used) = used else {
            stripe.len.store(len, Ordering::Relaxed);
            return Err(NotByStripe::Full);
        };
        // SAFETY: E2, E6: linked just now, and while it is hidden nobody kills it.
        unsafe { entry.show() };
        let is_first = usize::from(used == Used::First);
        *share = Share { room: share.room - is_first, used: share.used + is_first, linked: share.linked + 1 };
        guard.allocated(Entry::<K, V>::weight());
        // ORDERING: Release pairs with the Acquire of `links_of`, and of `Striping::links`.
        stripe.links.store(stripe.links.load(Ordering::Relaxed) + 1, Ordering::Release);
        Ok(Link::Done)
    }

    /// Has somebody given room to the stripe of this hash?
    pub(super) fn is_open_for(&self, guard: &Held<'_, G>, lock: &Lock<'_, K>, stripes: &Stripes, hash: Hash) -> bool {
        lock.is_open && {
            let (index, _) = self.tables(guard).1[0].part(STRIPES, hash);
            stripes.stripes[index].lock().room > 0
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

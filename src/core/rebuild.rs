//! New tables: room for new keys, promotion, shrinking. All under the mutex, none runs user code, and none touches an
//! entry: pointers and hashes are copied from table to table.
//!
//! New keys go to the *dirty table*. When it is full it is *sealed*, another one takes the new keys, and the [next] read
//! table is made from the read table and the sealed one, a few slots with each call that has the mutex anyway. When it is
//! done it takes the place of both: a promotion. One is also begun when reads that had to look into young tables have
//! paid for it, and then they advance it, too; and when the tables have become too large for what is left in them.
//!
//! No call does more than a bounded part of this, but for those that are asked to (`shrink_to_fit`), and when hashes are so bad that
//! tables run out of spare buckets before the next one is made.

use std::ptr::NonNull;

use super::bucket::SLOTS;
use super::garbage::{Unlinked, table_weight};
use super::next::{CLEARED_FOR_ONE, Next, Progress, Sources};
use super::table::{Blank, Full, NoTable, Size, Table};
use super::writer::Lock;
use super::{Core, Held, State, YOUNG, Young};
use crate::sync::Ordering;

/// What the tables hold. Only under the mutex, so no primitive of `sync`.
pub(super) struct Shape<K> {
    /// Entries linked in the read table, live or dead.
    pub(super) read: usize,
    /// Entries linked in each of the young tables, live or dead.
    pub(super) young: [usize; YOUNG],
    /// Slots of the dirty table that have been used.
    pub(super) dirty_used: usize,
    /// Slots that calls have left for later ones to look at.
    owed: usize,
    /// What will be the read table.
    pub(super) next: Option<Next<K>>,
    /// What will be the dirty table when this one is full.
    pub(super) spare: Option<Blank<K>>,
}

// SAFETY: Send: T1: tables that are its own; what may be done with them is said at each use.
unsafe impl<K> Send for Shape<K> {}

impl<K> Shape<K> {
    pub(super) const NONE: Shape<K> =
        Shape { read: 0, young: [0; YOUNG], dirty_used: 0, owed: 0, next: None, spare: None };

    fn linked(&self) -> usize {
        self.read + self.linked_young()
    }

    /// For how many entries a dirty table is usually made: a part of what is there. A larger part means fewer promotions,
    /// each of which copies everything, and more memory that is not used yet.
    fn usual(&self) -> usize {
        let linked = self.linked();
        if linked < BIG { linked / 2 } else { linked / 8 }
    }

    fn linked_young(&self) -> usize {
        self.young.iter().sum()
    }
}

/// The least number of entries a table is made for.
const LEAST: usize = if cfg!(loom) { 1 } else { 16 };
/// Tables that take no more bytes than this are left as they are, however few entries are in them.
const SMALL: usize = if cfg!(loom) { 400 } else { 2048 };
/// A map with more entries than this counts its bytes.
const BIG: usize = 1 << 18;
/// A dirty table with more entries than this has its successor made ready.
const LARGE: usize = if cfg!(loom) { 1 << 20 } else { 1024 };
/// A thread tells its misses in lots of this size.
const MISS_LOT: u32 = if cfg!(loom) { 1 } else { 64 };
/// Slots that a call which has the mutex looks at for the next read table. The dirty table takes at least a fifth of the
/// entries there are: before it is full, all of their slots have been looked at several times over.
const STEP: usize = if cfg!(loom) { 2 } else { 64 };
/// The same for a reader that tells its misses, and for every eighth call on a big map: no more than a few microseconds.
pub(super) const LONG_STEP: usize = if cfg!(loom) { 2 } else { 512 };

impl<K, V> Core<K, V> {
    /// The dirty table, with room for one more entry.
    pub(super) fn room(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>) -> Result<Table<K>, NoTable> {
        let dirty = self.tables(guard).1[0];
        if !dirty.is_empty() && lock.dirty_used < dirty.size().limit() {
            return Ok(dirty);
        }
        if let Some(spare) = lock.spare.take() {
            self.seal(guard, lock)?;
            return Ok(self.open(guard, lock, spare.cleared()));
        }
        self.replace_dirty(guard, lock, lock.usual())
    }

    /// A new dirty table for so many entries, instead of one that has no room for another.
    pub(super) fn replace_dirty(
        &self,
        guard: &Held<'_, K, V>,
        lock: &mut Lock<'_, K>,
        entries: usize,
    ) -> Result<Table<K>, NoTable> {
        self.seal(guard, lock)?;
        let dirty = self.blank(guard, entries)?.cleared();
        Ok(self.open(guard, lock, dirty))
    }

    /// Makes an empty table the dirty one, where there is none, and begins to merge those before it.
    fn open(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>, dirty: Table<K>) -> Table<K> {
        let (read, mut young) = self.tables(guard);
        young[0] = dirty;
        self.publish(guard, read, young);
        if lock.linked_young() > 0 {
            // Without memory for it the tables stay as they are; it is tried again when the dirty table is full.
            let _ = self.begin(guard, lock);
        }
        dirty
    }

    /// Memory for a dirty table.
    fn blank(&self, guard: &Held<'_, K, V>, entries: usize) -> Result<Blank<K>, NoTable> {
        let size = Size::for_entries(entries.max(LEAST)).like(self.tables(guard).0.size());
        let blank = Blank::allocate(size)?;
        guard.allocated(table_weight(blank.table().bytes()));
        Ok(blank)
    }

    /// Makes the spare dirty table ready while the present one fills up.
    fn prepare_spare(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>, slots: usize) {
        let buckets = slots.div_ceil(SLOTS).saturating_mul(CLEARED_FOR_ONE);
        if let Some(spare) = &mut lock.spare {
            spare.clear(buckets);
        } else if lock.dirty_used >= LARGE && lock.dirty_used > self.tables(guard).1[0].size().limit() / 2 {
            // Without memory for it it is tried again when it is needed.
            lock.spare = self.blank(guard, lock.usual()).ok();
        }
    }

    fn drop_spare(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>) {
        if let Some(spare) = lock.spare.take() {
            guard.retire(Unlinked::Table(spare.into_table()));
        }
    }

    /// Leaves no dirty table: what it holds stays where it is, among the young ones. O(1) while there is a place for it.
    fn seal(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>) -> Result<(), NoTable> {
        if self.tables(guard).1[0].is_empty() {
            return Ok(());
        }
        if !self.tables(guard).1[YOUNG - 1].is_empty() {
            self.finish(guard, lock)?;
        }
        let (read, mut young) = self.tables(guard);
        if lock.young[0] > 0 {
            young.rotate_right(1);
            lock.young.rotate_right(1);
        }
        young[0] = Table::EMPTY;
        lock.dirty_used = 0;
        self.publish(guard, read, young);
        Ok(())
    }

    /// Begins to make the next read table, if there is none in the making.
    fn begin(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>) -> Result<(), NoTable> {
        if lock.next.is_some() {
            return Ok(());
        }
        let (read, young) = self.tables(guard);
        let mut sources: Sources<K> = young;
        // In the place of the dirty table, which is no source.
        sources[0] = read;
        let linked = lock.linked() - lock.young[0];
        let largest = sources.into_iter().max_by_key(|source| source.slots()).expect("there are sources");
        let size = Size::for_entries(linked).after(largest.size());
        // SAFETY: T1: current tables; `publish` replaces a source only when this is done or given up.
        let next = unsafe { Next::new(size, sources) }?;
        guard.allocated(table_weight(next.table().bytes()));
        lock.next = Some(next);
        Ok(())
    }

    /// Goes on with the next read table, if there is one in the making; publishes it when it is done.
    pub(super) fn advance(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>, slots: usize) {
        let Some(next) = &mut lock.next else { return };
        // SAFETY: T1: under the mutex, see `begin`.
        match unsafe { next.advance(slots) } {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => self.promote(guard, lock),
            Err(Full) => {
                // SAFETY: T1: the same sources.
                let wider = unsafe { next.with_more_spare() };
                // Without memory for it the tables stay as they are.
                if let Some(narrow) = std::mem::replace(&mut lock.next, wider.ok()) {
                    guard.retire(Unlinked::Table(narrow.into_table()));
                }
                if let Some(next) = &lock.next {
                    guard.allocated(table_weight(next.table().bytes()));
                }
            }
        }
    }

    /// Makes the next read table to its end, in one go.
    fn finish(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>) -> Result<(), NoTable> {
        self.begin(guard, lock)?;
        while lock.next.is_some() {
            self.advance(guard, lock, usize::MAX);
        }
        Ok(())
    }

    /// The next read table is done: readers get to see it, and those that it was made from are retired.
    fn promote(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>) {
        let Some(next) = lock.next.take() else { return };
        let (_, mut young) = self.tables(guard);
        let mut kept = 1;
        for index in 1..YOUNG {
            let (table, linked) = (young[index], lock.young[index]);
            (young[index], lock.young[index]) = (Table::EMPTY, 0);
            if !table.is_empty() && !next.is_source(table) {
                (young[kept], lock.young[kept]) = (table, linked);
                kept += 1;
            }
        }
        lock.read = next.linked();
        let table = next.into_table();
        let read = if lock.read > 0 { table } else { Table::EMPTY };
        self.publish(guard, read, young);
        if lock.read == 0 {
            guard.retire(Unlinked::Table(table));
        }
        self.writer.misses.store(0, Ordering::Relaxed);
        self.writer.promotions.fetch_add(1, Ordering::Relaxed);
    }

    /// Leaves the map without tables; what is linked in them is the caller's.
    pub(super) fn forget_tables(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>) {
        if let Some(next) = lock.next.take() {
            guard.retire(Unlinked::Table(next.into_table()));
        }
        self.drop_spare(guard, lock);
        self.publish(guard, Table::EMPTY, [Table::EMPTY; YOUNG]);
        **lock = Shape::NONE;
        self.writer.misses.store(0, Ordering::Relaxed);
    }

    /// A dirty table that has room for `additional` entries.
    pub(crate) fn reserve(&self, guard: &Held<'_, K, V>, additional: usize) -> Result<(), NoTable> {
        let mut lock = self.lock();
        let limit = self.tables(guard).1[0].size().limit();
        let result = if additional > limit.saturating_sub(lock.dirty_used) {
            self.replace_dirty(guard, &mut lock, additional).map(drop)
        } else {
            Ok(())
        };
        self.unlock(guard, lock);
        result
    }

    pub(crate) fn shrink_to_fit(&self, guard: &Held<'_, K, V>) -> Result<(), NoTable> {
        let mut lock = self.lock();
        let result = self.fit(guard, &mut lock);
        self.unlock(guard, lock);
        result
    }

    /// Everything in one read table, exactly as large as it should be.
    fn fit(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>) -> Result<(), NoTable> {
        if lock.next.is_some() {
            self.finish(guard, lock)?;
        }
        if lock.linked() == 0 {
            self.forget_tables(guard, lock);
            return Ok(());
        }
        self.drop_spare(guard, lock);
        self.seal(guard, lock)?;
        let read = self.tables(guard).0.size();
        if lock.linked_young() == 0 && !Size::for_entries(lock.read).is_smaller(read) {
            return Ok(());
        }
        self.finish(guard, lock)
    }

    /// How many entries the map can hold without a new table.
    pub(crate) fn capacity(&self, guard: &Held<'_, K, V>) -> usize {
        let lock = self.lock();
        let free = self.tables(guard).1[0].size().limit().saturating_sub(lock.dirty_used);
        let capacity = lock.linked() + free;
        self.unlock(guard, lock);
        capacity
    }

    /// Entries linked in the read table, and in young ones.
    pub(crate) fn table_lens(&self, guard: &Held<'_, K, V>) -> (usize, usize) {
        let lock = self.lock();
        let lens = (lock.read, lock.linked_young());
        self.unlock(guard, lock);
        lens
    }

    /// Promotions, and misses that have been told.
    pub(crate) fn promotions_and_misses(&self) -> (u64, u64) {
        (self.writer.promotions.load(Ordering::Relaxed), self.writer.total_misses.load(Ordering::Relaxed))
    }

    /// Counts a read that had to look into young tables; goes on with a promotion if one is due and the mutex is free.
    #[inline]
    pub(super) fn count_miss(&self, guard: &Held<'_, K, V>) {
        if let Some(misses) = guard.miss(MISS_LOT) {
            self.tell_misses(guard, misses);
        }
    }

    #[cold]
    fn tell_misses(&self, guard: &Held<'_, K, V>, misses: u32) {
        self.writer.total_misses.fetch_add(u64::from(misses), Ordering::Relaxed);
        self.writer.misses.fetch_add(misses as usize, Ordering::Relaxed);
        // Sealed tables are there while the next read table is made of them.
        let sealed = self.state(guard).is_some_and(|state| !state.young[1].is_empty());
        if sealed || self.misses_have_paid() {
            if let Some(mut lock) = self.try_lock() {
                self.advance(guard, &mut lock, LONG_STEP);
                self.unlock(guard, lock);
            }
        }
    }

    /// Have there been as many misses as half the entries? Each costs several times what it takes to copy one.
    fn misses_have_paid(&self) -> bool {
        self.writer.misses.load(Ordering::Relaxed) >= (self.len() / 2).max(MISS_LOT as usize)
    }

    /// What whoever has had the mutex does for the tables before it lets go: a bounded part of what is due, for each of
    /// the `calls` on behalf of which it had it.
    pub(super) fn tend(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_, K>, calls: usize) {
        for _ in 0..calls {
            let is_sparse = self.is_sparse(guard, lock);
            if is_sparse && lock.linked() == 0 {
                return self.forget_tables(guard, lock);
            }
            if is_sparse {
                self.drop_spare(guard, lock);
            }
            // Without entries in young tables there is nothing to gain, and a reservation to lose.
            let misses_have_paid = lock.linked_young() > 0 && self.misses_have_paid();
            if lock.next.is_none() && (is_sparse || misses_have_paid) {
                // Without memory for the new table the old ones stay.
                let _ = self.seal(guard, lock).and_then(|()| self.begin(guard, lock));
            }
            if lock.next.is_none() {
                return self.prepare_spare(guard, lock, calls.saturating_mul(STEP));
            }
            // Many small steps in large tables would wait for the memory each time.
            lock.owed += STEP;
            if lock.linked() < BIG || lock.owed >= LONG_STEP {
                let slots = std::mem::take(&mut lock.owed);
                self.advance(guard, lock, slots);
            }
        }
    }

    /// Have the tables become too large for what is linked in them?
    fn is_sparse(&self, guard: &Held<'_, K, V>, lock: &Lock<'_, K>) -> bool {
        let (read, [dirty, sealed @ ..]) = self.tables(guard);
        // A reserved table is large on purpose: it counts from when something has been unlinked in it.
        let dirty_bytes = if lock.young[0] < lock.dirty_used { dirty.bytes() } else { 0 };
        let next = lock.next.as_ref().map(Next::table);
        let making = next.into_iter().chain(lock.spare.as_ref().map(Blank::table));
        let others = || std::iter::once(read).chain(sealed);
        let used = others().map(Table::slots).sum::<usize>() + lock.dirty_used;
        let bytes = others().map(Table::bytes).sum::<usize>() + making.map(Table::bytes).sum::<usize>() + dirty_bytes;
        lock.linked() * 8 < used && bytes > SMALL
    }

    /// The current tables: the read table, and the young ones, of which the dirty table is the first.
    pub(super) fn tables(&self, guard: &Held<'_, K, V>) -> (Table<K>, Young<K>) {
        self.state(guard).map_or((Table::EMPTY, [Table::EMPTY; YOUNG]), |state| (state.read, state.young))
    }

    /// Makes these the tables that readers see, and retires those that they do not see any more. Under the mutex.
    fn publish(&self, guard: &Held<'_, K, V>, read: Table<K>, young: Young<K>) {
        let state = State::new(read, young);
        let state = if state.tables().next().is_none() {
            std::ptr::null_mut()
        } else {
            guard.allocated(table_weight(size_of::<State<K>>()));
            Box::into_raw(Box::new(state))
        };
        // ORDERING: Release publishes state and tables to the Acquire of `state`; Acquire for the old state's.
        let old = self.state.swap(state, Ordering::AcqRel);
        let Some(old) = NonNull::new(old) else { return };
        // SAFETY: S1: the guard keeps it; it is retired below.
        for table in unsafe { old.as_ref() }.tables() {
            if table != read && !young.contains(&table) {
                guard.retire(Unlinked::Table(table));
            }
        }
        guard.retire(Unlinked::State(old));
    }
}

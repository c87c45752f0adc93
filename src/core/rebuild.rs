//! New tables: room for new keys, promotion, shrinking. All under the mutex, none runs user code, and none touches an
//! entry: pointers and hashes are copied from table to table.
//!
//! New keys go to the *dirty table*. When it is full it is *sealed*, another one takes the new keys, and the [next] read
//! table is made from the read table and the sealed one, a few slots with each call that has the mutex anyway. When it is
//! done it takes the place of both: a promotion. One is also begun when reads that had to look into young tables have
//! paid for it, and then they advance it, too; and when the tables have become too large for what is left in them.
//!
//! No call does more than a bounded part of this, but for those that are asked to (`shrink_to_fit`), and when hashes are so bad that
//! tables run out of spare buckets before the next one is made. A large table that has been replaced is given back in parts, too.

use std::ptr::NonNull;

use super::garbage::{Host, Unlinked, table_weight};
use super::next::{Next, Progress, Sources};
use super::shape::{BIG, LARGE, STEP, Shape};
use super::table::{Blank, Full, NoTable, Size, Table};
use super::writer::Lock;
use super::{State, Tables, YOUNG, Young};
use crate::reclaim::Held;
use crate::sync::{Ordering, fence};

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    /// The dirty table, with room for one more entry.
    #[inline(always)]
    pub(super) fn room(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) -> Result<Table<K>, NoTable> {
        let dirty = self.state(guard).young[0];
        if !dirty.is_empty() && lock.dirty_used < dirty.size().limit() {
            return Ok(dirty);
        }
        if lock.spare.is_some() {
            self.seal(guard, lock)?;
            if let Some(spare) = lock.spare.take() {
                return Ok(self.open(guard, lock, *spare));
            }
        }
        // Nothing of it is cleared yet, so it is not a large one; the next will be.
        let size = self.dirty_size(guard, self.usual(guard, lock).min(LARGE));
        self.replace_dirty(guard, lock, size)
    }

    /// Another dirty table instead of `dirty`, which is not full but has no room for some hash.
    pub(super) fn widen(
        &self,
        guard: &Held<'_, G>,
        lock: &mut Lock<'_, K>,
        dirty: Table<K>,
    ) -> Result<Table<K>, NoTable> {
        let size = self.dirty_size(guard, self.usual(guard, lock).min(LARGE));
        self.replace_dirty(guard, lock, size.with_more_spare_than(dirty.size()))
    }

    /// A new dirty table instead of one that has no room for another entry.
    fn replace_dirty(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, size: Size) -> Result<Table<K>, NoTable> {
        let blank = self.blank(guard, size)?;
        if let Err(no_table) = self.seal(guard, lock) {
            guard.retire(Unlinked::<K, V>::Table(blank.into_table()));
            return Err(no_table);
        }
        Ok(self.open(guard, lock, blank))
    }

    /// For how many entries a dirty table is usually made. A larger one means fewer promotions, each of which copies
    /// everything, and more memory that is not used yet. Before it is full, all that is there now has been looked through.
    pub(super) fn usual(&self, guard: &Held<'_, G>, lock: &Lock<'_, K>) -> usize {
        let linked = lock.linked();
        let part = if linked < BIG { linked / 2 } else { linked / 8 };
        let buckets: usize = self.state(guard).tables().map(Table::buckets).sum();
        part.max(buckets / STEP)
    }

    pub(super) fn dirty_size(&self, guard: &Held<'_, G>, entries: usize) -> Size {
        let size = Size::for_entries(entries.max(G::LEAST));
        match self.state(guard).tables().next() {
            Some(table) => size.like(table.size()),
            None => size.in_new_order(),
        }
    }

    /// Makes an empty table the dirty one, where there is none, and begins to merge those before it.
    fn open(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, blank: Blank<K>) -> Table<K> {
        let dirty = blank.cleared();
        let (read, mut young) = self.tables(guard);
        young[0] = dirty;
        self.publish(guard, lock, read, young);
        lock.reserved = false;
        if lock.linked_young() > 0 {
            // Without memory for it the tables stay as they are; it is tried again when the dirty table is full.
            let _ = self.begin(guard, lock);
        }
        dirty
    }

    pub(super) fn blank(&self, guard: &Held<'_, G>, size: Size) -> Result<Blank<K>, NoTable> {
        let blank = Blank::allocate(size)?;
        guard.allocated(table_weight(blank.table().bytes()));
        Ok(blank)
    }

    /// Leaves no dirty table: what it holds stays where it is, among the young ones. O(1) while there is a place for it.
    pub(super) fn seal(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) -> Result<(), NoTable> {
        if self.tables(guard).1[0].is_empty() {
            return Ok(());
        }
        self.writer.striping.shut(lock);
        if lock.young[0] > 0 && !self.tables(guard).1[YOUNG - 1].is_empty() {
            self.finish(guard, lock)?;
        }
        let (read, mut young) = self.tables(guard);
        if lock.young[0] > 0 {
            debug_assert!(young[YOUNG - 1].is_empty(), "nothing is linked in a table that is retired");
            young.rotate_right(1);
            lock.young.rotate_right(1);
        }
        young[0] = Table::EMPTY;
        lock.dirty_used = 0;
        self.publish(guard, lock, read, young);
        Ok(())
    }

    /// Begins to make the next read table, if there is none in the making.
    pub(super) fn begin(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) -> Result<(), NoTable> {
        if lock.next.is_some() {
            return Ok(());
        }
        let (read, young) = self.tables(guard);
        let mut sources: Sources<K> = young;
        // In the place of the dirty table, which is no source.
        sources[0] = read;
        let linked = lock.linked_sealed();
        let largest = sources.into_iter().max_by_key(|source| source.slots()).expect("there are sources");
        let size = Size::for_entries(linked).after(largest.size());
        // SAFETY: T1: current tables; `publish` replaces a source only when this is done or given up.
        let next = unsafe { Next::new(size, sources) }?;
        guard.allocated(table_weight(next.table().bytes()));
        lock.next = Some(Box::new(next));
        Ok(())
    }

    /// Goes on with the next read table, if there is one in the making; publishes it when it is done.
    pub(super) fn advance(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>, slots: usize) -> Result<(), NoTable> {
        let Some(next) = &mut lock.next else { return Ok(()) };
        // SAFETY: T1: under the mutex, see `begin`.
        match unsafe { next.advance(slots) } {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => self.promote(guard, lock),
            Err(Full) => {
                // SAFETY: T1: the same sources.
                let wider = unsafe { next.with_more_spare() };
                if let Some(narrow) = lock.next.take() {
                    guard.retire(Unlinked::<K, V>::Table(narrow.into_table()));
                }
                // Without memory for it the tables stay as they are.
                let wider = wider?;
                guard.allocated(table_weight(wider.table().bytes()));
                lock.next = Some(Box::new(wider));
            }
        }
        Ok(())
    }

    /// Makes the next read table to its end, in one go.
    fn finish(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) -> Result<(), NoTable> {
        self.begin(guard, lock)?;
        while lock.next.is_some() {
            self.advance(guard, lock, usize::MAX)?;
        }
        Ok(())
    }

    /// The next read table is done: readers get to see it, and those that it was made from are retired.
    fn promote(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) {
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
        self.publish(guard, lock, read, young);
        if lock.read == 0 {
            guard.retire(Unlinked::<K, V>::Table(table));
        }
        self.writer.misses.store(0, Ordering::Relaxed);
        self.writer.promotions.fetch_add(1, Ordering::Relaxed);
    }

    /// Leaves the map without tables; what is linked in them is the caller's.
    pub(super) fn forget_tables(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) {
        self.writer.striping.shut(lock);
        if let Some(next) = lock.next.take() {
            guard.retire(Unlinked::<K, V>::Table(next.into_table()));
        }
        self.drop_spare(guard, lock);
        self.publish(guard, lock, Table::EMPTY, [Table::EMPTY; YOUNG]);
        **lock = Shape::NONE;
        self.writer.misses.store(0, Ordering::Relaxed);
    }

    /// Leaves a map in which nothing is linked without tables, but for a dirty one that was asked for.
    pub(super) fn forget_empty_tables(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) {
        let dirty = self.tables(guard).1[0];
        if !lock.reserved || dirty.is_empty() {
            return self.forget_tables(guard, lock);
        }
        if let Some(next) = lock.next.take() {
            guard.retire(Unlinked::<K, V>::Table(next.into_table()));
        }
        self.drop_spare(guard, lock);
        let mut young = [Table::EMPTY; YOUNG];
        young[0] = dirty;
        self.publish(guard, lock, Table::EMPTY, young);
    }

    /// A dirty table that has room for `additional` entries.
    pub(crate) fn reserve(&self, guard: &Held<'_, G>, additional: usize) -> Result<(), NoTable> {
        let mut lock = self.lock();
        self.writer.striping.shut(&mut lock);
        let limit = self.tables(guard).1[0].size().limit();
        let mut result = Ok(());
        if additional > limit.saturating_sub(lock.dirty_used) {
            let size = self.dirty_size(guard, additional.max(self.usual(guard, &lock)));
            result = self.replace_dirty(guard, &mut lock, size).map(drop);
        }
        if additional > 0 && result.is_ok() {
            // Not to be sealed for what was before: misses count anew.
            lock.reserved = true;
            self.writer.misses.store(0, Ordering::Relaxed);
        }
        self.unlock(guard, lock);
        result
    }

    pub(crate) fn shrink_to_fit(&self, guard: &Held<'_, G>) -> Result<(), NoTable> {
        let mut lock = self.lock();
        let result = self.fit(guard, &mut lock);
        self.unlock(guard, lock);
        result
    }

    /// Everything in one read table, exactly as large as it should be.
    fn fit(&self, guard: &Held<'_, G>, lock: &mut Lock<'_, K>) -> Result<(), NoTable> {
        self.writer.striping.shut(lock);
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
    pub(crate) fn capacity(&self, guard: &Held<'_, G>) -> usize {
        let mut lock = self.lock();
        self.writer.striping.shut(&mut lock);
        let free = self.tables(guard).1[0].size().limit().saturating_sub(lock.dirty_used);
        let capacity = lock.linked() + free;
        self.let_go(guard, lock, 0);
        capacity
    }

    /// Entries linked in the read table, and in young ones.
    pub(crate) fn table_lens(&self, guard: &Held<'_, G>) -> (usize, usize) {
        let mut lock = self.lock();
        self.writer.striping.shut(&mut lock);
        let lens = (lock.read, lock.linked_young());
        self.let_go(guard, lock, 0);
        lens
    }

    /// Promotions, and misses that have been told.
    pub(crate) fn promotions_and_misses(&self) -> (u64, u64) {
        (self.writer.promotions.load(Ordering::Relaxed), self.writer.total_misses.load(Ordering::Relaxed))
    }

    /// The current tables: the read table, and the young ones, of which the dirty table is the first.
    pub(super) fn tables(&self, guard: &Held<'_, G>) -> (Table<K>, Young<K>) {
        let state = self.state(guard);
        (state.read, state.young)
    }

    /// Makes these the tables that readers see, and retires those that they do not see any more. Under the mutex.
    fn publish(&self, guard: &Held<'_, G>, lock: &Lock<'_, K>, read: Table<K>, young: Young<K>) {
        debug_assert!(!lock.is_open || young[0] == self.tables(guard).1[0], "L2");
        let state = State::new(read, young);
        let bytes = state.bytes;
        let state = if state.tables().next().is_none() {
            self.vacant()
        } else {
            guard.allocated(table_weight(size_of::<State<K>>()));
            Box::into_raw(Box::new(state))
        };
        // ORDERING: Release publishes state and tables to the Acquire of `state`; Acquire for the old state's.
        let old = self.state.swap(state, Ordering::AcqRel);
        // SAFETY: S1: the guard keeps it; it is retired below.
        let old_state = unsafe { &*old };
        // ORDERING: our side of *fewer tables against a part left over*: we add, fence, and look when our guard ends whether
        // something is left over; who leaves a part pushes it, says so, fences, and looks at these bytes once more.
        // Of one map among several it is a share, which may also become less.
        G::table_bytes(guard.context()).fetch_add(bytes.wrapping_sub(old_state.bytes), Ordering::Release);
        fence(Ordering::SeqCst);
        let Some(old) = NonNull::new(old).filter(|old| old.as_ptr() != self.vacant()) else { return };
        for table in old_state.tables() {
            if table != read && !young.contains(&table) {
                guard.retire(Unlinked::<K, V>::Table(table));
            }
        }
        guard.retire(Unlinked::<K, V>::State(old));
    }
}

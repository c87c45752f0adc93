//! New tables: growth of the dirty table, promotion, shrinking. All under the mutex, none runs user code, and none touches
//! an entry: pointers and hashes are copied from table to table.
//!
//! A promotion builds a read table from all linked entries, read and dirty. It is due when the dirty table is full and
//! has as many entries as the read table, so that each entry is copied a bounded number of times while a map grows; or
//! when reads that had to look into the dirty table have paid for it. Whoever lets go of the mutex does it then, or a
//! reader who finds it free. A map whose tables have become too large for what is left in them is promoted into smaller ones.

use std::ptr::NonNull;

use super::garbage::{Unlinked, table_weight};
use super::table::{NoTable, Size, Table};
use super::writer::Lock;
use super::{Core, Held, State};
use crate::sync::Ordering;

/// What the tables hold. Only under the mutex, so no primitive of `sync`.
#[derive(Debug)]
pub(super) struct Counts {
    /// Entries linked in the read table, live or dead.
    pub(super) read: usize,
    /// Entries linked in the dirty table, live or dead.
    pub(super) dirty: usize,
    /// Slots of the dirty table that have been used.
    pub(super) dirty_used: usize,
}

impl Counts {
    pub(super) const NONE: Counts = Counts { read: 0, dirty: 0, dirty_used: 0 };
}

/// The least number of entries a table is made for.
const LEAST: usize = if cfg!(loom) { 1 } else { 16 };
/// Tables that take no more bytes than this are left as they are, however few entries are in them.
const SMALL: usize = if cfg!(loom) { 400 } else { 2048 };
/// A thread tells its misses in lots of this size.
const MISS_LOT: u32 = if cfg!(loom) { 1 } else { 64 };

impl<K, V> Core<K, V> {
    /// The dirty table, with room for one more entry.
    pub(super) fn room(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_>) -> Result<Table<K>, NoTable> {
        let dirty = self.tables(guard).1;
        if !dirty.is_empty() && lock.dirty_used < dirty.size().limit() {
            return Ok(dirty);
        }
        if lock.dirty >= lock.read.max(LEAST) {
            self.promote(guard, lock)?;
        }
        // After a promotion: a small part of what is there; else twice what was there.
        let entries = (lock.dirty * 2).max(lock.read / 8).max(LEAST);
        self.replace_dirty(guard, lock, Size::for_entries(entries))
    }

    /// The dirty table, with more spare buckets.
    pub(super) fn widen(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_>) -> Result<Table<K>, NoTable> {
        let size = self.tables(guard).1.size().with_more_spare();
        self.replace_dirty(guard, lock, size)
    }

    /// A dirty table that has room for `additional` entries.
    pub(crate) fn reserve(&self, guard: &Held<'_, K, V>, additional: usize) -> Result<(), NoTable> {
        let mut lock = self.lock();
        let limit = self.tables(guard).1.size().limit();
        let result = if additional > limit.saturating_sub(lock.dirty_used) {
            let size = lock.dirty.checked_add(additional).map(Size::for_entries);
            size.ok_or(NoTable::Capacity).and_then(|size| self.replace_dirty(guard, &mut lock, size)).map(drop)
        } else {
            Ok(())
        };
        self.unlock(guard, lock);
        result
    }

    pub(crate) fn shrink_to_fit(&self, guard: &Held<'_, K, V>) -> Result<(), NoTable> {
        let mut lock = self.lock();
        let result = self.promote(guard, &mut lock);
        self.unlock(guard, lock);
        result
    }

    /// How many entries the map can hold without a new table.
    pub(crate) fn capacity(&self, guard: &Held<'_, K, V>) -> usize {
        let lock = self.lock();
        let free = self.tables(guard).1.size().limit().saturating_sub(lock.dirty_used);
        let capacity = lock.read + lock.dirty + free;
        self.unlock(guard, lock);
        capacity
    }

    /// Entries linked in the read table, and in the dirty table.
    pub(crate) fn table_lens(&self, guard: &Held<'_, K, V>) -> (usize, usize) {
        let lock = self.lock();
        let lens = (lock.read, lock.dirty);
        self.unlock(guard, lock);
        lens
    }

    /// Promotions, and misses that have been told.
    pub(crate) fn promotions_and_misses(&self) -> (u64, u64) {
        (self.writer.promotions.load(Ordering::Relaxed), self.writer.total_misses.load(Ordering::Relaxed))
    }

    /// Counts a read that had to look into the dirty table; promotes if that is due and the mutex is free.
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
        if self.misses_have_paid() {
            if let Some(lock) = self.try_lock() {
                self.unlock(guard, lock);
            }
        }
    }

    /// Have there been as many misses as half the entries? Each costs several times what it takes to copy one.
    fn misses_have_paid(&self) -> bool {
        self.writer.misses.load(Ordering::Relaxed) >= (self.len() / 2).max(MISS_LOT as usize)
    }

    /// Promotes if misses have paid for it.
    pub(super) fn promote_if_due(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_>) {
        // Without entries in the dirty table there is nothing to gain, and a reservation to lose.
        if self.misses_have_paid() && lock.dirty > 0 {
            // Without memory for the new table the old ones stay.
            let _ = self.promote(guard, lock);
        }
    }

    /// Replaces tables that have become too large for what is linked in them.
    pub(super) fn shrink_if_sparse(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_>) {
        let (read, dirty) = self.tables(guard);
        let linked = lock.read + lock.dirty;
        // A reserved table is large on purpose: it counts from when something has been unlinked in it.
        let dirty_bytes = if lock.dirty < lock.dirty_used { dirty.bytes() } else { 0 };
        let used = read.slots() + lock.dirty_used;
        if linked * 8 < used && read.bytes() + dirty_bytes > SMALL {
            // Without memory for the smaller tables the larger ones stay.
            let _ = self.promote(guard, lock);
        }
    }

    /// Moves all linked entries to a read table of the right size, and leaves no dirty table.
    fn promote(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_>) -> Result<(), NoTable> {
        let (read, dirty) = self.tables(guard);
        let entries = lock.read + lock.dirty;
        let promoted = match entries {
            0 => Table::EMPTY,
            _ => {
                let larger = if read.slots() >= dirty.slots() { read } else { dirty };
                self.build(guard, Size::for_entries(entries).after(larger.size()), [read, dirty])?
            }
        };
        self.publish(guard, promoted, Table::EMPTY);
        **lock = Counts { read: entries, ..Counts::NONE };
        self.writer.misses.store(0, Ordering::Relaxed);
        self.writer.promotions.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Leaves the map without tables; what is linked in them is the caller's.
    pub(super) fn forget_tables(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_>) {
        self.publish(guard, Table::EMPTY, Table::EMPTY);
        **lock = Counts::NONE;
        self.writer.misses.store(0, Ordering::Relaxed);
    }

    fn replace_dirty(&self, guard: &Held<'_, K, V>, lock: &mut Lock<'_>, size: Size) -> Result<Table<K>, NoTable> {
        let (read, dirty) = self.tables(guard);
        let replacement = self.build(guard, size.after(dirty.size()), [dirty, Table::EMPTY])?;
        self.publish(guard, read, replacement);
        lock.dirty_used = lock.dirty;
        Ok(replacement)
    }

    /// A table of at least `size` with all that is linked in `sources`.
    fn build(&self, guard: &Held<'_, K, V>, mut size: Size, sources: [Table<K>; 2]) -> Result<Table<K>, NoTable> {
        loop {
            let table = Table::allocate(size)?;
            // SAFETY: T1: the new table is ours, and the sources are current, under the mutex.
            let linked = unsafe { sources.into_iter().try_for_each(|source| table.link_all(source)) };
            if linked.is_ok() {
                guard.allocated(table_weight(table.bytes()));
                return Ok(table);
            }
            // SAFETY: T1: nobody else has seen it.
            unsafe { table.free() };
            size = size.with_more_spare();
        }
    }

    /// The current tables, read and dirty.
    pub(super) fn tables(&self, guard: &Held<'_, K, V>) -> (Table<K>, Table<K>) {
        self.state(guard).map_or((Table::EMPTY, Table::EMPTY), |state| (state.read, state.dirty))
    }

    /// Makes these the tables that readers see, and retires those that they do not see any more. Under the mutex.
    fn publish(&self, guard: &Held<'_, K, V>, read: Table<K>, dirty: Table<K>) {
        let vacant = read.is_empty() && dirty.is_empty();
        let state = if vacant {
            std::ptr::null_mut()
        } else {
            guard.allocated(table_weight(size_of::<State<K>>()));
            Box::into_raw(Box::new(State { read, dirty }))
        };
        // ORDERING: Release publishes state and tables to the Acquire of `state`; Acquire for the old state's.
        let old = self.state.swap(state, Ordering::AcqRel);
        let Some(old) = NonNull::new(old) else { return };
        // SAFETY: S1: the guard keeps it; it is retired below.
        let tables = unsafe { [old.as_ref().read, old.as_ref().dirty] };
        for table in tables {
            if !table.is_empty() && table != read && table != dirty {
                guard.retire(Unlinked::Table(table));
            }
        }
        guard.retire(Unlinked::State(old));
    }
}

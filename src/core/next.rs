//! A read table under construction.
//!
//! It is made from the tables whose keys do not grow any more, a few slots at a time: pointers and hashes are copied, in the
//! order in which they lie, and no entry is touched. Nobody searches it before it is published. An entry that is unlinked
//! meanwhile is unlinked in it, too, if it has been copied; if not, it is not there to be copied.

use super::YOUNG;
use super::bucket::SLOTS;
use super::entry::Head;
use super::hash::Hash;
use super::table::{Backwards, Blank, Full, NoTable, Size, Table};

/// Buckets that are cleared in the time in which one is copied.
pub(super) const CLEARED_FOR_ONE: usize = 4;

/// What a table is made from: the read table, and young tables that are not the dirty one.
pub(super) type Sources<K> = [Table<K>; YOUNG];

/// A table under construction. Only under the mutex.
pub(super) struct Next<K> {
    blank: Blank<K>,
    is_cleared: bool,
    /// Entries linked in it, live or dead.
    linked: usize,
    sources: Sources<K>,
    /// Which of the sources is being copied, and how far that is.
    current: usize,
    entries: Backwards<K>,
}

// SAFETY: Send: T1: its tables are current ones, or its own; what may be done with them is said at each use.
unsafe impl<K> Send for Next<K> {}

/// What came of some steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

impl<K> Next<K> {
    /// # Safety
    /// The sources are current tables, and stay that until this is dropped or done (T1).
    pub(super) unsafe fn new(size: Size, sources: Sources<K>) -> Result<Next<K>, NoTable> {
        let blank = Blank::allocate(size)?;
        // SAFETY: by the caller's promise.
        let entries = unsafe { sources[0].entries_backwards() };
        Ok(Next { blank, is_cleared: false, linked: 0, sources, current: 0, entries })
    }

    /// Its table, to know how large it is.
    pub(super) fn table(&self) -> Table<K> {
        self.blank.table()
    }

    /// Its table, to be published or given back.
    pub(super) fn into_table(self) -> Table<K> {
        self.blank.into_table()
    }

    pub(super) fn linked(&self) -> usize {
        self.linked
    }

    pub(super) fn is_source(&self, table: Table<K>) -> bool {
        self.sources.contains(&table)
    }

    /// Clears a part of the table's memory; when all of it is clear, looks at no more than so many slots of the sources,
    /// and copies what is linked there.
    ///
    /// `Full`: the table needs more spare buckets, and a new beginning.
    ///
    /// # Safety
    /// The caller holds the writer mutex, and the sources are current tables (T1).
    pub(super) unsafe fn advance(&mut self, slots: usize) -> Result<Progress, Full> {
        if !self.is_cleared {
            self.is_cleared = self.blank.clear(slots.div_ceil(SLOTS).saturating_mul(CLEARED_FOR_ONE));
            return Ok(Progress::More);
        }
        let table = self.blank.table();
        let mut left = slots;
        loop {
            let source = self.sources[self.current];
            // SAFETY: by the caller's promise.
            unsafe {
                while let Some((entry, slot)) = self.entries.next_of(&mut left) {
                    table.link_first(source.hash_of(slot), entry.as_ptr())?;
                    self.linked += 1;
                }
                if !self.entries.is_done() {
                    return Ok(Progress::More);
                }
                if self.current + 1 == self.sources.len() {
                    return Ok(Progress::Done);
                }
                self.current += 1;
                self.entries = self.sources[self.current].entries_backwards();
            }
        }
    }

    /// The same from the beginning, in a table with more spare buckets. The other one is the caller's.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub(super) unsafe fn with_more_spare(&self) -> Result<Next<K>, NoTable> {
        // SAFETY: by the caller's promise.
        unsafe { Next::new(self.blank.table().size().with_more_spare(), self.sources) }
    }

    /// Unlinks an entry if it has been copied.
    ///
    /// # Safety
    /// The caller holds the writer mutex.
    pub(super) unsafe fn unlink(&mut self, hash: Hash, entry: *mut Head<K>) {
        // SAFETY: T1: the table is our own; nothing is linked before it is cleared.
        if self.is_cleared && unsafe { self.blank.table().unlink(hash, entry) } {
            self.linked -= 1;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::shape::LONG_STEP;
    use super::super::{Core, Hash};

    /// How far the tables in the making are: entries copied and buckets cleared, since the map began.
    #[derive(Clone, Copy, Default)]
    struct Work {
        promotions: u64,
        copied: usize,
        next_cleared: usize,
        spare_cleared: usize,
    }

    fn work(core: &Core<u64, u64>) -> Work {
        let lock = core.lock();
        let next = lock.next.as_ref();
        Work {
            promotions: core.promotions_and_misses().0,
            copied: next.map_or(0, super::Next::linked),
            next_cleared: next.map_or(0, |next| next.blank.progress()),
            spare_cleared: lock.spare.as_ref().map_or(0, super::Blank::progress),
        }
    }

    /// Asserts that one call has done no more than its share.
    fn assert_bounded(before: Work, after: Work, what: u64) {
        let buckets = super::CLEARED_FOR_ONE * (LONG_STEP.div_ceil(super::SLOTS) + 1);
        if before.promotions == after.promotions {
            assert!(after.copied <= before.copied + LONG_STEP, "{what}: {} copied", after.copied - before.copied);
        }
        for (before, after) in [(before.next_cleared, after.next_cleared), (before.spare_cleared, after.spare_cleared)]
        {
            assert!(after <= before + buckets, "{what}: {} buckets cleared", after - before);
        }
    }

    fn hash(key: u64) -> Hash {
        Hash::new(key.wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    #[test]
    fn p3_no_insert_or_removal_makes_a_table_by_itself() {
        const KEYS: u64 = if cfg!(miri) { 2000 } else { 300_000 };
        let core = Core::<u64, u64>::new(0);
        let mut before = Work::default();
        for key in 0..KEYS {
            let full = {
                let guard = core.guard();
                let dirty = core.tables(&guard).1[0];
                !dirty.is_empty() && core.lock().dirty_used >= dirty.size().limit()
            };
            if full {
                assert!(core.lock().next.is_none(), "{key}: the next table was not done in time");
                assert!(
                    core.lock().dirty_used < 2048 || core.lock().spare.as_ref().is_some_and(super::Blank::is_cleared)
                );
            }
            assert!(core.insert(&core.guard(), hash(key), key, key).is_none());
            let after = work(&core);
            assert_bounded(before, after, key);
            before = after;
        }
        assert!(before.promotions > 10);
        let grown = before.promotions;
        for key in 0..KEYS {
            assert!(matches!(core.remove_if(&core.guard(), hash(key), &key, |_| true), Ok(Some(_))));
            let after = work(&core);
            assert_bounded(before, after, key);
            before = after;
        }
        assert!(before.promotions > grown + 3, "it has shrunk on the way");
        let (read, young) = core.tables(&core.guard());
        assert!(young.into_iter().chain([read]).map(super::Table::bytes).sum::<usize>() <= 2048);
        assert!(core.lock().next.is_none() && core.lock().spare.is_none());
    }
}

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

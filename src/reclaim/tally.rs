//! The figures of a map, kept by each thread for itself and added up by whoever asks.

use crate::sync::{AtomicU64, Ordering};

/// What one thing weighs: is it an entry or a value that the user put in, and what memory does it hold?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Removed entries and overwritten values.
    pub(crate) entries: u64,
    /// Bytes of entries and values.
    pub(crate) entry_bytes: u64,
    /// Bytes of tables and of the states that name them.
    pub(crate) table_bytes: u64,
}

impl Weight {
    pub(crate) fn plus(self, other: Weight) -> Weight {
        Weight {
            entries: self.entries.wrapping_add(other.entries),
            entry_bytes: self.entry_bytes.wrapping_add(other.entry_bytes),
            table_bytes: self.table_bytes.wrapping_add(other.table_bytes),
        }
    }

    /// What is left of `self` without `other`. Never below zero: the two may have been read at different moments.
    pub(crate) fn minus(self, other: Weight) -> Weight {
        Weight {
            entries: self.entries.saturating_sub(other.entries),
            entry_bytes: self.entry_bytes.saturating_sub(other.entry_bytes),
            table_bytes: self.table_bytes.saturating_sub(other.table_bytes),
        }
    }
}

/// A sum of weights that one thread writes and all may read.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    entries: AtomicU64,
    entry_bytes: AtomicU64,
    table_bytes: AtomicU64,
}

impl Tally {
    /// Adds `weight`. Owner only: no read-modify-write.
    pub(crate) fn add(&self, weight: Weight) {
        self.set(self.read().plus(weight));
    }

    /// Owner only.
    fn set(&self, sum: Weight) {
        // ORDERING: Release pairs with the Acquire of `read`: who sees something freed has seen it retired.
        self.entries.store(sum.entries, Ordering::Release);
        self.entry_bytes.store(sum.entry_bytes, Ordering::Release);
        self.table_bytes.store(sum.table_bytes, Ordering::Release);
    }

    pub(crate) fn read(&self) -> Weight {
        Weight {
            entries: self.entries.load(Ordering::Acquire),
            entry_bytes: self.entry_bytes.load(Ordering::Acquire),
            table_bytes: self.table_bytes.load(Ordering::Acquire),
        }
    }
}

/// What a thread has unlinked under the guards that it holds, as others see it. (The list itself is the thread's own.)
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// What the thread had retired, ever, when it took its list away. Owner writes.
    before: Tally,
    /// The first stamp in the list; 0 if nothing there is stamped. Owner writes.
    first: AtomicU64,
}

impl Listed {
    /// The first stamp of the list has been given. Owner only.
    pub(crate) fn begin(&self, stamp: u64) {
        // ORDERING: Release, as in `Tally::add`.
        self.first.store(stamp, Ordering::Release);
    }

    /// The list is empty; `retired` is what the thread has retired, ever. Owner only.
    pub(crate) fn end(&self, retired: &Tally) {
        self.before.set(retired.read());
        self.first.store(0, Ordering::Release);
    }

    /// What is in the list, and the first stamp there.
    pub(crate) fn read(&self, retired: &Tally) -> (Weight, Option<u64>) {
        // Read first: what is taken away meanwhile counts as taken.
        let retired = retired.read();
        // ORDERING: Acquire pairs with the Release of `begin` and `end`.
        let first = self.first.load(Ordering::Acquire);
        (retired.minus(self.before.read()), Some(first).filter(|stamp| *stamp != 0))
    }
}

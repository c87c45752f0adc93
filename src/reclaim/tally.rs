//! The figures of a map, kept by each thread for itself and added up by whoever asks.

use super::Garbage;
use super::pending::Retired;
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
    #[inline]
    pub(crate) fn add(&self, weight: Weight) {
        let add = |sum: &AtomicU64, more: u64| {
            if more > 0 {
                // ORDERING: Release pairs with the Acquire of `read`: who sees something freed has seen it retired.
                sum.store(sum.load(Ordering::Relaxed).wrapping_add(more), Ordering::Release);
            }
        };
        add(&self.entries, weight.entries);
        add(&self.entry_bytes, weight.entry_bytes);
        add(&self.table_bytes, weight.table_bytes);
    }

    #[inline]
    fn set(&self, sum: Weight) {
        // ORDERING: Release, as in `add`.
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
    weight: Tally,
    /// The first stamp in the list; 0 if nothing there is stamped. Owner writes.
    first: AtomicU64,
}

impl Listed {
    /// Something has been put there. Owner only.
    #[inline]
    pub(crate) fn add(&self, weight: Weight) {
        self.weight.add(weight);
    }

    /// The first stamp of the list has been given. Owner only.
    #[inline]
    pub(crate) fn begin(&self, stamp: u64) {
        // ORDERING: Release, as in `Tally::add`.
        self.first.store(stamp, Ordering::Release);
    }

    /// The list is empty. Owner only.
    #[inline]
    pub(super) fn clear(&self) {
        self.weight.set(Weight::default());
        self.begin(0);
    }

    /// Something has been taken out of the list, and this is left. Owner only.
    pub(super) fn set<G: Garbage>(&self, list: &[Retired<G>]) {
        self.weight.set(list.iter().map(|item| item.garbage.weight()).fold(Weight::default(), Weight::plus));
        self.begin(list.first().map_or(0, |item| item.stamp));
    }

    /// What is in the list, and the first stamp there.
    pub(crate) fn read(&self) -> (Weight, Option<u64>) {
        // ORDERING: Acquire pairs with the Release of `begin`.
        let first = self.first.load(Ordering::Acquire);
        (self.weight.read(), Some(first).filter(|stamp| *stamp != 0))
    }
}

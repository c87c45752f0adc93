//! How many entries there are: those that were born, less those that have died.

use super::Tables;
use crate::sync::{AtomicUsize, IN_MODEL, Ordering, const_unless_loom};

/// How often births are added up, if entries die meanwhile.
const LOOKS: usize = if IN_MODEL { 1 } else { 8 };

/// Both numbers only grow, modulo what fits in them; but for an entry that finds no place, which is counted until that is seen.
pub(super) struct Census {
    /// Entries that were linked under the mutex, or are about to be. Those that are linked by stripes are counted there.
    births: AtomicUsize,
    /// Entries that were killed, however they had been linked.
    deaths: AtomicUsize,
}

impl Census {
    const_unless_loom! {
        pub(super) fn new() -> Census {
            Census { births: AtomicUsize::new(0), deaths: AtomicUsize::new(0) }
        }
    }

    /// Another entry is about to be linked. Before it can be found, and under the mutex, so without an exchange.
    #[inline]
    pub(super) fn born(&self) {
        // ORDERING: Release pairs with the Acquire of `len`: who counts the birth counts the deaths that came before it.
        self.births.store(self.births.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    /// It has not been linked, because it found no place: for so long the count was too large.
    pub(super) fn not_born(&self) {
        self.births.store(self.births.load(Ordering::Relaxed).wrapping_sub(1), Ordering::Relaxed);
    }

    /// So many entries have been killed.
    #[inline]
    pub(super) fn died(&self, entries: usize) {
        // ORDERING: Release pairs with the Acquire of `len`: who counts the death counts the birth.
        self.deaths.fetch_add(entries, Ordering::Release);
    }

    /// One has, and nobody else is here.
    pub(super) fn died_alone(&mut self) {
        self.deaths.store(self.deaths.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

impl<K, V, G> Tables<K, V, G> {
    /// The number of live entries: that of a moment within the call, unless some die in each of its looks.
    pub(crate) fn len(&self) -> usize {
        let Census { births, deaths } = &self.writer.census;
        // ORDERING: Acquire pairs with the Release of `died`, and has these loads come one after the other: births are read after the deaths that are taken off,
        // so there are never fewer of them. It pairs with the Release of `born`, and of `link_by_stripe`, too: a death that came before a birth that is counted is seen
        // when deaths are read again.
        let born = || births.load(Ordering::Acquire).wrapping_add(self.writer.striping.len());
        let mut died = deaths.load(Ordering::Acquire);
        for _ in 0..LOOKS {
            let len = born().wrapping_sub(died);
            // Without deaths in between there is a moment at which so many had been born, however many numbers there are to add up.
            let now = deaths.load(Ordering::Acquire);
            if now == died {
                return len;
            }
            died = now;
        }
        born().wrapping_sub(died)
    }
}

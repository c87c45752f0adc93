//! The values in the maps: they tell when they are dropped, so that no map has to be believed about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a map holds for a domain. Its destructor is counted.
#[derive(Debug)]
pub(crate) struct Listing {
    ledger: Arc<Ledger>,
}

/// How many listings of one map's run were made and dropped.
///
/// Each run has its own: what one map drops late is not counted for the next.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: AtomicU64,
    dropped: AtomicU64,
}

impl Ledger {
    /// Makes a listing that this ledger counts.
    pub(crate) fn listing(self: &Arc<Self>) -> Listing {
        self.made.fetch_add(1, Ordering::Relaxed);
        Listing { ledger: Arc::clone(self) }
    }

    /// How many listings have been dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Acquire)
    }

    /// How many listings exist, in a map or in its garbage.
    pub(crate) fn alive(&self) -> u64 {
        self.made.load(Ordering::Relaxed) - self.dropped()
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.ledger.dropped.fetch_add(1, Ordering::Release);
    }
}

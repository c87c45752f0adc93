//! What a thread keeps for a map, in its record there.

use std::cell::UnsafeCell;

#[cfg(not(loom))]
use super::directory::Record;
use super::pending::Retired;
use super::saved::Saved;
use super::tally::{Listed, Tally};
use super::warning::Warned;
use crate::sync::{AtomicU64, Ordering};

/// What a thread keeps for a map.
pub(crate) struct Local<G> {
    /// Unlinked under the guards that this thread holds now, in the order of their stamps. Owner only.
    pub(super) retired: UnsafeCell<Vec<Retired<G>>>,
    /// Under [`Reclaim::Batched`](crate::Reclaim::Batched): what the thread saves up. The owner puts it there; who takes it
    /// away drops it or hands it over, and does not put it back.
    pub(super) saved: Saved<Retired<G>>,
    /// Odd while the thread has garbage in its hands, between unlinking and dropping or handing over. Owner writes.
    pub(super) busy: AtomicU64,
    pub(super) allocated: Tally,
    pub(super) retired_sum: Tally,
    pub(super) freed: Tally,
    /// What is in `retired`, for others to see.
    pub(super) listed: Listed,
    pub(super) warned: Warned,
}

// SAFETY: Sync: D2: what is not atomic is touched by the owner only; garbage goes from thread to thread by value.
unsafe impl<G: Send> Sync for Local<G> {}

impl<G> Default for Local<G> {
    fn default() -> Self {
        Local {
            retired: UnsafeCell::new(Vec::new()),
            saved: Saved::new(),
            busy: AtomicU64::new(0),
            allocated: Tally::default(),
            retired_sum: Tally::default(),
            freed: Tally::default(),
            listed: Listed::default(),
            warned: Warned::default(),
        }
    }
}

// The contract says so (M2).
#[cfg(not(loom))]
const _: () = assert!(size_of::<Record<Local<()>>>() == 256);

impl<G> Local<G> {
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) % 2 == 1
    }
}

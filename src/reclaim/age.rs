//! A coarse clock for the age of guards: a few milliseconds of resolution for a few nanoseconds of cost.

use coarsetime::{Duration, Instant};

/// A moment; never 0, which records use for "nobody has asked yet".
pub(crate) type Ticks = u64;

pub(crate) fn now() -> Ticks {
    if cfg!(any(loom, miri)) { 1 } else { Instant::now().as_ticks().max(1) }
}

/// How long ago `then` was.
pub(crate) fn since(then: Ticks) -> std::time::Duration {
    Duration::from_ticks(now().saturating_sub(then)).into()
}

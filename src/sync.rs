//! The one place that names the primitives of concurrency.
//!
//! Everything in this crate that another thread can see goes through these names, so that the models in `loom-tests`
//! run the map's own code: under `--cfg loom` they are loom's, otherwise the standard library's.

use std::time::{Duration, Instant};

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};

/// Waits a little, longer with every round: first by giving up the processor, then by sleeping up to a millisecond.
///
/// Only [`reclaim`](crate::HashMap::reclaim) waits at all.
#[derive(Debug)]
pub(crate) struct Backoff {
    rounds: u32,
    deadline: Option<Instant>,
}

impl Backoff {
    /// Waits until then at the longest; without a deadline, for ever.
    pub(crate) fn until(deadline: Option<Instant>) -> Backoff {
        Backoff { rounds: 0, deadline }
    }

    /// One round. False, at once, if the deadline has passed.
    pub(crate) fn wait(&mut self) -> bool {
        let left = self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return false;
        }
        #[cfg(loom)]
        loom::thread::yield_now();
        #[cfg(not(loom))]
        if self.rounds < 8 {
            std::thread::yield_now();
        } else {
            let micros = 1u64 << (self.rounds - 4).min(10);
            std::thread::sleep(Duration::from_micros(micros).min(left));
        }
        self.rounds += 1;
        true
    }
}

/// Defines a function that is `const`, except under loom, whose primitives have no `const` constructors.
macro_rules! const_unless_loom {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty $body:block) => {
        $(#[$attr])*
        #[cfg(not(loom))]
        $vis const fn $name($($arg: $ty),*) -> $ret $body

        $(#[$attr])*
        #[cfg(loom)]
        $vis fn $name($($arg: $ty),*) -> $ret $body
    };
}
pub(crate) use const_unless_loom;

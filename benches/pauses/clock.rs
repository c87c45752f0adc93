//! Clocks, and the state of the allocator.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

/// What this thread has used of a processor, in nanoseconds: what others do on it in the meantime does not count.
#[cfg(target_os = "linux")]
pub(crate) fn thread_time() -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to `time`, which is ours.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    (failed == 0).then_some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn thread_time() -> Option<u64> {
    None
}

/// Arrivals at fixed times, whether the one before has been served or not.
pub(crate) struct Schedule {
    next: Instant,
    apart: Duration,
}

impl Schedule {
    pub(crate) fn of(per_second: u64) -> Schedule {
        Schedule { next: Instant::now(), apart: Duration::from_nanos(1_000_000_000 / per_second) }
    }

    /// Waits for the next arrival, if it is still to come, and says when it was due.
    pub(crate) fn arrival(&mut self) -> Instant {
        let due = self.next;
        self.next += self.apart;
        while Instant::now() < due {
            spin_loop();
        }
        due
    }
}

/// Has the allocator tidy up, and give back what is free, before the next one is measured.
///
/// With glibc, whoever asks for a large block pays for all small ones that were freed before, which may take tens of
/// milliseconds.
pub(crate) fn settle_the_allocator() {
    for bytes in [64 << 10, 1 << 20, 64 << 10, 1 << 20] {
        std::hint::black_box(vec![1_u8; bytes]);
    }
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: gives free memory back, and touches no other.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// From now on each large block comes from the system and goes back to it at once. glibc begins so, too, and keeps more and more
/// for itself as large blocks are freed.
pub(crate) fn large_blocks_are_the_systems() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets a number.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 << 10);
    }
}

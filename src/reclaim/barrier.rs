//! A barrier of which one side is nearly free.
//!
//! Of two threads that each store and then load what the other stores, at least one sees the other's store if each has a
//! full fence in between. Guards end often and garbage has to wait for one rarely, so the price is shifted: who ends a
//! guard calls [`light`], which keeps only the compiler from reordering, and who lets garbage wait calls [`heavy`], which
//! makes every running thread of the process execute a fence (Linux's `membarrier`, private expedited). Either the
//! leaving thread's store was before that fence, and the other sees it; or its load comes after it, and sees what the
//! other stored before.
//!
//! Where there is no such system call, or under Miri and loom, both are sequentially consistent fences.

use crate::sync::{Ordering, fence};

#[cfg(all(any(target_os = "linux", target_os = "android"), not(loom), not(miri)))]
mod process_wide {
    use std::sync::atomic::{AtomicU8, Ordering};

    const UNKNOWN: u8 = 0;
    const PRESENT: u8 = 1;
    const ABSENT: u8 = 2;

    static MEMBARRIER: AtomicU8 = AtomicU8::new(UNKNOWN);

    fn membarrier(command: libc::c_int) -> bool {
        // SAFETY: the call takes two more integers, and touches no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    /// Is the system call there, and is the process registered for it? Asked once.
    #[inline]
    pub(super) fn is_present() -> bool {
        match MEMBARRIER.load(Ordering::Relaxed) {
            UNKNOWN => register(),
            known => known == PRESENT,
        }
    }

    #[cold]
    fn register() -> bool {
        let present = membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        let answer = if present { PRESENT } else { ABSENT };
        // Of threads that ask at the same time the first to answer answers for all.
        match MEMBARRIER.compare_exchange(UNKNOWN, answer, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => present,
            Err(theirs) => theirs == PRESENT,
        }
    }

    pub(super) fn barrier() {
        if !membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            // Something has taken the call away after it was granted. Guards have relied on it; there is no going on.
            eprintln!("tidymap: membarrier has failed after the process was registered for it");
            std::process::abort();
        }
    }
}

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(loom), not(miri))))]
mod process_wide {
    pub(super) fn is_present() -> bool {
        false
    }

    pub(super) fn barrier() {}
}

/// The cheap side, for the side that is often there.
#[inline]
pub(super) fn light() {
    if process_wide::is_present() {
        #[cfg(not(loom))]
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}

/// The dear side: from some hundred nanoseconds to some microseconds, with the number of running threads.
#[cold]
pub(super) fn heavy() {
    fence(Ordering::SeqCst);
    if process_wide::is_present() {
        process_wide::barrier();
    }
}

//! A barrier of which one side is nearly free.
//!
//! Of two threads that each store and then load what the other stores, at least one sees the other's store if each has a
//! full fence in between. Guards begin and end often, and garbage is rare, so the price is shifted: who begins or ends a
//! guard has the [`light`] side, which keeps only the compiler from reordering, and who has garbage calls [`heavy`], which
//! makes every running thread of the process execute a fence (Linux's `membarrier`, private expedited). Either the
//! guard's store was before that fence, and the other sees it; or its load comes after it, and sees what the
//! other stored before.
//!
//! Where there is no such system call, or under Miri, both are sequentially consistent fences. So they are in models, but for those
//! that [simulate](process_wide) the call.

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
        while !membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            // There is no memory for the list of processors; that passes.
            if std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOMEM) {
                std::thread::yield_now();
                continue;
            }
            // Something has taken the call away after it was granted. Guards have relied on it; there is no going on.
            eprintln!("tidymap: membarrier has failed after the process was registered for it");
            std::process::abort();
        }
    }
}

/// The barrier as models have it: what the system promises, and no more.
///
/// It promises that for each thread there is a moment, between the beginning and the end of the dear side, at which that thread executes a fence. Which matters only
/// where it stands to the thread's cheap sides: before one, and what is read after that one sees what was written before the barrier; or after it, and what was written before that
/// one is seen after the barrier. So each thread has a word that its own cheap sides and all dear sides change, one after the other: who
/// changes it later has acquired what came before the earlier change. Cheap sides of different threads change different words, and are not ordered.
#[cfg(loom)]
mod process_wide {
    use std::cell::Cell;

    use crate::reclaim::slot;
    use crate::sync::{AtomicUsize, Ordering, fence, lazy_static};

    std::thread_local! {
        // Of the standard library: all threads of a model run on the thread of its test.
        static SIMULATED: Cell<Simulated> = const { Cell::new(Simulated::Nothing) };
    }

    /// What a model has of this.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Simulated {
        /// Both sides execute fences.
        Nothing,
        /// The barrier.
        Barrier,
        /// And by it, records are made fenced. For models about that: it is many steps.
        BarrierAndTurns,
    }

    /// What models have that this thread explores from now on.
    pub fn simulate(simulated: Simulated) {
        SIMULATED.set(simulated);
    }

    pub(in crate::reclaim) fn has_turns() -> bool {
        SIMULATED.get() == Simulated::BarrierAndTurns
    }

    /// As many as any model has slots.
    const THREADS: usize = 4;

    lazy_static! {
        static ref WORDS: [AtomicUsize; THREADS] = std::array::from_fn(|_| AtomicUsize::new(0));
    }

    pub(super) fn is_present() -> bool {
        SIMULATED.get() != Simulated::Nothing
    }

    pub(super) fn light() {
        if is_present() {
            // The last word is also for who ends a guard that is no thread's, and has had none of its own.
            let word = slot::current().map_or(usize::MAX, |slot| slot.id() as usize).min(THREADS - 1);
            WORDS[word].fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn barrier() {
        for word in WORDS.iter() {
            // ORDERING: the fences on both sides make it acquire and release what the caller knew before, and nothing of what it learns on the way: cheap
            // sides of two threads are not ordered by it.
            word.fetch_add(1, Ordering::Relaxed);
        }
        fence(Ordering::SeqCst);
    }
}

#[cfg(not(any(all(any(target_os = "linux", target_os = "android"), not(miri)), loom)))]
mod process_wide {
    pub(super) fn is_present() -> bool {
        false
    }

    pub(super) fn barrier() {}
}

/// Is the dear side a barrier for the whole process?
#[inline]
pub(super) fn is_present() -> bool {
    process_wide::is_present()
}

/// The cheap side, for the side that is often there.
#[inline(always)]
pub(super) fn light() {
    if is_present() {
        light_if_present();
    } else {
        fence(Ordering::SeqCst);
    }
}

/// [`light`], if there is a barrier for the whole process; else nothing.
#[inline(always)]
pub(super) fn light_if_present() {
    #[cfg(not(loom))]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(loom)]
    process_wide::light();
}

#[cfg(loom)]
pub(super) use process_wide::has_turns;
#[cfg(loom)]
pub use process_wide::{Simulated, simulate};

#[cfg(test)]
std::thread_local! {
    /// How often the thread has been on the dear side.
    pub(super) static BARRIERS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// The dear side: from some hundred nanoseconds to some microseconds, with the number of running threads and by the machine.
#[cold]
pub(super) fn heavy() {
    #[cfg(test)]
    BARRIERS.with(|barriers| barriers.set(barriers.get() + 1));
    fence(Ordering::SeqCst);
    if process_wide::is_present() {
        process_wide::barrier();
    }
}

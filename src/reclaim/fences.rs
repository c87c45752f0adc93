//! Who pays for the race of a guard that begins against a removal (*enter against horizon*): readers, or those who remove.
//!
//! A guard announces its epoch and then reads the map; who has unlinked something looks at the announcements. Either the guard does not see what was
//! unlinked, or it is seen itself. For that each of the two needs a fence between what it writes and what it reads. A map is in one of two modes:
//!
//! - *fenced*: each guard executes a fence, and so does who looks;
//! - *free*: a guard only keeps the compiler from reordering, and who looks has every running thread execute a fence ([`barrier`]). A read costs less
//!   then, and reads that do not depend on each other overlap; to look costs some hundred nanoseconds more, and disturbs the others for as long.
//!
//! Reads are many and removals few, so a map begins free, where the system has such a barrier. A thread that looks often finds that out
//! ([`Pace`]), and changes the mode; so do reads, if nobody looks any more.
//!
//! # Changing the mode
//!
//! There is a mode between the two on either way, in which both sides do what is dear, and a barrier before that is left ([`turn`](Fences::turn)).
//!
//! - From *free* to *fenced*: a guard that has read *free* did so before the barrier, and so has announced itself before it; who reads *fenced* comes after the barrier
//!   and sees that.
//! - From *fenced* to *free*: who has read *fenced* did so before the barrier, and has unlinked before that; guards that read *free* come after the barrier, and do not
//!   see what was unlinked.
//!
//! A map that one thread uses needs no barrier. The first guard of a record counts it, with a fence ([`join`](Fences::join)): either who looks sees the count, or
//! that guard does not see what was unlinked, nor do those that come after it. These may be another thread's: a slot changes hands by a mutex, and who has it next comes after who had it
//! before. A record that has been used stays counted.
//!
//! Sources: P1202 (Goldblatt 2019) for the fences of two prices, the manual of Linux's `membarrier`, liburcu's `sys_membarrier` flavour.

use std::cell::Cell;
use std::time::Duration;

use super::barrier;
use crate::sync::{AtomicU32, IN_MODEL, Ordering, const_unless_loom, fence};

/// Does a read execute a memory fence? [`Builder::read_fence`](crate::Builder::read_fence).
///
/// A read says that it is there before it looks at the map, and a removal looks for reads before it drops anything. One of the two has to pay for it that the
/// other's word is not overlooked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadFence {
    /// As [`Never`](Self::Never), until a thread removes and overwrites so often that it is cheaper the other way; as [`Always`](Self::Always) then, until it does so less often, or reads find that
    /// nobody has for some 20 ms.
    #[default]
    Auto,
    /// Reads execute a fence: two nanoseconds or more, and they overlap less. Removals are as cheap as can be.
    Always,
    /// Reads execute none. Each removal and overwriting, or each batch of them, has all running threads of the process execute one, by a system call (`membarrier`): from 0.2 µs to some microseconds, by the machine, and a pause for
    /// the others. Not while a single thread has used the map, except for calls that wait or report ([`reclaim`](crate::HashMap::reclaim), [`stats`](crate::HashMap::stats)). Where there is no such call (it is Linux's), and on other processors than x86 and aarch64, this is `Always`.
    Never,
}

impl ReadFence {
    /// `Auto`. `--cfg tidymap_fenced` is for tests: most of them are run once more that way.
    pub(super) const BY_DEFAULT: ReadFence = if cfg!(tidymap_fenced) { ReadFence::Always } else { ReadFence::Auto };
}

/// Nobody has used the map. Both sides do what is dear.
const UNDECIDED: u32 = 4;
const FREE: u32 = 0;
const TO_FENCED: u32 = 1;
const FENCED: u32 = 2;
const TO_FREE: u32 = 3;

/// So many looks of a thread are timed together.
const LOOKS: u8 = 64;
/// A thread that looks again before so many times what a barrier takes have passed makes the map fenced: it would spend a part of its time in barriers, and the
/// others as much. One that looks less than half as often makes it free.
const PAYS: u32 = 8;

/// Microseconds, since whenever.
fn now() -> u32 {
    static BEGINNING: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    (BEGINNING.elapsed().as_micros() as u32).max(1)
}

/// Powers of two. A look takes some ten nanoseconds.
const LEAST_PATIENCE: u8 = if IN_MODEL { 0 } else { 4 };
const MOST_PATIENCE: u8 = if IN_MODEL { 0 } else { 8 };

/// If nobody has looked so many times for this long, reads make the map free.
const QUIET: Duration = Duration::from_millis(20);

/// How often a thread looks. Owner only.
#[derive(Debug, Default)]
pub(super) struct Pace {
    looks: Cell<u8>,
    /// Guards that have executed a fence.
    fenced: Cell<u8>,
    /// A power of two.
    patience: Cell<u8>,
    /// When the looks were last timed: microseconds, a `u32` that may begin anew. 0 if they have not been. As bytes, so that a record has room for one more.
    since: Cell<[u8; 4]>,
}

impl Pace {
    /// How often to look again for a guard that may be about to leave. Not for longer than it takes to hand the garbage over, most of which is a barrier;
    /// and less where that was in vain.
    pub(super) fn patience(&self) -> u32 {
        1 << self.patience.get().clamp(LEAST_PATIENCE, MOST_PATIENCE)
    }

    pub(super) fn was_patient(&self, in_vain: bool) {
        let patience = self.patience.get().clamp(LEAST_PATIENCE, MOST_PATIENCE);
        self.patience.set(if in_vain { patience.saturating_sub(1) } else { patience + 1 });
    }
}

#[derive(Debug)]
pub(super) struct Fences {
    mode: AtomicU32,
    /// When any thread has last timed its looks. No primitive of a model: those say when the mode changes.
    timed: std::sync::atomic::AtomicU32,
    /// Threads, or rather their records, that have used the map.
    users: AtomicU32,
    chosen: ReadFence,
}

impl Fences {
    const_unless_loom! {
        pub(super) fn new(chosen: ReadFence) -> Fences {
            Fences { mode: AtomicU32::new(UNDECIDED), timed: std::sync::atomic::AtomicU32::new(0), users: AtomicU32::new(0), chosen }
        }
    }

    pub(super) fn chosen(&self) -> ReadFence {
        self.chosen
    }

    /// Do reads execute a fence now?
    pub(super) fn is_fenced(&self) -> bool {
        match self.mode.load(Ordering::Relaxed) {
            UNDECIDED => self.at_first() == FENCED,
            mode => mode != FREE,
        }
    }

    fn at_first(&self) -> u32 {
        // Where a processor shows a store to some earlier than to others, calls on different keys would not be in one order without fences.
        let shows_to_all = cfg!(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64"));
        if self.chosen != ReadFence::Always && shows_to_all && barrier::is_present() { FREE } else { FENCED }
    }

    /// A record is used for the first time.
    #[cold]
    pub(super) fn join(&self) {
        if self.mode.load(Ordering::Relaxed) == UNDECIDED {
            // Before we are counted: whoever is counted later finds it decided. If somebody else has done it, well.
            let _ = self.mode.compare_exchange(UNDECIDED, self.at_first(), Ordering::Relaxed, Ordering::Relaxed);
        }
        // ORDERING: Release and Acquire, for the mode. The fence is our side against `before_looking`: see above.
        self.users.fetch_add(1, Ordering::AcqRel);
        fence(Ordering::SeqCst);
    }

    /// The guard's side: between its announcement and its first look at the map.
    #[inline(always)]
    pub(super) fn announced(&self, own: &Pace) {
        barrier::light_if_present();
        // ORDERING: Acquire pairs with the Release of `turn`: who reads *free* comes after the barrier. It is read after the announcement.
        if self.mode.load(Ordering::Acquire) != FREE {
            fence(Ordering::SeqCst);
            own.fenced.set(own.fenced.get().wrapping_add(1));
            if own.fenced.get() == 0 {
                self.end_if_quiet();
            }
        }
    }

    /// Makes a fenced map free, if nobody who looks is there to do it.
    #[cold]
    fn end_if_quiet(&self) {
        // Models say when.
        let may_turn = !IN_MODEL && self.chosen == ReadFence::Auto && self.at_first() == FREE;
        if may_turn && self.mode.load(Ordering::Relaxed) == FENCED {
            let timed = self.timed.load(std::sync::atomic::Ordering::Relaxed);
            let quiet = Duration::from_micros(now().wrapping_sub(timed).into());
            if quiet > QUIET.max(2 * PAYS * barrier::cost() * LOOKS.into()) {
                self.turn(FENCED);
            }
        }
    }

    /// The side of who has unlinked something, before it looks at the announcements. `own` is the calling thread's, which must have been counted: a
    /// single user is taken to be the caller.
    #[inline]
    pub(super) fn before_looking(&self, own: Option<&Pace>) {
        // ORDERING: in the fenced mode this is all that there is to it; else for `join`: the number of users, and the mode, are read after it.
        fence(Ordering::SeqCst);
        if let Some(pace) = own {
            if self.users.load(Ordering::Relaxed) == 1 {
                return;
            }
            self.count(pace);
        }
        // ORDERING: Acquire pairs with the Release of `turn`: who reads *fenced* comes after the barrier.
        if self.mode.load(Ordering::Acquire) != FENCED {
            barrier::heavy();
        }
    }

    /// Counts a look.
    fn count(&self, pace: &Pace) {
        pace.looks.set((pace.looks.get() + 1) % LOOKS);
        if self.chosen == ReadFence::Auto && pace.looks.get() == 0 {
            self.adapt(pace);
        }
    }

    #[cold]
    fn adapt(&self, pace: &Pace) {
        if IN_MODEL || self.at_first() == FENCED {
            return;
        }
        let now = now();
        self.timed.store(now, std::sync::atomic::Ordering::Relaxed);
        let before = u32::from_ne_bytes(pace.since.replace(now.to_ne_bytes()));
        if before == 0 {
            return;
        }
        let each = Duration::from_micros(now.wrapping_sub(before).into()) / LOOKS.into();
        let pays = PAYS * barrier::cost();
        match self.mode.load(Ordering::Relaxed) {
            FREE if each < pays => self.turn(FREE),
            FENCED if each > 2 * pays => self.turn(FENCED),
            _ => {}
        }
    }

    /// Makes a free map fenced, and a fenced one free, unless somebody else is doing it.
    fn turn(&self, mode: u32) {
        let (by, to) = match mode {
            FREE => (TO_FENCED, FENCED),
            FENCED => (TO_FREE, FREE),
            _ => return,
        };
        // ORDERING: the barrier orders it before what follows, for all threads.
        if self.mode.compare_exchange(mode, by, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            barrier::heavy();
            // ORDERING: Release pairs with the Acquire of `announced` and `before_looking`.
            self.mode.store(to, Ordering::Release);
        }
    }

    #[cfg(loom)]
    pub(super) fn turn_now(&self) {
        self.turn(self.mode.load(Ordering::Relaxed));
    }
}

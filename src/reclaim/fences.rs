//! Who pays for the race of a guard that begins against a removal (*enter against horizon*): readers, or those who remove.
//!
//! A guard announces its epoch and then reads the map; who has unlinked something looks at the announcements. Either the guard does not see what was
//! unlinked, or it is seen itself. There are three ways to that, and each record goes by one of them at a time:
//!
//! - *It has come.* A record that has announced an epoch behind the stamp is that of a thread that has seen the unlinking, and whose earlier guards have ended. Nobody executes a fence: who
//!   looks does so until all have come, or for some number of times: threads that read come by themselves, with their next guard.
//! - *It is fenced*: its guards execute a fence, and so does who looks, or the stamp was one (`fence_after_rmw`). A record that rests, and is known to be fenced, is passed over.
//! - *It is free*, rests, and does not come: whether it has just begun to read, nobody can tell. Who looks has every running thread execute a fence ([`barrier`]), and makes the record fenced by that
//!   ([`turn`](Fences::try_turn)), so that it is not met like that again while it rests.
//!
//! A record's first guard is fenced; from then on it is free, where there is such a barrier. One that was made fenced makes itself free again after some [`FENCED_GUARDS`]: by then it has
//! paid for about as much as the barrier took.
//!
//! # Changing the mode
//!
//! - From *free* to *fenced*, by who looks: there is a mode in between, in which the guard fences and nobody relies on it, and a barrier before that is left. A guard that has read *free*
//!   did so before the barrier, and so has announced itself before it; who reads *fenced* comes after the barrier and sees that.
//! - From *fenced* to *free*, by the record's owner: between an announcement and the fence after it. Of this fence and that of who looks one is first. If it is the owner's, who looks sees *free*; if it is the other,
//!   this guard, and all that the thread begins later, see what was unlinked.
//!
//! Sources: P1202 (Goldblatt 2019) for the fences of two prices, the manual of Linux's `membarrier`, liburcu's `sys_membarrier` flavour, and its quiescent states (McKenney), which *it has come* is one of.

use std::cell::Cell;

use super::barrier;
use crate::sync::{AtomicU8, IN_MODEL, Ordering, const_unless_loom};

/// Does a read execute a memory fence? [`Builder::read_fence`](crate::Builder::read_fence).
///
/// A read says that it is there before it looks at the map, and a removal looks for reads before it drops anything. One of the two has to pay for it that the
/// other's word is not overlooked; unless the reading thread begins another read, by which it tells that it has seen the removal. So a removal looks for that first, for some microseconds at most:
/// threads that read tell it at once, and nobody pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadFence {
    /// Reads execute none, but for a thread's first on the map. A removal or an overwriting that meets a thread which does not read has all running threads of the process execute one, by a system call
    /// (`membarrier`): from 0.2 µs to some microseconds, by the machine, and a pause for the others. The thread that was met executes a fence itself in its next 256 calls or sessions; so as long as it rests, no
    /// further removal has to make that call because of it. Calls that wait or report ([`reclaim`](crate::HashMap::reclaim), [`stats`](crate::HashMap::stats)) meet threads in the same way. Where there is no such call (it is Linux's), and on other processors than x86 and aarch64, this is `Always`.
    #[default]
    Auto,
    /// Reads execute a fence: two nanoseconds or more, and they overlap less. Removals are as cheap as can be.
    Always,
    /// As `Auto`, but no thread is made to execute a fence: each removal or overwriting, or each batch of them, makes the system call as long as any thread that has ever used the map does not read.
    Never,
}

impl ReadFence {
    /// `Auto`. `--cfg tidymap_fenced` is for tests: most of them are run once more that way.
    pub(super) const BY_DEFAULT: ReadFence = if cfg!(tidymap_fenced) { ReadFence::Always } else { ReadFence::Auto };
}

/// Of a record. Guards execute a fence, and who looks relies on it.
const FENCED: u8 = 0;
/// Guards execute a fence, and nobody relies on it.
const TO_FENCED: u8 = 1;
/// Guards execute none.
const FREE: u8 = 2;

/// So many guards and one execute a fence each before a record is free again: about as dear as a barrier.
const FENCED_GUARDS: u8 = if IN_MODEL { 0 } else { 255 };

/// A record's part in it.
#[derive(Debug)]
pub(super) struct Fencing {
    mode: AtomicU8,
    /// Guards that execute a fence before the record is free. Owner only.
    left: Cell<u8>,
}

impl Default for Fencing {
    fn default() -> Self {
        Fencing { mode: AtomicU8::new(FENCED), left: Cell::new(0) }
    }
}

impl Fencing {
    /// Asked by the owner, who has announced a guard.
    #[inline(always)]
    pub(super) fn wants_fence(&self) -> bool {
        // ORDERING: Relaxed: of who makes it fenced, the barrier orders it.
        self.mode.load(Ordering::Relaxed) != FREE
    }

    /// Counts a guard with a fence. True for the last one of them, if guards may go without.
    #[inline(always)]
    pub(super) fn is_last_fence(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        left == 0
    }

    /// Do its guards execute a fence, so that who has executed one, too, or whose stamp was one, sees them, or they what was unlinked before that?
    ///
    /// To be asked before the record's epoch is read.
    #[inline]
    pub(super) fn is_fenced(&self) -> bool {
        // ORDERING: Acquire pairs with the Release of `Turn::end`: what is read after it comes after that barrier.
        self.mode.load(Ordering::Acquire) == FENCED
    }
}

/// A map's part in it.
#[derive(Debug)]
pub(super) struct Fences {
    chosen: ReadFence,
    /// 1 while somebody makes records fenced.
    turning: AtomicU8,
}

impl Fences {
    const_unless_loom! {
        pub(super) fn new(chosen: ReadFence) -> Fences {
            Fences { chosen, turning: AtomicU8::new(0) }
        }
    }

    pub(super) fn chosen(&self) -> ReadFence {
        self.chosen
    }

    /// May guards go without a fence?
    pub(super) fn may_be_free(&self) -> bool {
        // Where a processor shows a store to some earlier than to others, calls on different keys would not be in one order without fences.
        let shows_to_all = cfg!(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64"));
        self.chosen != ReadFence::Always && shows_to_all && barrier::is_present()
    }

    /// For the guards after this one, whose fence comes after that.
    pub(super) fn set_free(&self, own: &Fencing) {
        own.left.set(FENCED_GUARDS);
        if self.may_be_free() {
            // ORDERING: Relaxed: the fence of `Epochs::fence_guard`, which follows, orders it before that of `Epochs::look`. An exchange, as all changes are: it
            // comes after whatever has made the record fenced.
            own.mode.swap(FREE, Ordering::Relaxed);
        }
    }

    /// For making records fenced; None if they are not to be, or somebody else is at it.
    pub(super) fn try_turn(&self) -> Option<Turn<'_>> {
        let may_turn = self.chosen == ReadFence::Auto;
        #[cfg(loom)]
        let may_turn = may_turn && barrier::has_turns();
        // ORDERING: Acquire pairs with the Release of `drop`: one turn is after the other, so a record that is between two modes is in that of one turn.
        (may_turn && self.turning.swap(1, Ordering::Acquire) == 0).then_some(Turn { fences: self })
    }
}

/// Who has it makes records fenced: [begins](Self::begin) that, has a barrier executed, and [ends](Self::end) it.
pub(super) struct Turn<'f> {
    fences: &'f Fences,
}

impl Turn<'_> {
    pub(super) fn begin(&self, record: &Fencing) {
        // Not without a look: an exchange takes the cache line from its owner even if it fails.
        if record.mode.load(Ordering::Relaxed) == FREE {
            // ORDERING: Relaxed: the barrier orders it before what follows, for all threads; see `wants_fence`.
            let _ = record.mode.compare_exchange(FREE, TO_FENCED, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Unless its owner has made it free meanwhile.
    pub(super) fn end(&self, record: &Fencing) {
        if record.mode.load(Ordering::Relaxed) == TO_FENCED {
            // ORDERING: Release pairs with the Acquire of `is_fenced`. (Models cannot tell: theirs ends the barrier with a fence.)
            let _ = record.mode.compare_exchange(TO_FENCED, FENCED, Ordering::Release, Ordering::Relaxed);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // ORDERING: Release, see `try_turn`.
        self.fences.turning.store(0, Ordering::Release);
    }
}

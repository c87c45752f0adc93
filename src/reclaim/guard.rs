//! Guards, as operations hold them.

use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::Garbage;
use super::directory::Record;
use super::domain::{Domain, UNSTAMPED};
use super::drops::Panics;
use super::epochs::{Epoch, Exit};
use super::local::Local;
use super::pending::{KEEP, Retired};
use super::place::Place;
use super::slot;
use super::tally::Weight;

/// While it lives, nothing that is reachable in its map is dropped.
///
/// Not `Send`: it belongs to its thread's record.
pub(crate) struct Guard<'d, G: Garbage> {
    held: Held<'d, G>,
    epoch: Epoch,
    place: Place,
}

/// A guard that does not end by itself: whoever [takes it back](Self::taken_back) sees to that (G4).
///
/// For calls that end the guard if they unwind, and else leave it to the caller: with the guard itself the compiler has it in memory for that, all the time.
pub(crate) struct Lent<'d, G: Garbage> {
    held: Held<'d, G>,
    epoch: Epoch,
    place: Place,
}

impl<G: Garbage> Clone for Lent<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G: Garbage> Copy for Lent<'_, G> {}

impl<'d, G: Garbage> Lent<'d, G> {
    /// # Safety
    /// It has been lent, and not taken back since (G4).
    #[inline(always)]
    pub(crate) unsafe fn taken_back(self) -> Guard<'d, G> {
        Guard { held: self.held, epoch: self.epoch, place: self.place }
    }
}

/// What operations under a guard use of it. Good only while the guard lives: nobody keeps one.
///
/// Apart from it, and passed on by value where a read leaves its fast path: the address of the guard itself does not
/// escape then, so a one-shot read keeps all of it in registers.
pub(crate) struct Held<'d, G: Garbage> {
    domain: &'d Domain<G>,
    record: &'d Record<Local<G>>,
    _not_send: PhantomData<BelongsToItsThread>,
}

/// Neither `Send` nor `Sync`, for the record is its thread's. The compiler names this type to who sends a session, so its name says what to do instead.
type BelongsToItsThread = dyn OpenedByPinOwnedItMayBeSent + Unpin + UnwindSafe + RefUnwindSafe;

trait OpenedByPinOwnedItMayBeSent {}

impl<G: Garbage> Clone for Held<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G: Garbage> Copy for Held<'_, G> {}

impl<'d, G: Garbage> std::ops::Deref for Guard<'d, G> {
    type Target = Held<'d, G>;

    #[inline(always)]
    fn deref(&self) -> &Held<'d, G> {
        &self.held
    }
}

impl<'d, G: Garbage> Guard<'d, G> {
    #[inline(always)]
    pub(super) fn new(domain: &'d Domain<G>, record: &'d Record<Local<G>>, epoch: Epoch, place: Place) -> Guard<'d, G> {
        Guard { held: Held::new(domain, record), epoch, place }
    }

    /// See [`Lent`].
    #[must_use = "nobody else ends it"]
    #[inline(always)]
    pub(crate) fn lend(self) -> Lent<'d, G> {
        let lent = Lent { held: self.held, epoch: self.epoch, place: self.place };
        std::mem::forget(self);
        lent
    }
}

impl<'d, G: Garbage> Held<'d, G> {
    #[inline(always)]
    pub(super) fn new(domain: &'d Domain<G>, record: &'d Record<Local<G>>) -> Held<'d, G> {
        Held { domain, record, _not_send: PhantomData }
    }

    pub(super) fn parts(&self) -> (&'d Domain<G>, &'d Record<Local<G>>) {
        (self.domain, self.record)
    }

    /// Hands over something that no guard can reach any more that begins from now on.
    #[inline(always)]
    pub(crate) fn retire(&self, garbage: impl Into<G>) {
        let garbage = garbage.into();
        self.count(garbage.weight());
        self.hand_over(garbage);
    }

    /// Counts what is garbage now, and will be [handed over](Self::hand_over): by this thread, or by another one later.
    #[inline]
    pub(crate) fn count(&self, weight: Weight) {
        self.retired(weight);
        self.domain.cap.add(weight.entries);
    }

    /// [`retire`](Self::retire) for what has been counted.
    #[inline(always)]
    pub(crate) fn hand_over(&self, garbage: impl Into<G>) {
        let garbage = garbage.into();
        // SAFETY: G2: only the owner touches `retired`, and no user code runs while it does.
        let retired = unsafe { &mut *self.record.local.retired.get() };
        self.record.is_laden.set(true);
        self.record.local.listed.add(garbage.weight());
        retired.push(Retired { stamp: UNSTAMPED, garbage });
    }

    /// Counts what has been unlinked and will not be handed over.
    #[inline]
    pub(crate) fn retired(&self, weight: Weight) {
        self.record.local.retired_sum.add(weight);
    }

    /// Marks the end of an operation: guards that begin from now on do not hold back what it has unlinked.
    #[inline]
    pub(crate) fn seal(&self) {
        self.domain.seal(&self.record.local);
    }

    /// Goes on with what is left over, after having had the writer mutex.
    #[inline]
    pub(crate) fn go_on(&self) {
        self.domain.go_on(&self.record.local);
    }

    /// Another guard, of the calling thread.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn another(&self) -> Guard<'d, G> {
        self.domain.guard()
    }

    /// What the reclaiming of the garbage depends on.
    #[inline]
    pub(crate) fn context(&self) -> &'d G::Context {
        self.domain.context()
    }

    /// Is there no other guard of this thread?
    pub(crate) fn is_only(&self) -> bool {
        self.domain.epochs.is_only(self.record)
    }

    /// Counts memory that the map has taken.
    #[inline]
    pub(crate) fn allocated(&self, weight: Weight) {
        self.record.local.allocated.add(weight);
    }

    /// Does it belong to no thread? Then misses are not counted by it.
    #[inline]
    pub(crate) fn is_leased(&self) -> bool {
        self.record.is_leased.get()
    }

    /// Counts a miss; tells how many to add to the map's count, every `flush` misses of a thread.
    #[inline]
    pub(crate) fn miss(&self, flush: u32) -> Option<u32> {
        let misses = self.record.misses.get() + 1;
        let full = misses >= flush;
        self.record.misses.set(if full { 0 } else { misses });
        full.then_some(misses)
    }
}

impl<G: Garbage> Guard<'_, G> {
    /// Ends the guard and gives `take` the garbage that `is_it`, if this thread has unlinked that under guards that it still
    /// holds, and no other guard can see it. Else returns the guard. Never waits. O(what the thread has unlinked).
    pub(crate) fn take_back<R>(self, is_it: impl Fn(&G) -> bool, take: impl FnOnce(G) -> R) -> Result<R, Self> {
        let Held { domain, record, .. } = self.held;
        let local = &record.local;
        // SAFETY: G2, as in `retire`.
        let retired = unsafe { &mut *local.retired.get() };
        let Some(index) = retired.iter().rposition(|item| is_it(&item.garbage)) else { return Err(self) };
        // What has no stamp yet is at none that would have passed.
        if !domain.epochs.is_alone(record, retired[index].stamp) {
            return Err(self);
        }
        let garbage = retired.remove(index).garbage;
        if retired.is_empty() && retired.capacity() > KEEP {
            *retired = Vec::new();
        }
        local.listed.set(retired);
        let weight = garbage.weight();
        local.freed.add(weight);
        let taken = take(garbage);
        // With all that its end brings, which may be the panic of another's destructor.
        let mut panics = Panics::default();
        panics.run(|| drop(self));
        domain.make_room(weight.entries);
        panics.resume();
        Ok(taken)
    }

    /// Notes when it was taken, for the figures.
    pub(crate) fn note_time(&self) {
        self.domain.epochs.note_time(self.record);
    }

    /// Exchanges this guard for one taken now.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn refresh(&mut self) {
        // The old guard is dropped second: the thread goes on announcing an epoch in between.
        *self = self.domain.guard();
        self.note_time();
    }

    /// [`refresh`](Self::refresh), if anything has been unlinked since this guard was taken: else it is as good as a new one.
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn repin(&mut self) {
        if !self.domain.epochs.is_current(self.epoch) {
            self.repin_now();
        }
    }

    #[cold]
    #[inline(never)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn repin_now(&mut self) {
        let Held { domain, record, .. } = self.held;
        // SAFETY: G2, as in `retire`.
        let nothing_retired = unsafe { &*record.local.retired.get() }.is_empty();
        if !nothing_retired || !self.is_only() {
            return self.refresh();
        }
        let (epoch, exit) = domain.epochs.advance(record, self.epoch);
        self.epoch = epoch;
        self.note_time();
        if exit == Exit::Awaited {
            domain.moved_on(record);
        }
    }
}

/// The clone protects what the original does, not only what it finds itself.
impl<G: Garbage> Clone for Guard<'_, G> {
    fn clone(&self) -> Self {
        self.domain.epochs.enter_again(self.record, self.epoch, self.place);
        Guard { held: self.held, epoch: self.epoch, place: self.place }
    }
}

impl<G: Garbage> Drop for Guard<'_, G> {
    #[inline(always)]
    fn drop(&mut self) {
        let Held { domain, record, .. } = self.held;
        // So little that it is inlined, and the guard stays in registers.
        // SAFETY: G2, as in `retire`.
        debug_assert!(record.is_laden.get() || unsafe { &*record.local.retired.get() }.is_empty(), "G5");
        if record.is_laden.get() {
            domain.leave_slowly(record, self.epoch, self.place);
        } else if domain.epochs.exit_only(record, self.epoch) == Exit::Awaited {
            domain.leave_garbage(record, self.epoch, self.place, true);
        } else {
            slot::leave();
        }
    }
}

impl<G: Garbage> std::fmt::Debug for Guard<'_, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

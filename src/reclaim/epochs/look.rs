//! What others see of the guards that are live, by a look at all records.

use std::panic::Location;
use std::time::Duration;

use super::super::directory::{Record, is_at_rest, last_seen};
use super::super::slot::{self, Slot};
use super::super::{age, barrier};
use super::{Epoch, Epochs};
use crate::sync::{Ordering, fence, fence_after_rmw};

/// What is seen of other threads' guards. The greatest number where there is none.
#[derive(Clone, Copy)]
struct Sight {
    /// The least epoch of those that are live.
    held: Epoch,
    /// Of those that may be and are not seen: the least that a thread had seen which seems to rest, and is not fenced.
    unseen: Epoch,
}

/// A thread that holds guards, as others see it.
#[derive(Debug)]
pub(crate) struct Holder<'e, L> {
    pub(crate) record: &'e Record<L>,
    /// Of the oldest of its guards.
    pub(crate) epoch: Epoch,
    pub(crate) guards: usize,
    slot: Slot,
}

impl<L> Holder<'_, L> {
    pub(crate) fn thread_name(&self) -> Option<String> {
        slot::thread_name(self.slot)
    }

    /// Where the oldest guard was taken, if that is known.
    pub(crate) fn location(&self) -> Option<&'static Location<'static>> {
        self.record.place.load()
    }

    /// The age of the oldest guard: since it was taken if that was noted, else since it was first looked at.
    pub(crate) fn age(&self) -> Duration {
        let since = &self.record.since;
        let mut then = since.load(Ordering::Relaxed);
        if then == 0 {
            let now = age::now();
            then = since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed).err().unwrap_or(now);
        }
        age::since(then)
    }
}

impl<L: Default> Epochs<L> {
    /// The least epoch of any live guard: whatever is stamped below it can be dropped. One visit to every thread's record, or two.
    ///
    /// `own` is the calling thread's record, if it has used that.
    pub(crate) fn horizon(&self, own: Option<&Record<L>>) -> Epoch {
        let Sight { held, unseen } = self.look(own);
        let held = held.min(self.held_by(own));
        // What may be there and is not seen does not matter behind what is.
        if unseen < held { self.look_for_certain(own).min(held) } else { held }
    }

    /// No more than the [`horizon`](Self::horizon), and as much once all other threads have come since the last stamp. One visit to every thread's record, and no barrier.
    pub(crate) fn horizon_so_far(&self, own: &Record<L>) -> Epoch {
        // ORDERING: as in `look`. What is stamped has been unlinked before that read-modify-write, by this thread or by another that has handed it on.
        fence_after_rmw();
        let Sight { held, unseen } = self.look_again(Some(own));
        held.min(unseen).min(self.held_by(Some(own)))
    }

    /// The epoch of the oldest guard that is announced by `own`.
    fn held_by(&self, own: Option<&Record<L>>) -> Epoch {
        own.and_then(|own| self.announced(own)).unwrap_or(Epoch::MAX)
    }

    /// The reclaimer's side of *enter against horizon*.
    fn look(&self, own: Option<&Record<L>>) -> Sight {
        // ORDERING: pairs with the fence of `fence_guard`, where that is executed; see `fences`.
        fence(Ordering::SeqCst);
        self.look_again(own)
    }

    /// A look by who needs no fence: what it looks for is stamped, or there was a look since it was unlinked or handed on.
    #[inline]
    fn look_again(&self, own: Option<&Record<L>>) -> Sight {
        let own = own.map_or(std::ptr::null(), std::ptr::from_ref);
        let mut sight = Sight { held: Epoch::MAX, unseen: Epoch::MAX };
        self.records.each(|record| {
            if std::ptr::eq(record, own) {
                return;
            }
            // First: see `is_fenced`.
            let is_fenced = record.fencing.is_fenced();
            // ORDERING: Acquire pairs with the Release stores of `enter_at` and `announce`: what was read under the guards before is over (B2).
            let epoch = record.epoch.load(Ordering::Acquire);
            if !is_at_rest(epoch) {
                sight.held = sight.held.min(epoch);
            } else if !is_fenced {
                // The next guard will have seen as much as the last.
                sight.unseen = sight.unseen.min(last_seen(epoch));
            }
        });
        sight
    }

    /// The least epoch of any live guard of another thread, after a barrier.
    #[cold]
    fn look_for_certain(&self, own: Option<&Record<L>>) -> Epoch {
        // Relaxed: a guess. Those that have seen the last stamp are busy reading, and will see the next one.
        self.barrier_and_fence_resting(own, self.now.load(Ordering::Relaxed));
        self.look_again(own).held
    }

    /// The dear side. By the same barrier those other records are made [fenced](super::fences) that are at rest, and have seen nothing since `epoch`.
    fn barrier_and_fence_resting(&self, own: Option<&Record<L>>, epoch: Epoch) {
        let Some(turn) = self.fences.try_turn() else { return barrier::heavy() };
        self.records.each(|record| {
            // Relaxed: a guess, too. Any record may be made fenced.
            let announced = record.epoch.load(Ordering::Relaxed);
            let rests = is_at_rest(announced) && last_seen(announced) < epoch;
            if rests && own.is_none_or(|own| !std::ptr::eq(record, own)) {
                turn.begin(&record.fencing);
            }
        });
        barrier::heavy();
        self.records.each(|record| turn.end(&record.fencing));
    }

    /// Has the calling thread, which holds a guard, the only one that can see what is stamped `stamp`?
    pub(crate) fn is_alone(&self, own: &Record<L>, stamp: Epoch) -> bool {
        // SAFETY: D2, as in `count`.
        let ours = if self.is_only(own) { 1 } else { unsafe { &*own.nested.get() }.up_to(stamp) };
        if ours != 1 {
            return false;
        }
        let Sight { held, unseen } = self.look(Some(own));
        held > stamp && (unseen > stamp || self.look_for_certain(Some(own)) > stamp)
    }

    /// All threads that hold guards, with their oldest.
    pub(crate) fn holders(&self) -> impl Iterator<Item = Holder<'_, L>> {
        // So that a guard that was taken before is seen.
        let own = self.own_record();
        if self.look(own).unseen != Epoch::MAX {
            self.barrier_and_fence_resting(own, Epoch::MAX);
        }
        self.records.iter().filter_map(|(slot, record)| {
            let epoch = record.epoch.load(Ordering::Acquire);
            let guards = record.more.load(Ordering::Relaxed) as usize + 1;
            (!is_at_rest(epoch)).then_some(Holder { record, epoch, guards, slot })
        })
    }

    /// A look without a fence, and without a stamp.
    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(super) fn glance(&self) -> Epoch {
        self.look_again(None).held
    }

    /// For models: makes those fenced that rest.
    #[cfg(loom)]
    pub(crate) fn turn_now(&self) {
        self.barrier_and_fence_resting(None, Epoch::MAX);
    }
}

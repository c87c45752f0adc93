//! Dropping what can be dropped, and waiting until all that was unlinked before has been (R3).

use std::task::{Context, Poll};
use std::time::Instant;

use super::directory::Record;
use super::domain::Domain;
use super::drops::Panics;
use super::epochs::{Epoch, Exit};
use super::local::Local;
use super::place::Place;
use super::slot;
use super::tally::Weight;
use super::waiters::Entered;
use super::{Amount, Garbage};
use crate::sync::{AtomicU64, Ordering};

/// Why a thread would wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WouldWait {
    ForOwnGuard,
    ForOwnDrop,
}

/// The way to the moment at which all that was stamped before has been dropped.
pub(crate) struct Drain<'d, G: Garbage> {
    domain: &'d Domain<G>,
    stage: Stage<'d>,
    entered: Option<Entered>,
}

enum Stage<'d> {
    /// The guards of before leave. Later ones do not keep us: their epochs are above the last stamp.
    Guards(Epoch),
    /// What they had unlinked is dropped, or saved up, or pending.
    Hands(Busy<'d>),
    /// All of that has passed, and we have taken it out. Whoever had taken some of it out before drops it.
    Others(Busy<'d>),
    Done,
}

/// Threads that have garbage in their hands, with what their count was then. Those that take up some later do not keep us.
type Busy<'d> = Vec<(&'d AtomicU64, u64)>;

impl<'d, G: Garbage> Drain<'d, G> {
    pub(crate) fn new(domain: &'d Domain<G>) -> Drain<'d, G> {
        Drain { domain, stage: Stage::Guards(domain.epochs.last_stamp()), entered: None }
    }

    /// Goes as far as it can without waiting; true at the end. Not for a thread that [would wait](Domain::would_wait) for
    /// itself, at the first time.
    fn step(&mut self, panics: &mut Panics) -> bool {
        loop {
            self.stage = match &mut self.stage {
                Stage::Guards(stamp) => match self.domain.horizon() > *stamp {
                    true => Stage::Hands(self.domain.busy()),
                    false => return false,
                },
                Stage::Hands(busy) | Stage::Others(busy) if !has_ended(busy) => return false,
                Stage::Hands(_) => {
                    panics.absorb(self.domain.drop_passed());
                    Stage::Others(self.domain.busy())
                }
                // One of them has left something over, and may be at it once more.
                Stage::Others(_) if !self.domain.left_over.is_empty() => Stage::Hands(self.domain.busy()),
                Stage::Others(_) => Stage::Done,
                Stage::Done => return true,
            };
        }
    }

    /// [`step`](Self::step), for a task: if there is something to wait for, the task is woken when that may have changed.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut panics = Panics::default();
        self.leave_waiters();
        let mut done = self.step(&mut panics);
        if !done {
            self.entered = Some(self.domain.enter_waiter(context.waker().clone()));
            done = self.step(&mut panics);
        }
        panics.resume();
        if done { Poll::Ready(()) } else { Poll::Pending }
    }

    fn leave_waiters(&mut self) {
        if let Some(entered) = self.entered.take() {
            self.domain.waiters.forget(entered);
        }
    }
}

impl<G: Garbage> Drop for Drain<'_, G> {
    fn drop(&mut self) {
        self.leave_waiters();
    }
}

fn has_ended(busy: &Busy<'_>) -> bool {
    // ORDERING: Acquire pairs with the Release of `Domain::busy_with`: the drops are done.
    busy.iter().all(|(now, then)| now.load(Ordering::Acquire) != *then)
}

impl<G: Garbage> Domain<G> {
    /// Drops all that can be dropped now, saved up or waiting, by whomever unlinked. Never waits.
    pub(crate) fn try_reclaim(&self) {
        self.drop_passed().resume();
    }

    pub(super) fn drop_passed(&self) -> Panics {
        self.with_record(|record| {
            let local = &record.local;
            self.busy_with(local, || {
                let mut items = self.take_batched();
                self.hand_over_unpassed(record, &mut items);
                self.pending.collect(|| self.epochs.horizon(Some(record)), &mut items);
                let panics = self.free(local, items, Amount::All);
                self.reclaim_left_over(local, Amount::All);
                panics
            })
        })
    }

    /// Returns true when all that was stamped before the call has been dropped, or false when the deadline has passed
    /// before that. Not for a thread that [would wait](Self::would_wait) for itself.
    pub(crate) fn reclaim(&self, deadline: Option<Instant>) -> bool {
        let mut drain = Drain::new(self);
        let mut panics = Panics::default();
        let done = self.wait(deadline, || drain.step(&mut panics));
        if !done {
            panics.absorb(self.drop_passed());
        }
        panics.resume();
        done
    }

    /// The [`horizon`](super::epochs::Epochs::horizon), as the calling thread sees it.
    pub(super) fn horizon(&self) -> Epoch {
        self.epochs.horizon(self.epochs.own_record())
    }

    /// A moment, after all that the calling thread has unlinked.
    pub(crate) fn stamp(&self) -> Epoch {
        self.epochs.stamp()
    }

    /// Waits until nobody can see what was unlinked before `stamp`, or the deadline has passed (then false). Not for a thread that
    /// holds a guard.
    pub(crate) fn wait_passed(&self, stamp: Epoch, deadline: Option<Instant>) -> bool {
        self.wait(deadline, || self.horizon() > stamp)
    }

    /// Counts what has not been handed over and is gone, as the calling thread.
    pub(crate) fn freed(&self, weight: Weight) {
        let count = |record: &Record<Local<G>>| {
            record.local.freed.add(weight);
            Panics::default()
        };
        self.with_record(count).resume();
    }

    /// Counts what who has the map to itself has unlinked and taken away. No guard, and no code of the user's.
    pub(crate) fn taken_away(&mut self, weight: Weight) {
        // D2: `&mut self` says that no owner is at work, so any record will do. There is one: whoever put it into the map has one.
        if let Some(record) = self.epochs.records().next() {
            record.local.retired_sum.add(weight);
            record.local.freed.add(weight);
        }
    }

    /// Why it would wait for itself if the calling thread waited for guards or drops, if it would.
    pub(crate) fn would_wait(&self) -> Option<WouldWait> {
        let own = self.epochs.own_record()?;
        if self.epochs.is_held(own) {
            return Some(WouldWait::ForOwnGuard);
        }
        own.local.is_busy().then_some(WouldWait::ForOwnDrop)
    }

    /// Who has garbage in its hands.
    fn busy(&self) -> Busy<'_> {
        // ORDERING: Acquire, as in `has_ended`.
        let counts = self.epochs.records().map(|record| &record.local.busy);
        counts.map(|busy| (busy, busy.load(Ordering::Acquire))).filter(|(_, then)| then % 2 == 1).collect()
    }

    /// Runs `work` as the calling thread, without a guard.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn with_record(&self, work: impl FnOnce(&Record<Local<G>>) -> Panics) -> Panics {
        let place = Place::here();
        let (record, epoch) = self.epochs.enter(place);
        let exit = self.epochs.exit(record, epoch, place);
        // We were a guard for a moment, and somebody may have met it.
        let mut panics = if exit == Exit::Awaited { self.collect(record) } else { Panics::default() };
        let mut inner = Panics::default();
        panics.run(|| inner = work(record));
        panics.absorb(inner);
        slot::leave();
        panics
    }
}

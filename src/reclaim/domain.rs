//! One map's garbage: who unlinked it, who may still see it, and when it is dropped.
//!
//! What a guard's operations unlink is kept in its thread's record, stamped when the operation ends. When the guard
//! ends, what nobody else can see is dropped there and then ([R1]); the rest goes to [`Pending`], and every guard that
//! something there waits for looks into it when it ends ([R2]). Destructors run after the guard has ended and outside
//! every lock, so they may use the map ([R5]).
//!
//! [R1]: crate#the-contract-line-by-line
//! [R2]: crate#the-contract-line-by-line
//! [R5]: crate#the-contract-line-by-line

use super::batched::Allowance;
use super::directory::Record;
use super::drops::Panics;
use super::epochs::{Epoch, Epochs, Exit};
use super::guard::Guard;
use super::limits::{Cap, Limits};
use super::local::Local;
use super::pending::{KEEP, Pending, Retired};
use super::place::Place;
use super::stack::Stack;
use super::tally::{Tally, Weight};
use super::waiters::Waiters;
use super::warning::WarnFrom;
use super::{Amount, Garbage, slot};
use crate::sync::{AtomicUsize, Ordering, const_unless_loom};

/// The stamp of what is unlinked by an operation that has not ended.
pub(super) const UNSTAMPED: Epoch = Epoch::MAX;

pub(crate) struct Domain<G: Garbage> {
    pub(super) epochs: Epochs<Local<G>>,
    pub(super) allowance: Allowance,
    pub(super) cap: Cap,
    pub(super) pending: Pending<G>,
    pub(super) waiters: Waiters,
    /// What has passed, and has been reclaimed in part.
    pub(super) left_over: Stack<G>,
    /// Guards that have ended and looked at it since a writer has.
    pub(super) readers_alone: AtomicUsize,
    pub(super) context: G::Context,
    /// When to warn of a guard.
    pub(crate) warn_from: WarnFrom,
}

impl<G: Garbage> Domain<G> {
    const_unless_loom! {
        pub(crate) fn new(limits: Limits, context: G::Context) -> Domain<G> {
            Domain {
                epochs: Epochs::new(limits.read_fence),
                allowance: Allowance::new(limits.batch),
                cap: Cap::new(limits.max_pending),
                pending: Pending::new(),
                waiters: Waiters::new(),
                left_over: Stack::new(),
                readers_alone: AtomicUsize::new(0),
                context,
                warn_from: WarnFrom::DEFAULT,
            }
        }
    }
}

impl<G: Garbage> Domain<G> {
    /// Takes a guard. Never waits, never allocates but for a thread's first on this map.
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn guard(&self) -> Guard<'_, G> {
        let place = Place::here();
        let (record, epoch) = self.epochs.enter(place);
        Guard::new(self, record, epoch, place)
    }

    /// Ends a guard that is one of several of its thread, or whose thread has unlinked something.
    #[cold]
    #[inline(never)]
    pub(super) fn leave_slowly(&self, record: &Record<Local<G>>, epoch: Epoch, place: Place) {
        // SAFETY: G2, as in `take_retired`.
        let nothing_retired = unsafe { &*record.local.retired.get() }.is_empty();
        if nothing_retired && self.epochs.exit(record, epoch, place) != Exit::Awaited {
            slot::leave();
        } else {
            self.leave_garbage(record, epoch, place, nothing_retired);
        }
    }

    /// Ends a guard whose thread has unlinked something, or (`exited` already) which something may have waited for.
    #[cold]
    #[inline(never)]
    pub(super) fn leave_garbage(&self, record: &Record<Local<G>>, epoch: Epoch, place: Place, exited: bool) {
        let mut panics = if exited {
            self.collect(record)
        } else if let Some(panics) = self.settle_only_one(record, epoch, place) {
            panics
        } else {
            self.settle(record, epoch, place)
        };
        let warn = record.local.warned.is_due();
        slot::leave();
        if warn {
            self.warn_of_oldest(&mut panics);
        }
        panics.resume();
    }

    /// Goes on after a guard whose epoch has moved, and which something may have waited for.
    #[cold]
    #[inline(never)]
    pub(super) fn moved_on(&self, record: &Record<Local<G>>) {
        self.look_after(record).resume();
    }

    /// Drops what waited for a guard that has ended. `own` is the calling thread's record.
    pub(super) fn look_after(&self, own: &Record<Local<G>>) -> Panics {
        let mut panics = self.collect(own);
        if own.local.warned.is_due() {
            self.warn_of_oldest(&mut panics);
        }
        panics
    }

    /// Runs `work`, which has garbage in its hands, and tells those who wait for it, or for a guard that it ends. Nests:
    /// destructors may come back here.
    pub(super) fn busy_with(&self, local: &Local<G>, work: impl FnOnce() -> Panics) -> Panics {
        if local.is_busy() {
            let panics = work();
            // Not only when the outer one is done: its destructor may wait for them.
            self.waiters.wake();
            return panics;
        }
        let mut panics = Panics::default();
        let mut inner = Panics::default();
        let begun = local.busy.load(Ordering::Relaxed) + 1;
        // ORDERING: Relaxed: what follows (an announced rest, a taken collector) is released and carries it along.
        local.busy.store(begun, Ordering::Relaxed);
        panics.run(|| inner = work());
        panics.absorb(inner);
        // ORDERING: Release pairs with the Acquire of `drain::has_ended`: the drops are done.
        local.busy.store(begun + 1, Ordering::Release);
        self.waiters.wake();
        panics
    }

    /// Takes out and drops what has passed, of all that is pending.
    pub(super) fn collect(&self, own: &Record<Local<G>>) -> Panics {
        let local = &own.local;
        self.busy_with(local, || {
            let mut items = Vec::new();
            self.pending.collect(|| self.epochs.horizon(Some(own)), &mut items);
            let panics = self.free(local, items, Amount::Bounded);
            self.go_on_alone(local);
            panics
        })
    }

    /// [`settle`](Self::settle) for what most calls are that unlink something: one thing, under the thread's only guard. None if it is
    /// otherwise, with nothing done. By hand, because as closures the same takes twice as long.
    #[inline(always)]
    fn settle_only_one(&self, record: &Record<Local<G>>, epoch: Epoch, place: Place) -> Option<Panics> {
        if self.allowance.is_set() {
            return self.save_only_one(record, epoch, place);
        }
        let local = &record.local;
        // SAFETY: G2, as in `take_retired`.
        let retired = unsafe { &mut *local.retired.get() };
        let [Retired { stamp, .. }] = retired[..] else { return None };
        let is_plain = retired.capacity() <= KEEP && stamp != UNSTAMPED && !local.is_busy();
        if !is_plain || !self.epochs.is_only(record) {
            return None;
        }
        let begun = local.busy.load(Ordering::Relaxed) + 1;
        // ORDERING: Relaxed, and Release below, as in `busy_with`: that pairs with the Acquire of `drain::has_ended`.
        local.busy.store(begun, Ordering::Relaxed);
        let only = retired.pop()?;
        local.listed.clear();
        let exit = self.epochs.exit(record, epoch, place);
        let mut panics = Panics::default();
        let has_passed = self.horizon_beyond(record, stamp) > stamp;
        if has_passed {
            // SAFETY: G3: its stamp is below the horizon.
            unsafe { self.free_one(local, only, Amount::Bounded, &mut panics) };
        } else {
            self.hand_over(record, vec![only], stamp);
        }
        local.busy.store(begun + 1, Ordering::Release);
        self.waiters.wake();
        if !has_passed || exit == Exit::Awaited {
            panics.absorb(self.collect(record));
        }
        Some(panics)
    }

    /// Ends a guard whose thread has unlinked something.
    fn settle(&self, record: &Record<Local<G>>, epoch: Epoch, place: Place) -> Panics {
        let local = &record.local;
        self.seal(local);
        self.busy_with(local, || {
            let exit = self.epochs.exit(record, epoch, place);
            if exit == Exit::Shared {
                return Panics::default();
            }
            let mut items = self.take_retired(record);
            if self.allowance.is_set() {
                self.save_up(local, &mut items);
            }
            let passed = self.hand_over_unpassed(record, &mut items);
            if exit == Exit::Awaited || !passed {
                self.pending.collect(|| self.epochs.horizon(Some(record)), &mut items);
                self.go_on_alone(local);
            }
            self.free(local, items, Amount::Bounded)
        })
    }

    /// Takes what the thread has unlinked, but for what other guards of it hold back: that stays with them, and can be
    /// [taken back](Guard::take_back).
    fn take_retired(&self, record: &Record<Local<G>>) -> Vec<Retired<G>> {
        let local = &record.local;
        // SAFETY: G2: only the owner touches `retired`, and no user code runs while it does.
        let retired = unsafe { &mut *local.retired.get() };
        let items = match self.epochs.announced(record) {
            None => std::mem::take(retired),
            Some(oldest) => {
                let held = retired.split_off(retired.partition_point(|item| item.stamp < oldest));
                std::mem::replace(retired, held)
            }
        };
        local.listed.set(retired);
        items
    }

    /// Leaves in `items` what has passed and pushes the rest to `pending`. True if there was no rest; else the caller has
    /// to collect.
    pub(super) fn hand_over_unpassed(&self, own: &Record<Local<G>>, items: &mut Vec<Retired<G>>) -> bool {
        if items.is_empty() {
            return true;
        }
        let last = items[items.len() - 1].stamp;
        let horizon = self.horizon_beyond(own, last);
        let passed = items.partition_point(|item| item.stamp < horizon);
        let rest = items.split_off(passed);
        if rest.is_empty() {
            return true;
        }
        self.hand_over(own, rest, last);
        false
    }

    /// Pushes `rest` to `pending`, the last of it stamped `last`. The caller has to collect.
    fn hand_over(&self, own: &Record<Local<G>>, rest: Vec<Retired<G>>, last: Epoch) {
        self.pending.push(rest);
        self.epochs.hold_back(last);
        own.local.warned.make_due();
    }

    /// The horizon, which is hoped to be beyond `last`.
    #[inline]
    fn horizon_beyond(&self, own: &Record<Local<G>>, last: Epoch) -> Epoch {
        let may_wait = !self.epochs.is_held(own);
        let beyond = || Some(self.epochs.horizon_so_far(own)).filter(|horizon| *horizon > last);
        own.patience.look(may_wait, beyond).unwrap_or_else(|| self.epochs.horizon(Some(own)))
    }

    /// Drops `items`, each whatever the others do. The thread holds no guard of its own making and no lock here.
    pub(super) fn free(&self, local: &Local<G>, mut items: Vec<Retired<G>>, amount: Amount) -> Panics {
        let mut panics = Panics::default();
        for item in items.drain(..) {
            // SAFETY: G3: its stamp has passed, by the caller's word.
            unsafe { self.free_one(local, item, amount, &mut panics) };
        }
        // SAFETY: G2, as in `take_retired`.
        let retired = unsafe { &mut *local.retired.get() };
        if retired.capacity() == 0 && items.capacity() <= KEEP {
            *retired = items;
        }
        panics
    }

    /// # Safety
    /// The item's stamp has passed.
    #[inline(always)]
    unsafe fn free_one(&self, local: &Local<G>, item: Retired<G>, amount: Amount, panics: &mut Panics) {
        let weight = item.garbage.weight();
        // SAFETY: G3: its stamp has passed: no guard that could have seen it is live, and it was retired once.
        match unsafe { item.garbage.reclaim(&self.context, amount, panics) } {
            None => {
                local.freed.add(weight);
                self.make_room(weight.entries);
            }
            Some(rest) => self.leave_over(local, rest),
        }
    }

    /// Stamps what the thread has unlinked since the last stamp.
    pub(super) fn seal(&self, local: &Local<G>) {
        // SAFETY: G2, as in `take_retired`.
        let retired = unsafe { &mut *local.retired.get() };
        if retired.last().is_none_or(|item| item.stamp != UNSTAMPED) {
            return;
        }
        let stamp = self.epochs.stamp();
        for item in retired.iter_mut().rev().take_while(|item| item.stamp == UNSTAMPED) {
            item.stamp = stamp;
        }
        if retired[0].stamp == stamp {
            local.listed.begin(stamp);
        }
    }

    /// Drops everything unlinked, as the owner of the map drops the map.
    pub(crate) fn drop_all(&mut self, panics: &mut Panics) {
        let mut items = self.pending.take_all();
        for record in self.epochs.records() {
            if let Some(batch) = record.local.saved.get() {
                batch.take(&mut items);
            }
            // SAFETY: D2: `&mut self` says that no owner is at work. Something is left here if a guard was leaked.
            items.append(unsafe { &mut *record.local.retired.get() });
        }
        for garbage in items.into_iter().map(|item| item.garbage).chain(self.left_over.take()) {
            // SAFETY: G3: `&mut self` says that no guard is in use, and it was retired once.
            unsafe { garbage.reclaim(&self.context, Amount::All, panics) };
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { batch: self.allowance.max(), max_pending: self.cap.max(), read_fence: self.epochs.read_fence() }
    }

    pub(crate) fn context(&self) -> &G::Context {
        &self.context
    }

    /// For models: makes threads that rest execute a fence when they read again.
    #[cfg(loom)]
    pub(crate) fn turn_now(&self) {
        self.epochs.turn_now();
    }

    pub(crate) fn is_read_fenced(&self) -> bool {
        self.epochs.is_read_fenced()
    }

    pub(crate) fn record_bytes(&self) -> usize {
        let batches = self.epochs.records().filter_map(|record| record.local.saved.get());
        self.epochs.record_bytes() + batches.map(size_of_val).sum::<usize>()
    }

    /// The sums of what was (allocated, retired, freed).
    pub(crate) fn tallies(&self) -> (Weight, Weight, Weight) {
        let sum = |of: fn(&Local<G>) -> &Tally| {
            let tallies = self.epochs.records().map(|record| of(&record.local).read());
            tallies.fold(Weight::default(), Weight::plus)
        };
        // What is freed has been retired, and what is retired allocated: read in this order no difference is negative.
        let freed = sum(|local| &local.freed);
        let retired = sum(|local| &local.retired_sum);
        (sum(|local| &local.allocated), retired, freed)
    }
}

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

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::time::Instant;

use super::Garbage;
use super::directory::Record;
use super::drops::Panics;
use super::epochs::{Epoch, Epochs, Exit};
use super::pending::{KEEP, Pending, Retired};
use super::place::Place;
use super::slot;
use super::stack::Stack;
use super::tally::{Listed, Tally, Weight};
use super::warning::{WarnFrom, Warned};
use crate::sync::{AtomicU64, AtomicUsize, Backoff, Ordering, const_unless_loom};

/// The stamp of what is unlinked by an operation that has not ended.
const UNSTAMPED: Epoch = Epoch::MAX;

/// How often a thread looks again for guards that hold its garbage back, before it hands that over.
const LOOKS: usize = if cfg!(loom) { 1 } else { 16 };

/// What a thread keeps for a map.
pub(crate) struct Local<G> {
    /// Unlinked under the guards that this thread holds now, in the order of their stamps. Owner only.
    retired: UnsafeCell<Vec<Retired<G>>>,
    /// Under [`Reclaim::Batched`](crate::Reclaim::Batched): what the thread saves up. The owner puts it there; who takes it
    /// away drops it or hands it over, and does not put it back.
    parked: Stack<Vec<Retired<G>>>,
    /// Odd while the thread has garbage in its hands, between unlinking and dropping or handing over. Owner writes.
    busy: AtomicU64,
    allocated: Tally,
    pub(super) retired_sum: Tally,
    freed: Tally,
    /// Reads that had to look into the dirty table and are not yet in the map's count. Owner only.
    misses: Cell<u32>,
    /// What is in `retired`, for others to see.
    pub(super) listed: Listed,
    pub(super) warned: Warned,
}

// SAFETY: Sync: D2: what is not atomic is touched by the owner only; garbage goes from thread to thread by value.
unsafe impl<G: Send> Sync for Local<G> {}

impl<G> Default for Local<G> {
    fn default() -> Self {
        Local {
            retired: UnsafeCell::new(Vec::new()),
            parked: Stack::new(),
            busy: AtomicU64::new(0),
            allocated: Tally::default(),
            retired_sum: Tally::default(),
            freed: Tally::default(),
            misses: Cell::new(0),
            listed: Listed::default(),
            warned: Warned::default(),
        }
    }
}

// The README says so.
#[cfg(not(loom))]
const _: () = assert!(size_of::<Record<Local<()>>>() == 256);

impl<G> Local<G> {
    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) % 2 == 1
    }
}

/// Marks a thread as having garbage in its hands. Nests: destructors may come back here.
pub(super) struct Busy<'a> {
    flag: Option<&'a AtomicU64>,
}

impl<'a> Busy<'a> {
    pub(super) fn new<G>(local: &'a Local<G>) -> Busy<'a> {
        if local.is_busy() {
            return Busy { flag: None };
        }
        // ORDERING: Relaxed: what follows (a cleared epoch, a taken collector) is released and carries it along.
        local.busy.store(local.busy.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Busy { flag: Some(&local.busy) }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(flag) = self.flag {
            // ORDERING: Release pairs with the Acquire of `wait_idle`: the drops are done.
            flag.store(flag.load(Ordering::Relaxed) + 1, Ordering::Release);
        }
    }
}

/// Why [`Domain::reclaim`] would wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WouldWait {
    ForOwnGuard,
    ForOwnDrop,
}

pub(crate) struct Domain<G> {
    pub(super) epochs: Epochs<Local<G>>,
    /// How many items may be saved up. 0: none.
    batch: usize,
    /// How many are.
    batched: AtomicUsize,
    pub(super) pending: Pending<G>,
    /// When to warn of a guard.
    pub(crate) warn_from: WarnFrom,
}

impl<G> Domain<G> {
    const_unless_loom! {
        pub(crate) fn new(batch: usize) -> Domain<G> {
            Domain {
                epochs: Epochs::new(),
                batch,
                batched: AtomicUsize::new(0),
                pending: Pending::new(),
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
        Guard { held: Held { domain: self, record, _not_send: PhantomData }, epoch, place }
    }

    /// Ends a guard whose thread has unlinked something, or (`exited` already) which something may have waited for.
    #[cold]
    #[inline(never)]
    fn leave_garbage(&self, record: &Record<Local<G>>, epoch: Epoch, place: Place, exited: bool) {
        let mut panics = if exited { self.collect(&record.local) } else { self.settle(record, epoch, place) };
        let warn = record.local.warned.is_due();
        slot::leave();
        if warn {
            self.warn_of_oldest(&mut panics);
        }
        panics.resume();
    }

    /// Takes out and drops what has passed, of all that is pending.
    fn collect(&self, local: &Local<G>) -> Panics {
        let _busy = Busy::new(local);
        let mut items = Vec::new();
        self.pending.collect(|| self.epochs.horizon(), &mut items);
        self.free(local, items)
    }

    /// Ends a guard whose thread has unlinked something.
    fn settle(&self, record: &Record<Local<G>>, epoch: Epoch, place: Place) -> Panics {
        let local = &record.local;
        self.seal(local);
        let _busy = Busy::new(local);
        let exit = self.epochs.exit(record, epoch, place);
        if exit == Exit::Shared {
            return Panics::default();
        }
        // SAFETY: G2: only the owner touches `retired`, and no user code runs while it does.
        let mut items = std::mem::take(unsafe { &mut *local.retired.get() });
        local.listed.end(&local.retired_sum);
        if self.batch > 0 {
            items = self.save_up(local, items);
        }
        let passed = self.hand_over_unpassed(record, &mut items);
        if exit == Exit::Awaited || !passed {
            self.pending.collect(|| self.epochs.horizon(), &mut items);
        }
        self.free(local, items)
    }

    /// Leaves in `items` what has passed and pushes the rest to `pending`. True if there was no rest; else the caller has
    /// to collect.
    fn hand_over_unpassed(&self, own: &Record<Local<G>>, items: &mut Vec<Retired<G>>) -> bool {
        if items.is_empty() {
            return true;
        }
        let last = items[items.len() - 1].stamp;
        let mut horizon = self.epochs.horizon();
        // Most guards that are met are calls that end within some ten nanoseconds. A few looks more are cheaper than to
        // hand over, and to have every thread of the process execute a fence.
        for _ in 0..LOOKS {
            if horizon > last || self.epochs.is_held(own) {
                break;
            }
            std::hint::spin_loop();
            horizon = self.epochs.horizon();
        }
        let passed = items.partition_point(|item| item.stamp < horizon);
        let rest = items.split_off(passed);
        if rest.is_empty() {
            return true;
        }
        self.pending.push(rest);
        self.epochs.hold_back(last);
        own.local.warned.make_due();
        false
    }

    /// Adds `items` to what the thread saves up, or gives all of it back if that makes too many.
    fn save_up(&self, local: &Local<G>, items: Vec<Retired<G>>) -> Vec<Retired<G>> {
        // A table is as large as all its entries: those are not saved up.
        let tables = items.iter().any(|item| item.garbage.weight().table_bytes > 0);
        let total = self.batched.fetch_add(items.len(), Ordering::Relaxed) + items.len();
        if !tables && total <= self.batch {
            local.parked.push(items);
            return Vec::new();
        }
        // The last batch is taken first; of one thread they are in the order of their stamps.
        let mut saved: Vec<_> = local.parked.take().collect();
        saved.reverse();
        saved.push(items);
        let saved: Vec<_> = saved.into_iter().flatten().collect();
        self.batched.fetch_sub(saved.len(), Ordering::Relaxed);
        saved
    }

    /// Drops `items`, each whatever the others do. The thread holds no guard of its own making and no lock here.
    pub(super) fn free(&self, local: &Local<G>, mut items: Vec<Retired<G>>) -> Panics {
        let mut panics = Panics::default();
        for item in items.drain(..) {
            let weight = item.garbage.weight();
            // SAFETY: G3: its stamp has passed: no guard that could have seen it is live, and it was retired once.
            unsafe { item.garbage.reclaim(&mut panics) };
            local.freed.add(weight);
        }
        // SAFETY: G2, as in `settle`.
        let retired = unsafe { &mut *local.retired.get() };
        if retired.capacity() == 0 && items.capacity() <= KEEP {
            *retired = items;
        }
        panics
    }

    /// Stamps what the thread has unlinked since the last stamp.
    fn seal(&self, local: &Local<G>) {
        // SAFETY: G2, as in `settle`.
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

    /// Drops all that can be dropped now, saved up or waiting, by whomever unlinked. Never waits.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn try_reclaim(&self) {
        self.with_record(|record| self.reclaim_passed(record)).resume();
    }

    fn reclaim_passed(&self, record: &Record<Local<G>>) -> Panics {
        let local = &record.local;
        let _busy = Busy::new(local);
        let mut items: Vec<_> = self.epochs.records().flat_map(|record| record.local.parked.take()).flatten().collect();
        self.batched.fetch_sub(items.len(), Ordering::Relaxed);
        items.sort_by_key(|item| item.stamp);
        self.hand_over_unpassed(record, &mut items);
        self.pending.collect(|| self.epochs.horizon(), &mut items);
        self.free(local, items)
    }

    /// Why [`reclaim`](Self::reclaim) would wait for the calling thread itself, if it would.
    pub(crate) fn would_wait(&self) -> Option<WouldWait> {
        let own = self.epochs.own_record()?;
        if self.epochs.is_held(own) {
            return Some(WouldWait::ForOwnGuard);
        }
        own.local.is_busy().then_some(WouldWait::ForOwnDrop)
    }

    /// Returns true when all that was stamped before the call has been dropped, or false when the deadline has passed
    /// before that. Not for a thread that [would wait](Self::would_wait) for itself.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn reclaim(&self, deadline: Option<Instant>) -> bool {
        let mut done = false;
        self.with_record(|record| {
            // 1. The guards of before leave. Later ones do not keep us: their epochs are above the last stamp.
            let stamp = self.epochs.last_stamp();
            let mut backoff = Backoff::until(deadline);
            let passed = loop {
                if self.epochs.horizon() > stamp {
                    break true;
                }
                self.warn_now();
                if !backoff.wait() {
                    break false;
                }
            };
            // 2. What they had unlinked is dropped, or parked, or pending.
            let handed_over = passed && self.wait_idle(&record.local, deadline);
            // 3. All of that has passed. We take it out, or the thread that is at it does.
            let panics = self.reclaim_passed(record);
            // 4. Whoever had taken some of it out before has dropped it.
            done = handed_over && self.wait_idle(&record.local, deadline);
            panics
        })
        .resume();
        done
    }

    /// Waits until each other thread has been seen without garbage in its hands. Those that take up some later do not
    /// keep it. False if the deadline has passed before that.
    fn wait_idle(&self, own: &Local<G>, deadline: Option<Instant>) -> bool {
        self.epochs.records().filter(|record| !std::ptr::eq(&record.local, own)).all(|record| {
            // ORDERING: Acquire pairs with the Release of `Busy::drop`.
            let busy = record.local.busy.load(Ordering::Acquire);
            let mut backoff = Backoff::until(deadline);
            while busy % 2 == 1 && record.local.busy.load(Ordering::Acquire) == busy {
                if !backoff.wait() {
                    return false;
                }
            }
            true
        })
    }

    /// Runs `work` as the calling thread, without a guard.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn with_record(&self, work: impl FnOnce(&Record<Local<G>>) -> Panics) -> Panics {
        let place = Place::here();
        let (record, epoch) = self.epochs.enter(place);
        let exit = self.epochs.exit(record, epoch, place);
        // We were a guard for a moment, and somebody may have met it.
        let mut panics = if exit == Exit::Awaited { self.collect(&record.local) } else { Panics::default() };
        let mut inner = Panics::default();
        panics.run(|| inner = work(record));
        panics.absorb(inner);
        slot::leave();
        panics
    }

    /// Drops everything unlinked, as the owner of the map drops the map.
    pub(crate) fn drop_all(&mut self, panics: &mut Panics) {
        let mut items = self.pending.take_all();
        for record in self.epochs.records() {
            items.extend(record.local.parked.take().flatten());
            // SAFETY: D2: `&mut self` says that no owner is at work. Something is left here if a guard was leaked.
            items.append(unsafe { &mut *record.local.retired.get() });
        }
        for item in items {
            // SAFETY: G3: `&mut self` says that no guard is in use, and it was retired once.
            unsafe { item.garbage.reclaim(panics) };
        }
    }

    /// How many items may be saved up.
    pub(crate) fn batch(&self) -> usize {
        self.batch
    }

    pub(crate) fn record_bytes(&self) -> usize {
        self.epochs.record_bytes()
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

/// While it lives, nothing that is reachable in its map is dropped.
///
/// Not `Send`: it belongs to its thread's record.
pub(crate) struct Guard<'d, G: Garbage> {
    held: Held<'d, G>,
    epoch: Epoch,
    place: Place,
}

/// What operations under a guard use of it. Good only while the guard lives: nobody keeps one.
///
/// Apart from it, and passed on by value where a read leaves its fast path: the address of the guard itself does not
/// escape then, so a one-shot read keeps all of it in registers.
pub(crate) struct Held<'d, G: Garbage> {
    domain: &'d Domain<G>,
    record: &'d Record<Local<G>>,
    /// The record is its thread's.
    _not_send: PhantomData<*mut ()>,
}

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

impl<G: Garbage> Held<'_, G> {
    /// Hands over something that no guard can reach any more that begins from now on.
    pub(crate) fn retire(&self, garbage: G) {
        let local = &self.record.local;
        local.retired_sum.add(garbage.weight());
        // SAFETY: G2: only the owner touches `retired`, and no user code runs while it does.
        unsafe { &mut *local.retired.get() }.push(Retired { stamp: UNSTAMPED, garbage });
    }

    /// Marks the end of an operation: guards that begin from now on do not hold back what it has unlinked.
    pub(crate) fn seal(&self) {
        self.domain.seal(&self.record.local);
    }

    /// Counts memory that the map has taken.
    pub(crate) fn allocated(&self, weight: Weight) {
        self.record.local.allocated.add(weight);
    }

    /// Counts a miss; tells how many to add to the map's count, every `flush` misses of a thread.
    #[inline]
    pub(crate) fn miss(&self, flush: u32) -> Option<u32> {
        let misses = self.record.local.misses.get() + 1;
        let full = misses >= flush;
        self.record.local.misses.set(if full { 0 } else { misses });
        full.then_some(misses)
    }
}

impl<G: Garbage> Guard<'_, G> {
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
        // SAFETY: G2, as in `retire`.
        let nothing_retired = unsafe { &*record.local.retired.get() }.is_empty();
        if nothing_retired && domain.epochs.exit(record, self.epoch, self.place) != Exit::Awaited {
            slot::leave();
        } else {
            domain.leave_garbage(record, self.epoch, self.place, nothing_retired);
        }
    }
}

impl<G: Garbage> std::fmt::Debug for Guard<'_, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

//! Garbage that is saved up: so many items in the whole map, in each thread's [`Saved`](super::saved::Saved).
//!
//! A thread saves up what it has been allowed. It has that from the map's [`Allowance`], a lot at a time, so that not each item costs a counter that all threads
//! share. What is taken, by whomever, goes back to the allowance. So allowed, and not taken, are never more than the maximum.
//!
//! An item is put down before the guard ends under which it was unlinked: so it is in nobody's hands at any time, and who has seen the guard end finds it. Who
//! takes it before that finds the guard live. Where there is more to do (`save_up`) the guard ends first, and the thread is busy from before that until the items are put down.

use super::Garbage;
use super::directory::Record;
use super::domain::{Domain, UNSTAMPED};
use super::drops::Panics;
use super::epochs::{Epoch, Exit};
use super::local::Local;
use super::pending::{KEEP, Retired};
use super::place::Place;
use super::saved::Batch;
use crate::sync::{AtomicUsize, Ordering, const_unless_loom};

/// Of all that may be saved up a lot is this part, and no more than so many.
const LOTS: usize = 16;
const MOST_IN_A_LOT: usize = 32;

#[derive(Debug)]
pub(super) struct Allowance {
    /// How many items may be saved up. 0: none.
    max: usize,
    /// How many have been allowed, and not taken since.
    given: AtomicUsize,
}

impl Allowance {
    const_unless_loom! {
        pub(super) fn new(max: usize) -> Allowance {
            Allowance { max, given: AtomicUsize::new(0) }
        }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Is anything saved up at all?
    #[inline]
    pub(super) fn is_set(&self) -> bool {
        self.max > 0
    }

    /// One more lot, or what is left; 0 if nothing is.
    #[cold]
    fn lot(&self) -> usize {
        let lot = (self.max / LOTS).clamp(1, MOST_IN_A_LOT);
        let of = |given: usize| lot.min(self.max - given);
        let more = |given: usize| (given < self.max).then(|| given + of(given));
        // Relaxed: a count, and nothing is read by it.
        self.given.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map_or(0, of)
    }

    fn give_back(&self, items: usize) {
        if items > 0 {
            self.given.fetch_sub(items, Ordering::Relaxed);
        }
    }
}

impl<G: Garbage> Domain<G> {
    /// Ends a guard, the only one of its thread, that has unlinked one thing, and saves that up. None if it is otherwise, or there is no room: with nothing done.
    #[inline(never)]
    pub(super) fn save_only_one(&self, record: &Record<Local<G>>, epoch: Epoch, place: Place) -> Option<Panics> {
        let local = &record.local;
        // SAFETY: G2: only the owner touches `retired`, and no user code runs while it does.
        let retired = unsafe { &mut *local.retired.get() };
        let [only] = &retired[..] else { return None };
        let may_be_saved = retired.capacity() <= KEEP && only.stamp != UNSTAMPED && may_be_saved(&only.garbage);
        if !may_be_saved {
            return None;
        }
        let batch = local.saved.get_or_make();
        if !self.epochs.is_only(record) || !batch.has_slot() || !self.is_allowed(batch) {
            return None;
        }
        // Before it is seen elsewhere: `waited` is not to count it twice.
        local.listed.clear();
        // SAFETY: we are the owner, and a slot is free.
        unsafe { batch.put(retired.pop()?) };
        let exit = self.epochs.exit(record, epoch, place);
        // A writer at the cap may wait for what is saved up, and take it.
        self.waiters.wake();
        Some(if exit == Exit::Awaited { self.collect(record) } else { Panics::default() })
    }

    /// May the owner put down one more item?
    #[inline]
    fn is_allowed(&self, batch: &Batch<Retired<G>>) -> bool {
        if batch.is_used_up() {
            batch.allow(self.allowance.lot());
        }
        !batch.is_used_up()
    }

    /// Moves `items` to what the thread saves up, or adds all that it saves up to them if that makes too many. The thread is busy.
    pub(super) fn save_up(&self, local: &Local<G>, items: &mut Vec<Retired<G>>) {
        let batch = local.saved.get_or_make();
        // A table is as large as all its entries: those are not saved up.
        let save = items.iter().all(|item| may_be_saved(&item.garbage));
        let mut new = std::mem::take(items);
        let mut left = new.drain(..);
        for item in left.by_ref() {
            if save && self.is_allowed(batch) && self.has_slot(batch, items) {
                // SAFETY: we are the owner, and a slot is free.
                unsafe { batch.put(item) };
                continue;
            }
            // They are older than what is left.
            self.allowance.give_back(batch.take(items));
            items.push(item);
            break;
        }
        items.extend(left);
        if items.capacity() == 0 {
            // Empty, and to be used again.
            *items = new;
        }
    }

    /// Sees to it that there is a slot, if that does not take waiting. What is taken by that is in `out`.
    fn has_slot(&self, batch: &Batch<Retired<G>>, out: &mut Vec<Retired<G>>) -> bool {
        if !batch.has_slot() {
            self.allowance.give_back(batch.free_slots(out));
        }
        batch.has_slot()
    }

    pub(super) fn has_batched(&self) -> bool {
        // Not by the count, which runs ahead of it: who waits would take nothing, wake itself by that, and look again.
        self.allowance.is_set()
            && self.epochs.records().any(|record| record.local.saved.get().is_some_and(Batch::can_be_taken))
    }

    /// Takes all that is saved up, by whomever, in the order of the stamps.
    pub(super) fn take_batched(&self) -> Vec<Retired<G>> {
        let mut items = Vec::new();
        if !self.allowance.is_set() {
            return items;
        }
        for batch in self.epochs.records().filter_map(|record| record.local.saved.get()) {
            self.allowance.give_back(batch.take(&mut items));
        }
        items.sort_by_key(|item| item.stamp);
        items
    }
}

fn may_be_saved<G: Garbage>(garbage: &G) -> bool {
    garbage.weight().table_bytes == 0
}

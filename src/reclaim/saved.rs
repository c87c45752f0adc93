//! What one thread saves up, where others can take it: [`Reclaim::Batched`](crate::Reclaim::Batched).
//!
//! The owner puts items into slots, in order, and tells how many there have been: a store, with no read-modify-write. Who takes them takes all that are there, one
//! taker at a time. One that finds another at it does not wait: it leaves word, and the other takes once more. (As in [`pending`](super::pending).) Nothing that is here is
//! ever taken out to be put back, or `reclaim` could miss it; but for one move: when the slots are full, the owner moves the items to a list, as a taker that
//! takes nothing. Whoever comes meanwhile leaves word, and then the owner takes all of it instead.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr::null_mut;

use crate::sync::{AtomicPtr, AtomicU32, AtomicUsize, IN_MODEL, Ordering, const_unless_loom};

/// Items that are put down without a list.
const SLOTS: usize = if IN_MODEL { 2 } else { 32 };

/// States of [`Batch::taker`].
const IDLE: u32 = 0;
const BUSY: u32 = 1;
/// Busy, and somebody has asked that all be taken once more.
const AGAIN: u32 = 2;

/// A thread's [`Batch`], which is made when it saves up its first item and stays until the map goes.
pub(super) struct Saved<T> {
    batch: AtomicPtr<Batch<T>>,
}

pub(super) struct Batch<T> {
    /// The item number `n` lies in slot `n % SLOTS`, until it is moved or taken from there.
    slots: [UnsafeCell<MaybeUninit<T>>; SLOTS],
    /// How many have been put here, ever. Written by the owner.
    put: AtomicUsize,
    /// How many may have been. Owner only.
    allowed: Cell<usize>,
    /// How many have left their slots. Written by who has `taker`.
    left_slots: AtomicUsize,
    /// How many have been taken. Written by who has `taker`.
    taken: AtomicUsize,
    /// Who may touch `listed`, and slots between `left_slots` and `put`: IDLE, BUSY or AGAIN.
    taker: AtomicU32,
    /// Between `taken` and `left_slots`. Only for who has `taker`.
    listed: UnsafeCell<Vec<T>>,
    #[cfg(loom)]
    _tracked: crate::sync::Tracked,
}

// SAFETY: Send and Sync: Q3, and for `allowed` D2; items go from thread to thread by value, nobody shares one.
unsafe impl<T: Send> Send for Batch<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Batch<T> {}

impl<T> Saved<T> {
    const_unless_loom! {
        pub(super) fn new() -> Saved<T> {
            Saved { batch: AtomicPtr::new(null_mut()) }
        }
    }

    /// The batch, if there is one.
    #[inline]
    pub(super) fn get(&self) -> Option<&Batch<T>> {
        // ORDERING: Acquire pairs with the Release of `make`.
        // SAFETY: D1: what is there came from a box and stays as long as the record.
        unsafe { self.batch.load(Ordering::Acquire).as_ref() }
    }

    /// The batch, made if need be. Owner only.
    #[inline]
    pub(super) fn get_or_make(&self) -> &Batch<T> {
        self.get().unwrap_or_else(|| self.make())
    }

    #[cold]
    fn make(&self) -> &Batch<T> {
        let fresh = Box::leak(Box::new(Batch::new()));
        // ORDERING: Release publishes the empty batch to the Acquire of `get`.
        self.batch.store(fresh, Ordering::Release);
        fresh
    }
}

impl<T> Drop for Saved<T> {
    fn drop(&mut self) {
        let batch = self.batch.load(Ordering::Relaxed);
        if !batch.is_null() {
            // SAFETY: D1: it came from a box, and `&mut self` says that nobody uses it.
            drop(unsafe { Box::from_raw(batch) });
        }
    }
}

impl<T> Batch<T> {
    fn new() -> Batch<T> {
        Batch {
            slots: [const { UnsafeCell::new(MaybeUninit::uninit()) }; SLOTS],
            put: AtomicUsize::new(0),
            allowed: Cell::new(0),
            left_slots: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            taker: AtomicU32::new(IDLE),
            listed: UnsafeCell::new(Vec::new()),
            #[cfg(loom)]
            _tracked: crate::sync::Tracked::new(),
        }
    }

    /// Is there something, and nobody at it? Who is at it wakes those who wait when it is done. A look without an ordering of its own.
    pub(super) fn can_be_taken(&self) -> bool {
        self.taker.load(Ordering::Relaxed) == IDLE
            && self.taken.load(Ordering::Relaxed) != self.put.load(Ordering::Relaxed)
    }

    /// Has everything been put here that was allowed? Owner only.
    #[inline]
    pub(super) fn is_used_up(&self) -> bool {
        self.allowed.get() == self.put.load(Ordering::Relaxed)
    }

    /// Allows so many more. Owner only.
    pub(super) fn allow(&self, more: usize) {
        self.allowed.set(self.allowed.get().wrapping_add(more));
    }

    /// Is a slot free for the next item? Owner only.
    #[inline]
    pub(super) fn has_slot(&self) -> bool {
        // ORDERING: Acquire pairs with the Release of `empty_slots`: what lay in the slot has been read.
        let left = self.left_slots.load(Ordering::Acquire);
        self.put.load(Ordering::Relaxed).wrapping_sub(left) < SLOTS
    }

    /// Puts down one more item. From then on others may take it.
    ///
    /// # Safety
    /// By the owner, who has found a free [slot](Self::has_slot) since it was here last.
    #[inline]
    pub(super) unsafe fn put(&self, item: T) {
        debug_assert!(self.has_slot() && !self.is_used_up());
        let put = self.put.load(Ordering::Relaxed);
        // SAFETY: Q3: a free slot is the owner's.
        unsafe { (*self.slots[put % SLOTS].get()).write(item) };
        // ORDERING: Release pairs with the Acquire of `empty_slots`: the item is seen.
        self.put.store(put.wrapping_add(1), Ordering::Release);
    }

    /// Takes all items, the first first, or has the thread that is at it do so. Returns how many.
    ///
    /// Never waits. When this returns, what had been put down when it was called is in `out`, or in that of a call that has not returned.
    pub(super) fn take(&self, out: &mut Vec<T>) -> usize {
        // ORDERING: AcqRel on every exchange of `taker`: who takes after our request sees all items that we know of, and `listed` is
        // handed from taker to taker.
        if self.taker.swap(AGAIN, Ordering::AcqRel) != IDLE {
            return 0;
        }
        self.take_as_taker(out)
    }

    /// Makes the slots free, if nobody is at the items. If somebody asks for them meanwhile, they are taken; returns how many. Owner only.
    #[cold]
    pub(super) fn free_slots(&self, out: &mut Vec<T>) -> usize {
        // ORDERING: AcqRel, as in `take`.
        if self.taker.compare_exchange(IDLE, BUSY, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return 0;
        }
        // SAFETY: Q3: we took `taker` out of IDLE.
        unsafe { self.empty_slots() };
        if self.let_go() { 0 } else { self.take_as_taker(out) }
    }

    /// For who has `taker`. False if somebody has asked that all be taken.
    fn let_go(&self) -> bool {
        self.taker.compare_exchange(BUSY, IDLE, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Takes, and once more whenever somebody has asked for it. Only for who has taken `taker` out of `IDLE`.
    fn take_as_taker(&self, out: &mut Vec<T>) -> usize {
        let before = out.len();
        loop {
            self.taker.swap(BUSY, Ordering::AcqRel);
            // SAFETY: Q3: we took `taker` out of IDLE, so what is here is ours until we put it back.
            let listed = unsafe { self.empty_slots() };
            if out.is_empty() {
                *out = std::mem::take(listed);
            } else {
                out.append(&mut std::mem::take(listed));
            }
            self.taken.store(self.left_slots.load(Ordering::Relaxed), Ordering::Relaxed);
            if self.let_go() {
                return out.len() - before;
            }
        }
    }

    /// Moves what lies in slots to the list, and returns that.
    ///
    /// # Safety
    /// Only for who has taken `taker` out of `IDLE`, and who is done with what this has returned before.
    #[expect(clippy::mut_from_ref, reason = "by the caller's promise there is one")]
    unsafe fn empty_slots(&self) -> &mut Vec<T> {
        // SAFETY: Q3, by the caller's promise.
        let listed = unsafe { &mut *self.listed.get() };
        let left = self.left_slots.load(Ordering::Relaxed);
        // ORDERING: Acquire pairs with the Release of `put`.
        let put = self.put.load(Ordering::Acquire);
        let count = put.wrapping_sub(left);
        listed.reserve(count);
        // SAFETY: Q3: they have been put down, and nobody has moved them yet.
        listed.extend(
            (0..count).map(|n| unsafe { (*self.slots[left.wrapping_add(n) % SLOTS].get()).assume_init_read() }),
        );
        // ORDERING: Release pairs with the Acquire of `has_slot`: the owner writes to a slot that has been read.
        self.left_slots.store(put, Ordering::Release);
        listed
    }
}

impl<T> Drop for Batch<T> {
    fn drop(&mut self) {
        self.take(&mut Vec::new());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// As the owner: puts the item down, whatever has to be taken for that.
    fn save(batch: &Batch<u64>, item: u64, out: &mut Vec<u64>) {
        while !batch.has_slot() {
            batch.free_slots(out);
        }
        batch.allow(1);
        // SAFETY: the owner has found a slot.
        unsafe { batch.put(item) };
    }

    #[test]
    fn more_than_there_are_slots_for_are_taken_in_their_order() {
        let (saved, mut out) = (Saved::new(), Vec::new());
        assert!(saved.get().is_none(), "nothing is allocated for who saves nothing");
        let batch = saved.get_or_make();
        let items: Vec<u64> = (0..3 * SLOTS as u64 + 1).collect();
        for round in 0..3 {
            assert!(!batch.can_be_taken() && batch.is_used_up());
            items.iter().for_each(|item| save(batch, *item, &mut out));
            assert!(batch.can_be_taken() && out.is_empty());
            assert_eq!((batch.take(&mut out), &out), (items.len(), &items), "round {round}");
            out.clear();
        }
    }

    #[test]
    fn what_is_not_taken_is_dropped_with_it() {
        let item = std::sync::Arc::new(());
        let saved = Saved::new();
        let batch = saved.get_or_make();
        for _ in 0..SLOTS {
            batch.allow(1);
            // SAFETY: as many as there are slots.
            unsafe { batch.put(item.clone()) };
        }
        batch.free_slots(&mut Vec::new());
        batch.allow(1);
        // SAFETY: all slots are free.
        unsafe { batch.put(item.clone()) };
        drop(saved);
        assert_eq!(std::sync::Arc::strong_count(&item), 1);
    }

    /// One puts items down, two take them. Under Miri, which sees a slot that is read and written at once.
    #[test]
    fn each_item_is_taken_once_by_one_of_several() {
        const ITEMS: u64 = if cfg!(miri) { 300 } else { 100_000 };
        let saved = Saved::new();
        let batch = saved.get_or_make();
        let taken = std::thread::scope(|scope| {
            let take = || {
                let mut out = Vec::new();
                while batch.put.load(Ordering::Relaxed) < ITEMS as usize {
                    batch.take(&mut out);
                    std::thread::yield_now();
                }
                out
            };
            let takers = [scope.spawn(take), scope.spawn(take)];
            let mut all = Vec::new();
            (1..=ITEMS).for_each(|item| save(batch, item, &mut all));
            takers.into_iter().for_each(|taker| all.extend(taker.join().unwrap()));
            batch.take(&mut all);
            all.sort();
            all
        });
        assert!(taken.into_iter().eq(1..=ITEMS));
    }
}

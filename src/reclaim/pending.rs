//! What has to wait for a guard, oldest first.
//!
//! Threads push without waiting ([`Pending::push`]); one thread at a time sorts and takes out what has passed
//! ([`Pending::collect`]). A thread that finds another at it does not wait either: it leaves word, and the other makes one
//! more pass. Who wants to see all that waits ([`Pending::survey`]) waits for its turn. Destructors never run in here.

use std::cell::UnsafeCell;
use std::collections::BinaryHeap;

use super::epochs::Epoch;
use super::stack::Stack;
use crate::sync::{AtomicU32, Ordering, const_unless_loom, yield_now};

/// Something unlinked, with the moment of its unlinking.
#[derive(Debug)]
pub(crate) struct Retired<G> {
    pub(crate) stamp: Epoch,
    pub(crate) garbage: G,
}

/// Ordered so that the heap's greatest is the oldest.
impl<G> Ord for Retired<G> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.stamp.cmp(&self.stamp)
    }
}

impl<G> PartialOrd for Retired<G> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<G> PartialEq for Retired<G> {
    fn eq(&self, other: &Self) -> bool {
        self.stamp == other.stamp
    }
}

impl<G> Eq for Retired<G> {}

/// States of [`Pending::collector`].
const IDLE: u32 = 0;
const BUSY: u32 = 1;
/// Busy, and somebody has asked for one more pass.
const AGAIN: u32 = 2;

/// Capacity that an empty queue may keep.
pub(crate) const KEEP: usize = 8;

pub(crate) struct Pending<G> {
    /// What guards have handed over, not sorted yet.
    inbox: Stack<Vec<Retired<G>>>,
    /// Who may touch `waiting`: IDLE, BUSY or AGAIN.
    collector: AtomicU32,
    /// Sorted by stamp. Only for the thread that took `collector` out of IDLE.
    waiting: UnsafeCell<BinaryHeap<Retired<G>>>,
}

// SAFETY: Sync: Q2: one thread at a time has `waiting`; garbage goes from thread to thread by value.
unsafe impl<G: Send> Sync for Pending<G> {}

impl<G> Pending<G> {
    const_unless_loom! {
        pub(crate) fn new() -> Pending<G> {
            Pending {
                inbox: Stack::new(),
                collector: AtomicU32::new(IDLE),
                waiting: UnsafeCell::new(BinaryHeap::new()),
            }
        }
    }

    /// Hands `items` over. Lock-free; one allocation.
    pub(crate) fn push(&self, items: Vec<Retired<G>>) {
        self.inbox.push(items);
    }

    /// Takes out what is stamped below `horizon()`, or has the thread that is at it do so.
    ///
    /// Never waits. When this returns, what had passed when it was called is in `out`, or will be in the `out` of
    /// another call that has not returned.
    pub(crate) fn collect(&self, horizon: impl Fn() -> Epoch, out: &mut Vec<Retired<G>>) {
        // ORDERING: AcqRel on every exchange of `collector`: a pass that begins after our request sees all that we did
        // before it (our push, our announced rest), and `waiting` is handed from collector to collector.
        if self.collector.swap(AGAIN, Ordering::AcqRel) == IDLE {
            self.collect_as_collector(horizon, out, |_| ());
        }
    }

    /// Collects, and shows what is left to `look`. Waits while another thread is at it, which runs no user code.
    ///
    /// `look` must not panic. Guards that leave meanwhile leave word; what passes with them is in `out`, too.
    pub(crate) fn survey(
        &self,
        horizon: impl Fn() -> Epoch,
        out: &mut Vec<Retired<G>>,
        mut look: impl FnMut(&Retired<G>),
    ) {
        // ORDERING: AcqRel, as in `collect`.
        while self.collector.compare_exchange(IDLE, AGAIN, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            yield_now();
        }
        let mut first = true;
        self.collect_as_collector(horizon, out, |waiting| {
            if std::mem::take(&mut first) {
                waiting.iter().for_each(&mut look);
            }
        });
    }

    /// Makes a pass, which ends with `look`, and one more whenever somebody has asked for it. Only for who has taken `collector`
    /// out of `IDLE`.
    fn collect_as_collector(
        &self,
        horizon: impl Fn() -> Epoch,
        out: &mut Vec<Retired<G>>,
        mut look: impl FnMut(&BinaryHeap<Retired<G>>),
    ) {
        loop {
            self.collector.swap(BUSY, Ordering::AcqRel);
            // SAFETY: Q2: we took `collector` out of IDLE, so `waiting` is ours until we put it back.
            let waiting = unsafe { &mut *self.waiting.get() };
            waiting.extend(self.inbox.take().flatten());
            if !waiting.is_empty() {
                Self::pass(waiting, horizon(), out);
            }
            look(waiting);
            if self.collector.compare_exchange(BUSY, IDLE, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }

    fn pass(waiting: &mut BinaryHeap<Retired<G>>, horizon: Epoch, out: &mut Vec<Retired<G>>) {
        while waiting.peek().is_some_and(|oldest| oldest.stamp < horizon) {
            out.extend(waiting.pop());
        }
        if waiting.len() < waiting.capacity() / 4 && waiting.capacity() > KEEP {
            waiting.shrink_to(waiting.len() * 2);
        }
    }

    /// Takes out everything, whoever may see it.
    pub(crate) fn take_all(&mut self) -> Vec<Retired<G>> {
        // SAFETY: Q2: `&mut self` says that nobody else is here.
        let mut waiting = std::mem::take(unsafe { &mut *self.waiting.get() });
        waiting.extend(self.inbox.take().flatten());
        waiting.into_vec()
    }
}

impl<G> Drop for Pending<G> {
    fn drop(&mut self) {
        debug_assert!(self.take_all().is_empty(), "the domain reclaims what is pending before it goes");
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn retired(stamp: Epoch) -> Retired<Epoch> {
        Retired { stamp, garbage: stamp }
    }

    #[test]
    fn takes_out_what_has_passed_and_keeps_the_rest() {
        let mut pending = Pending::new();
        pending.push(vec![retired(5), retired(9)]);
        pending.push(vec![retired(3)]);
        let mut out = Vec::new();
        pending.collect(|| 6, &mut out);
        assert_eq!(out.iter().map(|item| item.garbage).collect::<Vec<_>>(), [3, 5]);
        pending.collect(|| 9, &mut out);
        assert_eq!(out.len(), 2, "the horizon itself has not passed");
        assert_eq!(pending.take_all().len(), 1);
    }

    #[test]
    fn a_request_during_a_pass_makes_one_more_pass() {
        let pending = Pending::new();
        pending.push(vec![retired(5)]);
        let passes = std::cell::Cell::new(0);
        let mut out = Vec::new();
        let horizon = || {
            passes.set(passes.get() + 1);
            if passes.get() == 1 {
                let mut theirs = Vec::new();
                pending.collect(|| unreachable!("somebody is at it"), &mut theirs);
                assert!(theirs.is_empty());
            }
            if passes.get() == 1 { 0 } else { 6 }
        };
        pending.collect(horizon, &mut out);
        assert_eq!((passes.get(), out.len()), (2, 1));
    }

    #[test]
    fn a_survey_shows_what_is_left_once_and_does_what_it_is_asked_meanwhile() {
        let pending = Pending::new();
        pending.push(vec![retired(3), retired(5), retired(9)]);
        let horizon = std::cell::Cell::new(4);
        let (mut seen, mut out) = (Vec::new(), Vec::new());
        let look = |item: &Retired<Epoch>| {
            seen.push(item.stamp);
            // A guard leaves meanwhile.
            horizon.set(6);
            pending.collect(|| unreachable!("somebody is at it"), &mut Vec::new());
        };
        pending.survey(|| horizon.get(), &mut out, look);
        seen.sort();
        assert_eq!((seen, out.len()), (vec![5, 9], 2));
        pending.collect(|| Epoch::MAX, &mut out);
        assert_eq!(out.len(), 3);
    }
}

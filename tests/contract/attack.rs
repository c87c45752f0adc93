//! Uses that are made to break the waiting: each was a way to sleep for ever, to exceed the cap, or to lose a guard, or
//! looks like one.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tidymap::{HashMap, Reclaim, ReclaimError, Ref};

use crate::support::{Counter, OnDrop, balance, key, stall_at_allocation};

/// Runs `work` on a thread of its own, and fails if that does not end.
pub(crate) fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = work();
        // A thread that is ending is part of the work.
        thread::spawn(move || done.send(()));
        result
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Ok(()) => thread.join().expect("it has not panicked"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("it has panicked"),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it waits for ever"),
    }
}

/// Long enough for another thread to fall asleep, where that cannot be seen from outside.
fn let_it_fall_asleep() {
    thread::sleep(Duration::from_millis(100));
}

/// Waits until `ready`.
fn until(ready: impl Fn() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it waits for ever");
        thread::yield_now();
    }
}

thread_local! {
    /// What this thread does when a [`Nosy`] key is hashed or compared next.
    static ON_HASH: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    static ON_EQ: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// A key whose `Hash` and `Eq` do as they are told.
#[derive(Debug)]
struct Nosy(u64);

impl Hash for Nosy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(act) = ON_HASH.take() {
            act();
        }
        self.0.hash(state);
    }
}

impl PartialEq for Nosy {
    fn eq(&self, other: &Self) -> bool {
        if let Some(act) = ON_EQ.take() {
            act();
        }
        self.0 == other.0
    }
}

impl Eq for Nosy {}

fn nosy(max_pending: usize) -> &'static HashMap<Nosy, u64> {
    let map = HashMap::builder().max_pending(max_pending).build();
    (0..10).for_each(|number| drop(map.insert(Nosy(number), number)));
    Box::leak(Box::new(map))
}

/// A removal that meets a writer at the tables is garbage before that writer has come to it.
#[test]
fn cap_counts_removals_that_are_left_to_a_writer() {
    static CAUGHT: Barrier = Barrier::new(2);
    static RELEASE: Barrier = Barrier::new(2);
    let map = HashMap::builder().max_pending(2).build();
    (0..100).for_each(|number| drop(map.insert(number, number)));
    let removed = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            stall_at_allocation(1 << 20, || {
                CAUGHT.wait();
                RELEASE.wait();
            });
            map.reserve(1_000_000);
        });
        CAUGHT.wait();
        scope.spawn(|| {
            for number in 0..100 {
                assert!(map.remove(&number).is_some());
                removed.fetch_add(1, Ordering::SeqCst);
            }
        });
        until(|| removed.load(Ordering::SeqCst) >= 2);
        let_it_fall_asleep();
        let before = removed.load(Ordering::SeqCst);
        RELEASE.wait();
        assert_eq!(before, 2, "the third waits for room");
    });
    assert_eq!((map.len(), map.stats().pending.entries), (0, 0));
}

/// Nobody waits for the guard of a pair that is taken back, but somebody may wait for the room.
#[test]
fn cap_taking_a_pair_back_wakes_who_waits_for_room() {
    in_time(|| {
        let map = nosy(1);
        static HAS_PERMIT: Barrier = Barrier::new(2);
        static GO_ON: Barrier = Barrier::new(2);
        let taker = thread::spawn(move || {
            ON_EQ.set(Some(Box::new(|| {
                HAS_PERMIT.wait();
                GO_ON.wait();
            })));
            let removed = map.remove_entry(&Nosy(1)).expect("it is there");
            removed.try_into_owned().expect("nobody looks").1
        });
        HAS_PERMIT.wait();
        let waiter = thread::spawn(move || map.remove(&Nosy(2)).map(|value| *value));
        let_it_fall_asleep();
        GO_ON.wait();
        assert_eq!((taker.join().unwrap(), waiter.join().unwrap()), (1, Some(2)));
        assert_eq!(map.stats().pending.entries, 0);
    });
}

/// `Hash` may use the map: the call that hashes does not wait for room that it has taken itself.
#[test]
fn cap_hash_may_use_the_map() {
    in_time(|| {
        let map = nosy(1);
        let calls: [fn(&'static HashMap<Nosy, u64>); 8] = [
            |map| drop(map.insert(Nosy(1), 1)),
            |map| drop(map.update(&Nosy(1), |value| value + 1)),
            |map| drop(map.update_or_insert(Nosy(1), |value| value + 1, 1)),
            |map| drop(map.compute(Nosy(1), |_| tidymap::Operation::<u64, ()>::Insert(1))),
            |map| drop(map.compare_exchange(&Nosy(1), &1, 2)),
            |map| drop(map.remove(&Nosy(1))),
            |map| drop(map.remove_entry(&Nosy(2))),
            |map| drop(map.remove_owned(&Nosy(3))),
        ];
        for call in calls {
            ON_HASH.set(Some(Box::new(|| drop(map.insert(Nosy(9), 9)))));
            call(map);
            assert!(ON_HASH.take().is_none());
        }
    });
}

/// F3: `Eq` may keep a guard, and then there is nothing to wait for but the own thread.
#[test]
fn f3_remove_owned_does_not_wait_for_a_guard_that_eq_has_kept() {
    thread_local!(static KEPT: RefCell<Option<Ref<'static, Nosy, u64>>> = const { RefCell::new(None) });
    in_time(|| {
        let map = nosy(usize::MAX);
        ON_EQ.set(Some(Box::new(|| KEPT.set(map.get(&Nosy(2))))));
        assert_eq!(map.remove_owned(&Nosy(1)), Err(ReclaimError::GuardHeld));
        assert!(map.contains_key(&Nosy(1)), "nothing was removed");
        KEPT.take();
        assert_eq!(map.remove_owned(&Nosy(1)).unwrap().unwrap().1, 1);
    });
}

/// F3: a destructor may keep a guard, and the call that ran it at the cap is let through as who holds one.
#[test]
fn f3_a_writer_at_the_cap_does_not_wait_for_a_guard_that_a_destructor_has_kept() {
    type Map = HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>>;
    thread_local!(static KEPT: RefCell<Vec<Box<dyn std::any::Any>>> = const { RefCell::new(Vec::new()) });
    in_time(|| {
        let map: &'static Map =
            Box::leak(Box::new(HashMap::builder().max_pending(1).reclaim(Reclaim::Batched(100)).build()));
        let quiet = || OnDrop(Box::new(|| ()) as Box<dyn FnMut() + Send + Sync>);
        (1..10).for_each(|number| drop(map.insert(number, quiet())));
        map.insert(
            0,
            OnDrop(Box::new(|| {
                // The room that this drop makes is gone again, and what is in it is held back by our guard.
                KEPT.with_borrow_mut(|kept| kept.push(Box::new(map.get(&9))));
                thread::spawn(|| assert!(map.pin().remove(&2).is_some())).join().unwrap();
            })),
        );
        // Saved up.
        map.remove(&0);
        map.remove(&1);
        assert!(!map.contains_key(&1));
        KEPT.take();
    });
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker that panics");
    }
}

/// The panic of somebody else's waker ends there: not in a call that would lose the guard it was to return.
#[test]
fn f1_a_waker_that_panics_costs_nobody_a_guard() {
    let map = HashMap::builder().max_pending(2).build();
    map.insert(1, 1);
    map.insert(2, 2);
    let waker = Waker::from(Arc::new(Panics));
    let entered = Barrier::new(2);
    let (leave, leaving) = mpsc::channel::<()>();
    let (map, entered) = (&map, &entered);
    thread::scope(move |scope| {
        scope.spawn(move || {
            let session = map.pin();
            entered.wait();
            let _ = leaving.recv();
            drop(session);
        });
        entered.wait();
        map.remove(&1);
        let mut future = pin!(map.reclaim_async());
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        // Takes the last permit and gives it back, and returns a guard.
        assert_eq!(*map.remove_if(&2, |_, _| false).unwrap_err(), 2);
        assert_eq!(map.stats().live_guards, 1, "the session's");
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(leave);
        until(|| map.stats().pending.entries == 0);
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(())));
    });
    assert_eq!(map.stats().live_guards, 0);
}

/// A destructor that waits for a thread that waits for a guard that the destructor has ended.
#[test]
fn f3_what_a_destructor_does_is_told_before_it_ends() {
    type Map = HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>>;
    in_time(|| {
        let map: &'static Map = Box::leak(Box::new(HashMap::new()));
        map.insert(2, OnDrop(Box::new(|| ())));
        map.insert(
            1,
            OnDrop(Box::new(|| {
                let session = map.pin();
                let waiter = thread::spawn(|| assert!(map.remove_owned(&2).unwrap().is_some()));
                until(|| map.is_empty());
                let_it_fall_asleep();
                drop(session);
                waiter.join().unwrap();
            })),
        );
        map.remove(&1);
    });
}

/// Room is told of when it is made, not when the last of many destructors is done.
#[test]
fn cap_room_is_told_of_before_the_next_destructor_runs() {
    in_time(|| {
        let map = HashMap::builder().max_pending(2).build();
        let came_in = Arc::new(AtomicBool::new(false));
        let wait_for_it = {
            let came_in = came_in.clone();
            move || until(|| came_in.load(Ordering::SeqCst))
        };
        let value = |act: Box<dyn FnMut() + Send + Sync>| OnDrop(act);
        map.insert(1, value(Box::new(|| ())));
        map.insert(2, value(Box::new(wait_for_it)));
        map.insert(3, value(Box::new(|| ())));
        thread::scope(|scope| {
            let session = map.pin();
            scope.spawn(|| {
                map.remove(&1);
                map.remove(&2);
                map.remove(&3);
                came_in.store(true, Ordering::SeqCst);
            });
            until(|| map.len() == 1);
            let_it_fall_asleep();
            drop(session);
        });
        assert_eq!(map.stats().pending.entries, 0);
    });
}

/// Guards of one thread end in any order, and pairs can be taken back as soon as the last one has that could see them.
#[test]
fn a_pair_can_be_taken_back_when_the_other_guards_of_the_thread_have_ended() {
    let counter = Counter::default();
    let map = crate::support::filled(&counter, 10);
    let session = map.pin();
    // The next guards are younger.
    map.remove(&key(0));
    let removed = map.remove_entry(&key(1)).unwrap();
    let later = map.remove_entry(&key(2)).unwrap();
    let removed = removed.try_into_owned().expect_err("the session may look");
    drop(session);
    drop(later.try_into_owned().expect_err("the older one may look"));
    let (_, value) = removed.try_into_owned().expect("the last guard");
    assert_eq!(value.number, 1);
    assert_eq!((counter.live(), map.stats().pending.entries), (15, 0));
}

/// The list of what a thread has unlinked goes when it is empty, however it has become so.
#[test]
fn m2_what_is_taken_back_leaves_no_long_list() {
    let counter = Counter::default();
    let map = crate::support::filled(&counter, 2000);
    drop((map.pin(), map.pin()));
    let before = balance();
    let removed: Vec<_> = (0..1000).map(|number| map.remove_entry(&key(number)).expect("it is there")).collect();
    for removed in removed {
        removed.try_into_owned().expect("the other guards are younger than the removal");
    }
    // The list of the thread's guards is made anew when it is needed next.
    drop((map.pin(), map.pin()));
    assert!(balance() - before < 4096, "{} bytes more", balance() - before);
    assert_eq!(counter.live(), 2000);
}

/// E4: the entry goes before the value that was overwritten in it has been dropped, and waits for no destructor.
#[test]
fn a_pair_is_handed_over_while_its_first_value_is_still_being_dropped() {
    in_time(|| {
        static IN_DROP: Barrier = Barrier::new(2);
        static GO_ON: Barrier = Barrier::new(2);
        let dropped = Arc::new(AtomicBool::new(false));
        let first = {
            let dropped = dropped.clone();
            OnDrop(Box::new(move || {
                IN_DROP.wait();
                GO_ON.wait();
                dropped.store(true, Ordering::SeqCst);
            }) as Box<dyn FnMut() + Send + Sync>)
        };
        let map = HashMap::new();
        map.insert(1, first);
        thread::scope(|scope| {
            scope.spawn(|| drop(map.insert(1, OnDrop(Box::new(|| ())))));
            IN_DROP.wait();
            let pair = map.remove_owned(&1).unwrap();
            assert!(pair.is_some() && !dropped.load(Ordering::SeqCst));
            GO_ON.wait();
        });
        assert!(dropped.load(Ordering::SeqCst));
        assert_eq!(map.stats().heap.entries, 0);
    });
}

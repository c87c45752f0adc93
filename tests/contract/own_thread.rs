//! F3: code of the user's that runs inside a call (`Hash`, `Eq`, destructors, the hook, wakers) may use the map, and no call waits
//! for its own thread.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tidymap::{HashMap, Reclaim, ReclaimError, Reclaimed, Ref};

use crate::support::{Nosy, ON_EQ, ON_HASH, OnDrop, block_on, in_time, leak, let_it_fall_asleep, nosy, until};

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
        let map: &'static Map = leak(HashMap::builder().max_pending(1).reclaim(Reclaim::Batched(100)).build());
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

/// A destructor that waits for a thread that waits for a guard that the destructor has ended.
#[test]
fn f3_what_a_destructor_does_is_told_before_it_ends() {
    type Map = HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>>;
    in_time(|| {
        let map: &'static Map = leak(HashMap::new());
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

/// The first destructors of thread-local values, and the last, may wait for readers.
#[test]
fn a_thread_that_is_ending_may_wait() {
    type Map = HashMap<u64, u64>;
    struct Late(Option<(&'static Map, Arc<Mutex<Vec<u64>>>, u64)>);
    impl Drop for Late {
        fn drop(&mut self) {
            let Some((map, told, first)) = self.0.take() else { return };
            let owned = map.remove_owned(&first).unwrap().unwrap().1;
            assert_eq!(map.reclaim(), Ok(()));
            drop(map.remove(&(first + 1)));
            // Waits for the room that the one before has taken.
            drop(map.remove(&(first + 2)));
            assert_eq!(block_on(map.reclaim_async()), Ok(()));
            told.lock().unwrap().push(owned);
        }
    }
    thread_local! {
        static BEFORE: RefCell<Late> = const { RefCell::new(Late(None)) };
        static AFTER: RefCell<Late> = const { RefCell::new(Late(None)) };
    }
    in_time(|| {
        let map: &'static Map = leak(HashMap::builder().max_pending(1).build());
        (0..20).for_each(|number| drop(map.insert(number, number)));
        let told = Arc::new(Mutex::new(Vec::new()));
        let reading = Arc::new(AtomicBool::new(true));
        let reader = {
            let reading = reading.clone();
            thread::spawn(move || {
                while reading.load(Ordering::Relaxed) {
                    let _session = map.pin();
                    thread::sleep(Duration::from_millis(1));
                }
            })
        };
        for first in [0, 10] {
            let told = told.clone();
            thread::spawn(move || {
                BEFORE.with_borrow_mut(|late| late.0 = Some((map, told.clone(), first)));
                assert!(map.contains_key(&first));
                AFTER.with_borrow_mut(|late| late.0 = Some((map, told, first + 5)));
            })
            .join()
            .unwrap();
        }
        reading.store(false, Ordering::Relaxed);
        reader.join().unwrap();
        let mut told = told.lock().unwrap().clone();
        told.sort_unstable();
        assert_eq!((told, map.len()), (vec![0, 5, 10, 15], 8));
    });
}

/// A waker that uses the map, on the thread that wakes it.
struct Meddler(&'static HashMap<u64, u64>, AtomicUsize);

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        let Meddler(map, woken) = &*self;
        let number = 100 + woken.fetch_add(1, Ordering::SeqCst) as u64;
        drop(map.insert(number, number));
        drop(map.insert(number, number + 1));
        let _ = map.remove_entry(&number).map(|removed| removed.try_into_owned().is_ok());
        let _ = map.try_reclaim();
        if map.reclaim() == Ok(()) {
            assert_eq!(map.remove_owned(&number), Ok(None));
        }
    }
}

#[test]
fn a_waker_may_use_the_map() {
    in_time(|| {
        let map: &'static HashMap<u64, u64> = leak(HashMap::builder().max_pending(2).build());
        (0..10).for_each(|number| drop(map.insert(number, number)));
        let meddler = Arc::new(Meddler(map, AtomicUsize::new(0)));
        let waker = Waker::from(meddler.clone());
        let mut context = Context::from_waker(&waker);
        for number in 0..5 {
            let session = map.pin();
            thread::scope(|scope| {
                scope.spawn(|| drop(map.remove(&number)));
            });
            // Begun by a thread without a guard, polled by one with a guard.
            let mut future = Box::pin(map.reclaim_async());
            thread::scope(|scope| {
                let future = &mut future;
                let waker = &waker;
                scope.spawn(move || assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_pending()));
            });
            assert!(future.as_mut().poll(&mut context).is_pending());
            drop(session);
            assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(Ok(())));
            assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(Ok(())), "asked again, it says so again");
        }
        assert!(meddler.1.load(Ordering::SeqCst) >= 5);
        assert_eq!((map.len(), map.stats().pending.entries), (5, 0));
    });
}

/// A hook that does everything that a map can do, at the cap.
#[test]
fn a_hook_may_use_the_map_at_the_cap() {
    in_time(|| {
        static MAP: std::sync::OnceLock<HashMap<u64, OnDrop<fn()>>> = std::sync::OnceLock::new();
        let calls = Arc::new(AtomicUsize::new(0));
        let hook = {
            let calls = calls.clone();
            move |garbage: Reclaimed<u64, OnDrop<fn()>>| {
                let call = calls.fetch_add(1, Ordering::SeqCst) as u64;
                if call >= 40 {
                    return;
                }
                let map = MAP.get().expect("it is there while it is used");
                let quiet = || OnDrop((|| ()) as fn());
                drop(map.insert(1, quiet()));
                drop(map.insert(1, quiet()));
                assert_eq!(map.reclaim(), Err(ReclaimError::InDrop));
                map.try_reclaim();
                drop(map.remove_owned(&1).expect("no guard is held"));
                drop(map.insert(2, quiet()));
                let _ = map.remove_entry(&2).map(|removed| removed.try_into_owned().is_ok());
                drop(garbage);
                assert!(call % 5 != 4, "a hook that panics");
            }
        };
        let map = MAP.get_or_init(|| HashMap::builder().max_pending(1).on_reclaim(hook).build());
        let act = |key: u64| {
            let _ = std::panic::catch_unwind(|| {
                drop(map.insert(key, OnDrop((|| ()) as fn())));
                drop(map.remove(&key));
            });
        };
        thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || (0..20).for_each(|number| act(10 + 100 * thread + number)));
            }
        });
        assert!(calls.load(Ordering::SeqCst) >= 60);
        assert_eq!(map.reclaim(), Ok(()));
        let stats = map.stats();
        assert_eq!((stats.pending.entries, stats.live_guards, stats.retired - stats.freed), (0, 0, 0));
    });
}

//! Everything that waits, wakes and hands over, at once and at the edges of a thread's life.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tidymap::{HashMap, Operation, Reclaim, ReclaimError, Reclaimed};

use crate::attack::in_time;
use crate::support::{Counted, Counter, OnDrop, filled, key};

/// A small generator of numbers that nobody can foretell by looking.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Wakes a thread.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Every way to remove and to wait, on few keys, with readers that nest their sessions. Nobody waits for ever, and in the end
/// everything has been dropped or handed over once.
fn everything(reclaim: Reclaim, rounds: u64) {
    in_time(move || {
        let counter = Counter::default();
        let reclaimed = Arc::new(AtomicUsize::new(0));
        let hook = {
            let reclaimed = reclaimed.clone();
            move |garbage: Reclaimed<u64, Counted>| {
                reclaimed.fetch_add(1, Ordering::Relaxed);
                drop(garbage);
            }
        };
        let map: HashMap<u64, Counted> = HashMap::builder().max_pending(3).reclaim(reclaim).on_reclaim(hook).build();
        let handed_over = AtomicUsize::new(0);
        let (map, counter, handed_over) = (&map, &counter, &handed_over);
        thread::scope(|scope| {
            for seed in 1..=4 {
                scope.spawn(move || {
                    let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed);
                    for _ in 0..rounds {
                        let number = next(&mut state);
                        let key = number >> 32 & 7;
                        let value = || counter.value(key);
                        match number % 12 {
                            0..=3 => drop(map.insert(key, value())),
                            4 => drop(map.remove(&key)),
                            5 => drop(map.update(&key, |old| counter.value(old.number))),
                            6 => drop(map.compute(key, |old| match old {
                                None => Operation::<_, ()>::Insert(value()),
                                Some(_) => Operation::Remove,
                            })),
                            7 => {
                                let removed = map.remove_owned(&key).expect("no guard is held");
                                handed_over.fetch_add(usize::from(removed.is_some()), Ordering::Relaxed);
                            }
                            8 => {
                                let removed = map.remove_entry(&key).map(|removed| removed.try_into_owned().is_ok());
                                handed_over.fetch_add(usize::from(removed == Some(true)), Ordering::Relaxed);
                            }
                            9 if number >> 40 & 15 == 0 => map.clear(),
                            10 if number >> 40 & 7 == 0 => assert_eq!(block_on(map.reclaim_async()), Ok(())),
                            11 if number >> 40 & 7 == 0 => assert_eq!(map.reclaim(), Ok(())),
                            _ => drop(map.get(&key)),
                        }
                    }
                });
            }
            for seed in 5..=6 {
                scope.spawn(move || {
                    let mut state = seed;
                    let mut sessions = std::collections::VecDeque::new();
                    for _ in 0..rounds / 4 {
                        let number = next(&mut state);
                        sessions.push_back(map.pin());
                        if number % 4 == 0 {
                            let index = number as usize >> 8 & 3;
                            drop(sessions.remove(index));
                        }
                        for (key, value) in sessions.back().into_iter().flatten() {
                            assert_eq!(value.number, *key);
                        }
                        if sessions.len() > 3 {
                            sessions.clear();
                        }
                    }
                });
            }
        });
        assert_eq!(map.reclaim(), Ok(()));
        let stats = map.stats();
        assert_eq!((stats.pending.entries, stats.live_guards), (0, 0));
        assert_eq!(counter.live(), map.len());
        let gone = reclaimed.load(Ordering::Relaxed) + handed_over.load(Ordering::Relaxed);
        assert_eq!((stats.retired, stats.freed), (gone as u64, gone as u64));
        // All room is there again: with a reader that holds everything back, so many more go through, and no more.
        (0..8).for_each(|key| drop(map.insert(key, counter.value(key))));
        map.try_reclaim();
        let (entered, leave) = (Barrier::new(2), Barrier::new(2));
        let removed = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _session = map.pin();
                entered.wait();
                leave.wait();
            });
            entered.wait();
            scope.spawn(|| {
                for key in 0..8 {
                    assert!(map.remove(&key).is_some());
                    removed.fetch_add(1, Ordering::SeqCst);
                }
            });
            thread::sleep(Duration::from_millis(200));
            let before = removed.load(Ordering::SeqCst);
            leave.wait();
            assert_eq!(before, 3);
        });
    });
}

#[test]
fn everything_at_once() {
    everything(Reclaim::Immediate, 20_000);
}

#[test]
fn everything_at_once_with_a_batch() {
    everything(Reclaim::Batched(8), 20_000);
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
        let map: &'static Map = Box::leak(Box::new(HashMap::builder().max_pending(1).build()));
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
        let map: &'static HashMap<u64, u64> = Box::leak(Box::new(HashMap::builder().max_pending(2).build()));
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

/// The map keeps a waker no longer than the future lives, or until it has woken it.
#[test]
fn a_task_leaves_nothing_behind() {
    let counter = Counter::default();
    let map = filled(&counter, 3);
    let unpark = Arc::new(Unpark(thread::current()));
    let waker = Waker::from(unpark.clone());
    let poll = |future: Pin<&mut tidymap::Reclaiming<'_, _, _>>| future.poll(&mut Context::from_waker(&waker));
    let (entered, leave) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _session = map.pin();
            entered.wait();
            leave.wait();
        });
        entered.wait();
        map.remove(&key(0));
        let alone = Arc::strong_count(&unpark);
        for _ in 0..100 {
            let mut future = Box::pin(map.reclaim_async());
            (0..3).for_each(|_| assert!(poll(future.as_mut()).is_pending()));
            assert_eq!(Arc::strong_count(&unpark), alone + 1, "the last waker counts");
            drop(future);
            assert_eq!(Arc::strong_count(&unpark), alone);
        }
        let mut leaked = Box::pin(map.reclaim_async());
        assert!(poll(leaked.as_mut()).is_pending());
        std::mem::forget(leaked);
        // A thread with a guard may not begin to wait.
        let session = map.pin();
        let mut future = Box::pin(map.reclaim_async());
        assert_eq!(poll(future.as_mut()), Poll::Ready(Err(ReclaimError::GuardHeld)));
        drop(session);
        assert!(poll(future.as_mut()).is_pending(), "asked again, it begins");
        leave.wait();
        while poll(future.as_mut()).is_pending() {
            thread::park_timeout(Duration::from_millis(1));
        }
    });
    assert_eq!(Arc::strong_count(&unpark), 2, "what was leaked has been woken");
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

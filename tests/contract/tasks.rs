//! R3 for tasks: `reclaim_async`.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tidymap::{HashMap, ReclaimError};

use crate::support::{Counter, OnDrop, Unpark, filled, key, leak, until};

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn r3_a_task_is_woken_by_the_last_guard_and_no_sooner_than_needed() {
    let counter = Counter::default();
    let map = filled(&counter, 2);
    let (entered, leave) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let early = map.pin();
            entered.wait();
            leave.wait();
            drop(early);
        });
        entered.wait();
        map.remove(&key(0));
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        let mut reclaiming = pin!(map.reclaim_async());
        assert_eq!(reclaiming.as_mut().poll(&mut context), Poll::Pending);
        // Guards that come later do not matter, nor does it matter that they go.
        drop(map.pin());
        assert_eq!((counter.live(), woken.0.load(Ordering::SeqCst)), (4, 0));
        let late = map.pin();
        leave.wait();
        while woken.0.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        // Woken once; another poll says whether that was all.
        while reclaiming.as_mut().poll(&mut context).is_pending() {
            thread::yield_now();
        }
        assert_eq!(counter.live(), 2);
        drop(late);
    });
}

#[test]
fn r3_tasks_wait_for_destructors_that_run_elsewhere() {
    static DROPPED: AtomicBool = AtomicBool::new(false);
    let (begun, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let map = HashMap::new();
    let slow = {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        OnDrop(move || {
            begun.wait();
            go_on.wait();
            thread::sleep(Duration::from_millis(20));
            DROPPED.store(true, Ordering::SeqCst);
        })
    };
    map.insert(1, slow);
    thread::scope(|scope| {
        scope.spawn(|| drop(map.remove(&1)));
        begun.wait();
        block_on(async {
            let waiting = map.reclaim_async();
            go_on.wait();
            assert_eq!(waiting.await, Ok(()));
            assert!(DROPPED.load(Ordering::SeqCst));
        });
    });
}

#[test]
fn r3_a_task_says_so_when_it_would_wait_for_itself() {
    let map = HashMap::from([(1, 1)]);
    let session = map.pin();
    assert_eq!(block_on(map.reclaim_async()), Err(ReclaimError::GuardHeld));
    drop(session);
    assert_eq!(block_on(map.reclaim_async()), Ok(()));

    type Recursive = HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>>;
    let map: &'static Recursive = leak(HashMap::new());
    static ANSWER: Mutex<Option<Result<(), ReclaimError>>> = Mutex::new(None);
    map.insert(1, OnDrop(Box::new(|| *ANSWER.lock().unwrap() = Some(block_on(map.reclaim_async())))));
    map.remove(&1);
    assert_eq!(*ANSWER.lock().unwrap(), Some(Err(ReclaimError::InDrop)));
}

#[test]
fn r3_a_future_that_is_dropped_leaves_nothing_behind() {
    let counter = Counter::default();
    let map = filled(&counter, 2);
    let (entered, leave) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let early = map.pin();
            entered.wait();
            leave.wait();
            drop(early);
        });
        entered.wait();
        map.remove(&key(0));
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        for _ in 0..1000 {
            let mut reclaiming = pin!(map.reclaim_async());
            assert!(reclaiming.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert!(reclaiming.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(Arc::strong_count(&woken), 2, "no waker is left, nor the memory for one");
        block_on(async {
            let waited = tokio::time::timeout(Duration::from_millis(10), map.reclaim_async()).await;
            assert!(waited.is_err(), "cancelled by a time limit");
        });
        leave.wait();
        block_on(async { assert_eq!(map.reclaim_async().await, Ok(())) });
        assert_eq!((counter.live(), woken.0.load(Ordering::SeqCst)), (2, 0));
    });
}

#[test]
fn r3_many_tasks_on_many_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    let counter = Counter::default();
    let map = Arc::new(filled(&counter, 0));
    runtime.block_on(async {
        let tasks: Vec<_> = (0..200_u64)
            .map(|number| {
                let (map, counter) = (map.clone(), counter.clone());
                tokio::spawn(async move {
                    let mine = Counter::default();
                    for round in 0..20 {
                        map.insert(mine.value(number), counter.value(round));
                        // Readers that stay for a while, on whichever thread.
                        let there = map.get(&key(number)).is_some_and(|value| value.number == round);
                        assert!(there);
                        map.remove(&key(number));
                        assert_eq!(map.reclaim_async().await, Ok(()));
                        assert_eq!(mine.live(), 0, "what this task removed has been dropped");
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!((map.len(), counter.live()), (0, 0));
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
        leak(leaked);
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

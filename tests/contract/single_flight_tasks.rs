//! `get_or_init_async`: tasks wait as threads do, may be cancelled at any point, and hold nothing meanwhile.

use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tidymap::HashMap;
use tokio::runtime::{Builder, Runtime};

use crate::single_flight::at_once;
use crate::support::{Counter, OnDrop, Unpark, block_on, in_time, key};

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap()
}

/// Is pending so many times, and wakes its task each time.
fn after(polls: u64) -> impl Future<Output = ()> {
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn one_task_or_thread_computes_for_all() {
    in_time(|| {
        let runtime = runtime();
        let counter = Counter::default();
        let map = Arc::new(HashMap::new());
        for round in 0..if cfg!(miri) { 2 } else { 200 } {
            let computed = Arc::new(AtomicUsize::new(0));
            let tasks: Vec<_> = (0..8)
                .map(|number| {
                    let (map, counter, computed) = (map.clone(), counter.clone(), computed.clone());
                    runtime.spawn(async move {
                        let future = async {
                            computed.fetch_add(1, Ordering::SeqCst);
                            after(round % 4).await;
                            counter.value(number)
                        };
                        map.get_or_init_async(counter.value(round), future).await.number
                    })
                })
                .collect();
            let mut seen = at_once(3, |number| {
                let init = || {
                    computed.fetch_add(1, Ordering::SeqCst);
                    thread::yield_now();
                    counter.value(100 + number)
                };
                map.get_or_init(counter.value(round), init).number
            });
            seen.extend(tasks.into_iter().map(|task| runtime.block_on(task).unwrap()));
            assert!(seen.iter().all(|value| *value == seen[0]), "{seen:?}");
            assert_eq!((computed.load(Ordering::SeqCst), map.in_flight()), (1, 0));
        }
        drop(runtime);
        assert_eq!((counter.live(), map.stats().live_guards), (2 * map.len(), 0));
    });
}

/// Tasks that give up after so many polls, wherever they are then, beside threads and beside tasks that go on.
#[test]
fn tasks_are_cancelled_at_any_point() {
    in_time(|| {
        let runtime = runtime();
        let counter = Counter::default();
        let map = Arc::new(HashMap::new());
        for round in 0..if cfg!(miri) { 2 } else { 200 } {
            let computing = Arc::new(AtomicBool::new(false));
            let tasks: Vec<_> = (0..10_u64)
                .map(|number| {
                    let (map, counter, computing) = (map.clone(), counter.clone(), computing.clone());
                    runtime.spawn(async move {
                        let future = async {
                            assert!(!computing.swap(true, Ordering::SeqCst), "two compute one key");
                            let alone = OnDrop(|| computing.store(false, Ordering::SeqCst));
                            after(3).await;
                            drop(alone);
                            counter.value(number)
                        };
                        let mut future = Some(Box::pin(map.get_or_init_async(counter.value(round), future)));
                        // 8 and 9 go on to the end.
                        let mut polls = if number < 8 { number } else { u64::MAX };
                        poll_fn(|context| {
                            let Some(running) = future.as_mut().filter(|_| polls > 0) else {
                                future = None;
                                return Poll::Ready(None);
                            };
                            polls -= 1;
                            running.as_mut().poll(context).map(|found| Some(found.key().number))
                        })
                        .await
                    })
                })
                .collect();
            assert_eq!(map.get_or_init(counter.value(round), || counter.value(100)).key().number, round);
            for (number, task) in tasks.into_iter().enumerate() {
                let seen = runtime.block_on(task).unwrap();
                assert!(seen == Some(round) || (seen.is_none() && number < 8), "{number}: {seen:?}");
            }
            assert_eq!((map.in_flight(), map.len() as u64), (0, round + 1));
        }
        drop(runtime);
        assert_eq!((counter.live(), map.stats().live_guards), (2 * map.len(), 0));
    });
}

/// One after the other, polled by hand: after each number of polls the first is dropped, and the second computes.
#[test]
fn a_cancelled_computation_is_dropped_and_handed_over() {
    for polls in 0..=4 {
        let (counter, map) = (Counter::default(), HashMap::new());
        let computed = Counter::default();
        let first = async {
            let own = computed.value(7);
            after(2).await;
            drop(own);
            counter.value(7)
        };
        let mut first = Box::pin(map.get_or_init_async(counter.value(1), first));
        let mut done = false;
        for _ in 0..polls {
            done = done || poll(first.as_mut()).is_ready();
        }
        assert_eq!((done, map.in_flight()), (polls >= 3, usize::from(polls == 1 || polls == 2)));
        let woken = Arc::new(WokenAfter(AtomicUsize::new(0), computed.clone()));
        let waker = Waker::from(woken.clone());
        let second = async {
            assert_eq!(counter.live(), 1, "the own key");
            counter.value(8)
        };
        let mut second = pin!(map.get_or_init_async(counter.value(1), second));
        let mut poll_second = || second.as_mut().poll(&mut Context::from_waker(&waker)).map(|found| found.number);
        if map.in_flight() > 0 {
            assert_eq!((poll_second(), woken.0.load(Ordering::SeqCst)), (Poll::Pending, 0));
        }
        let waits = map.in_flight();
        drop(first);
        assert_eq!(woken.0.load(Ordering::SeqCst), waits, "who waits is woken");
        assert_eq!(poll_second(), Poll::Ready(if done { 7 } else { 8 }));
        assert_eq!((map.in_flight(), counter.live()), (0, 2));
    }
}

/// Counts how often it is woken when nothing of the computation is there any more.
struct WokenAfter(AtomicUsize, Counter);

impl Wake for WokenAfter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(usize::from(self.1.live() == 0), Ordering::SeqCst);
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_thread_takes_over_from_a_cancelled_task() {
    in_time(|| {
        let map = HashMap::new();
        let mut task = Box::pin(map.get_or_init_async(1, pending()));
        assert!(poll(task.as_mut()).is_pending());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| *map.get_or_init(1, || 2));
            let another = scope.spawn(|| *block_on(map.get_or_init_async(1, ready(2))));
            thread::sleep(Duration::from_millis(20));
            assert!(!waiting.is_finished() && !another.is_finished());
            drop(task);
            assert_eq!((waiting.join().unwrap(), another.join().unwrap()), (2, 2));
        });
        assert_eq!(map.in_flight(), 0);
    });
}

#[test]
fn who_gives_up_waiting_leaves_nothing_behind() {
    let (counter, map) = (Counter::default(), HashMap::new());
    let mut task = Box::pin(map.get_or_init_async(counter.value(1), pending()));
    assert!(poll(task.as_mut()).is_pending());
    let unpark = Arc::new(Unpark(thread::current()));
    let waker = Waker::from(unpark.clone());
    for _ in 0..100 {
        let mut waiting = Box::pin(map.get_or_init_async(counter.value(1), ready(counter.value(2))));
        (0..3).for_each(|_| assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()));
        assert_eq!(Arc::strong_count(&unpark), 3, "the last waker counts");
        drop(waiting);
        assert_eq!((Arc::strong_count(&unpark), counter.live()), (2, 1));
    }
    // Nor does who is forgotten while it waits.
    let mut forgotten = Box::pin(map.get_or_init_async(key(1), pending()));
    assert!(poll(forgotten.as_mut()).is_pending());
    let forgotten = crate::support::leak(std::sync::Mutex::new(Some(forgotten)));
    drop(task);
    assert_eq!(block_on(map.get_or_init_async(counter.value(1), ready(counter.value(2)))).number, 2);
    assert_eq!((counter.live(), map.in_flight()), (2, 0));
    drop(forgotten.lock().unwrap().take());
}

#[test]
fn f1_errors_and_panics_of_a_future_hand_over() {
    let (counter, map) = (Counter::default(), HashMap::new());
    let failing = || async { Err::<_, u32>(5) };
    let result = block_on(map.try_get_or_init_async(counter.value(1), failing()));
    assert_eq!((result.err(), counter.live()), (Some(5), 0));
    for at in 0..3 {
        let mut task = Box::pin(map.get_or_init_async(counter.value(1), async {
            after(at).await;
            panic!("a future that panics")
        }));
        (0..at).for_each(|_| assert!(poll(task.as_mut()).is_pending()));
        let mut waiting = pin!(map.try_get_or_init_async(counter.value(1), failing()));
        assert_eq!(poll(waiting.as_mut()).is_pending(), at > 0);
        assert!(catch_unwind(AssertUnwindSafe(|| poll(task.as_mut()).is_ready())).is_err());
        if at > 0 {
            assert!(matches!(poll(waiting.as_mut()), Poll::Ready(Err(5))));
        }
        assert_eq!(map.in_flight(), 0);
    }
    // A destructor of the future's panics when it has computed: that is dropped, and the next one computes.
    let captive = OnDrop::<fn()>(|| panic!("a destructor that panics"));
    let value = counter.value(2);
    let mut value = Some(value);
    let computing = poll_fn(move |_| {
        let _ = &captive;
        Poll::Ready(value.take().unwrap())
    });
    assert!(
        catch_unwind(AssertUnwindSafe(|| block_on(map.get_or_init_async(counter.value(1), computing)).number)).is_err()
    );
    assert_eq!((map.in_flight(), counter.live(), map.len()), (0, 0, 0));
    let captive = OnDrop::<fn()>(|| panic!("a destructor that panics"));
    map.insert(counter.value(1), counter.value(1));
    let computing = async move {
        drop(captive);
        unreachable!("it is there")
    };
    assert!(
        catch_unwind(AssertUnwindSafe(|| block_on(map.get_or_init_async(counter.value(1), computing)).number)).is_err()
    );
    assert_eq!((map.in_flight(), counter.live(), map.stats().live_guards), (0, 2, 0));
}

#[test]
fn f3_a_future_that_asks_for_its_own_key_is_told() {
    in_time(|| {
        let map = HashMap::new();
        let own = async {
            after(1).await;
            *map.get_or_init_async(1, ready(2)).await
        };
        assert!(catch_unwind(AssertUnwindSafe(|| *block_on(map.get_or_init_async(1, own)))).is_err());
        let blocking = async { *map.get_or_init(1, || 2) };
        assert!(catch_unwind(AssertUnwindSafe(|| *block_on(map.get_or_init_async(1, blocking)))).is_err());
        let other = async { *map.get_or_init_async(2, async { *map.get_or_init(3, || 1) + 1 }).await + 1 };
        assert_eq!(*block_on(map.get_or_init_async(1, other)), 3);
        assert_eq!((map.in_flight(), map.len()), (0, 3));
    });
}

#[test]
fn f1_a_waker_that_panics_costs_nobody_the_value() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker that panics");
        }
    }
    let map = HashMap::new();
    let (panics, unpark) = (Waker::from(Arc::new(Panics)), Arc::new(Woken::default()));
    let woken = Waker::from(unpark.clone());
    let mut first = pin!(map.get_or_init_async(1, pending()));
    let mut second = pin!(map.get_or_init_async(1, pending()));
    let value = map.get_or_init(1, || {
        thread::scope(|scope| {
            // Not this thread, which would be told that it waits for itself.
            scope.spawn(|| {
                assert!(first.as_mut().poll(&mut Context::from_waker(&panics)).is_pending());
                assert!(second.as_mut().poll(&mut Context::from_waker(&woken)).is_pending());
            });
        });
        5
    });
    assert_eq!((*value, unpark.0.load(Ordering::SeqCst)), (5, 1));
    assert!(matches!(poll(first), Poll::Ready(found) if *found == 5));
    assert!(matches!(poll(second), Poll::Ready(found) if *found == 5));
}

/// A call that moves between threads holds no guard while it is pending, and may go where its parts may.
#[test]
fn a_task_is_send_if_its_parts_are() {
    fn send<T: Send>(future: T) -> T {
        future
    }
    let map = HashMap::<String, u64>::new();
    let future = send(map.get_or_init_async(String::new(), async {
        after(2).await;
        5
    }));
    drop(send(map.try_get_or_init_async(String::new(), ready(Err::<u64, ()>(())))));
    // And where its parts may not, it need not be.
    let local = HashMap::<Rc<str>, Rc<u64>>::new();
    assert_eq!(**block_on(local.get_or_init_async("a".into(), ready(Rc::new(5)))), 5);
    let mut future = Box::pin(future);
    while poll(future.as_mut()).is_pending() {
        assert_eq!(map.stats().live_guards, 0);
        future = thread::scope(|scope| scope.spawn(move || future).join().unwrap());
    }
    assert_eq!(map.len(), 1);
}

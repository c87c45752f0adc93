//! R3 to R8.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tidymap::{HashMap, Reclaim, ReclaimError};

use crate::rounds::rounds;
use crate::support::{Counted, Counter, OnDrop, filled, key, leak, tells_thread};

#[test]
fn r3_reclaim_waits_for_readers_of_before_and_for_no_later_ones() {
    let counter = Counter::default();
    let map = filled(&counter, 2);
    let (entered, removed) = (Barrier::new(2), Barrier::new(2));
    let leaving = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let early = map.pin();
            entered.wait();
            removed.wait();
            let late = map.pin();
            thread::sleep(Duration::from_millis(20));
            leaving.store(true, Ordering::SeqCst);
            drop(early);
            // The late one stays until the other thread has returned from `reclaim`.
            removed.wait();
            drop(late);
        });
        entered.wait();
        map.remove(&key(0));
        removed.wait();
        assert_eq!(map.reclaim(), Ok(()));
        assert!(leaving.load(Ordering::SeqCst), "it has waited for the early reader");
        assert_eq!(counter.live(), 2);
        removed.wait();
    });
}

#[test]
fn r3_reclaim_says_so_when_it_would_wait_for_itself() {
    let map = HashMap::from([(1, 1)]);
    let session = map.pin();
    assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
    drop(session);
    let value = map.get(&1);
    assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
    drop(value);
    assert_eq!(map.reclaim(), Ok(()));
    map.retain(|_, _| {
        assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
        true
    });

    type Recursive = HashMap<u32, OnDrop<Box<dyn FnMut()>>>;
    let map: &'static Recursive = leak(HashMap::new());
    static ANSWER: Mutex<Option<Result<(), ReclaimError>>> = Mutex::new(None);
    map.insert(1, OnDrop(Box::new(|| *ANSWER.lock().unwrap() = Some(map.reclaim()))));
    map.remove(&1);
    assert_eq!(*ANSWER.lock().unwrap(), Some(Err(ReclaimError::InDrop)));
}

/// What a reader holds back is still held when the time is up; what it does not hold has been dropped.
#[test]
fn r3_reclaim_timeout_gives_up_and_has_done_what_it_could() {
    let counter = Counter::default();
    let map: HashMap<_, _> = HashMap::builder().reclaim(Reclaim::Batched(100)).build();
    for number in 0..3 {
        map.insert(key(number), counter.value(number));
    }
    map.remove(&key(0));
    let (entered, leave) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _session = map.pin();
            entered.wait();
            leave.wait();
        });
        entered.wait();
        map.remove(&key(1));
        assert_eq!(counter.live(), 3, "saved up");
        assert_eq!(map.reclaim_timeout(Duration::from_millis(5)), Err(ReclaimError::TimedOut));
        assert_eq!(counter.live(), 2, "the first was removed before the session");
        assert_eq!(map.reclaim_timeout(Duration::ZERO), Err(ReclaimError::TimedOut));
        leave.wait();
        assert_eq!(map.reclaim_timeout(Duration::MAX), Ok(()));
        assert_eq!(counter.live(), 1);
    });
    let session = map.pin();
    assert_eq!(map.reclaim_timeout(Duration::ZERO), Err(ReclaimError::GuardHeld));
    drop(session);
    assert_eq!(map.reclaim_timeout(Duration::ZERO), Ok(()), "there is nothing to wait for");
}

/// A destructor that runs on another thread is waited for, and no longer than was asked.
#[test]
fn r3_reclaim_timeout_does_not_outwait_a_destructor() {
    let (began, go_on) = (Barrier::new(2), Barrier::new(2));
    let map: HashMap<u32, OnDrop<_>> = HashMap::new();
    map.insert(
        1,
        OnDrop(|| {
            began.wait();
            go_on.wait();
        }),
    );
    thread::scope(|scope| {
        scope.spawn(|| drop(map.remove(&1)));
        began.wait();
        assert_eq!(map.reclaim_timeout(Duration::from_millis(5)), Err(ReclaimError::TimedOut));
        go_on.wait();
        assert_eq!(map.reclaim(), Ok(()));
    });
}

#[test]
fn r3_try_reclaim_never_waits_and_tells_what_is_left() {
    let counter = Counter::default();
    let map = filled(&counter, 10);
    let session = map.pin();
    for number in 0..10 {
        map.remove(&key(number));
    }
    let left = map.try_reclaim();
    assert_eq!((left.entries, counter.live()), (10, 20));
    assert!(left.bytes > 0);
    drop(session);
    assert_eq!(map.try_reclaim().entries, 0);
    assert_eq!(counter.live(), 0);
}

#[test]
fn r3_reclaim_finds_what_other_threads_have_saved_up() {
    let counter = Counter::default();
    let map = HashMap::<u64, Counted>::builder().reclaim(Reclaim::Batched(1000)).build();
    let (removed, done) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..=100 {
                map.insert(0, counter.value(number));
            }
            removed.wait();
            // Idle, and alive.
            done.wait();
        });
        removed.wait();
        let saved_up = map.stats().pending.entries;
        let reclaimed = map.reclaim();
        let live = counter.live();
        done.wait();
        assert_eq!((saved_up, reclaimed, live), (100, Ok(()), 1));
    });
}

/// Some of them have ended before their batch was full, and others go on with what these had been allowed.
#[test]
fn r3_reclaim_finds_what_threads_have_saved_up_that_are_gone() {
    let counter = Counter::default();
    let map = HashMap::<u64, Counted>::builder().reclaim(Reclaim::Batched(1000)).build();
    map.insert(0, counter.value(0));
    let in_threads = |items: u64| {
        thread::scope(|scope| {
            for thread in 0..3 {
                let (map, counter) = (&map, &counter);
                scope.spawn(move || (0..items + thread).for_each(|number| drop(map.insert(0, counter.value(number)))));
            }
        });
        3 * items + 3
    };
    for items in [1, 31, 70] {
        let saved_up = in_threads(items);
        assert_eq!((map.stats().pending.entries, counter.live()), (saved_up, 1 + saved_up as usize));
        assert_eq!(map.reclaim(), Ok(()));
        assert_eq!((map.stats().pending.entries, counter.live()), (0, 1));
    }
    in_threads(50);
    drop(map);
    assert_eq!(counter.live(), 0);
}

#[test]
fn r3_reclaim_is_a_barrier_while_another_thread_saves_up() {
    let (overwritten, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let dropped = AtomicUsize::new(0);
    let value = || OnDrop(|| assert!(dropped.fetch_add(1, Ordering::SeqCst) < usize::MAX));
    let map = HashMap::<u64, OnDrop<_>>::builder().reclaim(Reclaim::Batched(64)).build();
    thread::scope(|scope| {
        scope.spawn(|| {
            map.insert(0, value());
            while !stop.load(Ordering::SeqCst) {
                map.insert(0, value());
                overwritten.fetch_add(1, Ordering::SeqCst);
            }
        });
        while overwritten.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        let missed = (0..rounds(50_000)).find_map(|_| {
            let before = overwritten.load(Ordering::SeqCst);
            map.reclaim().unwrap();
            let after = dropped.load(Ordering::SeqCst);
            (after < before).then_some((before, after))
        });
        stop.store(true, Ordering::SeqCst);
        assert_eq!(missed, None, "overwritten before, dropped after");
    });
}

#[test]
fn r3_threads_that_reclaim_at_the_same_time_do_not_wait_for_each_other() {
    let counter = Counter::default();
    let map = HashMap::<u64, Counted>::builder().reclaim(Reclaim::Batched(50)).build();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (map, counter) = (&map, &counter);
            scope.spawn(move || {
                for round in 0..500 {
                    let (key, mine) = (thread * 1000 + round % 7, Counter::default());
                    drop(mine.value(0));
                    map.insert(key, counter.value(round));
                    map.remove(&key);
                    assert_eq!(map.reclaim(), Ok(()));
                }
            });
        }
    });
    assert_eq!(counter.live(), 0);
}

#[test]
fn r4_batched_garbage_stays_within_its_bound_over_all_threads() {
    const BATCH: usize = 32;
    let counter = Counter::default();
    let map = HashMap::<u64, Counted>::builder().reclaim(Reclaim::Batched(BATCH)).build();
    let most = AtomicUsize::new(0);
    // One thread at a time, so that no guard is live when the garbage is counted.
    for thread in 0..4 {
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..1000 {
                    map.insert(round % 10, counter.value(thread));
                    most.fetch_max(counter.live() - map.len(), Ordering::SeqCst);
                }
            });
        });
    }
    let most = most.into_inner();
    assert!(most <= BATCH && most > BATCH / 2, "saved up: {most}");
    assert_eq!(map.reclaim(), Ok(()));
    assert_eq!(counter.live(), map.len());
}

/// Threads that overwrite at the same time, and stop now and then to be counted: then no guard is live.
#[test]
fn r4_batched_garbage_stays_within_its_bound_beside_other_threads() {
    const THREADS: u64 = 4;
    for batch in [1, 7, 100] {
        let counter = Counter::default();
        let map = HashMap::<u64, Counted>::builder().reclaim(Reclaim::Batched(batch)).build();
        let (stopped, most) = (Barrier::new(THREADS as usize), AtomicUsize::new(0));
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (map, counter, stopped, most) = (&map, &counter, &stopped, &most);
                scope.spawn(move || {
                    for round in 0..rounds(200) {
                        for number in 0..round % 60 {
                            map.insert((thread + number) % 5, counter.value(number));
                        }
                        if stopped.wait().is_leader() {
                            let garbage = counter.live() - map.len();
                            assert_eq!(map.stats().pending.entries, garbage as u64);
                            most.fetch_max(garbage, Ordering::SeqCst);
                        }
                        stopped.wait();
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!(most <= batch && most > batch / 2, "{batch} may be saved up, and {most} are");
        assert_eq!(map.reclaim(), Ok(()));
        assert_eq!(counter.live(), map.len());
    }
}

#[test]
fn r5_a_drop_may_use_the_map() {
    type Recursive = HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>>;
    static MAP: std::sync::LazyLock<Recursive> = std::sync::LazyLock::new(HashMap::new);
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    fn value(depth: u32) -> OnDrop<Box<dyn FnMut() + Send + Sync>> {
        OnDrop(Box::new(move || {
            DROPS.fetch_add(1, Ordering::SeqCst);
            if depth > 0 {
                // Everything, in the drop of something that the same map is reclaiming.
                let session = MAP.pin();
                session.insert(depth - 1, value(depth - 1));
                assert!(session.contains_key(&(depth - 1)));
                drop(session);
                MAP.retain(|_, _| true);
                MAP.remove(&(depth - 1));
                // Those whose drops are running are pending still.
                assert!(MAP.try_reclaim().entries <= 21);
            }
        }))
    }
    MAP.insert(20, value(20));
    MAP.remove(&20);
    assert_eq!(DROPS.load(Ordering::SeqCst), 21);
    assert!(MAP.is_empty());
    MAP.insert(3, value(3));
    MAP.clear();
    assert_eq!(DROPS.load(Ordering::SeqCst), 25);
}

#[test]
fn r5_a_drop_that_panics_lets_the_others_run() {
    let counter = Counter::default();
    let map = HashMap::new();
    for number in 0..100 {
        let value = counter.value(number);
        map.insert(
            number,
            OnDrop(move || {
                let _ = &value;
                assert!(!value.number.is_multiple_of(10), "every tenth drop panics");
            }),
        );
    }
    let session = map.pin();
    for number in 0..100 {
        session.remove(&number);
    }
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(session)));
    assert!(panicked.is_err(), "the first panic goes on");
    assert_eq!(counter.live(), 0, "all have been dropped, those that panicked, too");
    assert_eq!(map.stats().pending.entries, 0);
    let usable = HashMap::from([(1, 1)]);
    assert_eq!(usable.remove(&1).as_deref(), Some(&1));
    assert!(map.is_empty());
}

#[test]
fn r6_the_remover_drops_or_the_thread_of_the_last_guard() {
    let told = Arc::default();
    let map = HashMap::new();
    map.insert(1, tells_thread(&told));
    map.insert(2, tells_thread(&told));
    let remover = thread::scope(|scope| {
        scope
            .spawn(|| {
                map.remove(&1);
                thread::current().id()
            })
            .join()
            .unwrap()
    });
    let reader = map.pin();
    thread::scope(|scope| scope.spawn(|| drop(map.remove(&2))).join().unwrap());
    drop(reader);
    assert_eq!(*told.lock().unwrap(), [remover, thread::current().id()]);
}

#[test]
fn r7_dropping_the_map_drops_everything_and_nothing_need_be_static() {
    let counter = Counter::default();
    let (owner, count) = (String::from("borrowed"), AtomicUsize::new(0));
    {
        let map: HashMap<&str, (Counted, OnDrop<_>)> =
            HashMap::<&str, _>::builder().reclaim(Reclaim::Batched(usize::MAX)).build();
        let drops = || OnDrop(|| assert!(count.fetch_add(1, Ordering::SeqCst) < 10));
        for end in 0..=owner.len() {
            map.insert(&owner[..end], (counter.value(0), drops()));
        }
        map.insert(&owner, (counter.value(1), drops()));
        map.remove(&owner[..3]);
        // Leaked guards are no reason to leak their garbage, too.
        std::mem::forget(map.pin());
        map.remove(&owner[..4]);
        assert_eq!(map.stats().pending.entries, 3);
        assert_eq!(counter.live(), 10);
    }
    assert_eq!((counter.live(), count.into_inner()), (0, 10));
}

#[test]
fn r8_the_map_tells_what_is_held_and_by_whom() {
    let counter = Counter::default();
    let map = filled(&counter, 100);
    let (entered, leave) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        thread::Builder::new()
            .name("slow reader".to_owned())
            .spawn_scoped(scope, || {
                let _session = map.pin();
                entered.wait();
                leave.wait();
            })
            .unwrap();
        entered.wait();
        thread::sleep(Duration::from_millis(30));
        for number in 0..40 {
            map.remove(&key(number));
        }
        let session = map.pin();
        let stats = map.stats();
        assert_eq!((stats.len, stats.read_len + stats.dirty_len), (60, 60));
        assert_eq!((stats.retired, stats.freed, stats.pending.entries), (40, 0, 40));
        assert!(stats.capacity >= 60 && stats.promotions > 0);
        assert_eq!(stats.live_guards, 2);
        let oldest = stats.oldest_guard.unwrap();
        assert_eq!(oldest.thread.as_deref(), Some("slow reader"));
        assert!(oldest.age >= Duration::from_millis(20), "{:?}", oldest.age);
        assert!(stats.pending.bytes >= 40 * 2 * size_of::<Counted>() as u64);
        assert!(stats.heap.entries >= 100 * 2 * size_of::<Counted>() as u64);
        drop(session);
        leave.wait();
    });
    let mut session = map.pin();
    thread::sleep(Duration::from_millis(60));
    let before = Instant::now();
    session.refresh();
    let age = map.stats().oldest_guard.unwrap().age;
    // The clock of guards is coarse.
    assert!(age < before.elapsed() + Duration::from_millis(20), "a refreshed session is a new one: {age:?}");
    drop(session);
    assert_eq!(map.stats().oldest_guard, None);

    let age = || map.stats().oldest_guard.unwrap().age;
    let mut session = map.pin();
    thread::sleep(Duration::from_millis(60));
    session.refresh();
    thread::sleep(Duration::from_millis(60));
    assert!(
        age() >= Duration::from_millis(40),
        "its age counts from then on, not from when it is asked for: {:?}",
        age()
    );
    // So that the next one can see less than this one.
    map.remove(&key(99));
    let before = Instant::now();
    let younger = map.pin();
    drop(session);
    assert!(age() < before.elapsed() + Duration::from_millis(20), "the oldest has ended: {:?}", age());
    drop(younger);
    let stats = map.stats();
    assert_eq!((stats.retired, stats.freed, stats.pending), (41, 41, tidymap::Pending::default()));
    assert_eq!((stats.live_guards, stats.oldest_guard), (0, None));
}

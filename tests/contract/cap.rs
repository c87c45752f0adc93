//! R4 with a cap: `Builder::max_pending`.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use tidymap::{HashMap, Operation, Reclaim};

use crate::support::{
    Counted, Counter, Nosy, ON_EQ, OnDrop, in_time, key, leak, let_it_fall_asleep, nosy, stall_at_allocation, until,
};

fn capped<K, V>(entries: usize) -> HashMap<K, V>
where
    K: Eq + std::hash::Hash,
{
    HashMap::builder().max_pending(entries).build()
}

/// How long the reader of the next test stalls. The figure of a longer run: `STALL_SECONDS=60 cargo test --release r4_the_cap`.
fn stall() -> Duration {
    Duration::from_secs(
        std::env::var("STALL_SECONDS").map_or(1, |seconds| seconds.parse().expect("a number of seconds")),
    )
}

#[test]
fn r4_the_cap_holds_with_eight_writers_and_a_stalled_reader() {
    const CAP: usize = 1000;
    const WRITERS: u64 = 8;
    const KEYS: u64 = 64;
    let counter = Counter::default();
    let map = capped(CAP);
    for number in 0..KEYS {
        map.insert(number, counter.value(number));
    }
    let (stop, calls, most) = (AtomicBool::new(false), AtomicU64::new(0), AtomicUsize::new(0));
    // What is in the map, what waits, and what the writers have in their hands.
    let allowed = CAP + (KEYS + 2 * WRITERS) as usize;
    thread::scope(|scope| {
        let session = map.pin();
        for writer in 0..WRITERS {
            let (map, counter, stop, calls, most) = (&map, &counter, &stop, &calls, &most);
            scope.spawn(move || {
                for round in writer.. {
                    // Every way to make garbage, on keys that the writers share.
                    let number = round % KEYS;
                    match round / KEYS % 5 {
                        0 => drop(map.insert(number, counter.value(number))),
                        1 => drop(map.update(&number, |old| counter.value(old.number))),
                        2 => drop(map.remove(&number)),
                        3 => drop(map.update_or_insert_with(
                            number,
                            |old| counter.value(old.number),
                            || counter.value(number),
                        )),
                        _ => drop(map.compute(number, |old| match old {
                            Some(_) => Operation::Remove,
                            None => Operation::<_, ()>::Insert(counter.value(number)),
                        })),
                    }
                    calls.fetch_add(1, Ordering::SeqCst);
                    most.fetch_max(counter.live(), Ordering::SeqCst);
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                }
            });
        }
        while map.stats().pending.entries < CAP as u64 {
            thread::yield_now();
        }
        let until = Instant::now() + stall();
        while Instant::now() < until {
            let (pending, live) = (map.stats().pending.entries, counter.live());
            assert!(pending <= CAP as u64 && live <= allowed, "{pending} pending, {live} live");
            thread::sleep(Duration::from_micros(100));
        }
        assert_eq!(map.stats().pending.entries, CAP as u64, "the reader has not left");
        let (before, cpu) = (calls.load(Ordering::SeqCst), cpu_time());
        thread::sleep(Duration::from_millis(50));
        assert_eq!(calls.load(Ordering::SeqCst), before, "all writers wait");
        println!("{:?} of processor time while eight writers waited for 50 ms", cpu_time() - cpu);
        drop(session);
        while calls.load(Ordering::SeqCst) < before + 10_000 {
            thread::yield_now();
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert!(most.load(Ordering::SeqCst) <= allowed, "{} live at the most", most.load(Ordering::SeqCst));
    assert_eq!(map.stats().pending.entries, 0);
    assert_eq!(counter.live(), map.len());
}

/// User and system time of this process, where the system tells.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    Duration::from_millis(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
}

#[test]
fn r4_only_what_would_add_to_the_garbage_waits() {
    let map = capped(1);
    map.insert(0, 0);
    let (begun, done) = (&AtomicBool::new(false), &AtomicBool::new(false));
    let map = &map;
    thread::scope(|scope| {
        let session = map.pin();
        // This thread is the one that holds a guard: the others run elsewhere.
        scope.spawn(|| drop(map.insert(0, 1))).join().unwrap();
        assert_eq!(map.stats().pending.entries, 1, "at the cap");
        scope
            .spawn(|| {
                assert!(map.insert(1, 1).is_none(), "a new key leaves no garbage");
                assert!(map.try_insert(1, 2).is_err());
                assert_eq!(*map.get_or_insert(1, 2), 1);
                assert!(map.remove(&2).is_none(), "nor do absent ones");
                assert!(map.remove_entry(&2).is_none());
                assert_eq!(map.remove_owned(&2), Ok(None));
                assert!(map.remove_if(&2, |_, _| true).unwrap().is_none());
                assert!(map.update(&2, |_| 3).is_none());
                assert!(map.compare_exchange(&2, &0, 3).is_err());
            })
            .join()
            .unwrap();
        let writer = scope.spawn(move || {
            begun.store(true, Ordering::SeqCst);
            map.remove(&1);
            done.store(true, Ordering::SeqCst);
        });
        while !begun.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(20));
        assert!(!done.load(Ordering::SeqCst), "it waits");
        assert_eq!(map.get(&1).as_deref(), Some(&1), "before it removes");
        drop(session);
        writer.join().unwrap();
        assert!(map.get(&1).is_none());
    });
}

#[test]
fn r4_who_holds_a_guard_is_let_through_and_counted() {
    let counter = Counter::default();
    let map = capped(2);
    for number in 0..100 {
        map.insert(number, counter.value(number));
    }
    // A session.
    let session = map.pin();
    for number in 0..10 {
        assert!(session.remove(&number).is_some());
        assert!(map.remove(&(number + 10)).is_some());
    }
    assert_eq!(map.stats().pending.entries, 20);
    drop(session);
    assert_eq!(map.stats().pending.entries, 0);
    // References that are kept.
    let kept: Vec<_> = (20..30).map(|number| map.remove(&number)).collect();
    assert_eq!((kept.len(), map.stats().pending.entries), (10, 10));
    drop(kept);
    // Closures.
    map.retain(|number, _| {
        if *number == 30 {
            (31..40).for_each(|number| drop(map.remove(&number)));
        }
        *number >= 50
    });
    assert_eq!(map.len(), 50);
    map.compute(50, |_| {
        (51..60).for_each(|number| drop(map.remove(&number)));
        Operation::<_, ()>::Remove
    });
    assert_eq!((map.len(), counter.live(), map.stats().pending.entries), (40, 40, 0));
    // With room again it counts as ever: nothing was let through for good.
    thread::scope(|scope| {
        let session = map.pin();
        scope.spawn(|| drop((map.remove(&60), map.remove(&61))));
        while map.stats().pending.entries < 2 {
            thread::yield_now();
        }
        let writer = scope.spawn(|| drop(map.remove(&62)));
        thread::sleep(Duration::from_millis(20));
        assert!(session.get(&62).is_some(), "it waits");
        drop(session);
        writer.join().unwrap();
    });
    assert_eq!((map.len(), counter.live()), (37, 37));
}

#[test]
fn r4_destructors_are_let_through() {
    type Recursive = HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>>;
    let map: &'static Recursive = leak(capped(1));
    for number in 0..100 {
        let next = move || drop(map.remove(&(number + 1)));
        map.insert(number, OnDrop(Box::new(next)));
    }
    map.remove(&0);
    assert_eq!((map.len(), map.stats().pending.entries), (0, 0));
}

#[test]
fn r4_retain_and_clear_wait_for_room_and_then_remove_all() {
    for bulk in [HashMap::clear, |map: &HashMap<u64, u64>| map.retain(|_, _| false)] {
        let map = capped(3);
        map.extend_with(0..100);
        thread::scope(|scope| {
            let session = map.pin();
            (0..3).for_each(|number| assert_eq!(session.remove(&number), Some(&number)));
            let sweeper = scope.spawn(|| bulk(&map));
            thread::sleep(Duration::from_millis(20));
            assert_eq!(map.len(), 97, "it waits");
            drop(session);
            sweeper.join().unwrap();
        });
        assert_eq!((map.len(), map.stats().pending.entries), (0, 0));
    }
}

trait ExtendWith {
    fn extend_with(&self, keys: std::ops::Range<u64>);
}

impl ExtendWith for HashMap<u64, u64> {
    fn extend_with(&self, keys: std::ops::Range<u64>) {
        keys.for_each(|key| drop(self.insert(key, key)));
    }
}

#[test]
fn r4_a_cap_below_the_batch_has_the_batch_dropped() {
    let counter = Counter::default();
    let map: HashMap<Counted, Counted> = HashMap::builder().reclaim(Reclaim::Batched(1000)).max_pending(10).build();
    for number in 0..100 {
        map.insert(counter.value(number), counter.value(number));
    }
    for number in 0..100 {
        map.remove(&key(number));
        assert!(map.stats().pending.entries <= 10);
    }
    assert!(map.stats().pending.entries > 0, "it is saved up");
    assert_eq!(map.reclaim(), Ok(()));
    assert_eq!(counter.live(), 0);
}

#[test]
fn r4_a_cap_of_nothing_is_one() {
    let map = capped(0);
    map.insert(1, 1);
    assert_eq!(map.insert(1, 2).as_deref(), Some(&1));
    assert_eq!(map.stats().pending.entries, 0);
    let clone = map.clone();
    thread::scope(|scope| {
        let session = clone.pin();
        scope.spawn(|| drop(clone.insert(1, 3))).join().unwrap();
        let writer = scope.spawn(|| drop(clone.insert(1, 4)));
        thread::sleep(Duration::from_millis(10));
        assert_eq!(session.get(&1), Some(&3), "a clone has the settings");
        drop(session);
        writer.join().unwrap();
    });
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

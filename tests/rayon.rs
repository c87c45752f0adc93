//! Iterating, making and extending maps by several threads.

#[path = "common/mod.rs"]
mod common;

use std::collections::{HashMap as Std, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tidymap::{HashMap, HashSet as Set, Reclaim};

use common::{ConstantHash, Counted, Ledger, LowBitsHash, RaiseOnDrop};

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("there are threads")
}

/// With all in the dirty table, all in the read table, and some in each of the tables that there can be.
fn maps<S: Default + std::hash::BuildHasher>(keys: u64) -> [HashMap<u64, u64, S>; 3] {
    let dirty = HashMap::with_capacity_and_hasher(keys as usize, S::default());
    dirty.insert_many((0..keys).map(|key| (key, key)));
    let read: HashMap<u64, u64, S> = (0..keys).map(|key| (key, key)).collect();
    read.shrink_to_fit();
    let both = HashMap::default();
    (0..keys).for_each(|key| drop(both.insert(key, key)));
    [dirty, read, both]
}

fn every_pair_once<S: Default + std::hash::BuildHasher + Sync>(sizes: impl IntoIterator<Item = u64>) {
    static POOL: LazyLock<ThreadPool> = LazyLock::new(|| pool(4));
    for keys in sizes {
        for map in maps::<S>(keys) {
            let session = map.pin();
            let iter = session.par_iter();
            let mut found: Vec<_> = POOL.install(|| iter.map(|(key, value)| (*key, *value)).collect());
            found.sort_unstable();
            assert_eq!(found, (0..keys).map(|key| (key, key)).collect::<Vec<_>>());
        }
    }
}

#[test]
fn every_pair_is_met_once() {
    every_pair_once::<std::hash::RandomState>((0..200).chain([1000, 5000, 20_000]));
    every_pair_once::<LowBitsHash>((0..100).step_by(7));
    every_pair_once::<ConstantHash>([0, 1, 50, 150]);
}

/// All keys have this hash, and a map's own factor says where they are at home.
#[derive(Default)]
struct Crowd;

impl Hasher for Crowd {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        0x0123_4567_89AB_CDEF
    }
}

/// Also what has found its place in the last bucket of all: thirty keys of the last of nine homes do, in the four spare ones behind it.
#[test]
fn what_is_behind_the_last_home_is_met() {
    every_pair_once::<BuildHasherDefault<Crowd>>([30; 200]);
}

#[test]
fn what_session_it_is_makes_no_difference() {
    let map: HashMap<u64, u64> = (0..1000).map(|key| (key, 1)).collect();
    assert_eq!(map.pin().par_iter().map(|(_, value)| value).sum::<u64>(), 1000);
    assert_eq!(map.pin_owned().par_iter().map(|(_, value)| value).sum::<u64>(), 1000);
    let session = map.pin();
    assert_eq!((&session).into_par_iter().count(), 1000);
    assert!(session.par_iter().any(|(key, _)| *key == 999) && session.par_iter().find_any(|_| false).is_none());
}

/// Keys and values are shared, and only that: they need not be cloned, nor sent.
#[test]
fn what_can_be_shared_can_be_iterated() {
    let numbers: Vec<Mutex<u64>> = (0..500).map(Mutex::new).collect();
    let map: HashMap<usize, _> = numbers.iter().map(|number| number.lock().unwrap()).enumerate().collect();
    let session = map.pin();
    assert_eq!(session.par_iter().map(|(_, guard)| **guard).sum::<u64>(), 499 * 500 / 2);
}

/// Does more than one thread take part? Each waits for another at its first pair.
fn takes_part(map: &HashMap<u64, u64>) {
    let (threads, came) = (Mutex::new(HashSet::<ThreadId>::new()), Condvar::new());
    let session = map.pin();
    let iter = session.par_iter();
    pool(2).install(|| {
        iter.for_each(|_| {
            let mut threads = threads.lock().unwrap();
            threads.insert(thread::current().id());
            came.notify_all();
            let alone = |threads: &mut HashSet<_>| threads.len() < 2;
            let timeout = came.wait_timeout_while(threads, Duration::from_secs(60), alone).unwrap().1;
            assert!(!timeout.timed_out(), "all of it is done by one thread");
        });
    });
}

#[test]
fn tables_are_shared_out_among_threads() {
    maps(10_000).iter().for_each(takes_part);
}

/// C2: while others remove and insert again, no key comes twice, and those that stay come once.
#[test]
fn c2_while_others_write() {
    const KEYS: u64 = 400;
    let map: HashMap<u64, u64> = (0..KEYS).map(|key| (key, key)).collect();
    let (done, pool) = (AtomicBool::new(false), pool(3));
    let changes = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..2 {
            let (map, done) = (&map, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    // All to the read table, from which they come to a dirty one, one after the other.
                    map.shrink_to_fit();
                    for key in (1..KEYS).step_by(2).filter(|key| key / 2 % 2 == writer) {
                        map.remove(&key);
                        map.insert(key, key);
                    }
                }
            });
        }
        let _done = RaiseOnDrop(&done);
        let mut last = 0;
        for _ in 0..if cfg!(debug_assertions) { 300 } else { 10_000 } {
            let session = map.pin();
            let iter = session.par_iter();
            let at_leisure = |(key, value): (&u64, &u64)| {
                if *key % 16 == 0 {
                    thread::yield_now();
                }
                assert_eq!(key, value);
                *key
            };
            let found: Vec<u64> = pool.install(|| iter.map(at_leisure).collect());
            let distinct: HashSet<u64> = found.iter().copied().collect();
            assert_eq!(distinct.len(), found.len(), "a key came twice");
            assert!((0..KEYS).step_by(2).all(|key| distinct.contains(&key)), "one that stays is missing");
            changes.fetch_add(usize::from(found.len() != last), Ordering::Relaxed);
            last = found.len();
        }
    });
    assert!(changes.into_inner() > 10, "nobody has written meanwhile");
}

/// C2: what comes again where it has not been is not met again, by whatever thread.
#[test]
fn c2_what_comes_again_is_not_met_again() {
    fn once<S: Default + std::hash::BuildHasher + Sync>(keys: u64) {
        for (threads, map) in maps::<S>(keys).into_iter().enumerate() {
            let session = map.pin();
            let iter = session.par_iter();
            let again = |key: &u64| {
                map.remove(key);
                map.insert(*key, *key);
            };
            let met: Vec<u64> = pool(threads + 1).install(|| iter.map(|(key, _)| *key).inspect(again).collect());
            let distinct: HashSet<u64> = met.iter().copied().collect();
            assert_eq!((met.len(), distinct.len()), (keys as usize, keys as usize), "each once");
        }
    }
    [1, 10, 1000].into_iter().for_each(once::<std::hash::RandomState>);
    [10, 300].into_iter().for_each(once::<LowBitsHash>);
}

/// E2: what is removed, by whatever thread, is there until the session ends.
#[test]
fn what_is_removed_meanwhile_stays_to_be_seen() {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let map: HashMap<_, _> = (0..2000).map(|key: u64| (keys.make(key), values.make(key))).collect();
    let session = map.pin();
    let iter = session.par_iter();
    let seen: Vec<(&Counted<'_, u64>, _)> = pool(4).install(|| {
        let remove_another = |(key, _): &(&Counted<'_, u64>, &Counted<'_, u64>)| {
            // That threads are at, or will come to.
            map.remove(&(7919 * ***key % 2000));
        };
        iter.inspect(remove_another).collect()
    });
    assert!(map.len() < 2000 && values.live() == 2000);
    assert!(seen.iter().all(|(key, value)| **key == **value));
    drop(seen);
    drop(session);
    assert_eq!((keys.live(), values.live()), (map.len(), map.len()));
}

#[test]
fn a_closure_that_panics() {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let map: HashMap<_, _> = (0..2000).map(|key: u64| (keys.make(key), values.make(key))).collect();
    let session = map.pin();
    session.remove(&7);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        session.par_iter().for_each(|(key, _)| {
            if **key == 1000 {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
        });
    }));
    assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "on purpose");
    assert_eq!(session.par_iter().count(), 1999);
    drop(session);
    assert_eq!((keys.live(), values.live(), map.stats().live_guards), (1999, 1999, 0));
}

/// As by one thread: of a key that comes twice the last value counts.
#[test]
fn what_several_threads_have_made() {
    for (pairs, keys) in [(0, 1), (1, 1), (10_000, 10_000), (10_000, 700), (5000, 1)] {
        let pair = |n: u64| (n % keys, n);
        let expected: Std<u64, u64> = (0..pairs).map(pair).collect();
        let same = |map: &HashMap<u64, u64>| {
            let found: Std<u64, u64> = map.pin().iter().map(|(key, value)| (*key, *value)).collect();
            assert_eq!(found, expected);
        };
        let mut map: HashMap<u64, u64> = pool(4).install(|| (0..pairs).into_par_iter().map(pair).collect());
        same(&map);
        // Of which nobody knows the number before: each thread makes a list of its own.
        same(&pool(4).install(|| (0..pairs).into_par_iter().filter(|_| true).map(pair).collect()));
        map.par_extend((0..pairs).into_par_iter().map(|n| (n % keys, 0)));
        assert!(map.pin().values().all(|value| *value == 0));
        map.par_extend((0..pairs).into_par_iter().map(pair));
        same(&map);
        assert_eq!(map.stats().pending.entries, 0);
    }
}

#[test]
fn several_threads_insert() {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let map = HashMap::<_, _>::builder().reclaim(Reclaim::Immediate).max_pending(70).build();
    let pairs = || (0..10_000u64).into_par_iter().map(|n| (keys.make(n % 3000), values.make(n)));
    (&map).par_extend(pairs());
    let whole = || {
        assert_eq!(map.len(), 3000);
        assert!(map.pin().iter().all(|(key, value)| **value % 3000 == **key));
        keys.assert_alive(map.pin().keys());
        values.assert_alive(map.pin().values());
    };
    whole();
    // Nobody waits for the caller, who waits for all, though what is overwritten is more than the cap.
    let session = map.pin();
    (&map).par_extend(pairs());
    assert!(map.stats().pending.entries > 70);
    drop(session);
    whole();
}

#[test]
fn by_value_and_in_place() {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let mut map: HashMap<_, _> = (0..3000u64).map(|key| (keys.make(key), values.make(key))).collect();
    map.par_iter_mut().for_each(|(key, value)| *value = values.make(2 * **key));
    assert!(map.pin().iter().all(|(key, value)| **value == 2 * **key));
    assert_eq!((keys.live(), values.live()), (3000, 3000));
    let sum: u64 = map.into_par_iter().map(|(key, value)| *key + *value).sum();
    assert_eq!((sum, keys.live(), values.live()), (3 * 2999 * 3000 / 2, 0, 0));
}

#[test]
fn sets_by_several_threads() {
    let pool = pool(4);
    for elements in [0, 1, 100, 5000_u64] {
        pool.install(|| {
            let mut set: Set<u64> = (0..elements).into_par_iter().collect();
            assert_eq!(set.len() as u64, elements);
            let mut found: Vec<u64> = set.pin().par_iter().copied().collect();
            found.sort_unstable();
            assert_eq!(found, (0..elements).collect::<Vec<_>>());
            set.par_extend((elements / 2..elements + 10).into_par_iter());
            assert_eq!(set.len() as u64, elements + 10);
            let sum: u64 = set.into_par_iter().sum();
            assert_eq!(sum, (0..elements + 10).sum());
        });
    }
}

/// As `extend` does: nothing is overwritten, so nothing is garbage.
#[test]
fn of_two_equal_elements_of_a_set_the_first_one_stays() {
    let ledger = Ledger::new();
    let mut set = Set::new();
    set.insert(ledger.make(1));
    let first = set.get(&1).unwrap().id();
    set.par_extend((0..100).into_par_iter().map(|_| ledger.make(1)));
    assert_eq!((set.get(&1).unwrap().id(), ledger.live()), (first, 1));
    assert_eq!(set.stats().retired, 0);
}

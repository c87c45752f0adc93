//! Many threads on few keys. Values carry their key and a checksum, and are counted: whatever the threads did, nobody has
//! seen a wrong value, and when they are done what is alive is what the map holds.

mod common;

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};

use common::{ConstantHash, Counted, GoodHash, Ledger, LowBitsHash, RaiseOnDrop, Random, in_parallel};
use tidymap::{Compute, HashMap, Operation, Pinned, Reclaim, Ref};

const THREADS: usize = 6;

/// A key's value.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Sealed {
    key: u64,
    number: u64,
    seal: u64,
}

impl Sealed {
    fn new(key: u64, number: u64) -> Sealed {
        Sealed { key, number, seal: key.rotate_left(32) ^ number ^ 0x5EA1 }
    }

    /// Fails if this is not, or not any more, a value of `key`. Returns its number.
    fn open(&self, key: u64) -> u64 {
        assert_eq!(*self, Sealed::new(key, self.number), "a wrong value of key {key}");
        self.number
    }
}

type Key<'l> = Counted<'l, u64>;
type Value<'l> = Counted<'l, Sealed>;
type Map<'l, S> = HashMap<Key<'l>, Value<'l>, S>;

#[derive(Default)]
struct Ledgers {
    keys: Ledger,
    values: Ledger,
}

impl Ledgers {
    fn key(&self, key: u64) -> Key<'_> {
        self.keys.make(key)
    }

    fn value(&self, key: u64, number: u64) -> Value<'_> {
        self.values.make(Sealed::new(key, number))
    }

    /// Fails unless what is alive is what is in the map. No other thread may be using it.
    fn assert_settled<S: BuildHasher>(&self, map: &Map<'_, S>) {
        // First without the map's help: figures take a guard, and whoever takes one cleans up.
        let alive = (self.keys.live(), self.values.live());
        assert_eq!(alive, (map.len(), map.len()), "keys and values that are alive");
        let stats = map.stats();
        assert_eq!((stats.pending.entries, stats.live_guards), (0, 0), "{stats:?}");
        assert_eq!(stats.retired, stats.freed);
        let session = map.pin();
        let keys: BTreeSet<u64> = session.keys().map(|key| **key).collect();
        assert_eq!(keys.len(), map.len(), "len, and the keys that are there");
        for (key, value) in &session {
            value.open(**key);
            assert!(session.get(&**key).is_some_and(|found| found.id() == value.id()), "get finds what iter yields");
        }
        self.keys.assert_alive(session.keys());
        self.values.assert_alive(session.values());
    }

    fn assert_all_gone(&self) {
        assert_eq!((self.keys.live(), self.values.live()), (0, 0), "left after the map is gone");
    }
}

/// Does one operation or another on one of so many keys, and checks what it is told.
fn do_anything<'l, S: BuildHasher>(map: &Map<'l, S>, ledgers: &'l Ledgers, random: &mut Random, keys: u64) {
    let key = random.below(keys);
    let number = random.below(1 << 20);
    let make = || ledgers.value(key, number);
    let check = |value: &Sealed| value.open(key);
    let check_any = |found: Option<Ref<'_, Key<'l>, Value<'l>>>| found.map(|found| check(&found));
    match random.below(20) {
        0..4 => {
            check_any(map.insert(ledgers.key(key), make()));
        }
        4..8 => {
            check_any(map.remove(&key));
        }
        8 => {
            check(&map.get_or_insert_with(ledgers.key(key), make));
        }
        9 => match map.try_insert(ledgers.key(key), make()) {
            Ok(new) => assert_eq!(check(&new), number),
            Err(occupied) => {
                check(&occupied.entry);
                assert_eq!(check(&occupied.value), number, "the value comes back");
            }
        },
        10 => {
            check_any(map.update(&key, |old| ledgers.value(key, check(old) / 2)));
        }
        11 => {
            let successor = |old: &Value<'l>| ledgers.value(key, check(old) + 1);
            check(&map.update_or_insert_with(ledgers.key(key), successor, make));
        }
        12 => {
            let outcome = map.compute(ledgers.key(key), |old| match old.map(|(_, old)| check(old)) {
                Some(old) if old % 3 == 0 => Operation::Remove,
                Some(old) if old % 3 == 1 => Operation::Abort(old),
                _ => Operation::Insert(make()),
            });
            match outcome {
                Compute::Inserted(new) => assert_eq!(check(&new), number),
                Compute::Updated { old, new } => assert_eq!((check(&old) % 3, check(&new)), (2, number)),
                Compute::Removed(old) => assert_eq!(check(&old) % 3, 0),
                Compute::Aborted(old) => assert_eq!(old % 3, 1),
                Compute::Absent => panic!("it was asked to remove only what was there"),
            }
        }
        13 => {
            let current = map.get_cloned(&key);
            let expected = current.unwrap_or_else(make);
            match map.compare_exchange(&key, &expected, make()) {
                Ok(old) => assert_eq!(check(&old), check(&expected)),
                Err(error) => {
                    assert_ne!(check_any(error.current), Some(check(&expected)));
                    assert_eq!(check(&error.new), number, "the value comes back");
                }
            }
        }
        14 => match map.remove_if(&key, |_, value| check(value) % 2 == 0) {
            Ok(Some(removed)) => assert_eq!(check(&removed) % 2, 0),
            Ok(None) => (),
            Err(kept) => assert_eq!(check(&kept) % 2, 1),
        },
        15 if random.once_in(8) => map.retain(|key, value| value.open(**key) % 4 != 0),
        16 if random.once_in(32) => map.clear(),
        17 if random.once_in(16) => map.shrink_to_fit(),
        18 if random.once_in(4) => {
            let mut met = BTreeSet::new();
            for (key, value) in &map.pin() {
                value.open(**key);
                assert!(met.insert(**key), "key {key:?} was met twice");
            }
        }
        _ => {
            check_any(map.get(&key));
        }
    }
}

fn do_anything_in_parallel<S: BuildHasher + Default + Sync>(keys: u64, rounds: usize, reclaim: Reclaim) {
    let ledgers = Ledgers::default();
    let map: Map<'_, S> = HashMap::builder().hasher(S::default()).reclaim(reclaim).build();
    for seed in 0..3 {
        in_parallel(THREADS, |thread| {
            let mut random = Random::new((seed * THREADS + thread) as u64);
            for _ in 0..rounds {
                do_anything(&map, &ledgers, &mut random, keys);
            }
        });
        if let Reclaim::Batched(items) = reclaim {
            let pending = map.stats().pending.entries;
            assert!(pending <= items as u64, "{pending} items are saved up, {items} may be");
            assert_eq!(ledgers.values.live() as u64, map.len() as u64 + pending);
            assert_eq!(map.reclaim(), Ok(()));
        }
        ledgers.assert_settled(&map);
    }
    drop(map);
    ledgers.assert_all_gone();
}

#[test]
fn anything_on_a_few_keys() {
    do_anything_in_parallel::<GoodHash>(4, 8000, Reclaim::Immediate);
}

#[test]
fn anything_on_some_keys() {
    do_anything_in_parallel::<GoodHash>(200, 8000, Reclaim::Immediate);
}

#[test]
fn anything_with_a_constant_hash() {
    do_anything_in_parallel::<ConstantHash>(10, 8000, Reclaim::Immediate);
}

#[test]
fn anything_with_a_low_bits_hash() {
    do_anything_in_parallel::<LowBitsHash>(50, 8000, Reclaim::Immediate);
}

#[test]
fn anything_with_garbage_in_small_batches() {
    do_anything_in_parallel::<GoodHash>(10, 6000, Reclaim::Batched(7));
}

#[test]
fn anything_with_garbage_in_large_batches() {
    do_anything_in_parallel::<GoodHash>(10, 6000, Reclaim::Batched(1000));
}

/// A batch that is never full: only `reclaim` drops it.
#[test]
fn reclaim_drops_what_all_threads_saved_up() {
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> =
        HashMap::builder().hasher(GoodHash::default()).reclaim(Reclaim::Batched(10_000)).build();
    (0..100).for_each(|key| drop(map.insert(ledgers.key(key), ledgers.value(key, 0))));
    map.shrink_to_fit();
    in_parallel(THREADS, |thread| {
        for number in 1..=100 {
            let key = number - 1;
            drop(map.insert(ledgers.key(key), ledgers.value(key, number * 10 + thread as u64)));
        }
    });
    let pending = map.stats().pending.entries;
    assert_eq!(pending, 100 * THREADS as u64, "each overwrite is saved up");
    assert_eq!(ledgers.values.live(), 100 + 100 * THREADS);
    assert_eq!(map.reclaim(), Ok(()));
    ledgers.assert_settled(&map);
}

/// Keys by the thousand come and go, so that tables are promoted and shrunk, while others read and iterate. Those that are
/// there throughout are always found.
#[test]
fn tables_come_and_go_and_keys_stay() {
    const STAY: u64 = 20;
    const COME_AND_GO: u64 = 1500;
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> = HashMap::default();
    (0..STAY).for_each(|key| drop(map.insert(ledgers.key(key), ledgers.value(key, 0))));
    let (done, largest) = (AtomicBool::new(false), AtomicU64::new(0));
    in_parallel(5, |thread| match thread {
        0 | 1 => {
            let _done = RaiseOnDrop(&done);
            let first = STAY + thread as u64 * COME_AND_GO;
            for round in 0..8 {
                let keys = || first..first + COME_AND_GO;
                keys().for_each(|key| assert!(map.insert(ledgers.key(key), ledgers.value(key, round)).is_none()));
                largest.fetch_max(map.stats().heap.tables, Relaxed);
                match round % 3 {
                    0 => map.retain(|key, _| !keys().contains(&**key)),
                    1 => keys().for_each(|key| assert_eq!(map.remove(&key).map(|old| old.open(key)), Some(round))),
                    _ => {
                        let session = map.pin();
                        keys().for_each(|key| assert_eq!(session.remove(&key).map(|old| old.open(key)), Some(round)));
                    }
                }
            }
        }
        2 => {
            while !done.load(Relaxed) {
                let mut stayed = 0;
                let mut met = BTreeSet::new();
                for (key, value) in &map.pin() {
                    value.open(**key);
                    assert!(met.insert(**key), "key {key:?} was met twice");
                    stayed += u64::from(**key < STAY);
                }
                assert_eq!(stayed, STAY, "keys met of those that are there throughout");
            }
        }
        3 => {
            while !done.load(Relaxed) {
                for key in 0..STAY {
                    assert!(map.get(&key).is_some_and(|found| found.open(key) < u64::MAX), "key {key} is gone");
                }
            }
        }
        _ => {
            let mut number = 0;
            while !done.load(Relaxed) {
                number += 1;
                let key = number % STAY;
                assert!(map.update(&key, |_| ledgers.value(key, number)).is_some(), "key {key} is gone");
            }
        }
    });
    let stats = map.stats();
    assert!(stats.promotions >= 8, "{stats:?}");
    assert!(largest.into_inner() > 8 * 1024, "the tables were never large");
    assert!(stats.heap.tables <= 4096, "the tables have not shrunk: {stats:?}");
    ledgers.assert_settled(&map);
    drop(map);
    ledgers.assert_all_gone();
}

/// What a thread may hold, and what it must go on seeing in it.
enum Held<'m, 'l, S> {
    Session(Pinned<'m, Key<'l>, Value<'l>, S>),
    Ref(Ref<'m, Key<'l>, Value<'l>>, u64),
}

impl<S> Drop for Held<'_, '_, S> {
    fn drop(&mut self) {
        if let Held::Ref(held, number) = self {
            assert_eq!(held.open(**held.key()), *number, "a Ref shows what it showed");
        }
    }
}

#[test]
fn sessions_and_refs_are_dropped_in_any_order() {
    const KEYS: u64 = 8;
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> = HashMap::default();
    in_parallel(THREADS, |thread| {
        let mut random = Random::new(thread as u64);
        let mut held: Vec<Held<'_, '_, GoodHash>> = Vec::new();
        for _ in 0..5000 {
            let key = random.below(KEYS);
            match random.below(12) {
                0 | 1 if held.len() < 6 => held.push(Held::Session(map.pin())),
                2 if held.len() < 6 => held.extend(map.get(&key).map(|found| {
                    let number = found.open(key);
                    Held::Ref(found, number)
                })),
                3 if held.len() < 6 => held.extend(map.remove(&key).map(|removed| {
                    let number = removed.open(key);
                    Held::Ref(removed, number)
                })),
                4..7 if !held.is_empty() => drop(held.swap_remove(random.below(held.len() as u64) as usize)),
                _ => {
                    let sessions = held.iter_mut().filter_map(|held| match held {
                        Held::Session(session) => Some(session),
                        Held::Ref(..) => None,
                    });
                    let Some(session) = sessions.last() else {
                        do_anything(&map, &ledgers, &mut random, KEYS);
                        continue;
                    };
                    let before = session.get(&key).map(|found| (found, found.open(key)));
                    session.insert(ledgers.key(key), ledgers.value(key, random.below(1000)));
                    do_anything(&map, &ledgers, &mut random, KEYS);
                    if let Some((found, number)) = before {
                        assert_eq!(found.open(key), number, "a reference shows what it showed");
                    }
                    if random.once_in(3) {
                        session.refresh();
                    }
                }
            }
        }
        while !held.is_empty() {
            drop(held.swap_remove(random.below(held.len() as u64) as usize));
        }
    });
    ledgers.assert_settled(&map);
}

/// No increment is lost, whichever way it is made, and nobody sees a counter go back.
#[test]
fn counters_lose_no_increment_and_never_go_back() {
    const KEYS: u64 = 3;
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> = HashMap::default();
    (0..KEYS).for_each(|key| drop(map.insert(ledgers.key(key), ledgers.value(key, 0))));
    let increments = AtomicU64::new(0);
    in_parallel(THREADS, |thread| {
        let mut random = Random::new(thread as u64);
        let mut last = [0; KEYS as usize];
        for round in 0..5000 {
            let key = random.below(KEYS);
            let current = map.get_cloned(&key).expect("counters stay");
            let number = current.open(key);
            assert!(number >= last[key as usize], "counter {key} went back");
            last[key as usize] = number;
            let incremented = match round % 4 {
                0 | 1 => map.compare_exchange(&key, &current, ledgers.value(key, number + 1)).is_ok(),
                2 => map.update(&key, |old| ledgers.value(key, old.open(key) + 1)).is_some(),
                _ => {
                    let next = |old: Option<(&Key<'_>, &Value<'_>)>| -> Operation<Value<'_>, ()> {
                        Operation::Insert(ledgers.value(key, old.map_or(0, |(_, old)| old.open(key)) + 1))
                    };
                    matches!(map.compute(ledgers.key(key), next), Compute::Updated { old, new }
                        if old.open(key) + 1 == new.open(key))
                }
            };
            increments.fetch_add(incremented.into(), Relaxed);
        }
    });
    let sum: u64 = map.pin().iter().map(|(key, value)| value.open(**key)).sum();
    assert_eq!(sum, increments.into_inner());
    ledgers.assert_settled(&map);
}

/// Counters that are taken away and begin again: what was taken and what is left is what was counted.
#[test]
fn counters_that_are_removed_lose_no_increment() {
    const KEYS: u64 = 3;
    const ROUNDS: u64 = 5000;
    let ledgers = Ledgers::default();
    let map: Map<'_, LowBitsHash> = HashMap::default();
    let (counted, taken) = (AtomicU64::new(0), AtomicU64::new(0));
    let take = |removed: Option<Ref<'_, Key<'_>, Value<'_>>>| {
        if let Some(removed) = removed {
            taken.fetch_add(removed.open(**removed.key()), Relaxed);
        }
    };
    in_parallel(THREADS, |thread| {
        let mut random = Random::new(thread as u64);
        for _ in 0..ROUNDS {
            let key = random.below(KEYS);
            let one = || ledgers.value(key, 1);
            match random.below(5) {
                0 => take(map.remove(&key)),
                1 => take(map.remove_if(&key, |_, count| count.open(key) % 2 == 0).unwrap_or(None)),
                2 => {
                    counted.fetch_add(1, Relaxed);
                    // It begins again, and what was overwritten is taken.
                    take(map.insert(ledgers.key(key), one()));
                }
                _ => {
                    counted.fetch_add(1, Relaxed);
                    map.update_or_insert_with(ledgers.key(key), |old| ledgers.value(key, old.open(key) + 1), one);
                }
            }
        }
    });
    let left: u64 = map.pin().iter().map(|(key, value)| value.open(**key)).sum();
    assert_eq!(taken.into_inner() + left, counted.into_inner());
    ledgers.assert_settled(&map);
}

/// Of many threads that insert a key, one does; of many that remove it, one does.
#[test]
fn one_thread_inserts_and_one_removes() {
    let ledgers = Ledgers::default();
    let map: Map<'_, LowBitsHash> = HashMap::default();
    let (inserted, removed) = (AtomicU64::new(0), AtomicU64::new(0));
    in_parallel(THREADS, |thread| {
        let mut random = Random::new(thread as u64);
        for _ in 0..8000 {
            let key = random.below(6);
            if random.once_in(2) {
                let new = map.try_insert(ledgers.key(key), ledgers.value(key, 0)).is_ok();
                inserted.fetch_add(new.into(), Relaxed);
            } else {
                removed.fetch_add(map.remove(&key).is_some().into(), Relaxed);
            }
        }
    });
    assert_eq!(inserted.into_inner() - removed.into_inner(), map.len() as u64);
    ledgers.assert_settled(&map);
}

/// R3: what a thread has removed is gone when its `reclaim` returns, however many others come and go.
#[test]
fn reclaim_waits_for_the_guards_of_others() {
    let flags: Vec<AtomicBool> = (0..2 * 500).map(|_| AtomicBool::new(false)).collect();
    let map = HashMap::<usize, RaiseOnDrop<'_>>::new();
    let working = AtomicUsize::new(2);
    in_parallel(5, |thread| {
        if thread < 2 {
            let _last = Countdown(&working);
            for (number, flag) in flags.iter().enumerate().filter(|(number, _)| number % 2 == thread) {
                map.insert(number, RaiseOnDrop(flag));
                assert!(!flag.load(Relaxed));
                map.remove(&number);
                assert_eq!(map.reclaim(), Ok(()));
                assert!(flag.load(Relaxed), "reclaim has returned, and {number} is still there");
            }
        } else {
            while working.load(Relaxed) > 0 {
                let mut outer = map.pin();
                drop((map.pin(), outer.iter().count()));
                outer.refresh();
                std::thread::yield_now();
            }
        }
    });
    assert_eq!(map.stats().pending.entries, 0);
}

/// R3: and for their destructors.
#[test]
fn reclaim_waits_for_the_destructors_of_others() {
    /// Takes its time to be dropped, and tells when it begins and when it is done.
    struct Slow<'f>(&'f AtomicBool, &'f AtomicBool);

    impl Drop for Slow<'_> {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
            (0..500).for_each(|_| std::thread::yield_now());
            self.1.store(true, Relaxed);
        }
    }

    for _ in 0..40 {
        let (begun, done) = (AtomicBool::new(false), AtomicBool::new(false));
        let map = HashMap::<u64, Slow<'_>>::new();
        map.insert(1, Slow(&begun, &done));
        in_parallel(2, |thread| {
            if thread == 0 {
                map.remove(&1);
            } else {
                while !begun.load(Relaxed) {
                    std::thread::yield_now();
                }
                assert_eq!(map.reclaim(), Ok(()));
                assert!(done.load(Relaxed), "reclaim has returned, and the destructor has not");
            }
        });
    }
}

/// R1, R2: whatever two threads do at the same moment, when both are done nothing is left, and nobody had to help. Many
/// short rounds, because what could go wrong goes wrong between two instructions.
fn nothing_is_left_after_a_round<'l>(ledgers: &'l Ledgers, works: [fn(&Map<'l, GoodHash>, &'l Ledgers, u64); 2]) {
    const ROUNDS: u64 = 10_000;
    const KEYS: u64 = 4;
    let map: Map<'_, GoodHash> = HashMap::default();
    (0..KEYS).for_each(|key| drop(map.insert(ledgers.key(key), ledgers.value(key, 0))));
    let (arrived, left) = (AtomicU64::new(0), AtomicBool::new(false));
    // Spins, because threads that sleep do not wake up at the same moment.
    let meet = |meeting: u64| {
        arrived.fetch_add(1, SeqCst);
        let mut spins = 0;
        while arrived.load(SeqCst) < 2 * meeting && !left.load(Relaxed) {
            spins += 1;
            if spins % 256 == 0 {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
    };
    in_parallel(2, |thread| {
        // Whoever leaves, if only by a panic, is not waited for.
        let _left = RaiseOnDrop(&left);
        for round in 0..ROUNDS {
            meet(3 * round + 1);
            works[thread](&map, ledgers, round % KEYS);
            meet(3 * round + 2);
            let alive = (ledgers.keys.live(), ledgers.values.live());
            assert_eq!(alive, (map.len(), map.len()), "keys and values that are alive after round {round}");
            meet(3 * round + 3);
        }
    });
    ledgers.assert_settled(&map);
}

#[test]
fn nothing_is_left_of_an_overwrite_while_another_thread_reads() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, ledgers, key| drop(map.insert(ledgers.key(key), ledgers.value(key, 1))),
            |map, _, key| assert!(map.get(&key).is_some_and(|found| found.open(key) < 2)),
        ],
    );
}

#[test]
fn nothing_is_left_of_an_overwrite_while_another_thread_ends_a_session() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, ledgers, key| {
                map.pin().insert(ledgers.key(key), ledgers.value(key, 1));
            },
            |map, _, _| drop(map.pin()),
        ],
    );
}

#[test]
fn nothing_is_left_of_a_removal_while_another_thread_inserts() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, _, key| drop(map.remove(&key)),
            |map, ledgers, key| drop(map.insert(ledgers.key(key + 1), ledgers.value(key + 1, 1))),
        ],
    );
}

#[test]
fn nothing_is_left_of_two_removals() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, ledgers, key| {
                map.get_or_insert_with(ledgers.key(key), || ledgers.value(key, 1));
                map.remove(&key);
            },
            |map, ledgers, key| {
                map.insert(ledgers.key(key + 1), ledgers.value(key + 1, 1));
                map.remove_if(&key, |_, value| value.open(key) < 2).ok();
            },
        ],
    );
}

#[test]
fn nothing_is_left_of_a_clear_while_another_thread_inserts_and_removes() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, _, _| map.clear(),
            |map, ledgers, key| {
                map.insert(ledgers.key(key), ledgers.value(key, 1));
                map.update(&key, |_| ledgers.value(key, 2));
                map.remove(&(key / 2));
            },
        ],
    );
}

/// Counts one less when it goes, even if that is because of a panic.
struct Countdown<'c>(&'c AtomicUsize);

impl Drop for Countdown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Threads that live for a few operations, many after each other: records are used again, and garbage changes hands.
#[test]
fn threads_come_and_go() {
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> = HashMap::default();
    for round in 0..60 {
        in_parallel(8, |thread| {
            let mut random = Random::new(round * 8 + thread as u64);
            let _session = random.once_in(2).then(|| map.pin());
            (0..20).for_each(|_| do_anything(&map, &ledgers, &mut random, 6));
        });
        ledgers.assert_settled(&map);
    }
    let records = map.stats().heap.records;
    assert!(records <= 64 * 1024, "records of threads that are gone are used again, and yet take {records} bytes");
    drop(map);
    ledgers.assert_all_gone();
}

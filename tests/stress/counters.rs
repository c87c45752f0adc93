//! What no thread's operation may lose: increments, and who was first.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tidymap::{Compute, HashMap, Operation, Ref};

use crate::THREADS;
use crate::common::{GoodHash, LowBitsHash, Random, in_parallel};
use crate::world::{Key, Ledgers, Map, Value};

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

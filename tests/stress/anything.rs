//! Any operation on any key, by all threads.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use tidymap::{Compute, HashMap, Operation, Reclaim, Ref};

use crate::THREADS;
use crate::common::{ConstantHash, GoodHash, LowBitsHash, Random, in_parallel, rounds};
use crate::world::{Key, Ledgers, Map, Sealed, Value};

/// Does one operation or another on one of so many keys, and checks what it is told.
pub(crate) fn do_anything<'l, S: BuildHasher>(map: &Map<'l, S>, ledgers: &'l Ledgers, random: &mut Random, keys: u64) {
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

fn do_anything_in_parallel<S: BuildHasher + Default + Sync>(keys: u64, rounds: u64, reclaim: Reclaim) {
    let ledgers = Ledgers::default();
    let map: Map<'_, S> = HashMap::builder().hasher(S::default()).reclaim(reclaim).build();
    for seed in 0..3 {
        in_parallel(THREADS, |thread| {
            let mut random = Random::new((seed * THREADS + thread) as u64);
            for _ in 0..rounds::rounds(rounds) {
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

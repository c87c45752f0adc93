//! [`MultiMap`]: against a plain map of vectors, and what it promises of its own: whole slices, keys that go with their last value, drops in time.

#[path = "common/mod.rs"]
mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::fuse::{self, Fuse};
use common::{ConstantHash, Counted, GoodHash, Ledger, Random, in_parallel};
use proptest::prelude::*;
use tidymap::{MultiMap, Reclaim};

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, u8),
    InsertAll(u8, Vec<u8>),
    Remove(u8),
    RemoveValue(u8, u8),
    RetainValues(u8, u8),
    Clear,
    ShrinkToFit,
}

fn step() -> impl Strategy<Value = Step> {
    let (key, value) = (0..6_u8, 0..8_u8);
    prop_oneof![
        6 => (key.clone(), value.clone()).prop_map(|(key, value)| Step::Insert(key, value)),
        2 => (key.clone(), prop::collection::vec(value.clone(), 0..5)).prop_map(|(key, values)| Step::InsertAll(key, values)),
        2 => key.clone().prop_map(Step::Remove),
        4 => (key.clone(), value.clone()).prop_map(|(key, value)| Step::RemoveValue(key, value)),
        3 => (key, value).prop_map(|(key, value)| Step::RetainValues(key, value)),
        1 => Just(Step::Clear),
        1 => Just(Step::ShrinkToFit),
    ]
}

/// Does the steps to both, and compares all that can be seen, after each.
fn agree<S: std::hash::BuildHasher + Default>(steps: Vec<Step>) {
    let ledger = Ledger::new();
    {
        let map = MultiMap::<u8, Counted<'_, u8>, S>::default();
        let mut model = HashMap::<u8, Vec<u8>>::new();
        for step in steps {
            match step {
                Step::Insert(key, value) => {
                    let values = model.entry(key).or_default();
                    values.push(value);
                    assert_eq!(map.insert(key, ledger.make(value)), values.len());
                }
                Step::InsertAll(key, new) => {
                    let before = model.get(&key).map_or(0, Vec::len);
                    assert_eq!(map.insert_all(key, new.iter().map(|value| ledger.make(*value))), before + new.len());
                    if !new.is_empty() {
                        model.entry(key).or_default().extend(new);
                    }
                }
                Step::Remove(key) => {
                    let removed = map.remove(&key).map(|values| values.iter().map(|value| **value).collect());
                    assert_eq!(removed, model.remove(&key));
                }
                Step::RemoveValue(key, value) => {
                    let there = model.get_mut(&key);
                    let place = there.as_ref().and_then(|values| values.iter().position(|there| *there == value));
                    assert_eq!(map.remove_value(&key, &ledger.make(value)), place.is_some());
                    if let (Some(values), Some(place)) = (there, place) {
                        values.remove(place);
                    }
                }
                Step::RetainValues(key, bits) => {
                    let keep = |value: u8| value & bits != 0;
                    let values = model.entry(key).or_default();
                    let before = values.len();
                    values.retain(|value| keep(*value));
                    assert_eq!(map.retain_values(&key, |value| keep(**value)), before - values.len());
                }
                Step::Clear => {
                    map.clear();
                    model.clear();
                }
                Step::ShrinkToFit => map.as_map().shrink_to_fit(),
            }
            model.retain(|_, values| !values.is_empty());
            let session = map.pin();
            let seen: HashMap<u8, Vec<u8>> =
                session.iter().map(|(key, values)| (*key, values.iter().map(|value| **value).collect())).collect();
            assert_eq!(seen, model);
            assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
            assert_eq!(session.values_len(), model.values().map(Vec::len).sum::<usize>());
            for key in 0..6 {
                let values = model.get(&key);
                assert_eq!(map.contains_key(&key), values.is_some());
                assert_eq!(session.contains_key(&key), values.is_some());
                assert_eq!(map.get(&key).map(|found| found.len()), values.map(Vec::len));
                assert_eq!(session.get(&key).len(), values.map_or(0, Vec::len));
                let five = ledger.make(5);
                let has = values.is_some_and(|values| values.contains(&5));
                assert_eq!((map.contains(&key, &five), session.contains(&key, &five)), (has, has));
            }
            drop(session);
            // R1: no clone of an old slice is left.
            assert_eq!(ledger.live(), model.values().map(Vec::len).sum::<usize>());
        }
    }
    assert_eq!(ledger.live(), 0);
}

proptest! {
    #[test]
    fn does_what_a_map_of_vectors_does(steps in prop::collection::vec(step(), 0..60)) {
        agree::<GoodHash>(steps.clone());
        agree::<ConstantHash>(steps);
    }
}

#[test]
fn a_slice_is_one_allocation_of_the_right_size() {
    let map: MultiMap<&str, u64> = [("a", 1), ("b", 2), ("a", 3)].into_iter().collect();
    for number in 0..10 {
        map.insert("a", number);
        let values = map.get("a").unwrap();
        assert_eq!(values.len(), 3 + number as usize);
        // A box of a slice, which has no room to spare.
        assert_eq!(size_of_val(map.as_map().get("a").unwrap().value()), 2 * size_of::<usize>());
    }
}

/// Who inserts while another removes the last value inserts into the key that is there or into a new one; nothing is lost, and no key is empty.
#[test]
fn no_insert_is_lost_to_whoever_prunes() {
    let (threads, rounds) = (4, if cfg!(miri) { 10 } else { 3_000 });
    let map = MultiMap::<u64, usize, GoodHash>::default();
    let removed = AtomicUsize::new(0);
    in_parallel(threads + 1, |thread| {
        if thread == threads {
            // Looks at whole slices meanwhile.
            for _ in 0..rounds {
                for (_, values) in &map.pin() {
                    assert!(!values.is_empty(), "a key without values");
                    let mut seen = values.to_vec();
                    seen.sort_unstable();
                    seen.dedup();
                    assert_eq!(seen.len(), values.len(), "a value twice");
                }
            }
            return;
        }
        let mut random = Random::new(thread as u64);
        for round in 0..rounds {
            let (key, value) = (random.below(2), thread * rounds + round);
            map.insert(key, value);
            assert!(map.contains(&key, &value), "nobody else removes it");
            match round % 3 {
                0 => assert!(map.remove_value(&key, &value)),
                1 => assert_eq!(map.retain_values(&key, |there| *there != value), 1),
                _ => continue,
            }
            assert!(!map.contains(&key, &value));
            removed.fetch_add(1, Relaxed);
        }
    });
    assert_eq!(map.pin().values_len(), threads * rounds - removed.load(Relaxed));
    for (key, values) in &map.pin() {
        // Of one thread they are in the order in which it inserted them.
        let mut latest = vec![None; threads];
        for value in values {
            assert!(latest[value / rounds].replace(value) < Some(value), "out of order: {key}");
        }
    }
}

/// The values themselves, not clones: each goes with the last slice that has it.
#[test]
fn r1_shared_values_are_dropped_when_they_are_removed() {
    let ledger = Ledger::new();
    let map = MultiMap::new();
    let session = map.pin();
    map.insert(1, Arc::new(ledger.make(1)));
    map.insert(1, Arc::new(ledger.make(2)));
    assert_eq!(session.get(&1).len(), 2);
    assert_eq!(map.retain_values(&1, |value| ***value == 2), 1);
    assert_eq!((session.get(&1).len(), ledger.live()), (1, 2));
    drop(session);
    assert_eq!(ledger.live(), 1);
    drop(map.remove(&1));
    assert_eq!((ledger.live(), map.as_map().stats().pending.entries), (0, 0));
}

/// Whatever panics, wherever: nothing is lost, nothing half done, and the map goes on.
#[test]
fn f1_panics_leave_a_slice_as_it_was_or_as_it_is_after() {
    let ledger = Ledger::new();
    let mut panicked = 0;
    for burns in 0..30 {
        let map = MultiMap::<Counted<'_, u8>, Counted<'_, u8>, GoodHash>::default();
        for value in [1, 2, 3] {
            map.insert(ledger.make(0), ledger.make(value));
        }
        let calls: [&dyn Fn(); 4] = [
            &|| _ = map.insert(ledger.make(0), ledger.make(4)),
            &|| _ = map.remove_value(&ledger.make(0), &ledger.make(2)),
            &|| _ = map.retain_values(&ledger.make(0), |value| **value == 3),
            &|| _ = map.retain_values(&ledger.make(0), |_| false),
        ];
        for call in calls {
            panicked += usize::from(fuse::lit(Some(Fuse { first: burns, again: None }), call).is_none());
            let session = map.pin();
            let there: usize = session.values_len();
            assert!(session.iter().all(|(_, values)| !values.is_empty()));
            drop(session);
            map.as_map().reclaim().unwrap();
            assert_eq!(ledger.live(), there + map.len());
        }
        drop(map);
        assert_eq!(ledger.live(), 0);
    }
    assert!(panicked > 10, "{panicked}");
}

#[test]
fn a_map_brings_its_settings() {
    let map: MultiMap<u8, u8> = tidymap::HashMap::builder().reclaim(Reclaim::Batched(8)).build().into();
    map.insert(1, 1);
    map.insert(1, 2);
    assert_eq!(map.as_map().stats().pending.entries, 1, "saved up");
    assert_eq!(format!("{map:?}"), "{1: [1, 2]}");
    let clone = map.clone();
    assert!(clone.contains(&1, &2));
    assert_eq!(clone.into_map().len(), 1);
}

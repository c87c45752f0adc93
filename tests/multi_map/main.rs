//! [`MultiMap`]: against a plain map of vectors ([`run`], [`vectors`]), and what it promises of its own: whole slices, keys that go with their last
//! value, drops in time.

#[path = "../common/mod.rs"]
mod common;
mod run;
mod vectors;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::fuse::{self, Fuse};
use common::{ConstantHash, Counted, GoodHash, Ledger, LowBitsHash, Random, in_parallel};
use proptest::prelude::*;
use run::{Step, run_with};
use tidymap::{MultiMap, Reclaim};
use vectors::Write;

fn key() -> impl Strategy<Value = u8> {
    0..4_u8
}

/// Few, so that a key has some twice.
fn value() -> impl Strategy<Value = u8> {
    0..4_u8
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        6 => (key(), value()).prop_map(|(key, value)| Write::Insert(key, value)),
        2 => (key(), prop::collection::vec(value(), 0..5)).prop_map(|(key, values)| Write::InsertAll(key, values)),
        2 => key().prop_map(Write::Remove),
        4 => (key(), value()).prop_map(|(key, value)| Write::RemoveValue(key, value)),
        3 => (key(), value()).prop_map(|(key, bits)| Write::RetainValues(key, bits)),
        1 => Just(Write::Clear),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => write().prop_map(Step::Write),
        2 => Just(Step::Open),
        2 => any::<usize>().prop_map(Step::Close),
        1 => any::<usize>().prop_map(Step::Refresh),
        2 => key().prop_map(Step::Keep),
        2 => key().prop_map(Step::KeepRemoved),
        3 => any::<usize>().prop_map(Step::LetGo),
        1 => prop::collection::vec(write(), 0..4).prop_map(Step::Iterate),
        2 => (key(), value()).prop_map(|(key, value)| Step::Reads(key, value)),
        1 => prop::collection::vec((key(), value()), 0..8).prop_map(Step::CloneExtend),
        1 => Just(Step::ShrinkToFit),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..80)
}

fn run<S: BuildHasher + Clone + Default>(steps: &[Step], fuses: &[Option<Fuse>]) {
    run_with(S::default(), fuses, steps, |run, step: &Step| run.step(step));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_what_a_map_of_vectors_does(steps in steps()) {
        run::<GoodHash>(&steps, &[]);
        run::<ConstantHash>(&steps, &[]);
    }

    /// F1, R5: at any call of the user's code.
    #[test]
    fn does_so_with_panics(steps in steps(), fuses in fuses()) {
        run::<LowBitsHash>(&steps, &fuses);
    }
}

/// Fuses for the calls of a run: one panic in most, several in some.
fn fuses() -> impl Strategy<Value = Vec<Option<Fuse>>> {
    let fuse = (0..12u32, prop::option::of(0..3u32)).prop_map(|(first, again)| Fuse { first, again });
    prop::collection::vec(prop::option::of(fuse), 0..80)
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
    let (threads, rounds) = (4, if cfg!(miri) { 10 } else { 1_000 });
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

//! Maps of maps: an inner map that runs empty against whoever comes to it.

use std::collections::BTreeSet;
use std::hash::BuildHasherDefault;

use loom::sync::Arc;
use loom_tests::{AsIs, Ledger, Value, ask, explore};
use tidymap::NestedMap;

type Map = NestedMap<u64, u64, Value, BuildHasherDefault<AsIs>>;

/// A map with these keys of one outer key.
fn filled(ledger: &Ledger, keys: &[u64]) -> Arc<Map> {
    let map = Map::default();
    keys.iter().for_each(|key| assert!(map.insert(1, *key, ledger.value(*key)).is_none()));
    Arc::new(map)
}

fn number(map: &Map, key: u64) -> Option<u64> {
    map.get(&1, &key).map(|value| value.number())
}

/// Runs both at the same time. What is not in the map afterwards has been dropped, and there is an outer key if and only if there are entries.
fn race<A: 'static, B: 'static>(
    ledger: &Ledger,
    map: Arc<Map>,
    first: impl FnOnce(&Map) -> A + 'static,
    second: impl FnOnce(&Map) -> B + 'static,
) -> (A, B, Vec<u64>) {
    let other = ask("other", {
        let map = map.clone();
        move || second(&map)
    });
    let (ours, theirs) = (first(&map), other());
    // Before any other call, which might do what one of these has left undone.
    assert_eq!(map.outer_len(), usize::from(ledger.live() > 0), "no inner map is empty, and none is lost");
    let mut left: Vec<u64> = map.pin().iter().map(|(_, key, _)| *key).collect();
    left.sort_unstable();
    assert_eq!(ledger.live(), left.len() as i64, "what is not in the map has been dropped");
    let stats = map.stats();
    assert_eq!((stats.pending.entries, stats.retired), (0, stats.freed));
    drop(map);
    assert_eq!(ledger.live(), 0, "the map drops what is in it");
    (ours, theirs, left)
}

#[test]
fn insert_against_the_removal_of_the_last_entry() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = filled(&ledger, &[1]);
        let value = ledger.value(2);
        let insert = |map: &Map| (number(map, 1), map.insert(1, 2, value).is_none());
        race(&ledger, map, insert, |map| map.remove(&1, &1).is_some())
    });
    let outcome = |seen| ((seen, true), true, vec![2]);
    assert_eq!(outcomes, BTreeSet::from([outcome(None), outcome(Some(1))]));
}

/// What `remove_outer` counts is what was there in its one step.
#[test]
fn insert_against_the_removal_of_the_outer_key() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = filled(&ledger, &[1]);
        let value = ledger.value(2);
        race(&ledger, map, |map| drop(map.insert(1, 2, value)), |map| map.remove_outer(&1))
    });
    assert_eq!(outcomes, BTreeSet::from([((), 1, vec![2]), ((), 2, vec![])]));
}

/// Whoever makes an inner map comes to an end with it, though somebody sees it empty.
#[test]
fn the_first_insert_against_the_removal_of_the_outer_key() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let value = ledger.value(1);
        race(&ledger, filled(&ledger, &[]), |map| drop(map.insert(1, 1, value)), |map| map.remove_outer(&1))
    });
    assert_eq!(outcomes, BTreeSet::from([((), 0, vec![1]), ((), 1, vec![])]));
}

#[test]
fn two_first_inserts() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let (one, two) = (ledger.value(1), ledger.value(2));
        let first = |map: &Map| {
            drop(map.insert(1, 1, one));
            number(map, 2)
        };
        race(&ledger, filled(&ledger, &[]), first, |map| drop(map.insert(1, 2, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([(None, (), vec![1, 2]), (Some(2), (), vec![1, 2])]));
}

/// One of them unlinks the last entry, perhaps for the other.
#[test]
fn two_removals_of_the_last_entries() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = filled(&ledger, &[1, 2]);
        let first = |map: &Map| (map.remove(&1, &1).is_some(), map.contains_outer(&1));
        race(&ledger, map, first, |map| map.remove(&1, &2).is_some())
    });
    let outcome = |still_there| ((true, still_there), true, vec![]);
    assert_eq!(outcomes, BTreeSet::from([outcome(false), outcome(true)]));
}

/// A reader that goes on with the tables may be the one who unlinks the last entry, and so closes the inner map.
#[test]
fn reads_against_the_removal_of_the_last_entry() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = filled(&ledger, &[1]);
        race(&ledger, map, |map| (number(map, 2), number(map, 1)), |map| map.remove(&1, &1).is_some())
    });
    let outcome = |seen| ((None, seen), true, vec![]);
    assert_eq!(outcomes, BTreeSet::from([outcome(None), outcome(Some(1))]));
}

/// An outer key that goes and comes again: a reader finds the old entry, nothing, or the new one.
#[test]
fn get_against_an_outer_key_that_comes_again() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = filled(&ledger, &[1]);
        let value = ledger.value(2);
        let again = |map: &Map| {
            assert!(map.remove(&1, &1).is_some());
            assert!(map.insert(1, 1, value).is_none());
        };
        race(&ledger, map, |map| number(map, 1), again).0
    });
    assert_eq!(outcomes, BTreeSet::from([Some(1), None, Some(2)]));
}

//! C2: an iteration beside writers. (Beside a promotion: `promotion`.)

use std::collections::BTreeSet;

use loom_tests::{Ledger, Map, Value, explore, play, promoted};

/// Runs `write` beside an iteration over key 1 in the read table and 2 in the dirty one, and tells what that yields: keys, and
/// the numbers of their values.
fn seen_beside(write: fn(&Ledger, &Map<Value>)) -> Vec<(u64, u64)> {
    let ledger = Ledger::default();
    let map = promoted(&ledger, 1, 1);
    map.insert(2, ledger.value(2));
    let writer = play("writer", {
        let (ledger, map) = (ledger.clone(), map.clone());
        move || write(&ledger, &map)
    });
    let mut seen: Vec<_> = map.pin().iter().map(|(key, value)| (*key, value.number())).collect();
    writer.join().unwrap();
    assert_eq!(ledger.live(), map.len() as i64, "what is not in the map has been dropped");
    seen.sort_unstable();
    seen
}

/// Not twice, whichever of the two entries it comes to.
#[test]
fn iteration_against_remove_and_insert_again() {
    let again = |ledger: &Ledger, map: &Map<Value>| {
        assert!(map.remove(&1).is_some());
        assert!(map.insert(1, ledger.value(11)).is_none());
    };
    let outcomes = explore(4, move || seen_beside(again));
    assert_eq!(outcomes, BTreeSet::from([vec![(1, 1), (2, 2)], vec![(2, 2)], vec![(1, 11), (2, 2)]]));
}

/// Of one that is overwritten, one of its values. (By `update`, so that the value is made after the guard's fence, which would
/// order it otherwise.)
#[test]
fn iteration_against_overwrite() {
    let overwrite = |ledger: &Ledger, map: &Map<Value>| assert!(map.update(&2, |_| ledger.value(22)).is_some());
    let outcomes = explore(4, move || seen_beside(overwrite));
    assert_eq!(outcomes, BTreeSet::from([vec![(1, 1), (2, 2)], vec![(1, 1), (2, 22)]]));
}

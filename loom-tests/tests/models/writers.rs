//! C1: writers against each other and against a reader.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, explore, number, promoted};

/// Runs `first` and `second` at the same time, and tells what they returned and what the key has in the end. Nothing is
/// left undropped but what is in the map.
fn race<A: 'static, B: 'static>(
    ledger: &Ledger,
    map: Arc<Map<Value>>,
    first: impl FnOnce(&Map<Value>) -> A + 'static,
    second: impl FnOnce(&Map<Value>) -> B + 'static,
) -> (A, B, Option<u64>) {
    let other = {
        let map = map.clone();
        loom::thread::spawn(move || second(&map))
    };
    let ours = first(&map);
    let theirs = other.join().unwrap();
    // Before any other call, which might do what one of these has left undone.
    assert_eq!(ledger.live(), map.len() as i64, "what is not in the map has been dropped");
    let last = number(map.get(&1));
    drop(map);
    assert_eq!(ledger.live(), 0, "the map drops what is in it");
    (ours, theirs, last)
}

/// A value seen through the dirty table, or not yet: across its making, and a promotion of it.
#[test]
fn insert_against_get() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let value = ledger.value(7);
        race(&ledger, Arc::default(), |map| drop(map.insert(1, value)), |map| number(map.get(&1))).1
    });
    assert_eq!(outcomes, BTreeSet::from([None, Some(7)]));
}

#[test]
fn insert_against_get_with_promotions() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 2, 2);
        let value = ledger.value(7);
        let write = |map: &Map<Value>| {
            map.insert(1, value);
            map.shrink_to_fit();
        };
        race(&ledger, map, write, |map| (number(map.get(&2)), number(map.get(&1)))).1
    });
    assert_eq!(outcomes, BTreeSet::from([(Some(2), None), (Some(2), Some(7))]));
}

/// Of two inserts of one key the second to come gets the value of the first.
#[test]
fn insert_against_insert() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let (one, two) = (ledger.value(1), ledger.value(2));
        race(&ledger, Arc::default(), |map| number(map.insert(1, one)), |map| number(map.insert(1, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([(None, Some(1), Some(2)), (Some(2), None, Some(1))]));
}

/// The inline value and the entry that holds it, dropped in either order.
#[test]
fn overwrite_against_remove() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let two = ledger.value(2);
        race(&ledger, map, |map| number(map.insert(1, two)), |map| number(map.remove(&1)))
    });
    assert_eq!(outcomes, BTreeSet::from([(Some(1), Some(2), None), (None, Some(1), Some(2))]));
}

/// A removal that finds the mutex taken leaves its entry to the holder.
#[test]
fn remove_against_insert_of_another_key() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let two = ledger.value(2);
        race(&ledger, map, |map| number(map.remove(&1)), |map| number(map.insert(2, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([(Some(1), None, None)]));
}

/// A removed key and its successor.
#[test]
fn remove_against_insert() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let two = ledger.value(2);
        race(&ledger, map, |map| number(map.remove(&1)), |map| number(map.insert(1, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([(Some(1), None, Some(2)), (Some(2), Some(1), None)]));
}

#[test]
fn clear_against_overwrite() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let two = ledger.value(2);
        race(&ledger, map, |map| map.clear(), |map| number(map.insert(1, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([((), Some(1), None), ((), None, Some(2))]));
}

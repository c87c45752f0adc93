//! C1: writers against each other and against a reader.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, ask, explore, long, number, promoted};

/// Runs `first` and `second` at the same time, and tells what they returned and what the key has in the end. Nothing is
/// left undropped but what is in the map.
pub(crate) fn race<A: 'static, B: 'static>(
    ledger: &Ledger,
    map: Arc<Map<Value>>,
    first: impl FnOnce(&Map<Value>) -> A + 'static,
    second: impl FnOnce(&Map<Value>) -> B + 'static,
) -> (A, B, Option<u64>) {
    let other = ask("other", {
        let map = map.clone();
        move || second(&map)
    });
    let (ours, theirs) = (first(&map), other());
    // Before any other call, which might do what one of these has left undone.
    assert_eq!(ledger.live(), map.len() as i64, "what is not in the map has been dropped");
    let stats = map.stats();
    assert_eq!(stats.read_len + stats.dirty_len, map.len(), "the tables hold what is alive and nothing else");
    let last = number(map.get(&1));
    drop(map);
    assert_eq!(ledger.live(), 0, "the map drops what is in it");
    (ours, theirs, last)
}

/// A value seen through the dirty table, or not yet: across its making, and a promotion of it.
#[test]
fn insert_against_get() {
    let outcomes = explore(5, || {
        let ledger = Ledger::default();
        let value = ledger.value(7);
        race(&ledger, Arc::default(), |map| drop(map.insert(1, value)), |map| number(map.get(&1))).1
    });
    assert_eq!(outcomes, BTreeSet::from([None, Some(7)]));
}

#[test]
fn insert_against_get_with_promotions() {
    let outcomes = explore(long(3), || {
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

/// The key makes a dirty table beside a read table.
#[test]
fn insert_against_get_beside_a_read_table() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 2, 2);
        let value = ledger.value(7);
        let read = |map: &Map<Value>| (number(map.get(&2)), number(map.get(&1)));
        race(&ledger, map, |map| drop(map.insert(1, value)), read).1
    });
    assert_eq!(outcomes, BTreeSet::from([(Some(2), None), (Some(2), Some(7))]));
}

/// The dirty table is full: it is sealed, and another one takes the key.
#[test]
fn insert_against_get_with_growth() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 2, 2);
        [3, 4].iter().for_each(|key| assert!(map.insert(*key, ledger.value(*key)).is_none()));
        assert_eq!(map.capacity(), map.len(), "it is full");
        let value = ledger.value(7);
        let read = |map: &Map<Value>| [2, 3, 4, 1].map(|key| number(map.get(&key)));
        race(&ledger, map, |map| drop(map.insert(1, value)), read).1
    });
    let seen = |new| [Some(2), Some(3), Some(4), new];
    assert_eq!(outcomes, BTreeSet::from([seen(None), seen(Some(7))]));
}

/// A key that comes back in the same slot, from which a reader may have read the tag before.
fn removed_and_inserted_again<S: Ord + Send + 'static>(
    preemptions: usize,
    read: impl Fn(&Map<Value>) -> S + Clone + Send + Sync + 'static,
) -> BTreeSet<S> {
    let outcomes = explore(preemptions, move || {
        let ledger = Ledger::default();
        let map = Arc::new(Map::default());
        map.insert(1, ledger.value(1));
        let two = ledger.value(2);
        let again = |map: &Map<Value>| (number(map.remove(&1)), number(map.insert(1, two)));
        race(&ledger, map, again, read.clone())
    });
    outcomes
        .into_iter()
        .map(|(again, seen, last)| {
            assert_eq!((again, last), ((Some(1), None), Some(2)));
            seen
        })
        .collect()
}

#[test]
fn get_against_remove_and_insert_again() {
    let seen = removed_and_inserted_again(long(4), |map| number(map.get(&1)));
    assert_eq!(seen, [Some(1), None, Some(2)].into());
}

/// What was inserted has not gone when it has been seen.
#[test]
fn two_gets_against_remove_and_insert_again() {
    let seen = removed_and_inserted_again(long(3), |map| (number(map.get(&1)), number(map.get(&1))));
    let one_or = |then| (Some(1), then);
    assert_eq!(
        seen,
        [one_or(Some(1)), one_or(None), one_or(Some(2)), (None, None), (None, Some(2)), (Some(2), Some(2))].into()
    );
}

/// Of two inserts of one key the second to come gets the value of the first.
#[test]
fn insert_against_insert() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let (one, two) = (ledger.value(1), ledger.value(2));
        race(&ledger, Arc::default(), |map| number(map.insert(1, one)), |map| number(map.insert(1, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([(None, Some(1), Some(2)), (Some(2), None, Some(1))]));
}

/// The inline value and the entry that holds it, dropped in either order.
#[test]
pub(crate) fn overwrite_against_remove() {
    let outcomes = explore(long(3), || {
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
    let outcomes = explore(3, || {
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
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let two = ledger.value(2);
        race(&ledger, map, |map| number(map.remove(&1)), |map| number(map.insert(1, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([(Some(1), None, Some(2)), (Some(2), Some(1), None)]));
}

#[test]
fn clear_against_overwrite() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let two = ledger.value(2);
        race(&ledger, map, |map| map.clear(), |map| number(map.insert(1, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([((), Some(1), None), ((), None, Some(2))]));
}

/// What is inserted before the exchange of the tables goes with them.
#[test]
fn clear_against_insert() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 2, 2);
        let one = ledger.value(1);
        race(&ledger, map, |map| map.clear(), |map| number(map.insert(1, one)))
    });
    assert_eq!(outcomes, BTreeSet::from([((), None, Some(1)), ((), None, None)]));
}

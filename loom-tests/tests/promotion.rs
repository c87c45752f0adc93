//! C1 and R1 while the next read table is in the making: each model begins with a map that has sealed its dirty table and has not
//! copied anything of it, and whatever has the mutex goes on with that.
#![cfg(loom)]

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, explore, number, play};

/// Keys 1 and 2 in a sealed table, 3 in the dirty one, the next read table empty. The value of a key is ten times the key.
fn in_the_making(ledger: &Ledger) -> Arc<Map<Value>> {
    let map = Map::default();
    for key in 1..=3 {
        map.insert(key, ledger.value(10 * key));
    }
    Arc::new(map)
}

/// Runs both at the same time, and tells what they returned. Nothing is left undropped but what is in the map, and
/// another promotion changes nothing in it.
fn race<A: 'static, B: 'static>(
    first: fn(&Ledger, &Map<Value>) -> A,
    second: fn(&Ledger, &Map<Value>) -> B,
) -> (A, B, Vec<Option<u64>>) {
    let ledger = Ledger::default();
    let map = in_the_making(&ledger);
    let theirs = Arc::new(std::sync::Mutex::new(None));
    let other = play("other", {
        let (ledger, map, theirs) = (ledger.clone(), map.clone(), theirs.clone());
        move || *theirs.lock().unwrap() = Some(second(&ledger, &map))
    });
    let ours = first(&ledger, &map);
    other.join().unwrap();
    assert_eq!(ledger.live(), map.len() as i64, "what is not in the map has been dropped");
    let content = || (1..=4).map(|key| number(map.get(&key))).collect::<Vec<_>>();
    let last = content();
    map.shrink_to_fit();
    assert_eq!(last, content(), "whatever table it is in");
    drop(map);
    assert_eq!(ledger.live(), 0, "the map drops what is in it");
    let theirs = theirs.lock().unwrap().take().expect("it has run");
    (ours, theirs, last)
}

fn insert_4(ledger: &Ledger, map: &Map<Value>) {
    assert!(map.insert(4, ledger.value(40)).is_none());
}

/// Enough calls to finish the table.
fn promote(ledger: &Ledger, map: &Map<Value>) {
    insert_4(ledger, map);
    for _ in 0..2 {
        assert!(map.remove(&4).is_some());
        insert_4(ledger, map);
    }
}

#[test]
fn get_against_promotion() {
    let outcomes = explore(2, || race(promote, |_, map| [1, 2, 3].map(|key| number(map.get(&key)))));
    let all = vec![Some(10), Some(20), Some(30), Some(40)];
    assert_eq!(outcomes, BTreeSet::from([((), [Some(10), Some(20), Some(30)], all)]));
}

#[test]
fn remove_against_promotion() {
    let outcomes = explore(2, || race(promote, |_, map| number(map.remove(&1))));
    let rest = vec![None, Some(20), Some(30), Some(40)];
    assert_eq!(outcomes, BTreeSet::from([((), Some(10), rest)]));
}

#[test]
fn overwrite_against_promotion() {
    let outcomes = explore(2, || race(promote, |ledger, map| number(map.insert(1, ledger.value(11)))));
    let last = vec![Some(11), Some(20), Some(30), Some(40)];
    assert_eq!(outcomes, BTreeSet::from([((), Some(10), last)]));
}

/// A key that comes back while its old entry may have been copied.
#[test]
fn remove_and_insert_again_against_promotion() {
    let again = |ledger: &Ledger, map: &Map<Value>| {
        let old = number(map.remove(&1));
        (old, number(map.insert(1, ledger.value(12))))
    };
    let outcomes = explore(2, move || race(insert_4, again));
    let last = vec![Some(12), Some(20), Some(30), Some(40)];
    assert_eq!(outcomes, BTreeSet::from([((), (Some(10), None), last)]));
}

/// One of two removals finds the mutex taken, and the other, who goes on with the table, unlinks for both.
#[test]
fn remove_against_remove_of_another_key() {
    let outcomes =
        explore(3, || race(|_, map| number(map.remove(&1)), |_, map| (number(map.remove(&2)), number(map.get(&3)))));
    let last = vec![None, None, Some(30), None];
    assert_eq!(outcomes, BTreeSet::from([(Some(10), (Some(20), Some(30)), last)]));
}

#[test]
fn clear_against_promotion() {
    let outcomes = explore(2, || race(insert_4, |_, map| map.clear()));
    let empty = vec![None; 4];
    let late = vec![None, None, None, Some(40)];
    assert_eq!(outcomes, BTreeSet::from([((), (), empty), ((), (), late)]));
}

/// An iteration yields the keys that are there throughout once each.
#[test]
fn iteration_against_promotion() {
    let keys = |_: &Ledger, map: &Map<Value>| {
        let session = map.pin();
        let mut keys: Vec<u64> = session.keys().copied().collect();
        keys.sort_unstable();
        keys
    };
    let outcomes = explore(2, move || race(insert_4, keys));
    let seen: BTreeSet<Vec<u64>> = outcomes.into_iter().map(|(_, keys, _)| keys).collect();
    assert_eq!(seen, BTreeSet::from([vec![1, 2, 3], vec![1, 2, 3, 4]]));
}

//! C1 and R1 while the next read table is in the making. Each model begins with keys 1 to 3 in the read table, 4 and 5 in a sealed
//! one, 6 in the dirty one, and a next table to which some of them have been copied.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, ask, explore, long, number};

/// The value of a key is ten times the key. Key 3 has been copied, 1 and 2 have not, nor has the sealed table.
fn in_the_making(ledger: &Ledger) -> Arc<Map<Value>> {
    let map = Map::default();
    for keys in [1..=3, 4..=6] {
        for key in keys {
            map.insert(key, ledger.value(10 * key));
        }
        if map.len() == 3 {
            map.shrink_to_fit();
        }
    }
    // Insertion has cleared a part of the next table's memory. One step clears the rest, two look at spare buckets, one
    // finds key 3.
    (0..4).for_each(|_| step(&map));
    Arc::new(map)
}

/// One step of the promotion.
fn step(map: &Map<Value>) {
    map.reserve(0);
}

/// Runs both at the same time, and tells what they returned and what is in the map in the end. Nothing is left undropped
/// but what is in the map, and the rest of the promotion changes nothing in it.
fn race<A: 'static, B: 'static>(
    first: fn(&Ledger, &Map<Value>) -> A,
    second: fn(&Ledger, &Map<Value>) -> B,
) -> (A, B, Vec<u64>) {
    let ledger = Ledger::default();
    let map = in_the_making(&ledger);
    let other = ask("other", {
        let (ledger, map) = (ledger.clone(), map.clone());
        move || second(&ledger, &map)
    });
    let (ours, theirs) = (first(&ledger, &map), other());
    assert_eq!(ledger.live(), map.len() as i64, "what is not in the map has been dropped");
    let content = || (1..=7).filter_map(|key| number(map.get(&key))).collect::<Vec<_>>();
    let last = content();
    for _ in 0..8 {
        step(&map);
        // An entry that is freed while it is linked would go unseen otherwise: its memory still says that it is dead.
        let stats = map.stats();
        assert_eq!(stats.read_len + stats.dirty_len, map.len(), "the tables hold what is alive and nothing else");
    }
    assert!(map.is_empty() || map.stats().promotions > 2, "two were before");
    assert_eq!(last, content(), "whatever table it is in");
    drop(map);
    assert_eq!(ledger.live(), 0, "the map drops what is in it");
    (ours, theirs, last)
}

/// The rest of the promotion.
fn promote(_: &Ledger, map: &Map<Value>) {
    (0..5).for_each(|_| step(map));
}

#[test]
fn get_against_promotion() {
    let get = |_: &Ledger, map: &Map<Value>| [3, 1, 4, 6].map(|key| number(map.get(&key)));
    let outcomes = explore(2, move || race(promote, get));
    let all = vec![10, 20, 30, 40, 50, 60];
    assert_eq!(outcomes, BTreeSet::from([((), [Some(30), Some(10), Some(40), Some(60)], all)]));
}

#[test]
fn remove_of_what_is_copied_against_promotion() {
    let outcomes = explore(2, || race(promote, |_, map| number(map.remove(&3))));
    assert_eq!(outcomes, BTreeSet::from([((), Some(30), vec![10, 20, 40, 50, 60])]));
}

#[test]
fn remove_of_what_is_not_yet_copied_against_promotion() {
    let outcomes = explore(2, || race(promote, |_, map| number(map.remove(&4))));
    assert_eq!(outcomes, BTreeSet::from([((), Some(40), vec![10, 20, 30, 50, 60])]));
}

#[test]
fn overwrite_against_promotion() {
    let outcomes = explore(long(3), || race(promote, |ledger, map| number(map.insert(1, ledger.value(11)))));
    assert_eq!(outcomes, BTreeSet::from([((), Some(10), vec![11, 20, 30, 40, 50, 60])]));
}

/// A new key, which may go to the dirty table while the others are promoted.
#[test]
fn insert_against_promotion() {
    let outcomes = explore(long(3), || race(promote, |ledger, map| number(map.insert(7, ledger.value(70)))));
    assert_eq!(outcomes, BTreeSet::from([((), None, vec![10, 20, 30, 40, 50, 60, 70])]));
}

/// A key that comes back while its old entry is in two tables.
#[test]
fn remove_and_insert_again_against_promotion() {
    let again = |ledger: &Ledger, map: &Map<Value>| (number(map.remove(&3)), number(map.insert(3, ledger.value(32))));
    let outcomes = explore(2, move || race(promote, again));
    assert_eq!(outcomes, BTreeSet::from([((), (Some(30), None), vec![10, 20, 32, 40, 50, 60])]));
}

/// One of two removals finds the mutex taken, and the other, who goes on with the table, unlinks for both.
#[test]
fn remove_against_remove_of_another_key() {
    let outcomes = explore(long(3), || race(|_, map| number(map.remove(&3)), |_, map| number(map.remove(&1))));
    assert_eq!(outcomes, BTreeSet::from([(Some(30), Some(10), vec![20, 40, 50, 60])]));
}

#[test]
fn clear_against_promotion() {
    let outcomes = explore(4, || race(|_, map| step(map), |_, map| map.clear()));
    assert_eq!(outcomes, BTreeSet::from([((), (), vec![])]));
}

/// An iteration yields the keys that are there throughout once each.
#[test]
fn iteration_against_promotion() {
    let keys = |_: &Ledger, map: &Map<Value>| {
        let mut keys: Vec<u64> = map.pin().keys().copied().collect();
        keys.sort_unstable();
        keys
    };
    let outcomes = explore(4, move || race(promote, keys));
    let seen: BTreeSet<Vec<u64>> = outcomes.into_iter().map(|(_, keys, _)| keys).collect();
    assert_eq!(seen, BTreeSet::from([vec![1, 2, 3, 4, 5, 6]]));
}

//! Linking by several threads at once, in the stripes of the dirty table: against each other, and against those who have the mutex.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom_tests::{Ledger, Map, Value, ask, explore, long, number};

use super::writers::race;

/// A map with a dirty table for two keys and some more, open in two stripes: keys 1, 3 and 6 are of one of them, 2, 4 and 5 of the other. These
/// keys are in it.
fn open(ledger: &Ledger, keys: &[u64]) -> Arc<Map<Value>> {
    let map = Map::default();
    map.reserve(2);
    map.stripe_now();
    keys.iter().for_each(|key| drop(map.insert(*key, ledger.value(*key))));
    assert_eq!(map.linked_by_stripes(), keys.len() as u64, "the stripes are open");
    Arc::new(map)
}

/// Only one of them links; the other learns of it by the stripe's count.
#[test]
fn insert_against_insert_of_one_key() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let (one, two) = (ledger.value(1), ledger.value(2));
        race(&ledger, open(&ledger, &[]), |map| number(map.insert(1, one)), |map| number(map.insert(1, two)))
    });
    assert_eq!(outcomes, BTreeSet::from([(None, Some(1), Some(2)), (Some(2), None, Some(1))]));
}

/// Two keys of one stripe, or of two.
#[test]
fn insert_against_insert_of_another_key() {
    for other in [3, 2] {
        let outcomes = explore(4, move || {
            let ledger = Ledger::default();
            let (one, two) = (ledger.value(1), ledger.value(2));
            let insert = move |map: &Map<Value>| {
                let old = number(map.insert(other, two));
                (old, number(map.get(&1)).is_some())
            };
            race(&ledger, open(&ledger, &[]), |map| number(map.insert(1, one)), insert)
        });
        assert_eq!(outcomes, [false, true].map(|seen| (None, (None, seen), Some(1))).into());
    }
}

/// The table is sealed: who has found it open before has not linked in it, or what it has linked is copied.
#[test]
fn insert_against_promotion() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let one = ledger.value(1);
        let promote = |map: &Map<Value>| map.shrink_to_fit();
        let map = open(&ledger, &[2]);
        let ((), old, last) = race(&ledger, map, promote, |map| number(map.insert(1, one)));
        (old, last)
    });
    assert_eq!(outcomes, [(None, Some(1))].into());
}

/// The same, when another table has been opened in its place.
#[test]
fn insert_against_another_dirty_table() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let one = ledger.value(1);
        let replace = |map: &Map<Value>| {
            map.shrink_to_fit();
            map.reserve(2);
        };
        let map = open(&ledger, &[2]);
        let ((), (old, seen), last) =
            race(&ledger, map, replace, |map| (number(map.insert(1, one)), number(map.get(&2))));
        (old, seen, last)
    });
    assert_eq!(outcomes, [(None, Some(2), Some(1))].into());
}

/// What was linked before the tables were taken away has gone, and what comes later is in the new ones.
#[test]
fn insert_against_clear() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let one = ledger.value(1);
        let map = open(&ledger, &[2]);
        let ((), old, last) = race(&ledger, map, |map| map.clear(), |map| number(map.insert(1, one)));
        (old, last)
    });
    assert_eq!(outcomes, [(None, None), (None, Some(1))].into());
}

/// One unlinks from the bucket in which the other links.
#[test]
fn insert_against_remove_in_the_same_bucket() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let three = ledger.value(3);
        let map = open(&ledger, &[1]);
        race(&ledger, map, |map| number(map.remove(&1)), |map| (number(map.insert(3, three)), number(map.get(&3))))
    });
    assert_eq!(outcomes, [(Some(1), (None, Some(3)), None)].into());
}

/// A death is not counted without the insert before it, though they are counted in two places.
#[test]
fn len_against_insert_and_remove() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let one = ledger.value(1);
        let map = open(&ledger, &[]);
        let inserted = ask("inserts", {
            let map = map.clone();
            move || number(map.insert(1, one))
        });
        let removed = ask("removes", {
            let map = map.clone();
            move || number(map.remove(&1))
        });
        let len = map.len();
        assert_eq!(inserted(), None);
        let removed = removed();
        assert_eq!(map.len(), usize::from(removed.is_none()));
        (len, removed)
    });
    let expected = [(0, None), (1, None), (0, Some(1)), (1, Some(1))];
    assert_eq!(outcomes, expected.into());
}

/// There is one entry at a time: whoever counts the second one's birth counts the first one's death. By stripes, and by the mutex.
#[test]
fn len_against_a_removal_and_an_insert_after_it() {
    for striped in [true, false] {
        let outcomes = explore(2, move || {
            let ledger = Ledger::default();
            let two = ledger.value(2);
            let map = if striped {
                open(&ledger, &[1])
            } else {
                let map = Map::default();
                map.insert(1, ledger.value(1));
                Arc::new(map)
            };
            let is_removed = Arc::new(AtomicBool::new(false));
            let inserted = ask("inserts", {
                let (map, is_removed) = (map.clone(), is_removed.clone());
                move || {
                    // Before it knows: in between it executes no fence.
                    let session = map.pin();
                    is_removed.load(Ordering::Acquire).then(|| session.insert(2, two).is_none())
                }
            });
            let removed = ask("removes", {
                let map = map.clone();
                move || {
                    assert!(map.remove(&1).is_some());
                    is_removed.store(true, Ordering::Release);
                }
            });
            let len = map.len();
            assert!(len <= 1, "there was one at a time");
            removed();
            (len, inserted().is_some())
        });
        assert_eq!(outcomes, [(0, false), (1, false), (0, true), (1, true)].into());
    }
}

/// The tables go with the last entry (M2), also if it is removed while its maker still has the stripe, so that nobody knows how much is linked;
/// and also if they are asked how large they are before that one has looked.
#[test]
fn insert_against_the_removal_of_the_last_entry() {
    for asks in [false, true] {
        let outcomes = explore(3, move || {
            let ledger = Ledger::default();
            let one = ledger.value(1);
            // More tables than a map may keep.
            let map = Map::default();
            map.reserve(8);
            map.stripe_now();
            let map = Arc::new(map);
            let inserted = ask("inserts", {
                let map = map.clone();
                move || number(map.insert(1, one))
            });
            let removed = number(map.remove(&1));
            if asks {
                map.capacity();
            }
            assert_eq!(inserted(), None);
            if removed.is_some() {
                assert_eq!(map.capacity(), 0, "there are no tables");
            }
            removed
        });
        assert_eq!(outcomes, [None, Some(1)].into());
    }
}

//! C1: calls with many keys, each of which is there or gone by itself.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, explore, filled, long, number};
use tidymap::HashMap;

use crate::writers::race;

/// Another thread comes with one of the keys before its search, before its link, or after it.
#[test]
fn insert_many_against_insert_of_one_of_them() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let [one, two, three] = [1, 2, 3].map(|number| ledger.value(number));
        let many = |map: &Map<Value>| map.insert_many([(1, one), (2, two)]);
        race(&ledger, Arc::default(), many, |map| number(map.insert(1, three)))
    });
    assert_eq!(outcomes, BTreeSet::from([(2, Some(1), Some(3)), (1, None, Some(1))]));
}

/// The last of two values of one key is the one that stays, also if another thread's value makes the first one wait.
#[test]
fn insert_many_of_a_key_twice_against_insert() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let [one, two, three] = [1, 2, 3].map(|number| ledger.value(number));
        let many = |map: &Map<Value>| map.insert_many([(1, one), (1, two)]);
        race(&ledger, Arc::default(), many, |map| number(map.insert(1, three)))
    });
    assert_eq!(outcomes, BTreeSet::from([(0, None, Some(2)), (1, Some(1), Some(2)), (1, Some(2), Some(3))]));
}

#[test]
fn insert_many_of_a_key_twice_against_remove() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let [one, two] = [1, 2].map(|number| ledger.value(number));
        let many = |map: &Map<Value>| map.insert_many([(1, one), (1, two)]);
        race(&ledger, Arc::default(), many, |map| number(map.remove(&1)))
    });
    assert_eq!(outcomes, BTreeSet::from([(1, None, Some(2)), (2, Some(1), Some(2)), (1, Some(2), None)]));
}

/// What a removal of two keys leaves is seen key by key, and both are gone with it.
#[test]
fn remove_many_against_get() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let map = filled(HashMap::builder(), &ledger, &[1, 2]);
        race(&ledger, map, |map| map.remove_many(&[1, 2, 3]), |map| [2, 1].map(|key| number(map.get(&key))))
    });
    let seen = |two, one| (2, [two, one], None);
    assert_eq!(outcomes, BTreeSet::from([seen(Some(2), Some(1)), seen(Some(2), None), seen(None, None)]));
}

/// The mutex is taken: what is removed is left to its holder, all of it.
#[test]
fn remove_many_against_insert_of_another_key() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = filled(HashMap::builder(), &ledger, &[1, 2]);
        let three = ledger.value(3);
        race(&ledger, map, |map| map.remove_many(&[1, 2]), |map| number(map.insert(3, three)))
    });
    assert_eq!(outcomes, BTreeSet::from([(2, None, None)]));
}

//! C1 and R1 while reads that had to look into young tables pay for a promotion, and take part in it.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, explore, long, number, promoted};

use crate::writers::race;

/// Key 2 in the read table, key 1 in the dirty one, and so many misses on it. The fourth one ends the promotion.
fn missed(ledger: &Ledger, misses: usize) -> Arc<Map<Value>> {
    let map = promoted(ledger, 2, 2);
    map.insert(1, ledger.value(1));
    (0..misses).for_each(|_| assert_eq!(number(map.get(&1)), Some(1)));
    assert_eq!(map.stats().promotions, 1, "one was before");
    map
}

fn get_twice(map: &Map<Value>) -> [Option<u64>; 2] {
    [(); 2].map(|()| number(map.get(&1)))
}

/// Two that tell their misses at once: who finds the mutex free goes on with the promotion. Tells how many there have been.
#[test]
fn two_readers_that_promote() {
    let outcomes = explore(1, || {
        let ledger = Ledger::default();
        let map = missed(&ledger, 2);
        let read = |map: &Map<Value>| (number(map.get(&1)), map.stats().promotions);
        race(&ledger, map, read, |map| number(map.get(&1)))
    });
    let seen = [1, 2].map(|promotions| ((Some(1), promotions), Some(1), Some(1)));
    assert_eq!(outcomes, BTreeSet::from(seen));
}

/// A key that is overwritten meanwhile: its entry is copied with whatever value it has.
#[test]
fn a_reader_that_promotes_against_overwrite() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = missed(&ledger, 2);
        let made = ledger.clone();
        race(&ledger, map, move |map| map.update(&1, |_| made.value(10)).map(|new| new.number()), get_twice)
    });
    let seen = [[1, 1], [1, 10], [10, 10]].map(|seen| (Some(10), seen.map(Some), Some(10)));
    assert_eq!(outcomes, BTreeSet::from(seen));
}

/// A key that is removed meanwhile leaves all tables, also the one in the making.
#[test]
fn a_reader_that_promotes_against_remove() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = missed(&ledger, 2);
        race(&ledger, map, |map| number(map.remove(&1)), get_twice)
    });
    let seen = [[Some(1), Some(1)], [Some(1), None], [None, None]].map(|seen| (Some(1), seen, None));
    assert_eq!(outcomes, BTreeSet::from(seen));
}

/// A key that comes meanwhile is in one of the tables.
#[test]
fn a_reader_that_promotes_against_insert() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = missed(&ledger, 2);
        let three = ledger.value(3);
        let read = |map: &Map<Value>| (number(map.get(&1)), number(map.get(&3)));
        race(&ledger, map, |map| drop(map.insert(3, three)), read)
    });
    let seen = [None, Some(3)].map(|seen| ((), (Some(1), seen), Some(1)));
    assert_eq!(outcomes, BTreeSet::from(seen));
}

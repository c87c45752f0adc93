//! M2 and P3 while a large table goes back in parts: some guard always goes on with it, and nothing is left in an empty map.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, explore, long, play, promoted};

/// One entry, and a large table of which a part has gone.
fn on_its_way(ledger: &Ledger) -> Arc<Map<Value>> {
    let map = promoted(ledger, 1, 1);
    map.reserve(10);
    map.reserve(30);
    assert!(map.stats().pending.bytes > 0, "it is large");
    map
}

fn read(map: &Arc<Map<Value>>, role: &'static str) -> loom::thread::JoinHandle<()> {
    let map = map.clone();
    play(role, move || {
        if let Some(value) = map.get(&1) {
            assert_eq!(value.number(), 1);
        }
    })
}

#[test]
fn clear_against_a_reader_that_lets_a_part_go() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let map = on_its_way(&ledger);
        let reader = read(&map, "reader");
        map.clear();
        reader.join().unwrap();
        assert_eq!(map.stats().heap.tables, 0, "with no guard since");
        ledger.dropped_by()
    });
    assert_eq!(outcomes, BTreeSet::from(["reader", "main"].map(|role| BTreeSet::from([role]))));
}

#[test]
fn two_readers_that_let_parts_go() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let map = on_its_way(&ledger);
        let reader = read(&map, "reader");
        assert!(map.contains_key(&1));
        reader.join().unwrap();
        let mut reads = 0;
        while map.stats().pending.bytes > 0 {
            assert!(map.contains_key(&1) && reads < 10, "each lets a part go");
            reads += 1;
        }
        reads
    });
    // Of three parts each has let one go; or both were there for one.
    assert_eq!(outcomes, BTreeSet::from([1, 2]));
}

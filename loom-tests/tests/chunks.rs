//! R1 and R2 when threads come to a map for the first time: their records are in chunks that are made then.
#![cfg(loom)]

use std::collections::BTreeSet;

use loom_tests::{Ledger, explore, play, promoted};

/// Two readers whose records are in one new chunk, and a remover whose record is in another: nobody frees what a reader sees,
/// whoever has made the chunk.
#[test]
fn readers_in_a_new_chunk_and_a_remover_in_another() {
    let outcomes = explore(2, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let readers = ["first reader", "second reader"].map(|role| {
            let map = map.clone();
            play(role, move || {
                if let Some(value) = map.get(&1) {
                    assert_eq!(value.number(), 1);
                }
            })
        });
        let remover = play("remover", {
            let map = map.clone();
            move || assert!(map.remove(&1).is_some())
        });
        for thread in readers.into_iter().chain([remover]) {
            thread.join().unwrap();
        }
        assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        ledger.dropped_by()
    });
    let each = ["first reader", "second reader", "remover"].map(|role| BTreeSet::from([role]));
    assert_eq!(outcomes, BTreeSet::from(each));
}

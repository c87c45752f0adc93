//! R1 and R2 when threads come to a map for the first time: their records are in chunks that are made then.

use std::collections::BTreeSet;

use loom_tests::{Ledger, explore, long, play, promoted};

/// Two readers whose records are in one new chunk, and a remover whose record is in the old one: what a reader sees is not freed,
/// if the other one has made the chunk, too.
#[test]
fn readers_in_a_new_chunk_and_a_remover_in_the_old_one() {
    let outcomes = explore(long(3), || {
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
        assert!(map.remove(&1).is_some());
        for reader in readers {
            reader.join().unwrap();
        }
        assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        ledger.dropped_by()
    });
    let each = ["first reader", "second reader", "main"].map(|role| BTreeSet::from([role]));
    assert_eq!(outcomes, BTreeSet::from(each));
}

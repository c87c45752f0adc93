//! R1 and R2: a remover and readers, and whoever leaves last drops.

use std::collections::BTreeSet;

use loom_tests::{Ledger, explore, long, play, promoted};

/// One reader, one remover: when both have returned the value has been dropped, by either.
#[test]
fn one_reader_and_a_remover() {
    one_reader(long(4));
}

pub(crate) fn one_reader(preemptions: usize) {
    let outcomes = explore(preemptions, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let reader = play("reader", {
            let map = map.clone();
            move || {
                if let Some(value) = map.get(&1) {
                    assert_eq!(value.number(), 1);
                }
            }
        });
        let remover = play("remover", {
            let map = map.clone();
            move || assert!(map.remove(&1).is_some())
        });
        reader.join().unwrap();
        remover.join().unwrap();
        assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        ledger.dropped_by()
    });
    assert_eq!(outcomes, BTreeSet::from([BTreeSet::from(["reader"]), BTreeSet::from(["remover"])]));
}

/// Two readers that leave at the same time, and a remover: each of the three may be the last.
#[test]
fn two_readers_and_a_remover() {
    two_readers(long(3));
}

pub(crate) fn two_readers(preemptions: usize) {
    let outcomes = explore(preemptions, || {
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

//! R2 and R8: who asks what waits is at the pending garbage, and guards that leave meanwhile leave it to drop.

use std::collections::BTreeSet;

use loom_tests::{Ledger, explore, play, promoted};

/// A reader leaves while it is asked who holds back what: when both have returned the value has been dropped, by either.
#[test]
fn a_report_beside_a_leaving_reader() {
    let outcomes = explore(4, || {
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
        assert!(map.remove(&1).is_some());
        let waited = ledger.live() == 1;
        let reported: u64 = map.guards().iter().map(|guard| guard.pending.entries).sum();
        assert!(reported <= u64::from(waited));
        reader.join().unwrap();
        assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        (waited, reported, ledger.dropped_by())
    });
    let told = |waited, reported, role| (waited, reported, BTreeSet::from([role]));
    let expected = [
        // Dropped by the removal; or by the reader before it could be told, or after; or by who asked, likewise.
        told(false, 0, "main"),
        told(false, 0, "reader"),
        told(true, 0, "reader"),
        told(true, 1, "reader"),
        told(true, 0, "main"),
        told(true, 1, "main"),
    ];
    assert_eq!(outcomes, BTreeSet::from(expected));
}

/// The same while the removal is under way: what it hands over, and what it asks for, meets who asks at the pending garbage.
/// (With a third preemption, who asks drops the value, too; that takes minutes.)
#[test]
fn a_report_beside_a_removal_and_a_leaving_reader() {
    let outcomes = explore(2, || {
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
        let reported: u64 = map.guards().iter().map(|guard| guard.pending.entries).max().unwrap_or(0);
        reader.join().unwrap();
        remover.join().unwrap();
        assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        (reported, ledger.dropped_by())
    });
    let told = |reported, role| (reported, BTreeSet::from([role]));
    let expected = [told(0, "reader"), told(0, "remover"), told(1, "reader"), told(1, "remover")];
    assert_eq!(outcomes, BTreeSet::from(expected));
}

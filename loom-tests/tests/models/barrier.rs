//! R3 for a thread that waits: for those who were there before, and for nobody else. A thread that sleeps for ever is a
//! deadlock, which loom reports. (For tasks: `waiting`.)

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom::sync::Notify;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom_tests::{Ledger, explore, number, play, promoted};

/// Was it there still after the removal, and who has dropped it? Who waits does, if the reader has left and not looked yet.
fn either_drops() -> BTreeSet<(bool, BTreeSet<&'static str>)> {
    [(false, "main"), (false, "reader"), (true, "main"), (true, "reader")]
        .map(|(waited, role)| (waited, BTreeSet::from([role])))
        .into()
}

/// Woken by the guard that leaves last, if there is one.
#[test]
fn reclaim_against_a_reader() {
    let outcomes = explore(3, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let reader = play("reader", {
            let map = map.clone();
            move || assert!(number(map.get(&1)).is_none_or(|number| number == 1))
        });
        map.remove(&1);
        let waited = ledger.live() > 0;
        assert_eq!((map.reclaim(), ledger.live()), (Ok(()), 0));
        reader.join().unwrap();
        (waited, ledger.dropped_by())
    });
    assert_eq!(outcomes, either_drops());
}

/// A reader that comes after the removal, and stays until the barrier has passed.
#[test]
fn reclaim_against_a_late_reader() {
    assert_eq!(late_reader(), either_drops());
}

pub(crate) fn late_reader() -> BTreeSet<(bool, BTreeSet<&'static str>)> {
    explore(3, || {
        let ledger = Ledger::default();
        let map = promoted(&ledger, 1, 1);
        let removed = Arc::new(AtomicBool::new(false));
        let passed = Arc::new(Notify::new());
        let reader = play("reader", {
            let (map, removed, passed) = (map.clone(), removed.clone(), passed.clone());
            move || {
                // ORDERING: Acquire, to the Release below: the removal has returned.
                let late = removed.load(Ordering::Acquire);
                let session = map.pin();
                let saw = session.get(&1).is_some();
                assert!(!late || !saw);
                if late {
                    passed.wait();
                }
            }
        });
        map.remove(&1);
        removed.store(true, Ordering::Release);
        let waited = ledger.live() > 0;
        assert_eq!((map.reclaim(), ledger.live()), (Ok(()), 0));
        passed.notify();
        reader.join().unwrap();
        (waited, ledger.dropped_by())
    })
}

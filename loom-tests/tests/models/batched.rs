//! What one thread saves up and others take: nothing is lost, nothing is dropped twice, and it is never more than so many. Two items fill a
//! thread's slots in models; with the third they are moved to a list.

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, explore, filled, long, play};

/// A map with one key that saves up so many.
fn saving(ledger: &Ledger, items: usize) -> Arc<Map<Value>> {
    filled(tidymap::HashMap::builder().reclaim(tidymap::Reclaim::Batched(items)), ledger, &[1])
}

/// Overwrites the key so often.
fn overwrite(ledger: &Ledger, map: &Map<Value>, times: u64) {
    (0..times).for_each(|_| drop(map.insert(1, ledger.value(1))));
}

/// What the taker does not find stays. The third item comes to a slot that the taker has read, or to one that the owner has moved from.
#[test]
fn one_who_saves_up_against_one_who_takes() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = saving(&ledger, 10);
        let saver = play("saver", {
            let (ledger, map) = (ledger.clone(), map.clone());
            move || overwrite(&ledger, &map, 3)
        });
        map.try_reclaim();
        saver.join().unwrap();
        let left = map.stats().pending.entries;
        assert_eq!(ledger.live(), 1 + left as i64, "what is not dropped is known");
        map.try_reclaim();
        assert_eq!(ledger.live(), 1);
        left
    });
    assert_eq!(outcomes, BTreeSet::from([0, 1, 2, 3]));
}

/// What was overwritten before is taken, also if its owner moves it to the list at the same time.
#[test]
fn one_who_takes_against_one_who_moves() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = saving(&ledger, 10);
        overwrite(&ledger, &map, 2);
        let taker = play("taker", {
            let map = map.clone();
            move || {
                let _ = map.try_reclaim();
            }
        });
        overwrite(&ledger, &map, 1);
        taker.join().unwrap();
        let left = map.stats().pending.entries;
        assert!(left <= 1, "{left} are left, and two had been saved up before");
        assert_eq!(map.reclaim(), Ok(()));
        assert_eq!(ledger.live(), 1);
        (left, ledger.dropped_by().contains("taker"))
    });
    // The third is put down last, so only the taker can have dropped that; the other two the owner drops if it is asked to.
    assert_eq!(outcomes, BTreeSet::from([(0, true), (1, true), (1, false)]));
}

/// R4: two threads that save up, and one item that may be.
#[test]
fn two_who_save_up_against_each_other() {
    let outcomes = explore(long(3), || {
        let ledger = Ledger::default();
        let map = saving(&ledger, 1);
        let other = play("other", {
            let (ledger, map) = (ledger.clone(), map.clone());
            move || overwrite(&ledger, &map, 1)
        });
        overwrite(&ledger, &map, 1);
        other.join().unwrap();
        let left = map.stats().pending.entries;
        assert_eq!(ledger.live(), 1 + left as i64);
        assert!(left <= 1, "{left} are saved up");
        map.try_reclaim();
        assert_eq!(ledger.live(), 1);
        ledger.dropped_by()
    });
    let by = |roles: &[&'static str]| roles.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(outcomes, BTreeSet::from([by(&["main"]), by(&["main", "other"])]));
}

//! Handles that read again and again: each read lets pass what was unlinked before it.

use std::collections::BTreeSet;

use loom_tests::{Ledger, explore, filled, long, play};
use tidymap::HashMap;

/// A thread reads twice, in one go, while another removes what it reads: it finds the value whole or not at all, and does not
/// find it again when it has missed it.
#[test]
pub(crate) fn two_reads_against_a_remover() {
    let outcomes = explore(long(4), || {
        let ledger = Ledger::default();
        let map = filled(HashMap::builder(), &ledger, &[1]);
        let remover = play("remover", {
            let map = map.clone();
            move || assert!(map.remove(&1).is_some())
        });
        let mut reader = map.reader();
        let found = [(); 2].map(|()| reader.get(&1).map(|value| value.number()).is_some());
        drop(reader);
        remover.join().unwrap();
        assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        (found, ledger.dropped_by())
    });
    let drops = |found: [bool; 2], role| (found, BTreeSet::from([role]));
    let expected = BTreeSet::from([
        drops([true, true], "main"),
        drops([true, true], "remover"),
        drops([true, false], "main"),
        drops([true, false], "remover"),
        drops([false, false], "main"),
        drops([false, false], "remover"),
    ]);
    assert_eq!(outcomes, expected);
}

/// What waits for a reader is dropped by its next read, or by the remover, who has seen that one; not when the reader ends.
#[test]
fn a_read_against_a_remover_who_waits_for_it() {
    let outcomes = explore(4, || {
        let ledger = Ledger::default();
        let map = filled(HashMap::builder(), &ledger, &[1]);
        let mut reader = map.reader();
        assert_eq!(reader.get(&1).map(|value| value.number()), Some(1));
        let remover = play("remover", {
            let map = map.clone();
            move || assert!(map.remove(&1).is_some())
        });
        let second = reader.get(&1).map(|value| value.number()).is_some();
        remover.join().unwrap();
        assert!(reader.get(&1).is_none());
        assert_eq!(ledger.live(), 0, "this read has let the removal pass, and the reader is still there");
        let dropped_by = ledger.dropped_by();
        drop(reader);
        (second, dropped_by)
    });
    let drops = |second, role| (second, BTreeSet::from([role]));
    let expected = BTreeSet::from([drops(true, "main"), drops(false, "main"), drops(false, "remover")]);
    assert_eq!(outcomes, expected);
}

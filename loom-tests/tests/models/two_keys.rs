//! C1 across keys: each call on one key is linearizable, so all of them together are, if a thread's later call is not done before
//! its earlier one. A one-shot call passes a fence when it takes its guard. Calls under a guard that is there already do not: what
//! is reached beyond that is what processors may show that do not let all others see a store at the same time (see *Limits*).

use loom::sync::Arc;
use loom_tests::{Ledger, Map, Value, ask, explore, number, promoted};

/// Writes one key, and then reads the other: under one guard, or under one for each.
fn write_and_read(map: &Map<Value>, in_session: bool, (key, value): (u64, Value), other: u64) -> Option<u64> {
    if in_session {
        let session = map.pin();
        session.insert(key, value);
        session.get(&other).map(Value::number)
    } else {
        drop(map.insert(key, value));
        number(map.get(&other))
    }
}

/// One overwrites the first key and reads the second, one inserts the second and reads the first. What each has read.
fn crossed(in_sessions: bool) -> std::collections::BTreeSet<(Option<u64>, Option<u64>)> {
    explore(2, move || {
        let ledger = Ledger::default();
        // The first key is in the read table; in the dirty table is room for the second: linking it retires nothing, and gives no stamp.
        let map = promoted(&ledger, 1, 10);
        map.insert(3, ledger.value(30));
        let (one, two) = (ledger.value(11), ledger.value(20));
        let other = ask("other", {
            let map: Arc<Map<Value>> = map.clone();
            move || write_and_read(&map, in_sessions, (2, two), 1)
        });
        (write_and_read(&map, in_sessions, (1, one), 2), other())
    })
}

/// What one-shot calls read: at least one sees what the other has written.
const IN_ORDER: [(Option<u64>, Option<u64>); 3] = [(None, Some(11)), (Some(20), Some(10)), (Some(20), Some(11))];

#[test]
fn one_shot_calls_on_two_keys_are_in_one_order() {
    assert_eq!(crossed(false), IN_ORDER.into());
}

#[test]
fn calls_under_one_guard_may_be_seen_in_two_orders() {
    assert_eq!(crossed(true), IN_ORDER.into_iter().chain([(None, Some(10))]).collect());
}

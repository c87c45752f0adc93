//! R1, R2: two threads meet again and again, and nothing is left.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use tidymap::HashMap;

use crate::common::{GoodHash, RaiseOnDrop, in_parallel};
use crate::world::{Ledgers, Map};

/// R1, R2: whatever two threads do at the same moment, when both are done nothing is left, and nobody had to help. Many
/// short rounds, because what could go wrong goes wrong between two instructions.
fn nothing_is_left_after_a_round<'l>(ledgers: &'l Ledgers, works: [fn(&Map<'l, GoodHash>, &'l Ledgers, u64); 2]) {
    const ROUNDS: u64 = 10_000;
    const KEYS: u64 = 4;
    let map: Map<'_, GoodHash> = HashMap::default();
    (0..KEYS).for_each(|key| drop(map.insert(ledgers.key(key), ledgers.value(key, 0))));
    let (arrived, left) = (AtomicU64::new(0), AtomicBool::new(false));
    // Spins, because threads that sleep do not wake up at the same moment.
    let meet = |meeting: u64| {
        arrived.fetch_add(1, SeqCst);
        let mut spins = 0;
        while arrived.load(SeqCst) < 2 * meeting && !left.load(Relaxed) {
            spins += 1;
            if spins % 256 == 0 {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
    };
    in_parallel(2, |thread| {
        // Whoever leaves, if only by a panic, is not waited for.
        let _left = RaiseOnDrop(&left);
        for round in 0..ROUNDS {
            meet(3 * round + 1);
            works[thread](&map, ledgers, round % KEYS);
            meet(3 * round + 2);
            let alive = (ledgers.keys.live(), ledgers.values.live());
            assert_eq!(alive, (map.len(), map.len()), "keys and values that are alive after round {round}");
            meet(3 * round + 3);
        }
    });
    ledgers.assert_settled(&map);
}

#[test]
fn nothing_is_left_of_an_overwrite_while_another_thread_reads() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, ledgers, key| drop(map.insert(ledgers.key(key), ledgers.value(key, 1))),
            |map, _, key| assert!(map.get(&key).is_some_and(|found| found.open(key) < 2)),
        ],
    );
}

#[test]
fn nothing_is_left_of_an_overwrite_while_another_thread_ends_a_session() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, ledgers, key| {
                map.pin().insert(ledgers.key(key), ledgers.value(key, 1));
            },
            |map, _, _| drop(map.pin()),
        ],
    );
}

#[test]
fn nothing_is_left_of_a_removal_while_another_thread_inserts() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, _, key| drop(map.remove(&key)),
            |map, ledgers, key| drop(map.insert(ledgers.key(key + 1), ledgers.value(key + 1, 1))),
        ],
    );
}

#[test]
fn nothing_is_left_of_two_removals() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, ledgers, key| {
                map.get_or_insert_with(ledgers.key(key), || ledgers.value(key, 1));
                map.remove(&key);
            },
            |map, ledgers, key| {
                map.insert(ledgers.key(key + 1), ledgers.value(key + 1, 1));
                map.remove_if(&key, |_, value| value.open(key) < 2).ok();
            },
        ],
    );
}

#[test]
fn nothing_is_left_of_a_clear_while_another_thread_inserts_and_removes() {
    nothing_is_left_after_a_round(
        &Ledgers::default(),
        [
            |map, _, _| map.clear(),
            |map, ledgers, key| {
                map.insert(ledgers.key(key), ledgers.value(key, 1));
                map.update(&key, |_| ledgers.value(key, 2));
                map.remove(&(key / 2));
            },
        ],
    );
}

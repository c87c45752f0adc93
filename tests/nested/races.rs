//! The last removal against the next insert, by real threads: nothing that was inserted is lost, and nothing empty stays.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tidymap::{Compute, NestedMap, Operation};

use crate::common::{self, Counted, GoodHash, Ledger, Random, in_parallel};

fn rounds() -> u64 {
    if cfg!(miri) { 20 } else { common::rounds::rounds(20_000) }
}

/// Each thread has an inner key of its own in each of two outer keys: it inserts, must find it, and removes, and must have it back. So inner maps run
/// empty and are made anew all the time.
#[test]
fn c1_what_a_thread_inserts_is_there_until_it_removes_it() {
    let ledger = Ledger::new();
    let map = NestedMap::<u64, u64, Counted<'_, u64>, GoodHash>::default();
    in_parallel(4, |thread| {
        let thread = thread as u64;
        let mut random = Random::new(thread);
        for round in 0..rounds() {
            let outer = random.below(2);
            match random.below(4) {
                0 => assert!(map.insert(outer, thread, ledger.make(round)).is_none()),
                1 => assert!(map.try_insert(outer, thread, ledger.make(round)).is_ok()),
                2 => assert_eq!(**map.get_or_insert_with(outer, thread, || ledger.make(round)), round),
                _ => {
                    let computed = map.compute(outer, thread, |old| match old {
                        None => Operation::Insert(ledger.make(round)),
                        Some(_) => Operation::Abort(()),
                    });
                    assert!(matches!(computed, Compute::Inserted(_)));
                }
            }
            assert_eq!(map.get(&outer, &thread).map(|value| **value), Some(round), "lost");
            assert!(map.contains_outer(&outer));
            assert_eq!(map.remove(&outer, &thread).map(|value| **value), Some(round), "lost");
            assert!(map.get(&outer, &thread).is_none());
        }
    });
    assert_eq!((map.len(), map.outer_len(), ledger.live()), (0, 0, 0));
    let stats = map.stats();
    assert_eq!((stats.pending.entries, stats.retired, stats.heap.entries), (0, stats.freed, 0));
}

/// Outer keys are removed under those who insert: each entry is counted by the one who removed it, be it by itself or with its outer key.
#[test]
fn c1_each_entry_is_removed_once() {
    let ledger = Ledger::new();
    let map = NestedMap::<u64, u64, Counted<'_, u64>, GoodHash>::default();
    let (inserted, removed) = (AtomicU64::new(0), AtomicU64::new(0));
    in_parallel(4, |thread| {
        let mut random = Random::new(10 + thread as u64);
        for round in 0..rounds() {
            let (outer, inner) = (random.below(3), random.below(8));
            match random.below(8) {
                0 => {
                    removed.fetch_add(map.remove_outer(&outer) as u64, Relaxed);
                }
                1 | 2 => {
                    removed.fetch_add(u64::from(map.remove(&outer, &inner).is_some()), Relaxed);
                }
                3 if round % 64 == 0 => {
                    // Nobody tells how many that were, so nobody else may remove these: keys of an outer key of its own.
                    let own = 100 + thread as u64;
                    (0..8).for_each(|inner| assert!(map.insert(own, inner, ledger.make(round)).is_none()));
                    map.retain(|outer, inner, _| *outer != own || inner % 2 == 0);
                    assert_eq!(map.inner_len(&own), 4);
                    map.retain(|outer, _, _| *outer != own);
                    assert!(!map.contains_outer(&own));
                }
                _ => {
                    inserted.fetch_add(u64::from(map.insert(outer, inner, ledger.make(round)).is_none()), Relaxed);
                }
            }
        }
    });
    assert_eq!(
        inserted.load(Relaxed) - removed.load(Relaxed),
        map.len() as u64,
        "what is there was inserted and not removed"
    );
    ledger.assert_alive(map.pin().iter().map(|(.., value)| value));
    map.clear();
    let stats = map.stats();
    assert_eq!((ledger.live(), stats.outer_len, stats.retired, stats.heap.entries), (0, 0, stats.freed, 0));
}

/// C2: what is there throughout is met once, whatever comes and goes beside it.
#[test]
fn c2_an_iteration_meets_what_stays_once() {
    let map = NestedMap::<u64, u64, u64, GoodHash>::default();
    for outer in 0..20 {
        (0..5).for_each(|inner| drop(map.insert(outer, inner, 0)));
    }
    let done = AtomicU64::new(0);
    in_parallel(3, |thread| {
        if thread < 2 {
            let mut random = Random::new(20 + thread as u64);
            for _ in 0..rounds() {
                // Entries beside those that stay, and outer keys that come and go.
                let outer = random.below(40);
                let inner = if outer < 20 { 5 + random.below(5) } else { random.below(3) };
                map.insert(outer, inner, 1);
                if random.once_in(3) && outer >= 20 {
                    map.remove_outer(&outer);
                } else {
                    map.remove(&outer, &inner);
                }
            }
            done.fetch_add(1, Relaxed);
            return;
        }
        loop {
            let is_last = done.load(Relaxed) == 2;
            let session = map.pin();
            let mut seen: Vec<(u64, u64)> = session.iter().map(|(outer, inner, _)| (*outer, *inner)).collect();
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), all, "none twice");
            seen.retain(|(outer, inner)| *outer < 20 && *inner < 5);
            assert_eq!(seen.len(), 100, "what stays");
            assert!(session.inners().all(|inner| inner.iter().count() <= 10));
            if is_last {
                return;
            }
        }
    });
    assert_eq!(
        (0..20).map(|outer| map.inner_len(&outer)).sum::<usize>()
            + (20..40).map(|outer| map.inner_len(&outer)).sum::<usize>(),
        map.len()
    );
}

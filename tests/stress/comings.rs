//! Tables, sessions and threads that come and go.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use tidymap::{HashMap, Pinned, Ref};

use crate::THREADS;
use crate::anything::do_anything;
use crate::common::{GoodHash, RaiseOnDrop, Random, in_parallel};
use crate::world::{Key, Ledgers, Map, Value};

/// Keys by the thousand come and go, so that tables are promoted and shrunk, while others read and iterate. Those that are
/// there throughout are always found.
#[test]
fn tables_come_and_go_and_keys_stay() {
    const STAY: u64 = 20;
    const COME_AND_GO: u64 = 1500;
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> = HashMap::default();
    (0..STAY).for_each(|key| drop(map.insert(ledgers.key(key), ledgers.value(key, 0))));
    let (done, largest) = (AtomicBool::new(false), AtomicU64::new(0));
    in_parallel(5, |thread| match thread {
        0 | 1 => {
            let _done = RaiseOnDrop(&done);
            let first = STAY + thread as u64 * COME_AND_GO;
            for round in 0..8 {
                let keys = || first..first + COME_AND_GO;
                keys().for_each(|key| assert!(map.insert(ledgers.key(key), ledgers.value(key, round)).is_none()));
                largest.fetch_max(map.stats().heap.tables, Relaxed);
                match round % 3 {
                    0 => map.retain(|key, _| !keys().contains(&**key)),
                    1 => keys().for_each(|key| assert_eq!(map.remove(&key).map(|old| old.open(key)), Some(round))),
                    _ => {
                        let session = map.pin();
                        keys().for_each(|key| assert_eq!(session.remove(&key).map(|old| old.open(key)), Some(round)));
                    }
                }
            }
        }
        2 => {
            while !done.load(Relaxed) {
                let mut stayed = 0;
                let mut met = BTreeSet::new();
                for (key, value) in &map.pin() {
                    value.open(**key);
                    assert!(met.insert(**key), "key {key:?} was met twice");
                    stayed += u64::from(**key < STAY);
                }
                assert_eq!(stayed, STAY, "keys met of those that are there throughout");
            }
        }
        3 => {
            while !done.load(Relaxed) {
                for key in 0..STAY {
                    assert!(map.get(&key).is_some_and(|found| found.open(key) < u64::MAX), "key {key} is gone");
                }
            }
        }
        _ => {
            let mut number = 0;
            while !done.load(Relaxed) {
                number += 1;
                let key = number % STAY;
                assert!(map.update(&key, |_| ledgers.value(key, number)).is_some(), "key {key} is gone");
            }
        }
    });
    let stats = map.stats();
    assert!(stats.promotions >= 8, "{stats:?}");
    assert!(largest.into_inner() > 8 * 1024, "the tables were never large");
    assert!(stats.heap.tables <= 4096, "the tables have not shrunk: {stats:?}");
    ledgers.assert_settled(&map);
    drop(map);
    ledgers.assert_all_gone();
}

/// What a thread may hold, and what it must go on seeing in it.
enum Held<'m, 'l, S> {
    Session(Pinned<'m, Key<'l>, Value<'l>, S>),
    Ref(Ref<'m, Key<'l>, Value<'l>>, u64),
}

impl<S> Drop for Held<'_, '_, S> {
    fn drop(&mut self) {
        if let Held::Ref(held, number) = self {
            assert_eq!(held.open(**held.key()), *number, "a Ref shows what it showed");
        }
    }
}

#[test]
fn sessions_and_refs_are_dropped_in_any_order() {
    const KEYS: u64 = 8;
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> = HashMap::default();
    in_parallel(THREADS, |thread| {
        let mut random = Random::new(thread as u64);
        let mut held: Vec<Held<'_, '_, GoodHash>> = Vec::new();
        for _ in 0..5000 {
            let key = random.below(KEYS);
            match random.below(12) {
                0 | 1 if held.len() < 6 => held.push(Held::Session(map.pin())),
                2 if held.len() < 6 => held.extend(map.get(&key).map(|found| {
                    let number = found.open(key);
                    Held::Ref(found, number)
                })),
                3 if held.len() < 6 => held.extend(map.remove(&key).map(|removed| {
                    let number = removed.open(key);
                    Held::Ref(removed, number)
                })),
                4..7 if !held.is_empty() => drop(held.swap_remove(random.below(held.len() as u64) as usize)),
                _ => {
                    let sessions = held.iter_mut().filter_map(|held| match held {
                        Held::Session(session) => Some(session),
                        Held::Ref(..) => None,
                    });
                    let Some(session) = sessions.last() else {
                        do_anything(&map, &ledgers, &mut random, KEYS);
                        continue;
                    };
                    let before = session.get(&key).map(|found| (found, found.open(key)));
                    session.insert(ledgers.key(key), ledgers.value(key, random.below(1000)));
                    do_anything(&map, &ledgers, &mut random, KEYS);
                    if let Some((found, number)) = before {
                        assert_eq!(found.open(key), number, "a reference shows what it showed");
                    }
                    if random.once_in(3) {
                        session.refresh();
                    }
                }
            }
        }
        while !held.is_empty() {
            drop(held.swap_remove(random.below(held.len() as u64) as usize));
        }
    });
    ledgers.assert_settled(&map);
}

/// Threads that live for a few operations, many after each other: records are used again, and garbage changes hands.
#[test]
fn threads_come_and_go() {
    let ledgers = Ledgers::default();
    let map: Map<'_, GoodHash> = HashMap::default();
    for round in 0..60 {
        in_parallel(8, |thread| {
            let mut random = Random::new(round * 8 + thread as u64);
            let _session = random.once_in(2).then(|| map.pin());
            (0..20).for_each(|_| do_anything(&map, &ledgers, &mut random, 6));
        });
        ledgers.assert_settled(&map);
    }
    let records = map.stats().heap.records;
    assert!(records <= 64 * 1024, "records of threads that are gone are used again, and yet take {records} bytes");
    drop(map);
    ledgers.assert_all_gone();
}

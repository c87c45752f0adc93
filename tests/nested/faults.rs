//! F1, R5: hostile user code on both levels.

use std::sync::LazyLock;

use tidymap::{NestedMap, Operation};

use crate::common::fuse::{Fuse, burn, lit};
use crate::common::{ConstantHash, Counted, Ledger};

type Key = Counted<'static, u64>;
type Map = NestedMap<Key, Key, Key, ConstantHash>;

fn filled(ledger: &'static Ledger) -> Map {
    let map = Map::default();
    for (outer, inner) in [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)] {
        drop(map.insert(ledger.make(outer), ledger.make(inner), ledger.make(inner)));
    }
    map
}

/// One panic at each single call of user code within each call of the map: nothing is lost, nothing is locked, and no outer key stays without entries.
#[test]
fn f1_a_panic_at_any_call_of_user_code_leaves_the_map_whole() {
    let operations: [(&str, fn(&Map, &'static Ledger)); 21] = [
        ("get", |map, _| assert!(map.get(&1, &2).is_some())),
        ("insert", |map, ledger| drop(map.insert(ledger.make(1), ledger.make(4), ledger.make(4)))),
        ("insert, a new outer key", |map, ledger| drop(map.insert(ledger.make(4), ledger.make(1), ledger.make(1)))),
        ("overwrite", |map, ledger| drop(map.insert(ledger.make(1), ledger.make(2), ledger.make(5)))),
        ("try_insert", |map, ledger| drop(map.try_insert(ledger.make(4), ledger.make(1), ledger.make(1)))),
        ("try_insert what is there", |map, ledger| {
            drop(map.try_insert(ledger.make(1), ledger.make(1), ledger.make(1)))
        }),
        ("get_or_insert_with", |map, ledger| {
            drop(map.get_or_insert_with(ledger.make(5), ledger.make(1), || {
                burn();
                ledger.make(1)
            }));
        }),
        ("update", |map, ledger| {
            let update = |old: &Key| {
                burn();
                ledger.make(**old + 1)
            };
            drop(map.update(&1, &1, update));
        }),
        ("update_or_insert", |map, ledger| {
            drop(map.update_or_insert_with(ledger.make(6), ledger.make(1), |_| ledger.make(1), || ledger.make(2)));
        }),
        ("compute, to insert", |map, ledger| {
            let next = |_: Option<(&Key, &Key)>| {
                burn();
                Operation::<_, ()>::Insert(ledger.make(9))
            };
            drop(map.compute(ledger.make(7), ledger.make(1), next));
        }),
        ("compute, to remove the last", |map, ledger| {
            let next = |_: Option<(&Key, &Key)>| {
                burn();
                Operation::<Key, ()>::Remove
            };
            drop(map.compute(ledger.make(2), ledger.make(1), next));
        }),
        ("get_cloned", |map, _| drop(map.get_cloned(&1, &2))),
        ("update_or_insert what is there", |map, ledger| {
            let update = |old: &Key| {
                burn();
                ledger.make(**old + 1)
            };
            drop(map.update_or_insert_with(ledger.make(1), ledger.make(1), update, || ledger.make(2)));
        }),
        ("compute, to update", |map, ledger| {
            let next = |_: Option<(&Key, &Key)>| {
                burn();
                Operation::<_, ()>::Insert(ledger.make(9))
            };
            drop(map.compute(ledger.make(1), ledger.make(2), next));
        }),
        ("clone and compare", |map, _| assert!(map.clone() == *map)),
        ("remove", |map, _| drop(map.remove(&1, &1))),
        ("remove the last", |map, _| drop(map.remove(&2, &1))),
        ("remove_outer", |map, _| assert_eq!(map.remove_outer(&1), 3)),
        ("retain", |map, _| {
            map.retain(|outer, _, value| {
                burn();
                **outer == 1 && **value > 1
            });
        }),
        ("clear", |map, _| map.clear()),
        ("a session", |map, ledger| {
            let session = map.pin();
            session.insert(ledger.make(8), ledger.make(1), ledger.make(1));
            session.remove(&2, &1);
            session.remove_outer(&3);
            drop(session.try_insert(ledger.make(1), ledger.make(1), ledger.make(1)));
            session.update(&1, &1, |old| ledger.make(**old));
            assert!(session.inner(&1).is_some_and(|inner| inner.contains_key(&1)));
        }),
    ];
    static LEDGER: Ledger = Ledger::new();
    for (name, operation) in operations {
        for first in 0.. {
            let map = filled(&LEDGER);
            let ended = lit(Some(Fuse { first, again: None }), || operation(&map, &LEDGER)).is_some();
            let stats = map.stats();
            assert_eq!((stats.live_guards, stats.pending.entries), (0, 0), "{name}, call {first}: no guard is left");
            let session = map.pin();
            assert_eq!(session.outer_keys().count(), map.outer_len(), "{name}, call {first}: none is without entries");
            let outer: Vec<&Key> = session.outer_keys().collect();
            let entries = session.iter().flat_map(|(_, inner, value)| [inner, value]);
            let expected = outer.len() + 2 * map.len();
            assert_eq!(LEDGER.live(), expected, "{name}, call {first}");
            LEDGER.assert_alive(outer.into_iter().chain(entries));
            assert_eq!(session.iter().count(), map.len());
            drop(session);
            drop(map.insert(LEDGER.make(99), LEDGER.make(1), LEDGER.make(1)));
            assert_eq!(map.remove_outer(&99), 1, "{name}, call {first}: nothing is locked");
            assert_eq!(map.reclaim(), Ok(()));
            drop(map);
            assert_eq!(LEDGER.live(), 0, "{name}, call {first}");
            if ended {
                assert!(first > 0, "{name} calls something of the user's");
                break;
            }
        }
    }
}

static USED: LazyLock<NestedMap<u64, u64, Busy>> = LazyLock::new(NestedMap::new);

/// Uses the map when it is dropped.
struct Busy(u64);

impl Drop for Busy {
    fn drop(&mut self) {
        let Busy(number) = *self;
        if number > 0 {
            USED.insert(number % 3, number, Busy(0));
            assert!(USED.remove(&(number % 3), &number).is_some());
            USED.remove_outer(&(number % 5));
            assert!(USED.reclaim().is_err(), "it would wait for itself");
        }
    }
}

/// R5: destructors run outside every lock and guard, and may use both levels.
#[test]
fn r5_a_destructor_may_use_the_map() {
    for number in 1..100 {
        USED.insert(number % 7, number, Busy(number));
    }
    for number in 1..50 {
        USED.remove(&(number % 7), &number);
    }
    (0..7).for_each(|outer| {
        USED.remove_outer(&outer);
    });
    USED.clear();
    assert_eq!((USED.len(), USED.outer_len(), USED.stats().pending.entries), (0, 0, 0));
}

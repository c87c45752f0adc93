//! Those that mostly look: `Load`, `LoadOrStore`, `Range`, and the adversarial ones, which load between changes.

use std::hint::black_box;

use super::sharing::{Share, Turns, count, count_below, result};
use super::{Map, Ported};
use crate::maps::{Protection, Value};

/// A map of the keys below `hits`, with so many lookups that Go's is in a steady state.
pub(super) fn primed<V: Value, const HITS: u64>() -> Map<V> {
    let map = Map::default();
    for i in 0..HITS {
        map.get_or_insert(i, V::of(i));
    }
    for i in 0..HITS * 2 {
        assert!(map.contains_key(&(i % HITS)));
    }
    map
}

/// A map of the keys below `keys`.
pub(super) fn stored<V: Value, const KEYS: u64>() -> Map<V> {
    let map = Map::default();
    for i in 0..KEYS {
        map.insert(i, V::of(i));
    }
    map
}

pub(super) fn all<V: Value>() -> Vec<Ported<Map<V>>> {
    let base = Ported {
        name: "",
        call: "",
        protection: Protection::OneShot,
        operations: 2_000_000,
        setup: Map::default,
        work: |_, _| unreachable!(),
        check: |_, _| unreachable!(),
        grows: false,
    };
    vec![
        Ported {
            name: "LoadMostlyHits",
            call: "read",
            setup: primed::<V, 1023>,
            work: load,
            check: loads::<V, 1023>,
            ..base
        },
        Ported {
            name: "LoadMostlyHits",
            call: "get, in a session",
            protection: Protection::Session,
            setup: primed::<V, 1023>,
            work: load_in_session,
            check: loads::<V, 1023>,
            ..base
        },
        Ported {
            name: "LoadMostlyMisses",
            call: "read",
            setup: primed::<V, 1>,
            work: load,
            check: loads::<V, 1>,
            ..base
        },
        Ported {
            name: "LoadMostlyMisses",
            call: "get, in a session",
            protection: Protection::Session,
            setup: primed::<V, 1>,
            work: load_in_session,
            check: loads::<V, 1>,
            ..base
        },
        Ported {
            name: "LoadOrStoreBalanced",
            call: "get_or_insert_with",
            operations: 300_000,
            setup: primed::<V, 128>,
            work: load_or_store_balanced,
            check: |map, shares| {
                assert_eq!(result(shares), count(shares));
                assert_eq!(map.len() as i64, 128 + count(shares) - count_below(shares, 128, 256));
            },
            grows: true,
            ..base
        },
        Ported {
            name: "LoadOrStoreUnique",
            call: "get_or_insert_with",
            operations: 200_000,
            work: |map, turns| turns.filter(|&i| map.get_or_insert_with(i, || V::of(i)).number() == i).count() as i64,
            check: |map, shares| assert_eq!((result(shares), map.len() as i64), (count(shares), count(shares))),
            grows: true,
            ..base
        },
        Ported {
            name: "LoadOrStoreCollision",
            call: "get_or_insert_with",
            setup: primed::<V, 1>,
            work: |map, turns| turns.filter(|_| map.get_or_insert_with(0, || V::of(0)).number() == 0).count() as i64,
            check: |map, shares| assert_eq!((result(shares), map.len()), (count(shares), 1)),
            ..base
        },
        Ported {
            name: "Range",
            call: "pin().iter()",
            operations: 20_000,
            setup: stored::<V, 1024>,
            work: range,
            check: |_, shares| assert_eq!(result(shares), count(shares) * (1023 * 1024 / 2)),
            ..base
        },
        Ported {
            name: "AdversarialAlloc",
            call: "read, get_or_insert_with",
            operations: 1_000_000,
            work: adversarial_alloc,
            check: |map, shares| assert_eq!(result(shares), map.len() as i64),
            ..base
        },
        Ported {
            name: "AdversarialDelete",
            call: "read, pin().iter(), insert",
            operations: 1_000_000,
            setup: stored::<V, 1024>,
            work: adversarial_delete,
            check: |map, shares| assert_eq!(result(shares) + 1024, map.len() as i64),
            ..base
        },
    ]
}

/// What is found is the key. `None` must not be.
#[inline(always)]
fn is_right(key: u64, found: Option<u64>) -> bool {
    found == Some(key)
}

fn load<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    turns.map(|i| i % 1024).filter(|&key| is_right(key, map.read(&key, |_, value| value.number()))).count() as i64
}

fn load_in_session<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let session = map.pin();
    turns.map(|i| i % 1024).filter(|&key| is_right(key, session.get(&key).map(V::number))).count() as i64
}

fn loads<V: Value, const HITS: u64>(_: &Map<V>, shares: &[Share]) {
    assert_eq!(result(shares), count_below(shares, HITS, 1024));
}

fn load_or_store_balanced<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let turn = |i: u64| {
        let key = if i % 256 < 128 { i % 256 } else { i };
        map.get_or_insert_with(key, || V::of(i)).number() == key
    };
    turns.map(turn).filter(|is_right| *is_right).count() as i64
}

fn range<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let whole = |_| map.pin().iter().map(|(key, value)| *black_box(key) & value.number()).sum::<u64>();
    turns.map(whole).sum::<u64>() as i64
}

/// Returns what it has stored, less what it found too early.
fn adversarial_alloc<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let (mut stores, mut loads_since_store, mut found) = (0, 0, 0);
    for i in turns {
        found += i64::from(map.read(&i, |_, value| value.number()).is_some());
        loads_since_store += 1;
        if loads_since_store > stores {
            map.get_or_insert_with(i, || V::of(stores));
            loads_since_store = 0;
            stores += 1;
        }
    }
    stores as i64 - found
}

/// Returns what it has stored anew, less what it has deleted.
fn adversarial_delete<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let mut change = 0;
    for i in turns {
        black_box(map.read(&i, |_, value| value.number()));
        if i.is_multiple_of(1024) {
            let session = map.pin();
            if let Some((key, _)) = session.iter().next() {
                change -= i64::from(session.remove(key).is_some());
            }
            drop(session);
            change += i64::from(map.insert(i, V::of(i)).is_none());
        }
    }
    change
}

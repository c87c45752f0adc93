//! Those that change what is there: deleting, swapping, comparing and swapping, and all on one key.

use super::loads::primed;
use super::sharing::{Share, Turns, count, count_below, result};
use super::{Map, Ported};
use crate::maps::{Protection, Value};

pub(super) fn all<V: Value>() -> Vec<Ported<Map<V>>> {
    let base = Ported {
        name: "",
        call: "",
        protection: Protection::OneShot,
        operations: 1_000_000,
        setup: Map::default,
        work: |_, _| unreachable!(),
        check: |_, _| unreachable!(),
        grows: false,
    };
    // Everyone who takes the one key away puts it back.
    let one_is_left: fn(&Map<V>, &[Share]) = |map, shares| {
        assert!(result(shares) > 0);
        assert_eq!((map.len(), map.read(&0, |_, value| value.number())), (1, Some(0)));
    };
    vec![
        Ported {
            name: "LoadAndDeleteBalanced",
            call: "remove",
            setup: primed::<V, 128>,
            work: load_and_delete_balanced,
            check: |map, shares| assert_eq!((result(shares), map.len()), (128, 0)),
            ..base
        },
        Ported {
            name: "LoadAndDeleteUnique",
            call: "remove",
            operations: 10_000_000,
            work: |map, turns| turns.filter(|i| map.remove(i).is_some()).count() as i64,
            check: |_, shares| assert_eq!(result(shares), 0),
            ..base
        },
        Ported {
            name: "LoadAndDeleteCollision",
            call: "remove, insert",
            operations: 500_000,
            setup: primed::<V, 1>,
            work: load_and_delete_collision,
            check: one_is_left,
            ..base
        },
        Ported {
            name: "DeleteCollision",
            call: "remove",
            operations: 10_000_000,
            setup: primed::<V, 1>,
            work: |map, turns| turns.filter(|_| map.remove(&0).is_some()).count() as i64,
            check: |map, shares| assert_eq!((result(shares), map.len()), (1, 0)),
            ..base
        },
        Ported {
            name: "SwapCollision",
            call: "insert",
            setup: primed::<V, 1>,
            work: |map, turns| {
                turns.filter(|_| map.insert(0, V::of(0)).is_some_and(|old| old.number() == 0)).count() as i64
            },
            check: |map, shares| assert_eq!((result(shares), map.len()), (count(shares), 1)),
            ..base
        },
        Ported {
            name: "SwapMostlyHits",
            call: "insert, remove",
            setup: primed::<V, 1023>,
            work: swap::<V, 1023>,
            check: |map, shares| assert_eq!((result(shares), map.len()), (count(shares), 1023)),
            ..base
        },
        Ported {
            name: "SwapMostlyMisses",
            call: "insert, remove",
            operations: 300_000,
            setup: primed::<V, 1>,
            work: swap::<V, 1>,
            check: |map, shares| assert_eq!((result(shares), map.len()), (count(shares), 1)),
            ..base
        },
        Ported {
            name: "CompareAndSwapCollision",
            call: "compare_exchange",
            operations: 500_000,
            setup: primed::<V, 1>,
            work: compare_and_swap_collision,
            check: one_is_left,
            ..base
        },
        Ported {
            name: "CompareAndSwapNoExistingKey",
            call: "compare_exchange, remove",
            operations: 5_000_000,
            work: compare_and_swap_no_existing_key,
            check: |map, shares| assert_eq!((result(shares), map.len()), (count(shares), 0)),
            ..base
        },
        Ported {
            name: "CompareAndSwapValueNotEqual",
            call: "compare_exchange",
            setup: primed::<V, 1>,
            work: compare_and_swap_value_not_equal,
            check: |_, shares| assert_eq!(result(shares), count(shares)),
            ..base
        },
        Ported {
            name: "CompareAndSwapMostlyHits",
            call: "compare_exchange",
            setup: primed::<V, 1023>,
            work: compare_and_swap::<V, 1023>,
            check: |_, shares| assert_eq!(result(shares), count_below(shares, 1023, 1024)),
            ..base
        },
        Ported {
            name: "CompareAndSwapMostlyMisses",
            call: "compare_exchange",
            setup: primed::<V, 1>,
            work: compare_and_swap::<V, 1>,
            check: |_, shares| assert_eq!(result(shares), count_below(shares, 1, 1024)),
            ..base
        },
        Ported {
            name: "CompareAndDeleteCollision",
            call: "remove_if, insert",
            operations: 500_000,
            setup: primed::<V, 1>,
            work: |map, turns| turns.filter(|_| put_back(map, 0, compare_and_delete(map, 0))).count() as i64,
            check: one_is_left,
            ..base
        },
        Ported {
            name: "CompareAndDeleteMostlyHits",
            call: "remove_if, insert",
            operations: 500_000,
            setup: primed::<V, 1023>,
            work: compare_and_delete_and_store::<V, 1023>,
            check: deleted_and_stored::<V, 1023>,
            ..base
        },
        Ported {
            name: "CompareAndDeleteMostlyMisses",
            call: "remove_if, insert",
            setup: primed::<V, 1>,
            work: compare_and_delete_and_store::<V, 1>,
            check: deleted_and_stored::<V, 1>,
            ..base
        },
        Ported {
            name: "Clear",
            call: "clear, insert",
            operations: 200_000,
            work: clear,
            check: |map, shares| {
                assert_eq!(result(shares), count(shares));
                assert!((1..=shares.len()).contains(&map.len()), "each leaves one at most, and the last one does");
            },
            ..base
        },
    ]
}

/// The key that Go's mixes use for iteration `i`: one that is there, or one that nobody else uses.
#[inline(always)]
fn key<const HITS: u64>(i: u64) -> (u64, bool) {
    let is_hit = i % 1024 < HITS;
    (if is_hit { i % 1024 } else { i }, is_hit)
}

/// Puts back what was `removed`.
#[inline(always)]
fn put_back<V: Value>(map: &Map<V>, key: u64, removed: bool) -> bool {
    if removed {
        map.insert(key, V::of(key));
    }
    removed
}

fn load_and_delete_balanced<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let key = |i: u64| if i % 256 < 128 { i % 256 } else { i };
    turns.filter(|&i| map.remove(&key(i)).is_some_and(|pair| pair.number() < 128)).count() as i64
}

fn load_and_delete_collision<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let turn = |_: &u64| {
        // Not as an argument below: what is removed would be held while it is put back.
        let removed = map.remove(&0).is_some();
        put_back(map, 0, removed)
    };
    turns.filter(turn).count() as i64
}

/// Returns how many turns went as they should.
fn swap<V: Value, const HITS: u64>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let turn = |&i: &u64| {
        let (key, is_hit) = key::<HITS>(i);
        let old = map.insert(key, V::of(key)).map(|pair| pair.number());
        if is_hit {
            old == Some(key)
        } else {
            old.is_none() && map.remove(&key).is_some_and(|pair| pair.number() == key)
        }
    };
    turns.filter(turn).count() as i64
}

fn compare_and_swap_collision<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let (zero, other) = (V::of(0), V::of(42));
    let turn = |_: &u64| {
        let swapped = map.compare_exchange(&0, &zero, V::of(42)).is_ok();
        if swapped {
            // Nobody else changes 42.
            assert!(map.compare_exchange(&0, &other, V::of(0)).is_ok());
        }
        swapped
    };
    turns.filter(turn).count() as i64
}

fn compare_and_swap_no_existing_key<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let zero = V::of(0);
    let turn = |i: &u64| match map.compare_exchange(i, &zero, V::of(0)) {
        Ok(_) => {
            map.remove(i);
            false
        }
        Err(error) => error.current.is_none(),
    };
    turns.filter(turn).count() as i64
}

fn compare_and_swap_value_not_equal<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let one = V::of(1);
    let is_zero = |error: tidymap::CompareExchangeError<tidymap::Ref<'_, u64, V>, V>| {
        error.current.is_some_and(|pair| pair.number() == 0)
    };
    turns.filter(|_| map.compare_exchange(&0, &one, V::of(2)).is_err_and(is_zero)).count() as i64
}

fn compare_and_swap<V: Value, const HITS: u64>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let turn = |&i: &u64| {
        let (key, _) = key::<HITS>(i);
        map.compare_exchange(&key, &V::of(key), V::of(key)).is_ok()
    };
    turns.filter(turn).count() as i64
}

fn compare_and_delete<V: Value>(map: &Map<V>, key: u64) -> bool {
    matches!(map.remove_if(&key, |_, value| value.number() == key), Ok(Some(_)))
}

fn compare_and_delete_and_store<V: Value, const HITS: u64>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    turns.map(|i| key::<HITS>(i).0).filter(|&key| put_back(map, key, compare_and_delete(map, key))).count() as i64
}

fn deleted_and_stored<V: Value, const HITS: u64>(map: &Map<V>, shares: &[Share]) {
    let hits = count_below(shares, HITS, 1024);
    // What one has deleted the other one misses until it is put back.
    let at_least = if shares.len() == 1 { hits } else { 0 };
    assert!((at_least..=hits).contains(&result(shares)));
    assert_eq!(map.len() as u64, HITS);
}

fn clear<V: Value>(map: &Map<V>, turns: &mut Turns<'_>) -> i64 {
    let turn = |i: u64| {
        map.clear();
        map.insert(i % 256, V::of(i % 256));
    };
    turns.map(turn).count() as i64
}

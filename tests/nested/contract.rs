//! Lines of the contract, by number, on both levels.

use std::sync::mpsc::channel;
use std::time::Duration;

use tidymap::{NestedMap, ReclaimError};

use crate::common::{Counted, GoodHash, Ledger};

type Map<'l> = NestedMap<Counted<'l, u64>, Counted<'l, u64>, Counted<'l, u64>, GoodHash>;

fn insert<'l>(map: &Map<'l>, ledger: &'l Ledger, outer: u64, inner: u64) {
    drop(map.insert(ledger.make(outer), ledger.make(inner), ledger.make(inner)));
}

#[test]
fn r1_what_a_call_removes_is_dropped_when_it_returns() {
    let ledger = Ledger::new();
    let map = Map::default();
    insert(&map, &ledger, 1, 1);
    assert_eq!(ledger.live(), 3);
    insert(&map, &ledger, 1, 1);
    assert_eq!(ledger.live(), 3, "keys that are there already, and the value from before");
    insert(&map, &ledger, 1, 2);
    assert_eq!(ledger.live(), 5, "an outer key that is there already");
    drop(map.remove(&1, &1));
    assert_eq!(ledger.live(), 3);
    drop(map.remove(&1, &2));
    assert_eq!(ledger.live(), 0, "the outer key goes with its last entry");
    (0..100).for_each(|key| insert(&map, &ledger, key % 3, key));
    assert_eq!(map.remove_outer(&1), 33);
    assert_eq!(ledger.live(), 2 + 2 * 67);
    map.retain(|_, inner, _| **inner % 3 == 0);
    assert_eq!((ledger.live(), map.outer_len()), (1 + 2 * 34, 1));
    map.clear();
    assert_eq!(ledger.live(), 0);
}

#[test]
fn r1_a_result_holds_what_it_shows() {
    let ledger = Ledger::new();
    let map = Map::default();
    insert(&map, &ledger, 1, 1);
    let removed = map.remove(&1, &1).unwrap();
    assert_eq!((**removed.key(), **removed.value(), map.len(), map.outer_len()), (1, 1, 0, 0));
    assert_eq!(ledger.live(), 3);
    drop(removed);
    assert_eq!(ledger.live(), 0);
}

/// The last of the guards that could see it drops what has been removed, on either level; later ones hold nothing back.
#[test]
fn r2_the_last_one_out_drops_the_outer_key_too() {
    let ledger = Ledger::new();
    let map = Map::default();
    insert(&map, &ledger, 1, 1);
    let (first, second) = (map.pin(), map.pin());
    let seen = first.get(&1, &1).unwrap();
    assert_eq!(map.remove_outer(&1), 1);
    let later = map.pin();
    assert_eq!(later.get(&1, &1).map(|value| value.id()), None);
    insert(&map, &ledger, 1, 1);
    assert_eq!((ledger.live(), **seen), (6, 1));
    drop(first);
    assert_eq!(ledger.live(), 6);
    drop(second);
    assert_eq!(ledger.live(), 3, "though a later guard is live");
    drop(later);
    assert_eq!(map.stats().pending.entries, 0);
}

/// A session sees what it has found, whatever becomes of the outer key; the inner map that it has asked for is that of before.
#[test]
fn r2_an_inner_map_is_of_its_time() {
    let ledger = Ledger::new();
    let map = Map::default();
    (0..50).for_each(|key| insert(&map, &ledger, 1, key));
    let session = map.pin();
    let inner = session.inner(&1).unwrap();
    let mut entries = inner.iter();
    let (key, value) = entries.next().unwrap();
    assert_eq!(map.remove_outer(&1), 50);
    insert(&map, &ledger, 1, 7);
    assert_eq!((inner.len(), inner.iter().count(), inner.get(&7).is_some()), (0, 0, false));
    assert_eq!(entries.count(), 0, "the others are dead");
    assert_eq!((**inner.outer_key(), **key == **value), (1, true));
    assert_eq!(session.inner(&1).unwrap().len(), 1);
}

#[test]
fn r3_reclaim_waits_for_what_was_removed() {
    let ledger = Ledger::new();
    let map = Map::default();
    insert(&map, &ledger, 1, 1);
    let (has, held) = channel();
    let (leave, leaves) = channel::<()>();
    std::thread::scope(|scope| {
        let map = &map;
        scope.spawn(move || {
            let session = map.pin();
            has.send(()).unwrap();
            leaves.recv().unwrap();
            drop(session);
        });
        held.recv().unwrap();
        drop(map.remove(&1, &1));
        assert_eq!(map.reclaim_timeout(Duration::from_millis(10)), Err(ReclaimError::TimedOut));
        assert_eq!(map.try_reclaim().entries, 2);
        leave.send(()).unwrap();
        assert_eq!(map.reclaim(), Ok(()));
        assert_eq!(ledger.live(), 0);
    });
    let session = map.pin();
    assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
    drop(session);
}

#[test]
fn r7_keys_and_values_may_borrow_and_go_with_the_map() {
    let ledger = Ledger::new();
    {
        let map = Map::default();
        (0..1000).for_each(|key| insert(&map, &ledger, key % 10, key));
        assert_eq!(ledger.live(), 2010);
        std::mem::forget(map.pin());
        assert_eq!(map.remove_outer(&3), 100);
        assert_eq!(ledger.live(), 2010, "a leaked guard holds it back");
    }
    assert_eq!(ledger.live(), 0);
}

#[test]
fn r8_figures_tell_what_is_held() {
    let ledger = Ledger::new();
    let map = Map::default();
    (0..100).for_each(|key| insert(&map, &ledger, key % 2, key));
    let session = map.pin();
    assert_eq!(map.remove_outer(&0), 50);
    let stats = map.stats();
    assert_eq!((stats.len, stats.outer_len, stats.live_guards, stats.retired, stats.freed), (50, 1, 1, 51, 0));
    assert_eq!(stats.pending.entries, 51);
    assert!(stats.oldest_guard.is_some());
    assert_eq!(map.guards().iter().next().unwrap().pending.entries, 51);
    drop(session);
    let stats = map.stats();
    assert_eq!((stats.freed, stats.pending.entries, stats.live_guards), (51, 0, 0));
}

#[test]
fn f3_a_call_under_a_guard_of_its_own_thread_goes_on() {
    let ledger = Ledger::new();
    let map = Map::default();
    let session = map.pin();
    insert(&map, &ledger, 1, 1);
    let held = map.get(&1, &1).unwrap();
    assert_eq!(map.remove_outer(&1), 1);
    insert(&map, &ledger, 1, 1);
    map.clear();
    map.retain(|_, _, _| false);
    assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
    drop((held, session));
    assert_eq!(ledger.live(), 0);
}

//! Destructors and closures that panic; iterators and guards that are leaked. Each pair is dropped once, by whoever has it.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tidymap::HashMap;

use crate::common::fuse::{Fuse, burn, lit};
use crate::common::{Counted, Ledger};

type Map<'l> = HashMap<Counted<'l, u64>, Counted<'l, u64>>;

/// The odd ones overwritten, so that their values are in boxes.
fn filled<'l>(keys: &'l Ledger, values: &'l Ledger, entries: u64) -> Map<'l> {
    let map: Map<'l> = (0..entries).map(|key| (keys.make(key), values.make(key))).collect();
    (1..entries).step_by(2).for_each(|key| drop(map.insert(keys.make(key), values.make(key))));
    map
}

const ENTRIES: u64 = 40;

/// Each call of the user's code in `work` in turn panics, and then every second one, or all that follow. Whatever happens, what is alive
/// afterwards is what the map has, and the map is usable. Returns how many of the runs ended by a panic.
fn at_each_call(work: impl for<'l> Fn(&mut Map<'l>)) -> u32 {
    let mut panics = 0;
    for first in (0..3 * ENTRIES as u32).step_by(if cfg!(miri) { 19 } else { 1 }) {
        for again in [None, Some(0), Some(1)] {
            let (keys, values) = (Ledger::new(), Ledger::new());
            let mut map = filled(&keys, &values, ENTRIES);
            panics += u32::from(lit(Some(Fuse { first, again }), || work(&mut map)).is_none());
            assert_eq!(
                (keys.live(), values.live()),
                (map.len(), map.len()),
                "call {first}: what is alive is in the map"
            );
            keys.assert_alive(map.pin().keys());
            values.assert_alive(map.pin().values());
            let stats = map.stats();
            assert_eq!((stats.read_len + stats.dirty_len, stats.pending.entries), (map.len(), 0));
            map.insert(keys.make(1000), values.make(1));
            assert!(map.remove_mut(&1000).is_some());
            drop(map);
            assert_eq!((keys.live(), values.live()), (0, 0));
        }
    }
    panics
}

const FEW: u32 = if cfg!(miri) { 6 } else { 100 };

#[test]
fn a_drain_ends_with_all_that_it_has_left() {
    let empties = |map: &mut Map<'_>, taken: usize| {
        let ended = catch_unwind(AssertUnwindSafe(|| map.drain().by_ref().take(taken).for_each(drop)));
        assert!(map.is_empty(), "the others had their turn");
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
    };
    assert!(at_each_call(|map| empties(map, 0)) > FEW);
    assert!(at_each_call(|map| empties(map, 15)) > FEW);
}

#[test]
fn a_closure_that_panics_leaves_its_pair_in_the_map() {
    let wanted = |map: &mut Map<'_>| {
        let before = map.len();
        let mut asked = 0;
        let taken = catch_unwind(AssertUnwindSafe(|| {
            let wanted = |key: &Counted<'_, u64>, _: &mut _| {
                asked += 1;
                burn();
                **key % 2 == 0
            };
            map.extract_if(wanted).map(forget_pair).count()
        }));
        match taken {
            Ok(taken) => assert_eq!((asked, map.len()), (before, before - taken)),
            Err(panic) => {
                assert!(map.len() + asked > before, "the one that was asked last is there");
                resume_unwind(panic);
            }
        }
    };
    /// Drops it, without a panic: that is another test.
    fn forget_pair((key, value): (Counted<'_, u64>, Counted<'_, u64>)) {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(key)));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
    }
    assert!(at_each_call(wanted) > FEW / 2);
    assert!(at_each_call(|map| map.extract_if(|key, _| **key % 3 != 0).for_each(drop)) > FEW / 2);
}

#[test]
fn lookups_and_changes_in_place() {
    let changes = |map: &mut Map<'_>| {
        map.get_mut(&5);
        map.remove_mut(&6);
        map.remove_mut(&7);
        let five = map.get(&5).map(|five| five.clone());
        map.values_mut().zip(five).for_each(|(value, five)| *value = five);
    };
    assert!(at_each_call(changes) > if cfg!(miri) { 0 } else { 10 });
}

#[test]
fn an_owned_iterator_ends_with_all_that_it_has_left() {
    let mut panics = 0;
    for first in 0..2 * ENTRIES as u32 {
        for again in [None, Some(0)] {
            let (keys, values) = (Ledger::new(), Ledger::new());
            let map = filled(&keys, &values, ENTRIES);
            let taken = || map.into_iter().take(first as usize / 3).for_each(drop);
            panics += u32::from(lit(Some(Fuse { first, again }), taken).is_none());
            assert_eq!((keys.live(), values.live()), (0, 0), "call {first}");
        }
    }
    assert_eq!(panics, 4 * ENTRIES as u32, "each of the destructors had its turn");
}

/// Nothing is dropped twice, and what was not taken is where it was.
#[test]
fn leaked_iterators() {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let mut map = filled(&keys, &values, ENTRIES);
    let mut pairs = map.drain();
    let taken: Vec<_> = pairs.by_ref().take(10).collect();
    forget(pairs);
    assert_eq!((map.len() as u64, keys.live() as u64), (ENTRIES - 10, ENTRIES));
    assert!(taken.iter().all(|(key, _)| !map.contains_key(&**key)));
    let mut pairs = map.extract_if(|_, _| true);
    let more: Vec<_> = pairs.by_ref().take(10).collect();
    forget(pairs);
    #[expect(clippy::forget_non_drop, reason = "it has no destructor, and might have one some day")]
    forget(map.iter_mut());
    assert_eq!(map.len() as u64, ENTRIES - 20);
    drop((taken, more));
    keys.assert_alive(map.pin().keys());
    values.assert_alive(map.pin().values());
    (0..ENTRIES).for_each(|key| drop(map.insert(keys.make(key), values.make(key))));
    assert_eq!(map.len() as u64, ENTRIES);
    drop(map);
    assert_eq!((keys.live(), values.live()), (0, 0));
}

/// What a leaked guard has seen stays; what is in the map is for who has that, whatever was leaked.
#[test]
fn leaked_guards() {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let mut map = filled(&keys, &values, ENTRIES);
    let session = map.pin();
    // Removed, and overwritten in entries that live on: the first value is in the entry.
    session.remove(&0);
    (2..10).for_each(|key| assert!(session.insert(keys.make(key), values.make(100 + key)).is_some()));
    forget(session);
    forget(map.get(&3));
    let waiting = map.stats().pending.entries;
    assert_eq!(waiting, 9);

    let place = map.get_mut(&2).expect("it is there");
    assert_eq!(**place, 102);
    *place = values.make(202);
    for (key, value) in &mut map {
        assert_eq!(**value % 100, **key);
    }
    let taken: Vec<_> = map.extract_if(|key, _| **key < 5).collect();
    assert!(taken.iter().all(|(key, value)| **value == if **key == 2 { 202 } else { 100 + **key } || **key == 1));
    let two = taken.iter().find(|(key, _)| **key == 2).map(|(_, value)| **value);
    assert_eq!((taken.len(), two), (4, Some(202)));
    drop(taken);
    assert_eq!(map.remove_mut(&5).map(|(_, value)| *value), Some(105));
    map.drain().take(10).for_each(drop);
    assert_eq!((map.len(), map.stats().pending.entries), (0, waiting), "what waited, and no pair beside it");
    assert_eq!(values.live() as u64, waiting);
    // The keys of what was overwritten are those that were taken.
    assert_eq!(keys.live(), 1);
    drop(map.into_iter());
    assert_eq!((keys.live(), values.live()), (0, 0));
}

/// The map goes to another thread with its iterator, and comes back.
#[test]
fn on_another_thread() {
    let (keys, values) = (Ledger::new(), Ledger::new());
    let mut map = filled(&keys, &values, ENTRIES);
    let on_another = |work: &mut (dyn FnMut() + Send)| std::thread::scope(|scope| scope.spawn(work).join().unwrap());
    let mut all = map.iter_mut();
    on_another(&mut || all.by_ref().take(10).for_each(|(_, value)| *value = values.make(7)));
    assert_eq!(all.len() as u64, ENTRIES - 10);
    let mut pairs = map.drain();
    let here = pairs.by_ref().take(3).count();
    on_another(&mut || assert_eq!(pairs.by_ref().take(5).count() + here, 8));
    drop(pairs);
    map.insert(keys.make(1), values.make(1));
    let mut owned = map.into_iter();
    on_another(&mut || assert_eq!(owned.next().map(|(key, value)| (*key, *value)), Some((1, 1))));
    drop(owned);
    assert_eq!((keys.live(), values.live()), (0, 0));
}

/// A drain that was leaked leaves tables in which nothing is linked. Who reserves finds room in one of them, and that one stays.
#[test]
fn a_reservation_after_a_leaked_drain_holds() {
    for entries in if cfg!(miri) { 99..100 } else { 1..200_u64 } {
        let mut map: HashMap<u64, u64> = HashMap::new();
        (0..entries).for_each(|key| drop(map.insert(key, key)));
        let mut drain = map.drain();
        assert_eq!(drain.by_ref().count() as u64, entries);
        std::mem::forget(drain);
        map.reserve(1);
        assert!(map.capacity() >= 1, "after {entries}");
        assert!(map.insert(0, 0).is_none());
        assert_eq!((map.len(), map.get_cloned(&0)), (1, Some(0)));
    }
}

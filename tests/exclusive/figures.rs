//! What is moved out is removed, and not garbage: the figures say so, the hook is not given it, and no cap makes anybody wait.

use std::mem::forget;
use std::sync::{Arc, Mutex};

use tidymap::{HashMap, Reclaim, Reclaimed};

/// A map of so many entries, a third of them overwritten, and what its hook has been given.
fn hooked(entries: u64) -> (HashMap<u64, u64>, Arc<Mutex<Vec<u64>>>) {
    let given = Arc::<Mutex<Vec<u64>>>::default();
    let bin = given.clone();
    let hook = move |reclaimed| match reclaimed {
        Reclaimed::Removed(key, _) => bin.lock().unwrap().push(key),
        Reclaimed::Overwritten(_) => {}
    };
    let map = HashMap::builder().on_reclaim(hook).build();
    (0..entries).for_each(|key| drop(map.insert(key, 0)));
    (0..entries).step_by(3).for_each(|key| drop(map.insert(key, 1)));
    (map, given)
}

fn sorted(given: &Mutex<Vec<u64>>) -> Vec<u64> {
    let mut keys = given.lock().unwrap().clone();
    keys.sort_unstable();
    keys
}

#[test]
fn what_is_taken_out_counts_as_removed_and_dropped() {
    const ENTRIES: u64 = 1000;
    let (mut map, given) = hooked(ENTRIES);
    let before = map.stats();
    let per_entry = |stats: &tidymap::Stats| (stats.retired - before.retired, stats.freed - before.freed);

    assert_eq!(map.remove_mut(&7), Some((7, 0)));
    assert_eq!(per_entry(&map.stats()), (1, 1));
    assert_eq!(map.extract_if(|key, _| *key < 100).count(), 99);
    assert_eq!(per_entry(&map.stats()), (100, 100));
    let kept: Vec<_> = map.drain().take(100).collect();
    assert_eq!(per_entry(&map.stats()), (ENTRIES, ENTRIES), "those that were left, too");

    let rest = sorted(&given);
    assert_eq!(
        rest.len() as u64,
        ENTRIES - 200,
        "the map drops nothing by itself (R10), and what is taken is not the map's"
    );
    assert!(rest.iter().all(|key| *key >= 100) && kept.iter().all(|(key, _)| !rest.contains(key)));
    let stats = map.stats();
    assert_eq!((stats.len, stats.pending.entries, stats.heap.entries), (0, 0, 0));
    assert!(stats.heap.tables <= 4096, "M2");
    assert!(map.insert(1, 1).is_none() && map.len() == 1);
}

/// R7, R10: as if the map itself were dropped.
#[test]
fn what_an_owned_iterator_leaves_is_given_to_the_hook() {
    let (map, given) = hooked(50);
    let mut pairs = map.into_iter();
    let taken: Vec<u64> = pairs.by_ref().take(20).map(|(key, _)| key).collect();
    assert!(given.lock().unwrap().is_empty());
    drop(pairs);
    let rest = sorted(&given);
    assert_eq!(rest.len(), 30);
    assert!(taken.iter().all(|key| !rest.contains(key)));

    let (map, given) = hooked(50);
    assert_eq!(map.into_keys().map(|key| key + 1).sum::<u64>(), 50 * 51 / 2);
    let (map, also) = hooked(50);
    assert_eq!(map.into_values().sum::<u64>(), 17);
    assert!(sorted(&given).is_empty() && sorted(&also).is_empty());
}

/// Neither does anything wait when the cap is reached by what a leaked guard holds back, nor does it count for the cap.
#[test]
fn a_cap_stops_nobody_who_has_the_map_to_himself() {
    let mut map: HashMap<u64, u64> = HashMap::builder().max_pending(2).build();
    map.extend((0..100).map(|key| (key, key)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let session = map.pin();
            assert_eq!(session.remove_many(&[0, 1]), 2);
            forget(session);
        });
    });
    assert_eq!(map.stats().pending.entries, 2, "there is no room left");
    assert_eq!(map.remove_mut(&2), Some((2, 2)));
    *map.get_mut(&3).unwrap() = 4;
    assert_eq!(map.extract_if(|key, _| key % 2 == 0).count(), 48);
    assert_eq!(map.drain().count(), 49);
    assert_eq!((map.stats().pending.entries, map.len()), (2, 0));
}

#[test]
fn what_is_saved_up_is_none_of_it() {
    let mut map: HashMap<u64, u64> = HashMap::builder().reclaim(Reclaim::Batched(10)).build();
    map.extend((0..5).map(|key| (key, key)));
    map.remove(&0);
    assert_eq!(map.stats().pending.entries, 1);
    assert_eq!(map.remove_mut(&1), Some((1, 1)));
    assert_eq!((map.drain().count(), map.stats().pending.entries), (3, 1));
}

/// A value that is changed in place is not overwritten, and the map hears nothing of it.
#[test]
fn a_change_in_place_is_not_counted() {
    let (mut map, given) = hooked(10);
    let before = map.stats();
    *map.get_mut(&1).unwrap() = 7;
    map.values_mut().for_each(|value| *value += 1);
    (&mut map).into_iter().for_each(|(_, value)| *value += 1);
    assert_eq!(map.stats(), before);
    assert!(given.lock().unwrap().is_empty());
    assert_eq!((map.get_cloned(&1), map.get_cloned(&0), map.get_cloned(&2)), (Some(9), Some(3), Some(2)));
}

/// Tables that are too large for what an extraction leaves are made anew, as after as many removals.
#[test]
fn tables_shrink_after_an_extraction() {
    let entries = if cfg!(miri) { 2000 } else { 100_000 };
    let mut map: HashMap<u64, u64> = (0..entries).map(|key| (key, key)).collect();
    let full = map.stats().heap.tables;
    assert_eq!(map.extract_if(|key, _| *key >= 10).count() as u64, entries - 10);
    map.try_reclaim();
    assert!(map.stats().heap.tables < full / 8, "{} of {full} bytes", map.stats().heap.tables);
    assert_eq!(map.pin().iter().map(|(key, _)| key).sum::<u64>(), 45);
}

//! M1 to M4, by the allocator's own count.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use foldhash::fast::FixedState;
use tidymap::{HashMap, Reclaim};

use crate::support::{Counter, allocations, balance, filled, key};

type Map = HashMap<u64, u64, FixedState>;

/// What the thread holds more than before, without the map's records of threads.
fn held(map: &Map, before: isize) -> isize {
    balance() - before - map.stats().heap.records as isize
}

#[test]
fn m1_an_empty_map_allocates_nothing() {
    let before = allocations();
    let map = Map::default();
    assert!(map.get(&1).is_none() && map.remove(&1).is_none() && !map.contains_key(&1));
    assert!(map.update(&1, |value| *value).is_none());
    map.clear();
    assert_eq!((map.len(), map.capacity()), (0, 0));
    assert_eq!(allocations(), before, "neither made nor asked");
    // A session needs a record, once.
    drop(map.pin());
    let before = allocations();
    assert_eq!(map.pin().iter().count(), 0);
    map.retain(|_, _| true);
    assert_eq!(allocations(), before);
}

const MANY: u64 = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };

/// Fills a map, checks it, has `empty` remove all entries, and checks that the memory has gone back.
fn gives_memory_back(empty: impl FnOnce(&Map)) {
    // The process's list of threads may grow by this one.
    drop(Map::default().pin());
    let before = balance();
    let map = Map::default();
    for key in 0..MANY {
        map.insert(key, key);
    }
    assert!(held(&map, before) > 24 * MANY as isize);
    empty(&map);
    assert_eq!(map.len(), 0);
    let stats = map.stats();
    assert!(held(&map, before) <= 4096, "{} bytes by the allocator; {stats:?}", held(&map, before));
    assert!(stats.heap.tables + stats.heap.entries <= 4096, "{stats:?}");
    drop(map);
    assert!(balance() - before <= 0);
}

#[test]
fn m2_after_removing_all_entries_one_by_one_at_most_4_kib_are_held() {
    gives_memory_back(|map| (0..MANY).for_each(|key| drop(map.remove(&key))));
}

#[test]
fn m2_after_removing_all_entries_in_a_session_at_most_4_kib_are_held() {
    gives_memory_back(|map| {
        let session = map.pin();
        (0..MANY).rev().for_each(|key| assert!(session.remove(&key).is_some()));
    });
}

#[test]
fn m2_after_retaining_nothing_at_most_4_kib_are_held() {
    gives_memory_back(|map| map.retain(|_, _| false));
}

#[test]
fn m2_after_retaining_nothing_of_what_was_never_promoted_at_most_4_kib_are_held() {
    let map: Map = (0..MANY).map(|key| (key, key)).collect();
    map.retain(|_, _| false);
    let heap = map.stats().heap;
    assert!(heap.tables + heap.entries <= 4096, "{heap:?}");
}

#[test]
fn m2_after_clear_at_most_4_kib_are_held() {
    gives_memory_back(|map| map.clear());
}

#[test]
fn m2_after_a_reader_was_live_throughout_at_most_4_kib_are_held() {
    gives_memory_back(|map| {
        let reader = map.pin();
        (0..MANY).for_each(|key| drop(map.remove(&key)));
        assert_eq!(map.stats().pending.entries, MANY);
        drop(reader);
    });
}

/// Threads that remove each in its way, beside one that reads: nothing of the large tables is left on its way back.
#[test]
fn m2_after_threads_have_removed_all_at_most_4_kib_are_held() {
    const KEYS: u64 = MANY / 4;
    for reclaim in [Reclaim::Immediate, Reclaim::Batched(50)] {
        let map: HashMap<u64, u64, _> =
            HashMap::<u64, u64>::builder().reclaim(reclaim).hasher(FixedState::default()).build();
        (0..KEYS).for_each(|key| drop(map.insert(key, key)));
        let (map, done) = (&map, &AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let session = map.pin();
                    drop((map.get(&1), map.get(&2)));
                    drop(session);
                }
            });
            let one_by_one = scope.spawn(|| (0..KEYS).step_by(3).for_each(|key| drop(map.remove(&key))));
            let in_sessions = scope.spawn(|| {
                let mut outer = map.pin();
                for key in (1..KEYS).step_by(3) {
                    let inner = map.pin();
                    assert!(inner.remove(&key).is_some());
                    if key % 1000 == 0 {
                        outer.refresh();
                    }
                }
            });
            let by_value =
                scope.spawn(|| (2..KEYS).step_by(3).for_each(|key| assert!(map.remove_owned(&key).unwrap().is_some())));
            for remover in [one_by_one, in_sessions, by_value] {
                remover.join().unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        let stats = map.stats();
        let saved_up = if reclaim == Reclaim::Immediate { 0 } else { 50 * 40 };
        assert!(stats.heap.tables + stats.heap.entries <= 4096 + saved_up, "{reclaim:?}: {stats:?}");
    }
}

#[test]
fn m2_entries_that_have_been_overwritten_are_given_back_whole() {
    drop(Map::default().pin());
    let before = balance();
    let map = Map::default();
    let reader = map.pin();
    for key in 0..10_000 {
        map.insert(key, 0);
        map.insert(key, 1);
        if key % 2 == 0 {
            map.insert(key, 2);
        }
        map.remove(&key);
    }
    drop(reader);
    assert!(held(&map, before) <= 4096, "{}", held(&map, before));
}

#[test]
fn a_reservation_is_not_lost_by_reading() {
    let map = Map::with_capacity_and_hasher(100_000, FixedState::default());
    (0..1000).for_each(|key| assert!(map.get(&key).is_none()));
    assert!(map.capacity() >= 100_000);
}

#[test]
fn m3_shrink_to_fit_brings_the_tables_to_the_least_size() {
    let map = Map::default();
    map.reserve(100_000);
    for key in 0..1000 {
        map.insert(key, key);
    }
    let large = map.stats();
    map.shrink_to_fit();
    let small = map.stats();
    assert!(large.heap.tables > 1_000_000 && small.heap.tables < 32 * 1000, "{large:?} {small:?}");
    assert_eq!((small.read_len, small.dirty_len), (1000, 0));
    // The least: another map made for as many entries has no smaller ones.
    let again: Map = (0..1000).map(|key| (key, key)).collect();
    again.shrink_to_fit();
    assert_eq!(small.heap.tables, again.stats().heap.tables);
    map.clear();
    map.shrink_to_fit();
    assert_eq!(map.stats().heap.tables, 0);
}

#[test]
fn m4_what_the_map_reports_agrees_with_the_allocator() {
    let before = balance();
    let map = Map::default();
    let agrees = |what: &str| {
        let (reported, counted) = (map.stats().heap.total() as isize, balance() - before);
        let difference = (reported - counted).abs();
        assert!(difference * 20 <= counted, "{what}: reported {reported}, counted {counted}");
    };
    for key in 0..100_000 {
        map.insert(key, key);
    }
    agrees("filled");
    map.shrink_to_fit();
    agrees("fitted");
    for key in 0..50_000 {
        map.insert(key, key + 1);
    }
    agrees("half overwritten");
    for key in 0..90_000 {
        map.remove(&key);
    }
    agrees("nearly emptied");
}

#[test]
fn m4_a_million_small_entries_take_at_most_54_bytes_each() {
    const MANY: u64 = 1_000_000;
    let before = balance();
    let map = Map::default();
    for key in 0..MANY {
        map.insert(key, key);
    }
    let each = held(&map, before) as f64 / MANY as f64;
    assert!(each <= 54.0, "{each} bytes an entry as filled");
    map.shrink_to_fit();
    let each = held(&map, before) as f64 / MANY as f64;
    assert!(each <= 51.0, "{each} bytes an entry as fitted");
}

/// R3 for tables: also for one of which a reader has a part in its hands.
#[test]
fn r3_reclaim_gives_back_whole_what_is_going_back_in_parts() {
    let map = Map::default();
    let (map, done) = (&map, &AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    map.get(&0);
                }
            });
        }
        let (mut key, mut met) = (0, 0);
        while met < 3 && key < 10_000_000 {
            map.insert(key, key);
            key += 1;
            if key % 16 == 0 && map.stats().pending.bytes > 512 << 10 {
                met += 1;
                assert_eq!(map.reclaim(), Ok(()));
                assert_eq!(map.stats().pending.bytes, 0);
            }
        }
        done.store(true, Ordering::Relaxed);
        assert_eq!(met, 3, "so many were met on their way");
    });
}

/// The table before the last, of which nobody has a use any more, is let go by the writers that come next; and by reads, if
/// none comes for a while.
#[test]
fn p3_a_large_table_goes_back_in_parts() {
    const PART: u64 = 32 << 10;
    let map = HashMap::new();
    let mut key = 0_u64;
    while map.stats().pending.bytes < 20 * PART {
        assert!(key < 10_000_000, "a large table has been replaced");
        map.insert(key, key);
        key += 1;
    }
    let parts = |map: &HashMap<u64, u64>| map.stats().pending.bytes.div_ceil(PART);
    let most = parts(&map) + 1;
    let mut reads = 0;
    while map.stats().pending.bytes > 0 {
        assert!(map.contains_key(&0));
        reads += 1;
        assert!(reads <= 300 + most, "each lets a part go, after a while");
    }
    assert!(reads > 50, "{reads} reads: none lets go of much, nor at once");

    while map.stats().pending.bytes < 20 * PART {
        assert!(key < 10_000_000, "a large table has been replaced");
        map.insert(key, key);
        key += 1;
    }
    let most = parts(&map) + 1;
    let mut inserts = 0;
    while map.stats().pending.bytes > 0 {
        map.insert(key, key);
        key += 1;
        inserts += 1;
        assert!(inserts <= most, "each lets a part go");
    }
    assert!(inserts >= 10, "{inserts} inserts: none lets go of much");

    // Who cannot wait for that gets it at once; and nothing is left over when the map runs empty.
    while map.stats().pending.bytes < 20 * PART {
        assert!(key < 10_000_000, "a large table has been replaced");
        map.insert(key, key);
        key += 1;
    }
    assert_eq!(map.try_reclaim().bytes, 0);
    while map.stats().pending.bytes < 20 * PART {
        assert!(key < 10_000_000, "a large table has been replaced");
        map.insert(key, key);
        key += 1;
    }
    map.clear();
    assert_eq!((map.stats().pending.bytes, map.stats().heap.tables), (0, 0));
}

/// The list of what a thread has unlinked goes when it is empty, however it has become so.
#[test]
fn m2_what_is_taken_back_leaves_no_long_list() {
    let counter = Counter::default();
    let map = filled(&counter, 2000);
    drop((map.pin(), map.pin()));
    let before = balance();
    let removed: Vec<_> = (0..1000).map(|number| map.remove_entry(&key(number)).expect("it is there")).collect();
    for removed in removed {
        removed.try_into_owned().expect("the other guards are younger than the removal");
    }
    // The list of the thread's guards is made anew when it is needed next.
    drop((map.pin(), map.pin()));
    assert!(balance() - before < 4096, "{} bytes more", balance() - before);
    assert_eq!(counter.live(), 2000);
}

//! M1, M2, M4: what it takes, by an allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use tidymap::NestedMap;

use crate::common::GoodHash;

struct Counting;

static BYTES: AtomicI64 = AtomicI64::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_TEST.with(|on| if on.get() { BYTES.fetch_add(layout.size() as i64, Relaxed) } else { 0 });
        // SAFETY: by the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_TEST.with(|on| if on.get() { BYTES.fetch_sub(layout.size() as i64, Relaxed) } else { 0 });
        // SAFETY: by the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static IN_TEST: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Only this thread's allocations count, and one test at a time.
fn counted(test: impl FnOnce()) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // A thread's first use of any map is not the map's.
    drop(NestedMap::<u8, u8, u8>::from([(1, 1, 1)]));
    // Also if it fails, whose report would count.
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            IN_TEST.set(false);
        }
    }
    IN_TEST.set(true);
    let off = Off;
    test();
    drop(off);
}

fn balance() -> i64 {
    BYTES.load(Relaxed)
}

type Map = NestedMap<u64, u64, u64, GoodHash>;

#[test]
fn m1_an_empty_map_allocates_nothing() {
    counted(|| {
        let before = balance();
        let map = Map::default();
        assert!(map.get(&1, &1).is_none() && map.remove(&1, &1).is_none() && map.remove_outer(&1) == 0);
        assert!(map.get_cloned(&1, &1).is_none() && !map.contains_outer(&1) && map.inner_heap(&1).is_none());
        map.clear();
        map.retain(|_, _, _| true);
        assert_eq!((map.len(), map.inner_len(&1), balance() - before), (0, 0, 0));
    });
}

#[test]
fn m2_nothing_is_left_of_what_has_been_removed() {
    counted(|| {
        let before = balance();
        let map = Map::default();
        for round in 0..3 {
            (0..50_000).for_each(|key| drop(map.insert(key % 1000, key, key)));
            assert!(balance() - before > 1_000_000);
            match round {
                0 => (0..1000).for_each(|outer| assert_eq!(map.remove_outer(&outer), 50)),
                1 => (0..50_000).for_each(|key| assert!(map.remove(&(key % 1000), &key).is_some())),
                _ => map.clear(),
            }
            let heap = map.stats().heap;
            assert_eq!((heap.entries, map.stats().pending.bytes), (0, 0), "round {round}");
            assert!(
                heap.tables <= 4096 && balance() - before <= 4096 + heap.records as i64,
                "{heap:?}, {} in all",
                balance() - before
            );
        }
        drop(map);
        assert_eq!(balance() - before, 0);
    });
}

/// One big inner map that empties leaves nothing, though the outer map goes on.
#[test]
fn m2_an_inner_map_that_runs_empty_leaves_nothing() {
    counted(|| {
        let map = Map::default();
        map.insert(0, 0, 0);
        let before = balance();
        (0..200_000).for_each(|key| drop(map.insert(1, key, key)));
        (0..200_000).for_each(|key| assert!(map.remove(&1, &key).is_some()));
        assert!(balance() - before <= 1024, "{} bytes more", balance() - before);
    });
}

#[test]
fn m4_figures_agree_with_the_allocator() {
    counted(|| {
        let before = balance();
        let map = Map::default();
        for key in 0..30_000_u64 {
            // Inner maps of 1 to some thousand entries.
            map.insert(u64::from((key + 1).leading_zeros()), key, key);
        }
        (0..10_000).for_each(|key| drop(map.insert(100 + key % 500, key, key)));
        (0..5_000).for_each(|key| drop(map.update(&(100 + key % 500), &key, |value| value + 1)));
        let taken = balance() - before;
        let near = |bytes: u64, of: i64| (bytes as i64 - of).abs() * 20 <= of;
        assert!(near(map.stats().heap.total(), taken), "{} of {taken}", map.stats().heap.total());
        let sum: u64 = map.pin().inners().map(|inner| inner.heap().total()).sum();
        let outer_table = 60 * map.outer_len() as i64;
        assert!(
            near(sum, taken - outer_table),
            "{sum} of {taken}: all but the outer table and records belongs to inner maps"
        );
    });
}

/// R7: also what is on its way back in parts goes with the map.
#[test]
fn r7_large_tables_go_with_the_map() {
    counted(|| {
        for entries in (20_000..40_000).step_by(500) {
            let before = balance();
            let map = Map::default();
            (0..entries).for_each(|key| drop(map.insert(1, key, key)));
            drop(map);
            assert_eq!(balance() - before, 0, "{entries} entries");
        }
    });
}

/// What is told of one outer key is what its coming takes from the allocator, and its going gives back.
#[test]
fn m4_figures_of_an_outer_key_agree_with_the_allocator() {
    counted(|| {
        for entries in [1, 2, 3, 10, 100, 5000_u64] {
            let map = Map::default();
            // The outer table has room, and what the thread keeps for the map is there.
            (0..3).for_each(|outer| drop(map.insert(outer, 0, 0)));
            map.insert(7, 0, 0);
            assert_eq!(map.remove_outer(&7), 1);
            drop((map.pin(), map.pin()));
            let before = balance();
            (0..entries).for_each(|key| drop(map.insert(7, key, key)));
            (0..entries / 2).for_each(|key| drop(map.insert(7, key, key)));
            let (told, taken) = (map.inner_heap(&7).unwrap().total() as i64, balance() - before);
            // The list of what the thread has unlinked grows and shrinks beside it.
            assert!((taken - told).abs() <= 512, "{entries} entries: {told} of {taken}");
            assert_eq!(map.remove_outer(&7) as u64, entries);
            assert!((balance() - before).abs() <= 1024, "{entries} entries: {} bytes stay", balance() - before);
        }
    });
}

//! [`Reader`](tidymap::Reader): a guard that each of its reads takes anew.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;

use tidymap::{HashMap, ReclaimError};

use crate::support::{Counter, OnDrop, filled, key, leak};

#[test]
fn r2_what_waits_for_a_reader_is_dropped_by_its_next_read_whatever_that_finds() {
    let counter = Counter::default();
    let map = filled(&counter, 4);
    let mut reader = map.reader();
    assert_eq!(counter.live(), 8);
    for (removed, read) in [(0, 0), (1, 2), (2, 9)] {
        assert!(reader.get(&key(3)).is_some());
        thread::scope(|scope| scope.spawn(|| drop(map.remove(&key(removed)))).join().unwrap());
        assert_eq!(map.stats().pending.entries, 1, "waits for the reader");
        let live = counter.live();
        reader.contains_key(&key(read));
        assert_eq!((counter.live(), map.stats().pending.entries), (live - 2, 0));
    }
    drop(reader);
    assert_eq!(map.stats().live_guards, 0);
}

#[test]
fn r2_a_reader_that_reads_on_holds_nothing_back_that_was_removed_before() {
    let counter = Counter::default();
    let map = filled(&counter, 100);
    let round = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut reader = map.reader();
            for _ in 1..100 {
                round.wait();
                reader.get(&key(0));
                round.wait();
            }
        });
        for number in 1..100 {
            assert_eq!(map.remove(&key(number)).unwrap().number, number);
            round.wait();
            round.wait();
            assert_eq!(counter.live() as u64, 2 * (100 - number), "dropped by the removal or by the read");
        }
    });
}

#[test]
fn r2_a_reader_counts_for_what_its_own_thread_removes() {
    let counter = Counter::default();
    let map = filled(&counter, 3);
    let mut reader = map.reader();
    assert_eq!(reader.get(&key(0)).unwrap().number, 0);
    assert!(map.remove(&key(0)).is_some());
    map.insert(key(1), counter.value(7));
    assert!(counter.live() > 4);
    assert_eq!(reader.get(&key(1)).unwrap().number, 7);
    assert_eq!((counter.live(), map.stats().pending.entries), (4, 0));
}

#[test]
fn r2_a_reader_beside_a_session_and_another_reader_of_the_same_thread() {
    let counter = Counter::default();
    let map = filled(&counter, 9);
    let mut readers = [map.reader(), map.reader()];
    let remove = |number| {
        thread::scope(|scope| scope.spawn(|| drop(map.remove(&key(number)))).join().unwrap());
    };
    for reader in &mut readers {
        assert!(reader.get(&key(8)).is_some());
    }
    remove(0);
    let session = map.pin();
    remove(1);
    assert_eq!(counter.live(), 18);
    readers[0].get(&key(8));
    assert_eq!(counter.live(), 18, "the other reader may have seen both");
    readers[1].get(&key(8));
    assert_eq!(counter.live(), 16, "the session may have seen the second");
    drop(session);
    assert_eq!(counter.live(), 14);
    remove(2);
    readers[1].park();
    assert_eq!(counter.live(), 14);
    readers[0].park();
    assert_eq!(counter.live(), 12);
}

#[test]
fn r8_a_reader_is_a_live_guard_from_its_first_read_until_it_is_parked() {
    let map = HashMap::from([(1, "one")]);
    let mut reader = map.reader();
    let guards = || map.stats().live_guards;
    assert_eq!((guards(), reader.is_parked()), (0, true));
    assert_eq!(reader.get_key_value(&1), Some((&1, &"one")));
    assert_eq!((guards(), reader.is_parked()), (1, false));
    assert_eq!(map.guards().iter().next().unwrap().guards, 1);
    assert!(matches!(map.reclaim(), Err(ReclaimError::GuardHeld)), "it would wait for its own thread");
    reader.park();
    assert_eq!((guards(), reader.is_parked()), (0, true));
    map.reclaim().unwrap();
    assert!(reader.map().contains_key(&1));
    assert!(reader.contains_key(&1));
    assert_eq!(guards(), 1);
    drop(reader);
    assert_eq!(guards(), 0);
}

/// A read that passes on garbage runs its destructors, which may use the map, and may panic.
#[test]
fn r5_a_read_goes_on_after_a_destructor_that_uses_the_map_and_panics() {
    let map: &'static HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>> = leak(HashMap::new());
    let quiet = || OnDrop(Box::new(|| ()) as Box<dyn FnMut() + Send + Sync>);
    let loud = || {
        assert!(map.remove(&2).is_some());
        assert!(map.get(&3).is_some());
        panic!("a destructor");
    };
    map.insert(1, OnDrop(Box::new(loud)));
    map.insert(2, quiet());
    map.insert(3, quiet());
    let mut reader = map.reader();
    assert!(reader.get(&1).is_some());
    thread::spawn(|| drop(map.remove(&1))).join().unwrap();
    let read = catch_unwind(AssertUnwindSafe(|| reader.get(&3).is_some()));
    assert_eq!(*read.unwrap_err().downcast_ref::<&str>().unwrap(), "a destructor");
    assert!(reader.get(&3).is_some());
    assert!(reader.get(&2).is_none());
    assert_eq!((map.len(), map.stats().pending.entries, map.stats().live_guards), (1, 0, 1));
    reader.park();
    map.clear();
}

/// A reader whose misses promote retires tables under its own guard.
#[test]
fn m2_a_reader_that_promotes_gives_the_tables_back() {
    let map = HashMap::new();
    let mut reader = map.reader();
    for number in 0..10_000_u64 {
        map.insert(number, number);
        assert_eq!(reader.get(&number), Some(&number));
        assert_eq!(reader.get(&(number + 1)), None);
    }
    assert!(map.stats().promotions > 0);
    reader.get(&0);
    assert_eq!((map.stats().pending.entries, map.stats().live_guards), (0, 1));
    drop(reader);
    map.try_reclaim();
    assert_eq!(map.stats().pending.bytes, 0);
}

//! Threads that use maps in their last breath: from destructors of thread-local values.

use std::cell::RefCell;
use std::mem::forget;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tidymap::{HashMap, Pinned, Ref, Removed};

use crate::threads::Watchdog;

/// Counts those that are alive.
struct Live(&'static AtomicUsize);

impl Live {
    fn new(count: &'static AtomicUsize) -> Live {
        count.fetch_add(1, Ordering::SeqCst);
        Live(count)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        assert!(self.0.fetch_sub(1, Ordering::SeqCst) > 0, "dropped once");
    }
}

type Map = HashMap<u64, Live>;

/// Guards that end when their thread has.
#[derive(Default)]
struct Held {
    session: Option<Pinned<'static, u64, Live, std::hash::RandomState>>,
    found: Option<Ref<'static, u64, Live>>,
    removed: Option<Removed<'static, u64, Live>>,
}

#[test]
fn guards_that_end_with_their_thread_let_go_of_what_they_held() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    static MAP: OnceLock<Map> = OnceLock::new();
    thread_local! {
        // One that is there before the thread has used any map, and one that is made later: whichever goes first.
        static BEFORE: RefCell<Held> = RefCell::default();
        static AFTER: RefCell<Held> = RefCell::default();
    }
    let _watchdog = Watchdog::new();
    let map = MAP.get_or_init(Map::new);
    let hold = |held: &RefCell<Held>, key| {
        let mut held = held.borrow_mut();
        held.session = Some(map.pin());
        held.found = map.get(&key);
        held.removed = map.remove_entry(&(key + 1));
    };
    for _ in 0..if cfg!(miri) { 3 } else { 50 } {
        (0..10).for_each(|key| drop(map.insert(key, Live::new(&LIVE))));
        thread::spawn(move || {
            BEFORE.with(|_| ());
            drop(map.pin());
            AFTER.with(|held| hold(held, 0));
            BEFORE.with(|held| hold(held, 2));
            map.insert(0, Live::new(&LIVE));
            assert!(map.stats().pending.entries >= 3);
        })
        .join()
        .expect("it does not panic");
        assert_eq!((LIVE.load(Ordering::SeqCst), map.len()), (8, 8));
        assert!(map.guards().is_empty());
        assert_eq!(map.reclaim(), Ok(()));
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes there")]
fn a_destructor_of_a_thread_local_value_may_do_anything() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    static RAN: AtomicUsize = AtomicUsize::new(0);
    static MAP: OnceLock<Map> = OnceLock::new();
    struct Last(u64);
    impl Drop for Last {
        fn drop(&mut self) {
            let (map, first) = (MAP.get_or_init(Map::new), 100 * self.0);
            let mut session = map.pin();
            (first..first + 50).for_each(|key| drop(map.insert(key, Live::new(&LIVE))));
            assert!(session.iter().count() >= 50);
            (first..first + 20).for_each(|key| assert!(session.remove(&key).is_some()));
            session.refresh();
            map.retain(|key, _| key / 100 != self.0 || key % 2 == 0);
            drop(session);
            assert!(map.remove_owned(&(first + 20)).expect("no guard is held").is_some());
            assert!(!map.guards().iter().any(|guard| guard.guards > 2));
            RAN.fetch_add(1, Ordering::SeqCst);
        }
    }
    thread_local! {
        static FIRST: RefCell<Option<Last>> = const { RefCell::new(None) };
        static SECOND: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let _watchdog = Watchdog::new();
    const ROUNDS: u64 = 20;
    let map = MAP.get_or_init(Map::new);
    for round in 0..ROUNDS {
        thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || {
                    FIRST.set(Some(Last(round * 6 + thread * 2)));
                    // Some threads use a map for the first time when they are ending.
                    if round % 2 == 0 {
                        map.contains_key(&1);
                    }
                    SECOND.set(Some(Last(round * 6 + thread * 2 + 1)));
                });
            }
        });
        // A scope does not wait for destructors of thread-local values.
        while RAN.load(Ordering::SeqCst) < 6 * (round as usize + 1) {
            thread::yield_now();
        }
    }
    while !map.guards().is_empty() {
        thread::yield_now();
    }
    assert_eq!(map.reclaim(), Ok(()));
    let left = 6 * ROUNDS as usize * 14;
    assert_eq!((map.len(), LIVE.load(Ordering::SeqCst)), (left, left));
    let records = map.stats().heap.records;
    assert!(records <= 64 * 256, "records of threads that are gone are used again, and yet take {records} bytes");
}

#[test]
fn a_guard_that_is_leaked_as_its_thread_ends_is_told_and_keeps_what_it_sees() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    static MAP: OnceLock<&'static Map> = OnceLock::new();
    struct Leaks;
    impl Drop for Leaks {
        fn drop(&mut self) {
            forget(MAP.get().expect("it is there").pin());
        }
    }
    thread_local!(static LEAKS: RefCell<Option<Leaks>> = const { RefCell::new(None) });
    // Not leaked itself: it goes at the end.
    let map = Box::into_raw(Box::new(Map::new()));
    // SAFETY: it is freed at the end, when the threads that use it have ended.
    MAP.get_or_init(|| unsafe { &*map });
    let shared = MAP.get().expect("it is there");
    shared.insert(1, Live::new(&LIVE));
    for leaks in 1..=3 {
        thread::spawn(|| LEAKS.set(Some(Leaks))).join().expect("it does not panic");
        assert_eq!((shared.guards().len(), shared.stats().live_guards), (leaks, leaks), "each has a place of its own");
    }
    shared.insert(1, Live::new(&LIVE));
    shared.remove(&1);
    assert_eq!((LIVE.load(Ordering::SeqCst), shared.stats().pending.entries), (2, 2));
    // SAFETY: it came from a box, and nobody uses it any more.
    drop(unsafe { Box::from_raw(map) });
    assert_eq!(LIVE.load(Ordering::SeqCst), 0);
}

//! Lines of the contract, where sets have code of their own between their users and the map.

use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tidymap::{HashMap, HashSet, Reclaimed};

use crate::common::{Counted, GoodHash, Ledger};

type Set<'l> = HashSet<Counted<'l, u64>>;

fn filled(ledger: &Ledger, elements: u64) -> Set<'_> {
    (0..elements).map(|number| ledger.make(number)).collect()
}

#[test]
fn r1_what_a_call_removes_or_refuses_has_been_dropped_when_it_returns() {
    let ledger = Ledger::new();
    let set = filled(&ledger, 200);
    let mut expected = 200;
    let mut fewer = |elements: usize| {
        expected -= elements;
        assert_eq!((ledger.live(), set.len(), set.stats().pending.entries), (expected, expected, 0));
    };
    assert!(!set.insert(ledger.make(1)));
    fewer(0);
    drop(set.get_or_insert(ledger.make(1)));
    fewer(0);
    assert_eq!(set.insert_many((0..100).map(|number| ledger.make(number))), 0);
    fewer(0);
    assert!(set.remove(&1));
    fewer(1);
    drop(set.take(&2));
    fewer(1);
    drop(set.take(&3).unwrap().try_into_owned());
    fewer(1);
    drop(set.take_owned(&4));
    fewer(1);
    assert_eq!(set.remove_many(&[4, 5, 6]), 2);
    fewer(2);
    set.retain(|element| **element >= 50);
    fewer(44);
    set.clear();
    fewer(150);
}

#[test]
fn r1_in_a_session_it_is_when_the_session_ends_or_is_refreshed() {
    let ledger = Ledger::new();
    let set = filled(&ledger, 10);
    let mut session = set.pin();
    assert!(!session.insert(ledger.make(0)), "what is refused is dropped at once");
    assert_eq!(session.insert_many([ledger.make(1), ledger.make(10)]), 1);
    assert_eq!(session.get_or_insert(ledger.make(2)).id(), 2);
    assert_eq!(ledger.live(), 11);
    assert_eq!(session.take(&0).map(Counted::id), Some(0));
    assert!(session.remove(&1));
    assert_eq!(session.remove_many(&[2, 3]), 2);
    assert_eq!((ledger.live(), session.len()), (11, 7));
    session.refresh();
    assert_eq!(ledger.live(), 7);
    session.clear();
    assert_eq!(ledger.live(), 7);
    drop(session);
    assert_eq!(ledger.live(), 0);
}

#[test]
fn r1_an_element_that_is_held_is_a_guard() {
    let ledger = Ledger::new();
    let set = filled(&ledger, 4);
    let taken = set.take(&0).unwrap();
    assert_eq!((taken.id(), ledger.live(), set.stats().live_guards), (0, 4, 1));
    let taken: tidymap::ElementRef<'_, _> = taken.into();
    assert_eq!(ledger.live(), 4);
    drop(taken);
    assert_eq!(ledger.live(), 3);

    let found = set.get(&1).unwrap();
    assert!(set.remove(&1) && set.remove(&2));
    assert_eq!((found.id(), ledger.live()), (1, 3), "what is removed meanwhile waits for it");
    drop(found);
    assert_eq!(ledger.live(), 1);
}

#[test]
fn r2_the_last_guard_of_the_moment_drops_and_a_later_one_holds_nothing_back() {
    let ledger = Ledger::new();
    let set = filled(&ledger, 2);
    let (early, also_early) = (set.pin(), set.get(&1));
    thread::scope(|scope| {
        scope.spawn(|| assert!(set.remove(&0)));
    });
    let late = set.pin();
    drop(early);
    assert_eq!(ledger.live(), 2, "the other one has seen it, too");
    drop(also_early);
    assert_eq!(ledger.live(), 1);
    drop(late);
}

#[test]
fn r4_who_inserts_waits_for_no_room_and_who_removes_does() {
    let set = HashSet::from(HashMap::builder().max_pending(2).build());
    set.insert_many(0..10);
    let (told, tells) = mpsc::channel();
    thread::scope(|scope| {
        let session = set.pin();
        let writer = scope.spawn(|| {
            let told = told;
            assert!(set.remove(&0) && set.remove(&1));
            // No room any more, and none needed.
            assert!(!set.insert(2) && set.insert(0));
            assert_eq!(set.insert_many([1, 2, 3, 1]), 1);
            assert_eq!(*set.get_or_insert(2), 2);
            assert!(!set.remove(&100) && set.take(&100).is_none());
            told.send("all but the last").unwrap();
            assert!(set.remove(&2));
            told.send("and the last").unwrap();
        });
        assert_eq!(tells.recv_timeout(Duration::from_secs(60)), Ok("all but the last"));
        assert!(tells.recv_timeout(Duration::from_millis(50)).is_err(), "it waits");
        assert_eq!((session.len(), set.stats().pending.entries), (10, 2));
        drop(session);
        assert_eq!(tells.recv_timeout(Duration::from_secs(60)), Ok("and the last"));
        writer.join().unwrap();
    });
    assert_eq!(set.len(), 9);
}

#[test]
fn r8_the_figures_are_of_elements() {
    let set: HashSet<u32> = (0..100).collect();
    let session = set.pin();
    assert_eq!(set.remove_many(&[1, 2, 3]), 3);
    let (stats, guards) = (set.stats(), set.guards());
    assert_eq!((stats.len, stats.retired, stats.pending.entries, stats.live_guards), (97, 3, 3, 1));
    assert_eq!(guards.iter().map(|guard| guard.pending.entries).collect::<Vec<_>>(), [3]);
    drop(session);
    assert_eq!(set.try_reclaim().entries, 0);
}

#[test]
fn r10_the_hook_is_given_elements_and_nothing_that_is_refused() {
    static BIN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let set: HashSet<String> = HashMap::builder()
        .on_reclaim(|reclaimed| match reclaimed {
            Reclaimed::Removed(element, ()) => BIN.lock().unwrap().push(element),
            overwritten => panic!("{overwritten:?}"),
        })
        .build()
        .into();
    set.insert_many(["a", "b", "a"].map(str::to_owned));
    set.insert("b".to_owned());
    assert!(BIN.lock().unwrap().is_empty());
    assert!(set.remove("a"));
    assert_eq!(set.take_owned("b"), Ok(Some("b".to_owned())), "not this one: it is handed over");
    drop(set);
    assert_eq!(*BIN.lock().unwrap(), ["a"]);
}

/// What the set's own calls never do. A unit takes no memory, and there is nothing to tell two of them apart by.
#[test]
fn r1_a_unit_that_is_overwritten_through_the_map_is_garbage_like_any_value() {
    let set: HashSet<u64> = (0..10).collect();
    let session = set.pin();
    for _ in 0..3 {
        assert!(set.as_map().insert(1, ()).is_some());
    }
    assert!(set.as_map().compare_exchange(&1, &(), ()).is_ok());
    assert!(!set.insert(1) && set.remove(&1));
    let stats = set.stats();
    assert_eq!((stats.retired, stats.pending.entries, stats.pending.bytes, stats.heap.entries), (5, 5, 16, 160));
    drop(session);
    let stats = set.stats();
    assert_eq!((stats.len, stats.pending.entries, stats.heap.entries), (9, 0, 144));
}

/// Nothing is spent on units: an element of 8 bytes takes a word beside it, and its place in the table.
#[test]
fn m4_a_set_takes_no_more_than_a_map_of_units_and_less_than_one_of_values() {
    const MANY: u64 = 10_000;
    let set: HashSet<u64, GoodHash> = (0..MANY).collect();
    let map: HashMap<u64, (), GoodHash> = (0..MANY).map(|n| (n, ())).collect();
    let pairs: HashMap<u64, u64, GoodHash> = (0..MANY).map(|n| (n, n)).collect();
    set.shrink_to_fit();
    map.shrink_to_fit();
    pairs.shrink_to_fit();
    let [set, map, pairs] = [set.stats(), map.stats(), pairs.stats()].map(|stats| stats.heap);
    assert_eq!(set.entries, 16 * MANY);
    assert_eq!((set.entries, set.tables), (map.entries, map.tables));
    assert_eq!((set.entries + 8 * MANY, set.tables), (pairs.entries, pairs.tables));
    assert_eq!(HashSet::<u64>::new().stats().heap.total(), 0, "M1");
    assert_eq!(size_of::<HashSet<u64>>(), size_of::<HashMap<u64, ()>>());
}

/// With the feature `guard-locations`: as if there were nothing between the user and the map.
#[cfg(feature = "guard-locations")]
#[test]
fn r8_a_guard_is_told_by_the_line_of_the_call_that_took_it() {
    let set: HashSet<u32> = (0..10).collect();
    macro_rules! is_told {
        ($guard:expr) => {{
            let guard = $guard;
            let location = set.guards().iter().next().unwrap().location.unwrap();
            assert_eq!((location.file(), location.line()), (file!(), line!()));
            drop(guard);
            assert!(set.guards().is_empty());
        }};
    }
    is_told!(set.pin());
    is_told!(set.get(&1));
    is_told!(set.get_or_insert(1));
    is_told!(set.get_or_insert(10));
    is_told!(set.take(&1));
    let mut reader = set.reader();
    let read = line!() + 1;
    assert!(reader.contains(&2));
    assert_eq!(set.guards().iter().next().unwrap().location.unwrap().line(), read);
}

/// The same of calls that are over when they return, as the user's code within sees them.
#[cfg(feature = "guard-locations")]
#[test]
fn r8_a_running_call_is_told_by_its_line() {
    use std::cell::Cell;
    use std::hash::{BuildHasher, Hasher};
    use std::rc::Rc;

    thread_local! {
        /// The line of the oldest guard when an element was last compared.
        static SEEN: Cell<u32> = const { Cell::new(0) };
    }
    #[derive(Clone, Default)]
    struct Zero;
    impl Hasher for Zero {
        fn write(&mut self, _: &[u8]) {}
        fn finish(&self) -> u64 {
            0
        }
    }
    impl BuildHasher for Zero {
        type Hasher = Zero;
        fn build_hasher(&self) -> Zero {
            Zero
        }
    }
    struct Looks(u32);
    fn look() {
        let guard = SET.with(|set| set.guards().iter().next().unwrap().location.unwrap());
        assert_eq!(guard.file(), file!());
        SEEN.set(guard.line());
    }
    impl std::hash::Hash for Looks {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }
    impl PartialEq for Looks {
        fn eq(&self, other: &Self) -> bool {
            look();
            self.0 == other.0
        }
    }
    impl Eq for Looks {}
    impl Clone for Looks {
        fn clone(&self) -> Self {
            look();
            Looks(self.0)
        }
    }
    thread_local! {
        static SET: Rc<HashSet<Looks, Zero>> = Rc::default();
    }
    let set = SET.with(Rc::clone);
    let mut set = &*set;
    set.as_map().insert(Looks(1), ());
    macro_rules! is_seen {
        ($call:expr) => {{
            SEEN.set(0);
            let _ = $call;
            assert_eq!(SEEN.get(), line!());
        }};
    }
    is_seen!(set.contains(&Looks(1)));
    is_seen!(set.insert(Looks(1)));
    is_seen!(set.insert_many([Looks(1)]));
    is_seen!(set.remove_many([&Looks(2)]));
    is_seen!(set.remove(&Looks(2)));
    is_seen!(set.take_owned(&Looks(2)));
    is_seen!(set.retain(|_| {
        look();
        true
    }));
    is_seen!(set.extend([Looks(1)]));
    is_seen!(set.clone());
    is_seen!(*set == *set);
    is_seen!(set & set);
}

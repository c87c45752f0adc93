//! The tests of xsync v4's `map_test.go` that concern what a `sync.Map` does as well, under their own names.
//!
//! Numbers of threads and rounds are smaller than there. Where xsync promises that a function is called once, here exactly
//! one of the values wins.

mod common;

use std::collections::{BTreeSet, HashMap as StdHashMap};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::{Ledger, RaiseOnDrop, Random, in_parallel, processors};
use tidymap::{Compute, HashMap, Operation};

fn numbered(entries: u64) -> HashMap<String, u64> {
    (0..entries).map(|n| (n.to_string(), n)).collect()
}

/// Fails if an iteration yields a key twice, or other keys than there are.
fn assert_iterates<K: Ord + Clone + Debug + Hash, V>(map: &HashMap<K, V>, keys: impl IntoIterator<Item = K>) {
    let session = map.pin();
    let seen: BTreeSet<K> = session.keys().cloned().collect();
    assert_eq!(session.keys().count(), seen.len(), "a key was visited twice");
    assert_eq!(seen, keys.into_iter().collect());
    assert_eq!(map.len(), seen.len());
}

#[test]
fn missing_entry() {
    let map = HashMap::<String, u64>::new();
    assert!(map.get("foo").is_none());
    assert!(map.remove("foo").is_none());
    assert_eq!(*map.get_or_insert("foo".into(), 42), 42);
    assert_eq!(*map.get_or_insert("foo".into(), 77), 42);
}

#[test]
fn empty_string_key() {
    let map = HashMap::<String, &str>::new();
    map.insert(String::new(), "foobar");
    assert_eq!(map.get("").as_deref(), Some(&"foobar"));
    assert_eq!(map.remove("").as_deref(), Some(&"foobar"));
    assert!(!map.contains_key(""));
}

/// A value like Go's nil is a value: the key is there.
#[test]
fn nil_value() {
    let map = HashMap::<&str, Option<u64>>::new();
    map.insert("foo", None);
    assert_eq!(map.get("foo").as_deref(), Some(&None));
    assert_eq!(*map.get_or_insert("foo", Some(1)), None);
    assert_eq!(map.insert("foo", Some(2)).as_deref(), Some(&None));
    assert_eq!(map.remove("foo").as_deref(), Some(&Some(2)));
    map.insert("foo", None);
    assert_eq!(map.remove("foo").as_deref(), Some(&None));
    assert!(map.get("foo").is_none());
}

/// `Store`, `StoreThenDelete` and `StoreThenLoadAndDelete` for one type of keys.
fn basics_of_key_type<K: Hash + Eq + Clone>(key: impl Fn(u64) -> K) {
    const ENTRIES: u64 = 128;
    let map = HashMap::new();
    let store_all = || (0..ENTRIES).for_each(|n| drop(map.insert(key(n), n)));
    let load_all = || (0..ENTRIES).map(|n| map.get_cloned(&key(n))).collect::<Vec<_>>();
    let (all, none) = ((0..ENTRIES).map(Some).collect::<Vec<_>>(), vec![None; ENTRIES as usize]);

    store_all();
    assert_eq!(load_all(), all);
    for n in 0..ENTRIES {
        assert!(map.remove(&key(n)).is_some_and(|removed| *removed.key() == key(n)));
        assert!(!map.contains_key(&key(n)));
    }
    assert_eq!(load_all(), none);

    store_all();
    for n in 0..ENTRIES {
        assert_eq!(map.remove(&key(n)).as_deref(), Some(&n));
        assert!(map.remove(&key(n)).is_none());
    }
    assert_eq!(load_all(), none);
}

#[test]
fn basics_of_each_key_type() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Point {
        x: i32,
        y: i32,
    }

    basics_of_key_type(|n| n.to_string());
    basics_of_key_type(|n| n as i32 - 64);
    basics_of_key_type(|n| n as i64 - 64);
    basics_of_key_type(|n| n << 32);
    basics_of_key_type(|n| n as usize);
    basics_of_key_type(|n| Point { x: n as i32, y: -(n as i32) });
    basics_of_key_type(|n| if n == 0 { None } else { Some(Box::new(n)) });
}

#[test]
fn range() {
    let map = numbered(1000);
    assert_iterates(&map, (0..1000).map(|n| n.to_string()));
    let session = map.pin();
    assert!(session.iter().all(|(key, value)| *key == value.to_string()));
    assert_eq!(session.values().sum::<u64>(), 1000 * 999 / 2);
}

#[test]
fn range_false_returned() {
    let (map, mut visited) = (numbered(100), 0);
    map.pin().iter().try_for_each(|_| {
        visited += 1;
        (visited != 13).then_some(())
    });
    assert_eq!(visited, 13);
}

#[test]
fn all_break() {
    let (map, mut visited) = (numbered(100), 0);
    for _ in &map.pin() {
        visited += 1;
        if visited == 50 {
            break;
        }
    }
    assert_eq!(visited, 50);
}

#[test]
fn range_nested_delete() {
    let map = numbered(256);
    for (key, _) in &map.pin() {
        assert!(map.remove(key).is_some());
    }
    assert_iterates(&map, []);
}

#[test]
fn size() {
    let map = HashMap::new();
    assert_eq!(map.len(), 0);
    for n in 0..1000 {
        map.insert(n, n);
        map.insert(n, n + 1);
        assert_eq!((map.len(), map.pin().iter().count()), (n + 1, n + 1));
    }
    for n in (0..1000).rev() {
        map.remove(&n);
        map.remove(&n);
        assert_eq!((map.len(), map.pin().iter().count()), (n, n));
    }
    assert!(map.is_empty());
}

#[test]
fn clear() {
    let map = numbered(1000);
    map.clear();
    assert_iterates(&map, []);
    map.insert("again".into(), 1);
    assert_iterates(&map, ["again".into()]);
}

#[test]
fn to_plain_map() {
    let map = numbered(1000);
    let plain: StdHashMap<String, u64> = map.pin().iter().map(|(key, value)| (key.clone(), *value)).collect();
    assert_eq!(plain, (0..1000).map(|n| (n.to_string(), n)).collect());
}

#[test]
fn parallel_stores() {
    const KEYS: usize = 100;
    const ROUNDS: usize = 200;
    // All threads store the same, so what a thread loads is what it stored, or what comes next: never anything older.
    let map = HashMap::<String, usize>::new();
    in_parallel(4, |_| {
        for round in 0..ROUNDS {
            for key in 0..KEYS {
                map.update_or_insert(key.to_string(), |current| round.max(*current), round);
                let loaded = map.get_cloned(&key.to_string());
                assert!(loaded.is_some_and(|value| value >= round), "stored {round}, loaded {loaded:?}");
            }
        }
    });
    assert!((0..KEYS).all(|key| map.get_cloned(&key.to_string()) == Some(ROUNDS - 1)));

    // Keys of its own: a thread loads exactly what it stored.
    in_parallel(4, |thread| {
        for round in 0..ROUNDS {
            for key in 0..KEYS {
                let key = format!("{thread}-{key}");
                map.insert(key.clone(), round);
                assert_eq!(map.get_cloned(&key), Some(round));
            }
        }
    });
    assert_eq!(map.len(), 5 * KEYS);
}

#[test]
fn atomic_snapshot() {
    // Each value is a pair that was stored as one: nobody may see halves of two.
    let map = HashMap::<u64, (u64, u64)>::new();
    in_parallel(4, |thread| {
        let mut random = Random::new(thread as u64);
        for round in 0..20_000 {
            let key = random.below(100);
            match random.below(3) {
                0 => drop(map.get_or_insert(key, (round, key ^ round))),
                1 => assert!(map.remove(&key).is_none_or(|pair| pair.1 == key ^ pair.0)),
                _ => assert!(map.get(&key).is_none_or(|pair| pair.1 == key ^ pair.0)),
            }
        }
    });
}

#[test]
fn parallel_stores_and_deletes() {
    let map = HashMap::<String, u64>::new();
    let session_len = || map.pin().iter().count();
    in_parallel(4, |thread| {
        let mut random = Random::new(thread as u64);
        for _ in 0..20_000 {
            let n = random.below(1000);
            let key = n.to_string();
            match random.below(3) {
                0 => assert!(map.insert(key, n).is_none_or(|old| *old == n)),
                1 => assert!(map.remove(&key).is_none_or(|old| *old == n)),
                _ => assert!(map.get(&key).is_none_or(|value| *value == n)),
            }
        }
    });
    assert_eq!(map.len(), session_len());
}

#[test]
fn parallel_range() {
    const KEYS: u64 = 2000;
    let map = numbered(KEYS);
    let done = false.into();
    in_parallel(3, |thread| {
        let mut random = Random::new(thread as u64);
        let mut key = || random.below(KEYS).to_string();
        match thread {
            0 => {
                let _done = RaiseOnDrop(&done);
                for _ in 0..30 {
                    let mut seen = vec![false; KEYS as usize];
                    for (key, value) in &map.pin() {
                        assert_eq!(*key, value.to_string());
                        assert!(!std::mem::replace(&mut seen[*value as usize], true), "{key} was visited twice");
                    }
                }
            }
            1 => {
                while !done.load(Relaxed) {
                    let key = key();
                    let value = key.parse().unwrap();
                    map.insert(key, value);
                }
            }
            _ => {
                while !done.load(Relaxed) {
                    map.remove(&key());
                }
            }
        }
    });
}

#[test]
fn parallel_growth() {
    const KEYS: u64 = 10_000;
    let map = HashMap::<u64, u64>::new();
    let threads = processors() as u64;
    in_parallel(threads as usize, |thread| {
        for n in 0..KEYS / threads {
            let key = n * threads + thread as u64;
            map.insert(key, key);
            assert_eq!(map.get_cloned(&key), Some(key));
        }
    });
    assert_iterates(&map, 0..KEYS / threads * threads);
}

#[test]
fn parallel_clear() {
    let map = HashMap::<u64, u64>::new();
    in_parallel(5, |thread| {
        let mut random = Random::new(thread as u64);
        for _ in 0..200 {
            if thread == 0 {
                map.clear();
                continue;
            }
            for _ in 0..50 {
                let key = random.below(100);
                map.insert(key, key);
            }
        }
    });
    let before = map.len();
    assert_eq!(map.pin().iter().count(), before);
    map.clear();
    assert_iterates(&map, []);
}

/// Threads insert and remove so many keys over and over, beginning at different ones.
fn resize(threads: usize, rounds: usize, first_key: impl Fn(usize) -> u64 + Sync) {
    const KEYS: u64 = 500;
    let map = HashMap::<u64, u64>::new();
    in_parallel(threads, |thread| {
        let keys = first_key(thread)..first_key(thread) + KEYS;
        for _ in 0..rounds {
            for key in keys.clone() {
                assert!(map.insert(key, key).is_none_or(|old| *old == key));
            }
            for key in keys.clone() {
                assert!(map.remove(&key).is_none_or(|old| *old == key));
            }
        }
        keys.for_each(|key| drop(map.insert(key, key)));
    });
    assert_iterates(&map, (0..threads).flat_map(|thread| first_key(thread)..first_key(thread) + KEYS));
}

#[test]
fn parallel_resize() {
    resize(4, 20, |thread| thread as u64 * 1000);
}

#[test]
fn parallel_resize_intersecting_keys() {
    resize(4, 20, |thread| thread as u64 * 100);
}

#[test]
fn parallel_shrinking() {
    for threads in [1, processors(), 100] {
        const KEYS: u64 = 3000;
        let map: HashMap<u64, u64> = (0..KEYS).map(|n| (n, n)).collect();
        let before = map.stats().heap.tables;
        let removed = AtomicUsize::new(0);
        in_parallel(threads, |_| {
            for key in 10..KEYS {
                removed.fetch_add(usize::from(map.remove(&key).is_some()), Relaxed);
            }
        });
        assert_eq!(removed.into_inner() as u64, KEYS - 10, "each key was removed once");
        assert_iterates(&map, 0..10);
        let after = map.stats().heap.tables;
        assert!(after <= 4096 && after < before / 10, "tables took {before} bytes and take {after}");
    }
}

#[test]
fn load_or_compute() {
    let map = HashMap::<String, u64>::new();
    for n in 0..1000 {
        assert_eq!(*map.get_or_insert_with(n.to_string(), || n), n);
        assert_eq!(*map.get_or_insert_with(n.to_string(), || unreachable!("the key is there")), n);
    }
    assert_eq!(map.len(), 1000);
}

#[test]
fn load_or_compute_one_value_wins() {
    let ledger = Ledger::new();
    let map = HashMap::new();
    for key in 0..500 {
        let winners = std::sync::Mutex::new(BTreeSet::new());
        in_parallel(4, |thread| {
            let value = map.get_or_insert_with(key, || ledger.make(thread));
            winners.lock().unwrap().insert(**value);
        });
        assert_eq!(winners.into_inner().unwrap().len(), 1, "all threads got the same value");
        assert_eq!(ledger.live(), key + 1, "and the values that lost are gone");
    }
}

#[test]
fn load_or_compute_concurrent_existing_key() {
    let map: HashMap<&str, i32> = [("key", 42)].into_iter().collect();
    in_parallel(4, |_| {
        for _ in 0..10_000 {
            assert_eq!(*map.get_or_insert_with("key", || unreachable!("the key is there")), 42);
        }
    });
}

#[test]
fn compute() {
    let map = HashMap::<&str, i32>::new();

    let inserted = map.compute("foo", |old| -> Operation<i32, ()> {
        assert_eq!(old, None);
        Operation::Insert(42)
    });
    assert!(matches!(inserted, Compute::Inserted(pair) if *pair == 42 && *pair.key() == "foo"));

    let updated = map.compute("foo", |old| -> Operation<i32, ()> {
        assert_eq!(old, Some((&"foo", &42)));
        Operation::Insert(old.map_or(0, |(_, value)| value + 42))
    });
    let Compute::Updated { old, new } = updated else { panic!("{updated:?}") };
    assert_eq!((*old, *new), (42, 84));
    drop((old, new));

    let removed = map.compute("foo", |old| -> Operation<i32, ()> {
        assert_eq!(old, Some((&"foo", &84)));
        Operation::Remove
    });
    assert!(matches!(removed, Compute::Removed(pair) if *pair == 84));
    assert!(!map.contains_key("foo"));

    let absent = map.compute("bar", |_| -> Operation<i32, ()> { Operation::Remove });
    assert!(matches!(absent, Compute::Absent));
    assert!(map.is_empty());
}

#[test]
fn compute_abort() {
    let map: HashMap<&str, i32> = [("foo", 42)].into_iter().collect();
    let aborted = map.compute("foo", |old| Operation::Abort(old.map(|(_, value)| value + 1)));
    assert!(matches!(aborted, Compute::Aborted(Some(43))));
    let aborted = map.compute("bar", |old| Operation::Abort(old.is_none()));
    assert!(matches!(aborted, Compute::Aborted(true)));
    assert_eq!(map.len(), 1);
    assert_eq!(map.get_cloned("foo"), Some(42));
}

#[test]
fn parallel_compute() {
    let map = HashMap::<u64, u64>::new();
    in_parallel(4, |_| {
        for round in 0..2000 {
            map.compute(round % 20, |old| -> Operation<u64, ()> {
                Operation::Insert(old.map_or(1, |(_, count)| count + 1))
            });
        }
    });
    assert!((0..20).all(|key| map.get_cloned(&key) == Some(4 * 100)), "no increment was lost");
}

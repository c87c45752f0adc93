//! The tests of Go's `sync/map_test.go` (Go 1.23 and 1.24), under their own names.
//!
//! Go compares its map with two simpler ones, and with the hash trie that it became; here the two are enough. Where Go
//! waits for a finalizer, drops are counted.

mod common;

use std::collections::HashMap as StdHashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};

use common::{CountingAllocator, Ledger, RaiseOnDrop, Random, allocations_in, in_parallel, processors};
use proptest::prelude::*;
use tidymap::HashMap;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Go's `mapOp`s with their arguments.
#[derive(Clone, Debug)]
enum Call {
    Load(String),
    Store(String, u8),
    LoadOrStore(String, u8),
    LoadAndDelete(String),
    Delete(String),
    Swap(String, u8),
    /// Key, expected, new.
    CompareAndSwap(String, u8, u8),
    CompareAndDelete(String, u8),
    Clear,
}

/// Keys have 0 to 3 letters. Few letters and few values, so that comparisons often succeed.
fn call() -> impl Strategy<Value = Call> {
    let key = || "[ab]{0,3}";
    let value = || 0..3u8;
    prop_oneof![
        4 => key().prop_map(Call::Load),
        4 => (key(), value()).prop_map(|(key, value)| Call::Store(key, value)),
        4 => (key(), value()).prop_map(|(key, value)| Call::LoadOrStore(key, value)),
        4 => key().prop_map(Call::LoadAndDelete),
        4 => key().prop_map(Call::Delete),
        4 => (key(), value()).prop_map(|(key, value)| Call::Swap(key, value)),
        8 => (key(), value(), value()).prop_map(|(key, old, new)| Call::CompareAndSwap(key, old, new)),
        8 => (key(), value()).prop_map(|(key, old)| Call::CompareAndDelete(key, old)),
        1 => Just(Call::Clear),
    ]
}

/// Go's `mapInterface`: every result is a value and a bool.
trait Map: Default {
    fn apply(&self, call: &Call) -> (Option<u8>, bool);
    fn contents(&self) -> StdHashMap<String, u8>;
}

impl Map for HashMap<String, u8> {
    fn apply(&self, call: &Call) -> (Option<u8>, bool) {
        match call.clone() {
            Call::Load(key) => present(self.get_cloned(&key)),
            Call::Store(key, value) => {
                self.insert(key, value);
                (None, false)
            }
            Call::LoadOrStore(key, value) => match self.try_insert(key, value) {
                Ok(stored) => (Some(*stored), false),
                Err(occupied) => (Some(*occupied.entry), true),
            },
            Call::LoadAndDelete(key) => present(self.remove(&key).as_deref().copied()),
            Call::Delete(key) => {
                self.remove(&key);
                (None, false)
            }
            Call::Swap(key, value) => present(self.insert(key, value).as_deref().copied()),
            Call::CompareAndSwap(key, old, new) => (None, self.compare_exchange(&key, &old, new).is_ok()),
            Call::CompareAndDelete(key, old) => {
                (None, matches!(self.remove_if(&key, |_, value| *value == old), Ok(Some(_))))
            }
            Call::Clear => {
                self.clear();
                (None, false)
            }
        }
    }

    fn contents(&self) -> StdHashMap<String, u8> {
        self.pin().iter().map(|(key, value)| (key.clone(), *value)).collect()
    }
}

fn present(value: Option<u8>) -> (Option<u8>, bool) {
    (value, value.is_some())
}

/// What each call means, on a map of the standard library.
fn apply_to(map: &mut StdHashMap<String, u8>, call: &Call) -> (Option<u8>, bool) {
    match call.clone() {
        Call::Load(key) => present(map.get(&key).copied()),
        Call::Store(key, value) => {
            map.insert(key, value);
            (None, false)
        }
        Call::LoadOrStore(key, value) => {
            let loaded = map.contains_key(&key);
            (Some(*map.entry(key).or_insert(value)), loaded)
        }
        Call::LoadAndDelete(key) => present(map.remove(&key)),
        Call::Delete(key) => {
            map.remove(&key);
            (None, false)
        }
        Call::Swap(key, value) => present(map.insert(key, value)),
        Call::CompareAndSwap(key, old, new) => {
            let equal = map.get(&key) == Some(&old);
            if equal {
                map.insert(key, new);
            }
            (None, equal)
        }
        Call::CompareAndDelete(key, old) => {
            let equal = map.get(&key) == Some(&old);
            if equal {
                map.remove(&key);
            }
            (None, equal)
        }
        Call::Clear => {
            map.clear();
            (None, false)
        }
    }
}

/// Go's `RWMutexMap`.
#[derive(Default)]
struct RwMutexMap(RwLock<StdHashMap<String, u8>>);

impl Map for RwMutexMap {
    fn apply(&self, call: &Call) -> (Option<u8>, bool) {
        apply_to(&mut self.0.write().unwrap(), call)
    }

    fn contents(&self) -> StdHashMap<String, u8> {
        self.0.read().unwrap().clone()
    }
}

/// Go's `DeepCopyMap`: each call works on a copy, which takes the map's place.
#[derive(Default)]
struct DeepCopyMap(Mutex<Arc<StdHashMap<String, u8>>>);

impl Map for DeepCopyMap {
    fn apply(&self, call: &Call) -> (Option<u8>, bool) {
        let mut current = self.0.lock().unwrap();
        let mut copy = StdHashMap::clone(&current);
        let result = apply_to(&mut copy, call);
        *current = Arc::new(copy);
        result
    }

    fn contents(&self) -> StdHashMap<String, u8> {
        StdHashMap::clone(&self.0.lock().unwrap())
    }
}

fn results_and_contents<M: Map>(calls: &[Call]) -> (Vec<(Option<u8>, bool)>, StdHashMap<String, u8>) {
    let map = M::default();
    let results = calls.iter().map(|call| map.apply(call)).collect();
    (results, map.contents())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn map_matches_rw_mutex(calls in prop::collection::vec(call(), 0..150)) {
        prop_assert_eq!(
            results_and_contents::<HashMap<String, u8>>(&calls),
            results_and_contents::<RwMutexMap>(&calls)
        );
    }

    #[test]
    fn map_matches_deep_copy(calls in prop::collection::vec(call(), 0..150)) {
        prop_assert_eq!(
            results_and_contents::<HashMap<String, u8>>(&calls),
            results_and_contents::<DeepCopyMap>(&calls)
        );
    }
}

#[test]
fn concurrent_range() {
    const SIZE: u64 = 1 << 10;
    const ROUNDS: usize = 64;

    let map: HashMap<u64, u64> = (1..=SIZE).map(|n| (n, n)).collect();
    let done = AtomicBool::new(false);
    in_parallel(1 + processors(), |thread| {
        if thread > 0 {
            let (mut random, factor) = (Random::new(thread as u64), thread as u64);
            for round in 0.. {
                for n in 1..SIZE {
                    if done.load(Relaxed) {
                        return;
                    }
                    if random.once_in(SIZE) {
                        map.insert(n, n * round * factor);
                    } else {
                        map.get(&n);
                    }
                }
            }
        }
        let _done = RaiseOnDrop(&done);
        for _ in 0..ROUNDS {
            let mut seen = vec![false; SIZE as usize + 1];
            for (key, value) in &map.pin() {
                assert_eq!(value % key, 0, "while multiples of {key} were stored");
                assert!(!std::mem::replace(&mut seen[*key as usize], true), "key {key} was visited twice");
            }
            assert_eq!(seen.iter().filter(|seen| **seen).count(), SIZE as usize, "keys that were visited");
        }
    });
}

#[test]
fn issue_40999() {
    let ledger = Ledger::new();
    let map = HashMap::new();
    // Go's map had to have one more entry in its dirty table than it counted misses.
    map.insert(ledger.make(0), ());
    for n in 1..=10_000 {
        map.insert(ledger.make(n), ());
        map.remove(&n);
        assert_eq!(ledger.live(), 1, "key {n} is still there after it was deleted");
        assert!(map.stats().heap.tables < 4096, "the map keeps growing: {:?}", map.stats().heap);
    }
}

#[test]
fn map_range_nested_call() {
    let map: HashMap<i32, &str> = [(0, "hello"), (1, "world"), (2, "Go")].into_iter().collect();
    for (outer, _) in &map.pin() {
        for (key, value) in &map.pin() {
            assert_eq!(map.get(key).as_deref(), Some(value), "key {key}, which nobody deletes meanwhile");
            assert!(map.try_insert(42, "dummy").is_ok(), "key 42 was there before it was stored");
            map.insert(42, "sync.Map");
            assert_eq!(map.remove(&42).as_deref(), Some(&"sync.Map"));
        }
        map.remove(outer);
    }
    assert_eq!(map.pin().iter().count(), 0);
    assert_eq!(map.len(), 0);
}

#[test]
fn compare_and_swap_non_existing_key() {
    let map = HashMap::<i32, Option<i32>>::new();
    let error = map.compare_exchange(&1, &None, Some(42)).expect_err("an absent key has no value, not even None");
    assert!(error.current.is_none());
    assert_eq!(error.new, Some(42));
    assert!(map.is_empty());
}

/// Go's `testing.AllocsPerRun`: not counting a first run, here the one that makes the thread's record.
fn allocations_per_run(runs: u64, mut work: impl FnMut()) -> u64 {
    work();
    allocations_in(|| (0..runs).for_each(|_| work())) / runs
}

#[test]
fn map_range_no_allocations() {
    let map = HashMap::<i32, i32>::new();
    assert_eq!(allocations_per_run(10, || assert_eq!(map.pin().iter().count(), 0)), 0);
    map.insert(1, 1);
    assert_eq!(allocations_per_run(10, || assert_eq!(map.pin().iter().count(), 1)), 0);
}

#[test]
fn map_clear_no_allocations() {
    let map = HashMap::<i32, i32>::new();
    assert_eq!(allocations_in(|| map.clear()), 0, "not even the first time");
    assert_eq!(allocations_per_run(10, || map.clear()), 0);
    let session = map.pin();
    assert_eq!(allocations_per_run(10, || session.clear()), 0);
}

#[test]
fn the_allocator_does_count() {
    assert_eq!(allocations_in(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn concurrent_clear() {
    for _ in 0..30 {
        let map = HashMap::new();
        in_parallel(30, |thread| {
            let key = thread / 3;
            match thread % 3 {
                0 => drop(map.insert(key, key * 10)),
                1 => assert!(map.get_cloned(&key).is_none_or(|value| value == key * 10)),
                _ => map.clear(),
            }
        });
        map.clear();
        assert_eq!(map.pin().iter().next(), None, "an entry after clear");
        assert_eq!(map.len(), 0);
        assert_eq!(map.stats().pending.entries, 0);
    }
}

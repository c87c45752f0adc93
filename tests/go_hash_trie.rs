//! The tests of Go's `internal/sync/hashtriemap_test.go` (Go 1.24), under their own names.
//!
//! As there, the whole suite runs three times: with a good hash, with one that is the same for all keys, and with one of
//! which only the low 4 bits differ. `CompareAndDelete(key, old)` is `remove_if(key, |_, value| value == old)`.

mod common;

use std::collections::HashMap as StdHashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::{ConstantHash, GoodHash, LowBitsHash, in_parallel, processors};
use tidymap::HashMap;

/// A value that no key has.
const WRONG: usize = usize::MAX;

/// Go's `testData`: 128 keys, each a number in binary.
fn keys() -> impl Iterator<Item = (usize, String)> {
    (0..128).map(|n| (n, format!("{n:b}")))
}

fn key(n: usize) -> String {
    format!("{n:b}")
}

/// The test data as `thread` alone knows it.
fn keys_of(thread: usize) -> impl Iterator<Item = String> {
    keys().map(move |(_, key)| format!("{key}-{thread}"))
}

/// A map under test, with Go's operations and what its tests expect of each.
struct Trie<S>(HashMap<String, usize, S>);

impl<S: BuildHasher + Default> Trie<S> {
    fn new() -> Self {
        Trie(HashMap::default())
    }

    /// One that holds the test data.
    fn full() -> Self {
        let map = Self::new();
        map.fill();
        map
    }

    fn fill(&self) {
        for (n, key) in keys() {
            self.store_new(&key, n);
        }
    }

    /// The block with which most of Go's tests begin: `LoadOrStore` of an absent key stores, and the next one loads.
    fn store_new(&self, key: &str, value: usize) {
        self.expect_missing(key);
        self.expect_stored(key, value);
        self.expect_present(key, value);
        self.expect_loaded(key, value);
    }

    fn load(&self, key: &str) -> Option<usize> {
        self.0.get_cloned(key)
    }

    fn expect_missing(&self, key: &str) {
        assert_eq!(self.load(key), None, "key {key} should be missing");
    }

    fn expect_present(&self, key: &str, value: usize) {
        assert_eq!(self.load(key), Some(value), "key {key} should be present");
    }

    fn expect_all_missing(&self) {
        keys().for_each(|(_, key)| self.expect_missing(&key));
    }

    fn expect_stored(&self, key: &str, value: usize) {
        assert!(self.0.try_insert(key.into(), value).is_ok(), "key {key} should not have been there");
    }

    fn expect_loaded(&self, key: &str, value: usize) {
        assert_eq!(*self.0.get_or_insert(key.into(), WRONG), value, "key {key} should have been loaded");
        let occupied = self.0.try_insert(key.into(), WRONG).expect_err("should have been loaded");
        assert_eq!((*occupied.entry, occupied.value), (value, WRONG));
    }

    fn compare_and_delete(&self, key: &str, old: usize) -> bool {
        let removed = self.0.remove_if(key, |_, value| *value == old);
        if let Ok(Some(removed)) = &removed {
            assert_eq!((removed.key().as_str(), **removed), (key, old), "what was deleted");
        }
        matches!(removed, Ok(Some(_)))
    }

    fn expect_deleted(&self, key: &str, old: usize) {
        assert!(self.compare_and_delete(key, old), "key {key} should have been deleted");
    }

    fn expect_not_deleted(&self, key: &str, old: usize) {
        assert!(!self.compare_and_delete(key, old), "key {key} should not have been deleted");
    }

    fn compare_and_swap(&self, key: &str, old: usize, new: usize) -> bool {
        self.0.compare_exchange(key, &old, new).is_ok()
    }

    fn expect_swapped(&self, key: &str, old: usize, new: usize) {
        assert!(self.compare_and_swap(key, old, new), "key {key} should have been swapped");
    }

    fn expect_not_swapped(&self, key: &str, old: usize, new: usize) {
        assert!(!self.compare_and_swap(key, old, new), "key {key} should not have been swapped");
    }

    /// `Swap`; `before` is what it should find.
    fn swap(&self, key: &str, before: Option<usize>, new: usize) {
        assert_eq!(self.0.insert(key.into(), new).as_deref().copied(), before, "what was swapped out of key {key}");
    }

    /// `LoadAndDelete`; `before` is what it should find.
    fn load_and_delete(&self, key: &str, before: Option<usize>) {
        assert_eq!(self.0.remove(key).as_deref().copied(), before, "what was deleted of key {key}");
    }

    /// Go's `testAll`: fills the map, iterates, and expects each key once with its value. `visit` may change the map.
    fn expect_all(&self, mut visit: impl FnMut(&str, usize)) {
        self.fill();
        let mut seen = StdHashMap::new();
        for (key, value) in &self.0.pin() {
            assert_eq!(seen.insert(key.clone(), *value), None, "key {key} was visited twice");
            visit(key, *value);
        }
        assert_eq!(seen, keys().map(|(n, key)| (key, n)).collect());
    }
}

fn load_empty<S: BuildHasher + Default>() {
    Trie::<S>::new().expect_all_missing();
}

fn load_or_store<S: BuildHasher + Default>() {
    let map = Trie::<S>::full();
    for (n, key) in keys() {
        map.expect_present(&key, n);
        map.expect_loaded(&key, n);
    }
}

fn all<S: BuildHasher + Default>() {
    Trie::<S>::new().expect_all(|_, _| ());
}

fn clear_simple<S: BuildHasher + Default>() {
    let map = Trie::<S>::full();
    map.0.clear();
    map.expect_all_missing();
    assert!(map.0.is_empty());
}

fn clear_concurrent<S: BuildHasher + Default + Send + Sync>() {
    for _ in 0..20 {
        let map = Trie::<S>::full();
        in_parallel(1 + processors(), |thread| {
            if thread == 0 {
                std::thread::yield_now();
                return map.0.clear();
            }
            for (_, key) in keys() {
                map.expect_not_deleted(&key, WRONG);
                // May succeed or fail.
                map.compare_and_swap(&key, thread, thread + 1);
            }
        });
        map.expect_all_missing();
        assert!(map.0.is_empty());
    }
}

fn compare_and_delete_all<S: BuildHasher + Default>() {
    let map = Trie::<S>::new();
    for _ in 0..3 {
        map.fill();
        for (n, key) in keys() {
            map.expect_present(&key, n);
            map.expect_not_deleted(&key, WRONG);
            map.expect_deleted(&key, n);
            map.expect_not_deleted(&key, n);
            map.expect_missing(&key);
        }
        map.expect_all_missing();
    }
}

/// `work` on these keys of a full map removes them, and no others.
fn only_these_go<S: BuildHasher + Default>(these: &[usize], work: impl Fn(&Trie<S>, &str, usize)) {
    let map = Trie::<S>::full();
    these.iter().for_each(|n| work(&map, &key(*n), *n));
    for (n, key) in keys() {
        if these.contains(&n) {
            map.expect_missing(&key);
        } else {
            map.expect_present(&key, n);
        }
    }
}

/// `work` on these keys of a full map makes their values greater by one, and no others.
fn only_these_grow<S: BuildHasher + Default>(these: &[usize], work: impl Fn(&Trie<S>, &str, usize)) {
    let map = Trie::<S>::full();
    these.iter().for_each(|n| work(&map, &key(*n), *n));
    for (n, key) in keys() {
        map.expect_present(&key, n + usize::from(these.contains(&n)));
    }
}

const ONE: &[usize] = &[15];
const MULTIPLE: &[usize] = &[1, 105, 6, 85];

fn compare_and_delete_these<S: BuildHasher + Default>(these: &[usize]) {
    only_these_go::<S>(these, |map, key, n| {
        map.expect_not_deleted(key, WRONG);
        map.expect_deleted(key, n);
        map.expect_not_deleted(key, n);
    });
}

fn compare_and_delete_one<S: BuildHasher + Default>() {
    compare_and_delete_these::<S>(ONE);
}

fn compare_and_delete_multiple<S: BuildHasher + Default>() {
    compare_and_delete_these::<S>(MULTIPLE);
}

fn compare_and_delete_iterate<S: BuildHasher + Default>() {
    let map = Trie::<S>::new();
    map.expect_all(|key, value| map.expect_deleted(key, value));
    map.expect_all_missing();
}

/// Each thread stores keys of its own, and then does `work` to each: the thread's number is the value.
fn on_unshared_keys<S: BuildHasher + Default + Send + Sync>(work: impl Fn(&Trie<S>, &str, usize) + Sync) -> Trie<S> {
    let map = Trie::new();
    in_parallel(processors(), |thread| {
        keys_of(thread).for_each(|key| map.store_new(&key, thread));
        for key in keys_of(thread) {
            map.expect_present(&key, thread);
            work(&map, &key, thread);
        }
    });
    map
}

/// `work` on each of its keys leaves each thread without them.
fn unshared_keys_go<S: BuildHasher + Default + Send + Sync>(work: impl Fn(&Trie<S>, &str, usize) + Sync) {
    let map = on_unshared_keys::<S>(|map, key, thread| {
        work(map, key, thread);
        map.expect_missing(key);
    });
    (0..processors()).flat_map(keys_of).for_each(|key| map.expect_missing(&key));
    assert!(map.0.is_empty());
}

/// `work` on each of its keys leaves each thread with the number after its own.
fn unshared_keys_grow<S: BuildHasher + Default + Send + Sync>(work: impl Fn(&Trie<S>, &str, usize) + Sync) {
    let map = on_unshared_keys::<S>(|map, key, thread| {
        work(map, key, thread);
        map.expect_present(key, thread + 1);
    });
    for thread in 0..processors() {
        keys_of(thread).for_each(|key| map.expect_present(&key, thread + 1));
    }
}

/// All threads do `work` to all keys of a full map, at about the same time; `then` is what each expects of a key from then
/// on. `work` tells whether it met the first value of the key, which must be so in exactly one thread.
fn on_shared_keys<S: BuildHasher + Default + Send + Sync>(
    work: impl Fn(&Trie<S>, &str, usize) -> bool + Sync,
    then: impl Fn(&Trie<S>, &str, usize) + Sync,
) -> Trie<S> {
    let (map, first) = (Trie::full(), AtomicUsize::new(0));
    in_parallel(processors(), |_| {
        for (n, key) in keys() {
            first.fetch_add(usize::from(work(&map, &key, n)), Relaxed);
            then(&map, &key, n);
        }
    });
    assert_eq!(first.into_inner(), keys().count(), "each key's first value was met once");
    keys().for_each(|(n, key)| then(&map, &key, n));
    map
}

fn shared_keys_go<S: BuildHasher + Default + Send + Sync>(work: impl Fn(&Trie<S>, &str, usize) -> bool + Sync) {
    for _ in 0..10 {
        let map = on_shared_keys::<S>(&work, |map, key, _| map.expect_missing(key));
        assert!(map.0.is_empty());
    }
}

fn shared_keys_grow<S: BuildHasher + Default + Send + Sync>(work: impl Fn(&Trie<S>, &str, usize) -> bool + Sync) {
    for _ in 0..10 {
        on_shared_keys::<S>(&work, |map, key, n| map.expect_present(key, n + 1));
    }
}

fn compare_and_delete_concurrent_unshared_keys<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_go::<S>(|map, key, thread| map.expect_deleted(key, thread));
}

fn compare_and_delete_concurrent_shared_keys<S: BuildHasher + Default + Send + Sync>() {
    shared_keys_go::<S>(|map, key, n| {
        map.expect_not_deleted(key, WRONG);
        map.compare_and_delete(key, n)
    });
}

fn compare_and_swap_all<S: BuildHasher + Default>() {
    let map = Trie::<S>::full();
    for round in 0..3 {
        for (n, key) in keys() {
            let value = n + round;
            map.expect_present(&key, value);
            map.expect_not_swapped(&key, WRONG, value + 1);
            map.expect_swapped(&key, value, value + 1);
            map.expect_not_swapped(&key, value, value + 1);
            map.expect_present(&key, value + 1);
        }
    }
    keys().for_each(|(n, key)| map.expect_present(&key, n + 3));
}

fn compare_and_swap_these<S: BuildHasher + Default>(these: &[usize]) {
    only_these_grow::<S>(these, |map, key, n| {
        map.expect_not_swapped(key, WRONG, n + 1);
        map.expect_swapped(key, n, n + 1);
        map.expect_not_swapped(key, n, n + 1);
    });
}

fn compare_and_swap_one<S: BuildHasher + Default>() {
    compare_and_swap_these::<S>(ONE);
}

fn compare_and_swap_multiple<S: BuildHasher + Default>() {
    compare_and_swap_these::<S>(MULTIPLE);
}

fn compare_and_swap_concurrent_unshared_keys<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_grow::<S>(|map, key, thread| map.expect_swapped(key, thread, thread + 1));
}

fn compare_and_swap_concurrent_unshared_keys_with_delete<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_go::<S>(|map, key, thread| {
        map.expect_swapped(key, thread, thread + 1);
        map.expect_present(key, thread + 1);
        map.expect_deleted(key, thread + 1);
        map.expect_not_swapped(key, thread + 1, thread + 2);
        map.expect_not_deleted(key, thread + 1);
    });
}

fn compare_and_swap_concurrent_shared_keys<S: BuildHasher + Default + Send + Sync>() {
    shared_keys_grow::<S>(|map, key, n| {
        map.expect_not_swapped(key, WRONG, n + 1);
        map.compare_and_swap(key, n, n + 1)
    });
}

fn swap_all<S: BuildHasher + Default>() {
    let map = Trie::<S>::full();
    for round in 0..3 {
        for (n, key) in keys() {
            let value = n + round;
            map.expect_present(&key, value);
            map.swap(&key, Some(value), value + 1);
            map.expect_present(&key, value + 1);
        }
    }
    keys().for_each(|(n, key)| map.expect_present(&key, n + 3));
}

fn swap_these<S: BuildHasher + Default>(these: &[usize]) {
    only_these_grow::<S>(these, |map, key, n| {
        map.swap(key, Some(n), n + 1);
        map.swap(key, Some(n + 1), n + 1);
    });
}

fn swap_one<S: BuildHasher + Default>() {
    swap_these::<S>(ONE);
}

fn swap_multiple<S: BuildHasher + Default>() {
    swap_these::<S>(MULTIPLE);
}

fn swap_concurrent_unshared_keys<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_grow::<S>(|map, key, thread| map.swap(key, Some(thread), thread + 1));
}

fn swap_concurrent_unshared_keys_with_delete<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_go::<S>(|map, key, thread| {
        map.swap(key, Some(thread), thread + 1);
        map.expect_present(key, thread + 1);
        map.expect_deleted(key, thread + 1);
        map.swap(key, None, thread + 2);
        map.expect_deleted(key, thread + 2);
    });
}

fn swap_concurrent_shared_keys<S: BuildHasher + Default + Send + Sync>() {
    shared_keys_grow::<S>(|map, key, n| map.0.insert(key.into(), n + 1).as_deref() == Some(&n));
}

fn load_and_delete_all<S: BuildHasher + Default>() {
    let map = Trie::<S>::new();
    for _ in 0..3 {
        map.fill();
        for (n, key) in keys() {
            map.expect_present(&key, n);
            map.load_and_delete(&key, Some(n));
            map.load_and_delete(&key, None);
            map.expect_missing(&key);
        }
        map.expect_all_missing();
    }
}

fn load_and_delete_these<S: BuildHasher + Default>(these: &[usize]) {
    only_these_go::<S>(these, |map, key, n| {
        map.load_and_delete(key, Some(n));
        map.load_and_delete(key, None);
    });
}

fn load_and_delete_one<S: BuildHasher + Default>() {
    load_and_delete_these::<S>(ONE);
}

fn load_and_delete_multiple<S: BuildHasher + Default>() {
    load_and_delete_these::<S>(MULTIPLE);
}

fn load_and_delete_iterate<S: BuildHasher + Default>() {
    let map = Trie::<S>::new();
    map.expect_all(|key, value| map.load_and_delete(key, Some(value)));
    map.expect_all_missing();
}

fn load_and_delete_concurrent_unshared_keys<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_go::<S>(|map, key, thread| map.load_and_delete(key, Some(thread)));
}

fn load_and_delete_concurrent_shared_keys<S: BuildHasher + Default + Send + Sync>() {
    shared_keys_go::<S>(|map, key, n| map.0.remove(key).as_deref() == Some(&n));
}

/// Makes tests of the functions above, with each of the three hashers.
macro_rules! suite {
    ($($test:ident)*) => {
        suite!(@with good_hash, GoodHash, $($test)*);
        suite!(@with constant_hash, ConstantHash, $($test)*);
        suite!(@with low_bits_hash, LowBitsHash, $($test)*);
    };
    (@with $module:ident, $hash:ty, $($test:ident)*) => {
        mod $module {
            use super::*;

            $(
                #[test]
                fn $test() {
                    super::$test::<$hash>();
                }
            )*
        }
    };
}

suite! {
    load_empty
    load_or_store
    all
    clear_simple
    clear_concurrent
    compare_and_delete_all
    compare_and_delete_one
    compare_and_delete_multiple
    compare_and_delete_iterate
    compare_and_delete_concurrent_unshared_keys
    compare_and_delete_concurrent_shared_keys
    compare_and_swap_all
    compare_and_swap_one
    compare_and_swap_multiple
    compare_and_swap_concurrent_unshared_keys
    compare_and_swap_concurrent_unshared_keys_with_delete
    compare_and_swap_concurrent_shared_keys
    swap_all
    swap_one
    swap_multiple
    swap_concurrent_unshared_keys
    swap_concurrent_unshared_keys_with_delete
    swap_concurrent_shared_keys
    load_and_delete_all
    load_and_delete_one
    load_and_delete_multiple
    load_and_delete_iterate
    load_and_delete_concurrent_unshared_keys
    load_and_delete_concurrent_shared_keys
}

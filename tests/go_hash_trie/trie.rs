//! The map under test, Go's operations on it, and its test data.

use std::collections::HashMap as StdHashMap;
use std::hash::BuildHasher;

use tidymap::HashMap;

/// A value that no key has.
pub(crate) const WRONG: usize = usize::MAX;

/// Go's `testData`: 128 keys, each a number in binary.
pub(crate) fn keys() -> impl Iterator<Item = (usize, String)> {
    (0..128).map(|n| (n, format!("{n:b}")))
}

pub(crate) fn key(n: usize) -> String {
    format!("{n:b}")
}

/// The test data as `thread` alone knows it.
pub(crate) fn keys_of(thread: usize) -> impl Iterator<Item = String> {
    keys().map(move |(_, key)| format!("{key}-{thread}"))
}

/// A map under test, with Go's operations and what its tests expect of each.
pub(crate) struct Trie<S>(pub(crate) HashMap<String, usize, S>);

impl<S: BuildHasher + Default> Trie<S> {
    pub(crate) fn new() -> Self {
        Trie(HashMap::default())
    }

    /// One that holds the test data.
    pub(crate) fn full() -> Self {
        let map = Self::new();
        map.fill();
        map
    }

    pub(crate) fn fill(&self) {
        for (n, key) in keys() {
            self.store_new(&key, n);
        }
    }

    /// The block with which most of Go's tests begin: `LoadOrStore` of an absent key stores, and the next one loads.
    pub(crate) fn store_new(&self, key: &str, value: usize) {
        self.expect_missing(key);
        self.expect_stored(key, value);
        self.expect_present(key, value);
        self.expect_loaded(key, value);
    }

    pub(crate) fn load(&self, key: &str) -> Option<usize> {
        self.0.get_cloned(key)
    }

    pub(crate) fn expect_missing(&self, key: &str) {
        assert_eq!(self.load(key), None, "key {key} should be missing");
    }

    pub(crate) fn expect_present(&self, key: &str, value: usize) {
        assert_eq!(self.load(key), Some(value), "key {key} should be present");
    }

    pub(crate) fn expect_all_missing(&self) {
        keys().for_each(|(_, key)| self.expect_missing(&key));
    }

    pub(crate) fn expect_stored(&self, key: &str, value: usize) {
        assert!(self.0.try_insert(key.into(), value).is_ok(), "key {key} should not have been there");
    }

    pub(crate) fn expect_loaded(&self, key: &str, value: usize) {
        assert_eq!(*self.0.get_or_insert(key.into(), WRONG), value, "key {key} should have been loaded");
        let occupied = self.0.try_insert(key.into(), WRONG).expect_err("should have been loaded");
        assert_eq!((*occupied.entry, occupied.value), (value, WRONG));
    }

    pub(crate) fn compare_and_delete(&self, key: &str, old: usize) -> bool {
        let removed = self.0.remove_if(key, |_, value| *value == old);
        if let Ok(Some(removed)) = &removed {
            assert_eq!((removed.key().as_str(), **removed), (key, old), "what was deleted");
        }
        matches!(removed, Ok(Some(_)))
    }

    pub(crate) fn expect_deleted(&self, key: &str, old: usize) {
        assert!(self.compare_and_delete(key, old), "key {key} should have been deleted");
    }

    pub(crate) fn expect_not_deleted(&self, key: &str, old: usize) {
        assert!(!self.compare_and_delete(key, old), "key {key} should not have been deleted");
    }

    pub(crate) fn compare_and_swap(&self, key: &str, old: usize, new: usize) -> bool {
        self.0.compare_exchange(key, &old, new).is_ok()
    }

    pub(crate) fn expect_swapped(&self, key: &str, old: usize, new: usize) {
        assert!(self.compare_and_swap(key, old, new), "key {key} should have been swapped");
    }

    pub(crate) fn expect_not_swapped(&self, key: &str, old: usize, new: usize) {
        assert!(!self.compare_and_swap(key, old, new), "key {key} should not have been swapped");
    }

    /// `Swap`; `before` is what it should find.
    pub(crate) fn swap(&self, key: &str, before: Option<usize>, new: usize) {
        assert_eq!(self.0.insert(key.into(), new).as_deref().copied(), before, "what was swapped out of key {key}");
    }

    /// `LoadAndDelete`; `before` is what it should find.
    pub(crate) fn load_and_delete(&self, key: &str, before: Option<usize>) {
        assert_eq!(self.0.remove(key).as_deref().copied(), before, "what was deleted of key {key}");
    }

    /// Go's `testAll`: fills the map, iterates, and expects each key once with its value. `visit` may change the map.
    pub(crate) fn expect_all(&self, mut visit: impl FnMut(&str, usize)) {
        self.fill();
        let mut seen = StdHashMap::new();
        for (key, value) in &self.0.pin() {
            assert_eq!(seen.insert(key.clone(), *value), None, "key {key} was visited twice");
            visit(key, *value);
        }
        assert_eq!(seen, keys().map(|(n, key)| (key, n)).collect());
    }
}

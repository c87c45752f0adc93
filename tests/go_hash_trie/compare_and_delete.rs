//! `CompareAndDelete`: `remove_if(key, |_, value| value == old)`.

use std::hash::BuildHasher;

use crate::frames::{MULTIPLE, ONE, only_these_go, shared_keys_go, unshared_keys_go};
use crate::trie::{Trie, WRONG, keys};

pub(crate) fn compare_and_delete_all<S: BuildHasher + Default>() {
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

pub(crate) fn compare_and_delete_these<S: BuildHasher + Default>(these: &[usize]) {
    only_these_go::<S>(these, |map, key, n| {
        map.expect_not_deleted(key, WRONG);
        map.expect_deleted(key, n);
        map.expect_not_deleted(key, n);
    });
}

pub(crate) fn compare_and_delete_one<S: BuildHasher + Default>() {
    compare_and_delete_these::<S>(ONE);
}

pub(crate) fn compare_and_delete_multiple<S: BuildHasher + Default>() {
    compare_and_delete_these::<S>(MULTIPLE);
}

pub(crate) fn compare_and_delete_iterate<S: BuildHasher + Default>() {
    let map = Trie::<S>::new();
    map.expect_all(|key, value| map.expect_deleted(key, value));
    map.expect_all_missing();
}

pub(crate) fn compare_and_delete_concurrent_unshared_keys<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_go::<S>(|map, key, thread| map.expect_deleted(key, thread));
}

pub(crate) fn compare_and_delete_concurrent_shared_keys<S: BuildHasher + Default + Send + Sync>() {
    shared_keys_go::<S>(|map, key, n| {
        map.expect_not_deleted(key, WRONG);
        map.compare_and_delete(key, n)
    });
}

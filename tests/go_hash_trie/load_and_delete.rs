//! `LoadAndDelete`.

use std::hash::BuildHasher;

use crate::frames::{MULTIPLE, ONE, only_these_go, shared_keys_go, unshared_keys_go};
use crate::trie::{Trie, keys};

pub(crate) fn load_and_delete_all<S: BuildHasher + Default>() {
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

pub(crate) fn load_and_delete_these<S: BuildHasher + Default>(these: &[usize]) {
    only_these_go::<S>(these, |map, key, n| {
        map.load_and_delete(key, Some(n));
        map.load_and_delete(key, None);
    });
}

pub(crate) fn load_and_delete_one<S: BuildHasher + Default>() {
    load_and_delete_these::<S>(ONE);
}

pub(crate) fn load_and_delete_multiple<S: BuildHasher + Default>() {
    load_and_delete_these::<S>(MULTIPLE);
}

pub(crate) fn load_and_delete_iterate<S: BuildHasher + Default>() {
    let map = Trie::<S>::new();
    map.expect_all(|key, value| map.load_and_delete(key, Some(value)));
    map.expect_all_missing();
}

pub(crate) fn load_and_delete_concurrent_unshared_keys<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_go::<S>(|map, key, thread| map.load_and_delete(key, Some(thread)));
}

pub(crate) fn load_and_delete_concurrent_shared_keys<S: BuildHasher + Default + Send + Sync>() {
    shared_keys_go::<S>(|map, key, n| map.0.remove(key).as_deref() == Some(&n));
}

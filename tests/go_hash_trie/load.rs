//! `Load`, `LoadOrStore`, `All` and `Clear`.

use std::hash::BuildHasher;

use crate::common::{in_parallel, processors};
use crate::trie::{Trie, WRONG, keys};

pub(crate) fn load_empty<S: BuildHasher + Default>() {
    Trie::<S>::new().expect_all_missing();
}

pub(crate) fn load_or_store<S: BuildHasher + Default>() {
    let map = Trie::<S>::full();
    for (n, key) in keys() {
        map.expect_present(&key, n);
        map.expect_loaded(&key, n);
    }
}

pub(crate) fn all<S: BuildHasher + Default>() {
    Trie::<S>::new().expect_all(|_, _| ());
}

pub(crate) fn clear_simple<S: BuildHasher + Default>() {
    let map = Trie::<S>::full();
    map.0.clear();
    map.expect_all_missing();
    assert!(map.0.is_empty());
}

pub(crate) fn clear_concurrent<S: BuildHasher + Default + Send + Sync>() {
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

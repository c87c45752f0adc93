//! `CompareAndSwap` and `Swap`.

use std::hash::BuildHasher;

use crate::frames::{MULTIPLE, ONE, only_these_grow, shared_keys_grow, unshared_keys_go, unshared_keys_grow};
use crate::trie::{Trie, WRONG, keys};

pub(crate) fn compare_and_swap_all<S: BuildHasher + Default>() {
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

pub(crate) fn compare_and_swap_these<S: BuildHasher + Default>(these: &[usize]) {
    only_these_grow::<S>(these, |map, key, n| {
        map.expect_not_swapped(key, WRONG, n + 1);
        map.expect_swapped(key, n, n + 1);
        map.expect_not_swapped(key, n, n + 1);
    });
}

pub(crate) fn compare_and_swap_one<S: BuildHasher + Default>() {
    compare_and_swap_these::<S>(ONE);
}

pub(crate) fn compare_and_swap_multiple<S: BuildHasher + Default>() {
    compare_and_swap_these::<S>(MULTIPLE);
}

pub(crate) fn compare_and_swap_concurrent_unshared_keys<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_grow::<S>(|map, key, thread| map.expect_swapped(key, thread, thread + 1));
}

pub(crate) fn compare_and_swap_concurrent_unshared_keys_with_delete<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_go::<S>(|map, key, thread| {
        map.expect_swapped(key, thread, thread + 1);
        map.expect_present(key, thread + 1);
        map.expect_deleted(key, thread + 1);
        map.expect_not_swapped(key, thread + 1, thread + 2);
        map.expect_not_deleted(key, thread + 1);
    });
}

pub(crate) fn compare_and_swap_concurrent_shared_keys<S: BuildHasher + Default + Send + Sync>() {
    shared_keys_grow::<S>(|map, key, n| {
        map.expect_not_swapped(key, WRONG, n + 1);
        map.compare_and_swap(key, n, n + 1)
    });
}

pub(crate) fn swap_all<S: BuildHasher + Default>() {
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

pub(crate) fn swap_these<S: BuildHasher + Default>(these: &[usize]) {
    only_these_grow::<S>(these, |map, key, n| {
        map.swap(key, Some(n), n + 1);
        map.swap(key, Some(n + 1), n + 1);
    });
}

pub(crate) fn swap_one<S: BuildHasher + Default>() {
    swap_these::<S>(ONE);
}

pub(crate) fn swap_multiple<S: BuildHasher + Default>() {
    swap_these::<S>(MULTIPLE);
}

pub(crate) fn swap_concurrent_unshared_keys<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_grow::<S>(|map, key, thread| map.swap(key, Some(thread), thread + 1));
}

pub(crate) fn swap_concurrent_unshared_keys_with_delete<S: BuildHasher + Default + Send + Sync>() {
    unshared_keys_go::<S>(|map, key, thread| {
        map.swap(key, Some(thread), thread + 1);
        map.expect_present(key, thread + 1);
        map.expect_deleted(key, thread + 1);
        map.swap(key, None, thread + 2);
        map.expect_deleted(key, thread + 2);
    });
}

pub(crate) fn swap_concurrent_shared_keys<S: BuildHasher + Default + Send + Sync>() {
    shared_keys_grow::<S>(|map, key, n| map.0.insert(key.into(), n + 1).as_deref() == Some(&n));
}

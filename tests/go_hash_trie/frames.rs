//! What Go's tests have in common: on which keys, and by how many threads.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::common::{in_parallel, processors};
use crate::trie::{Trie, key, keys, keys_of};

/// `work` on these keys of a full map removes them, and no others.
pub(crate) fn only_these_go<S: BuildHasher + Default>(these: &[usize], work: impl Fn(&Trie<S>, &str, usize)) {
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
pub(crate) fn only_these_grow<S: BuildHasher + Default>(these: &[usize], work: impl Fn(&Trie<S>, &str, usize)) {
    let map = Trie::<S>::full();
    these.iter().for_each(|n| work(&map, &key(*n), *n));
    for (n, key) in keys() {
        map.expect_present(&key, n + usize::from(these.contains(&n)));
    }
}

pub(crate) const ONE: &[usize] = &[15];
pub(crate) const MULTIPLE: &[usize] = &[1, 105, 6, 85];

/// Each thread stores keys of its own, and then does `work` to each: the thread's number is the value.
pub(crate) fn on_unshared_keys<S: BuildHasher + Default + Send + Sync>(
    work: impl Fn(&Trie<S>, &str, usize) + Sync,
) -> Trie<S> {
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
pub(crate) fn unshared_keys_go<S: BuildHasher + Default + Send + Sync>(work: impl Fn(&Trie<S>, &str, usize) + Sync) {
    let map = on_unshared_keys::<S>(|map, key, thread| {
        work(map, key, thread);
        map.expect_missing(key);
    });
    (0..processors()).flat_map(keys_of).for_each(|key| map.expect_missing(&key));
    assert!(map.0.is_empty());
}

/// `work` on each of its keys leaves each thread with the number after its own.
pub(crate) fn unshared_keys_grow<S: BuildHasher + Default + Send + Sync>(work: impl Fn(&Trie<S>, &str, usize) + Sync) {
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
pub(crate) fn on_shared_keys<S: BuildHasher + Default + Send + Sync>(
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

pub(crate) fn shared_keys_go<S: BuildHasher + Default + Send + Sync>(
    work: impl Fn(&Trie<S>, &str, usize) -> bool + Sync,
) {
    for _ in 0..10 {
        let map = on_shared_keys::<S>(&work, |map, key, _| map.expect_missing(key));
        assert!(map.0.is_empty());
    }
}

pub(crate) fn shared_keys_grow<S: BuildHasher + Default + Send + Sync>(
    work: impl Fn(&Trie<S>, &str, usize) -> bool + Sync,
) {
    for _ in 0..10 {
        on_shared_keys::<S>(&work, |map, key, n| map.expect_present(key, n + 1));
    }
}

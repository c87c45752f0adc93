//! Each kind of map, and how it is changed.

use std::sync::{Mutex, RwLock};

use arc_swap::ArcSwap;
use evmap::handles::{ReadHandle, WriteHandle};
use tidymap::{ReadFence, Reclaim};

use super::{FixedState, Key, Peer, Value, Writable};

/// A kind of this crate's map, with its settings.
macro_rules! tidy {
    ($(#[$doc:meta])* $peer:ident, $name:literal, |$settings:ident| $chosen:expr) => {
        $(#[$doc])*
        pub enum $peer {}

        impl Peer for $peer {
            const NAME: &'static str = $name;
            type Map<K: Key, V: Value> = tidymap::HashMap<K, V, FixedState>;

            fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
                let $settings = tidymap::HashMap::builder().hasher(FixedState::default());
                $chosen.build()
            }

            fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
                let map = Self::empty();
                map.insert_many(pairs);
                // What a program reaches that reads for a while: no young table is left to look into.
                map.shrink_to_fit();
                map
            }

            fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
                map.insert(key, value);
            }
        }
    };
}

tidy!(
    /// This crate's map, as it comes: what is removed is dropped at once, and reads are without a fence while they may.
    Tidy, "tidymap", |settings| settings);
tidy!(
    /// The same, with garbage saved up.
    TidyBatched, "tidymap, batched", |settings| settings.reclaim(Reclaim::Batched(64)));
tidy!(
    /// The same, with a fence in each one-shot read: where the system has no barrier for all threads.
    TidyFenced, "tidymap, fenced", |settings| settings.read_fence(ReadFence::Always));

macro_rules! tidy_writes {
    ($peer:ty, $policy:literal) => {
        impl Writable for $peer {
            const POLICY: &'static str = $policy;

            fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
                map.insert(key, value);
            }

            fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool {
                map.remove(key).is_some()
            }

            fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64> {
                map.read(key, |_, value| value.number())
            }

            fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool {
                map.update(key, |value| V::of(next(value.number()))).is_some()
            }

            fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize {
                map.pin().values().take(count).filter(|value| value.number() != u64::MAX).count()
            }
        }
    };
}

tidy_writes!(Tidy, "dropped at once");
tidy_writes!(TidyBatched, "dropped by 64");
tidy_writes!(TidyFenced, "dropped at once, reads with a fence");

/// papaya: lock-free reads, garbage in batches.
pub enum Papaya {}

impl Peer for Papaya {
    const NAME: &'static str = "papaya";
    type Map<K: Key, V: Value> = papaya::HashMap<K, V, FixedState>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        papaya::HashMap::default()
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        // In one table: as inserts leave it, it may look into two for each key until somebody writes.
        pairs.collect()
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.pin().insert(key, value);
    }
}

impl Writable for Papaya {
    fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.pin().insert(key, value);
    }

    fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool {
        map.pin().remove(key).is_some()
    }

    fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64> {
        map.pin().get(key).map(V::number)
    }

    fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool {
        map.pin().update(key.clone(), |value| V::of(next(value.number()))).is_some()
    }

    fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize {
        map.pin().values().take(count).filter(|value| value.number() != u64::MAX).count()
    }
}

/// scc's index: lock-free reads, garbage when the epochs get there.
pub enum Index {}

impl Peer for Index {
    const NAME: &'static str = "scc::HashIndex";
    type Map<K: Key, V: Value> = scc::HashIndex<K, V, FixedState>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        scc::HashIndex::default()
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        let map = scc::HashIndex::with_capacity_and_hasher(pairs.len(), FixedState::default());
        pairs.for_each(|(key, value)| Self::fill_in(&map, key, value));
        map
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.insert_sync(key, value).expect("a new key");
    }
}

impl Writable for Index {
    fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        use scc::hash_index::Entry;
        match map.entry_sync(key) {
            Entry::Occupied(mut entry) => entry.update(value),
            Entry::Vacant(entry) => drop(entry.insert_entry(value)),
        }
    }

    fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool {
        map.remove_sync(key)
    }

    fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64> {
        map.peek_with(key, |_, value| value.number())
    }

    fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool {
        match map.get_sync(key.borrow()) {
            Some(mut entry) => {
                let value = V::of(next(entry.get().number()));
                entry.update(value);
                true
            }
            None => false,
        }
    }

    fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize {
        let guard = scc::Guard::new();
        map.iter(&guard).take(count).filter(|(_, value)| value.number() != u64::MAX).count()
    }
}

/// scc's map: a lock for each bucket.
pub enum SccMap {}

impl Peer for SccMap {
    const NAME: &'static str = "scc::HashMap";
    type Map<K: Key, V: Value> = scc::HashMap<K, V, FixedState>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        scc::HashMap::default()
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        let map = scc::HashMap::with_capacity_and_hasher(pairs.len(), FixedState::default());
        pairs.for_each(|(key, value)| Self::fill_in(&map, key, value));
        map
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        assert!(map.insert_sync(key, value).is_ok(), "a new key");
    }
}

impl Writable for SccMap {
    fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.upsert_sync(key, value);
    }

    fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool {
        map.remove_sync(key).is_some()
    }

    fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64> {
        map.read_sync(key, |_, value| value.number())
    }

    fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool {
        map.update_sync(key.borrow(), |_, value| *value = V::of(next(value.number()))).is_some()
    }

    fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize {
        let mut seen = 0;
        map.iter_sync(|_, value| {
            seen += usize::from(value.number() != u64::MAX);
            seen < count
        });
        seen
    }
}

/// dashmap: a lock for each shard.
pub enum Dash {}

impl Peer for Dash {
    const NAME: &'static str = "dashmap";
    type Map<K: Key, V: Value> = dashmap::DashMap<K, V, FixedState>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        dashmap::DashMap::default()
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        pairs.collect()
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.insert(key, value);
    }
}

impl Writable for Dash {
    fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.insert(key, value);
    }

    fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool {
        map.remove(key).is_some()
    }

    fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64> {
        map.get(key).map(|value| value.number())
    }

    fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool {
        map.get_mut(key.borrow()).map(|mut value| *value = V::of(next(value.number()))).is_some()
    }

    fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize {
        map.iter().take(count).filter(|entry| entry.number() != u64::MAX).count()
    }
}

/// flurry: Java's ConcurrentHashMap.
pub enum Flurry {}

impl Peer for Flurry {
    const NAME: &'static str = "flurry";
    type Map<K: Key, V: Value> = flurry::HashMap<K, V, FixedState>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        flurry::HashMap::default()
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        // Not `collect()`: it fills without a guard, and 0.5.2 reads a bin's nodes after it has dropped them that way.
        let map = flurry::HashMap::with_capacity_and_hasher(pairs.len(), FixedState::default());
        let pinned = map.pin();
        pairs.for_each(|(key, value)| _ = pinned.insert(key, value));
        drop(pinned);
        map
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.pin().insert(key, value);
    }
}

impl Writable for Flurry {
    fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.pin().insert(key, value);
    }

    fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool {
        map.pin().remove(key).is_some()
    }

    fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64> {
        map.pin().get(key).map(V::number)
    }

    fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool {
        let pinned = map.pin();
        pinned.compute_if_present(key.borrow(), |_, value| Some(V::of(next(value.number())))).is_some()
    }

    fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize {
        map.pin().values().take(count).filter(|value| value.number() != u64::MAX).count()
    }
}

/// crossbeam's skip list: sorted, lock-free.
pub enum Skip {}

impl Peer for Skip {
    const NAME: &'static str = "crossbeam SkipMap";
    type Map<K: Key, V: Value> = crossbeam_skiplist::SkipMap<K, V>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        crossbeam_skiplist::SkipMap::new()
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.insert(key, value);
    }
}

impl Writable for Skip {
    fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.insert(key, value);
    }

    fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool {
        map.remove(key).is_some()
    }

    fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64> {
        map.get(key).map(|entry| entry.value().number())
    }

    fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool {
        // It has no such call: read, then write.
        let number = Self::get::<K, V>(map, key.borrow());
        number.map(|number| map.insert(key.clone(), V::of(next(number)))).is_some()
    }

    fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize {
        map.iter().take(count).filter(|entry| entry.value().number() != u64::MAX).count()
    }
}

/// The standard library's map, which is hashbrown's, in a lock.
pub enum Locked {}

impl Peer for Locked {
    const NAME: &'static str = "RwLock<hashbrown>";
    type Map<K: Key, V: Value> = RwLock<hashbrown::HashMap<K, V, FixedState>>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        RwLock::default()
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        RwLock::new(pairs.collect())
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.write().unwrap().insert(key, value);
    }
}

impl Writable for Locked {
    fn insert<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        // What was there before is dropped after the lock.
        let _old = map.write().unwrap().insert(key, value);
    }

    fn remove<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> bool {
        let old = map.write().unwrap().remove(key);
        old.is_some()
    }

    fn get<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K::Query) -> Option<u64> {
        map.read().unwrap().get(key).map(V::number)
    }

    fn update<K: Key, V: Value>(map: &Self::Map<K, V>, key: &K, next: impl Fn(u64) -> u64) -> bool {
        map.write().unwrap().get_mut(key.borrow()).map(|value| *value = V::of(next(value.number()))).is_some()
    }

    fn scan<K: Key, V: Value>(map: &Self::Map<K, V>, count: usize) -> usize {
        map.read().unwrap().values().take(count).filter(|value| value.number() != u64::MAX).count()
    }
}

/// A map that is replaced as a whole: each change copies it. For reading only.
pub enum Copied {}

impl Peer for Copied {
    const NAME: &'static str = "ArcSwap<hashbrown>";
    type Map<K: Key, V: Value> = ArcSwap<hashbrown::HashMap<K, V, FixedState>>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        ArcSwap::from_pointee(hashbrown::HashMap::default())
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        ArcSwap::from_pointee(pairs.collect())
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.rcu(|map| {
            let mut map = hashbrown::HashMap::clone(map);
            map.insert(key.clone(), value.clone());
            map
        });
    }
}

/// evmap: two maps, which a single writer swaps after it has waited for all readers. For reading only.
pub enum Ev {}

/// Its two ends. The writer's keeps the map alive.
pub struct EvMap<K: Key, V: Value> {
    reader: Mutex<ReadHandle<K, V, (), FixedState>>,
    writer: Mutex<WriteHandle<K, V, (), FixedState>>,
}

impl<K: Key, V: Value> EvMap<K, V> {
    /// One for each thread.
    pub(super) fn reader(&self) -> ReadHandle<K, V, (), FixedState> {
        self.reader.lock().unwrap().clone()
    }
}

impl Peer for Ev {
    const NAME: &'static str = "evmap";
    type Map<K: Key, V: Value> = EvMap<K, V>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        // SAFETY: the hasher is the same for all, and keys and values of the benches hash and compare in the same way each time.
        let (writer, reader) = unsafe { evmap::Options::default().with_hasher(FixedState::default()).assert_stable() };
        EvMap { reader: Mutex::new(reader), writer: Mutex::new(writer) }
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        let map = Self::empty();
        let mut writer = map.writer.lock().unwrap();
        writer.extend(pairs);
        writer.publish();
        drop(writer);
        map
    }

    fn fill_in<K: Key, V: Value>(map: &Self::Map<K, V>, key: K, value: V) {
        map.writer.lock().unwrap().update(key, value).publish();
    }
}

/// hashbrown by itself: what a map costs that nobody shares.
pub enum Plain {}

impl Peer for Plain {
    const NAME: &'static str = "hashbrown, unshared";
    type Map<K: Key, V: Value> = hashbrown::HashMap<K, V, FixedState>;

    fn empty<K: Key, V: Value>() -> Self::Map<K, V> {
        hashbrown::HashMap::default()
    }

    fn filled<K: Key, V: Value>(pairs: impl ExactSizeIterator<Item = (K, V)>) -> Self::Map<K, V> {
        pairs.collect()
    }

    fn fill_in<K: Key, V: Value>(_: &Self::Map<K, V>, _: K, _: V) {
        unreachable!("filled at once");
    }
}

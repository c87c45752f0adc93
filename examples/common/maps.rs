//! The maps that are compared, behind one trait.
//!
//! All have the same hasher and start empty, with the settings that they come with. Each is used as its documentation
//! shows: operations one by one, with no guard or session kept between them.

#![allow(dead_code, reason = "shared by benches and an example, of which none uses all of it")]

use std::hash::Hash;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use foldhash::fast::FixedState;
use papaya::Guard as _;

/// What is looked up.
pub(crate) trait Key: Clone + Eq + Hash + Send + Sync + 'static {}
impl<K: Clone + Eq + Hash + Send + Sync + 'static> Key for K {}

/// What it is mapped to.
pub(crate) trait Value: Send + Sync + 'static {}
impl<V: Send + Sync + 'static> Value for V {}

/// One kind of map, for keys and values of any type.
pub(crate) trait Family: 'static {
    const NAME: &'static str;
    /// What [`Map::own_call`] calls.
    const OWN_CALL: &'static str;
    type Map<K: Key, V: Value>: Map<K, V>;
}

/// A map of one kind.
pub(crate) type MapOf<F, K, V> = <F as Family>::Map<K, V>;

/// What the scenarios do with a map.
pub(crate) trait Map<K: Key, V: Value>: Default + Value {
    /// Inserts or overwrites.
    fn insert(&self, key: K, value: V);

    /// Removes, and tells whether there was something.
    fn remove(&self, key: &K) -> bool;

    fn read<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R>;

    /// Reads the value of `key`, which is inserted if it is not there.
    fn read_or_default<R>(&self, key: K, read: impl FnOnce(&V) -> R) -> R
    where
        V: Default;

    fn each(&self, visit: impl FnMut(&K, &V));

    fn clear(&self);

    /// Asks for memory back in whatever way the map has for that.
    fn own_call(&self);

    /// What a reader has in its hands while it looks at the value of `key`.
    fn hold(&self, key: &K) -> impl Sized;

    /// Like [`insert`](Self::insert), unless that would wait for a reader: then it does nothing and says no.
    fn try_insert(&self, key: K, value: V) -> bool {
        self.insert(key, value);
        true
    }

    /// Like [`remove`](Self::remove), unless that would wait for a reader: then it does nothing and says no.
    fn try_remove(&self, key: &K) -> bool {
        self.remove(key)
    }

    fn count(&self) -> usize {
        let mut entries = 0;
        self.each(|_, _| entries += 1);
        entries
    }
}

/// This crate's map.
pub(crate) enum Tidy {}

impl Family for Tidy {
    const NAME: &'static str = "tidymap";
    const OWN_CALL: &'static str = "reclaim, shrink_to_fit";
    type Map<K: Key, V: Value> = tidymap::HashMap<K, V, FixedState>;
}

impl<K: Key, V: Value> Map<K, V> for tidymap::HashMap<K, V, FixedState> {
    fn insert(&self, key: K, value: V) {
        self.insert(key, value);
    }

    fn remove(&self, key: &K) -> bool {
        self.remove(key).is_some()
    }

    fn read<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R> {
        self.read(key, |_, value| read(value))
    }

    fn read_or_default<R>(&self, key: K, read: impl FnOnce(&V) -> R) -> R
    where
        V: Default,
    {
        read(&self.get_or_insert_with(key, V::default))
    }

    fn each(&self, mut visit: impl FnMut(&K, &V)) {
        self.pin().iter().for_each(|(key, value)| visit(key, value));
    }

    fn clear(&self) {
        self.clear();
    }

    fn own_call(&self) {
        self.reclaim().expect("the lab holds no guard");
        self.shrink_to_fit();
    }

    fn hold(&self, key: &K) -> impl Sized {
        self.get(key)
    }
}

/// The standard library's map in a lock.
pub(crate) enum Locked {}

impl Family for Locked {
    const NAME: &'static str = "RwLock<HashMap>";
    const OWN_CALL: &'static str = "shrink_to_fit";
    type Map<K: Key, V: Value> = LockedMap<K, V>;
}

pub(crate) struct LockedMap<K, V>(RwLock<std::collections::HashMap<K, V, FixedState>>);

impl<K, V> Default for LockedMap<K, V> {
    fn default() -> Self {
        LockedMap(RwLock::default())
    }
}

impl<K, V> LockedMap<K, V> {
    fn for_reading(&self) -> RwLockReadGuard<'_, std::collections::HashMap<K, V, FixedState>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn for_writing(&self) -> RwLockWriteGuard<'_, std::collections::HashMap<K, V, FixedState>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Key, V: Value> Map<K, V> for LockedMap<K, V> {
    fn insert(&self, key: K, value: V) {
        self.for_writing().insert(key, value);
    }

    fn remove(&self, key: &K) -> bool {
        self.for_writing().remove(key).is_some()
    }

    fn read<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R> {
        self.for_reading().get(key).map(read)
    }

    fn read_or_default<R>(&self, key: K, read: impl FnOnce(&V) -> R) -> R
    where
        V: Default,
    {
        if let Some(value) = self.for_reading().get(&key) {
            return read(value);
        }
        read(self.for_writing().entry(key).or_default())
    }

    fn each(&self, mut visit: impl FnMut(&K, &V)) {
        self.for_reading().iter().for_each(|(key, value)| visit(key, value));
    }

    fn clear(&self) {
        self.for_writing().clear();
    }

    fn own_call(&self) {
        self.for_writing().shrink_to_fit();
    }

    fn hold(&self, key: &K) -> impl Sized {
        let map = self.for_reading();
        assert!(map.contains_key(key));
        map
    }

    fn try_insert(&self, key: K, value: V) -> bool {
        let mut map = match self.0.try_write() {
            Ok(map) => map,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        map.insert(key, value);
        true
    }

    fn try_remove(&self, key: &K) -> bool {
        match self.0.try_write() {
            Ok(mut map) => map.remove(key).is_some(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().remove(key).is_some(),
            Err(TryLockError::WouldBlock) => false,
        }
    }
}

/// dashmap: a lock for each shard.
pub(crate) enum Dash {}

impl Family for Dash {
    const NAME: &'static str = "dashmap";
    const OWN_CALL: &'static str = "shrink_to_fit";
    type Map<K: Key, V: Value> = dashmap::DashMap<K, V, FixedState>;
}

impl<K: Key, V: Value> Map<K, V> for dashmap::DashMap<K, V, FixedState> {
    fn insert(&self, key: K, value: V) {
        self.insert(key, value);
    }

    fn remove(&self, key: &K) -> bool {
        self.remove(key).is_some()
    }

    fn read<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R> {
        self.get(key).map(|value| read(&value))
    }

    fn read_or_default<R>(&self, key: K, read: impl FnOnce(&V) -> R) -> R
    where
        V: Default,
    {
        read(&self.entry(key).or_default())
    }

    fn each(&self, mut visit: impl FnMut(&K, &V)) {
        self.iter().for_each(|entry| visit(entry.key(), entry.value()));
    }

    fn clear(&self) {
        self.clear();
    }

    fn own_call(&self) {
        self.shrink_to_fit();
    }

    fn hold(&self, key: &K) -> impl Sized {
        self.get(key)
    }

    fn try_insert(&self, key: K, value: V) -> bool {
        self.try_entry(key).map(|entry| entry.insert(value)).is_some()
    }

    fn try_remove(&self, key: &K) -> bool {
        match self.try_entry(key.clone()) {
            Some(dashmap::Entry::Occupied(entry)) => {
                entry.remove();
                true
            }
            _ => false,
        }
    }
}

/// papaya: lock-free reads, and garbage in batches.
pub(crate) enum Papaya {}

impl Family for Papaya {
    const NAME: &'static str = "papaya";
    const OWN_CALL: &'static str = "guard().flush()";
    type Map<K: Key, V: Value> = papaya::HashMap<K, V, FixedState>;
}

impl<K: Key, V: Value> Map<K, V> for papaya::HashMap<K, V, FixedState> {
    fn insert(&self, key: K, value: V) {
        self.pin().insert(key, value);
    }

    fn remove(&self, key: &K) -> bool {
        self.pin().remove(key).is_some()
    }

    fn read<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R> {
        self.pin().get(key).map(read)
    }

    fn read_or_default<R>(&self, key: K, read: impl FnOnce(&V) -> R) -> R
    where
        V: Default,
    {
        read(self.pin().get_or_insert_with(key, V::default))
    }

    fn each(&self, mut visit: impl FnMut(&K, &V)) {
        self.pin().iter().for_each(|(key, value)| visit(key, value));
    }

    fn clear(&self) {
        self.pin().clear();
    }

    fn own_call(&self) {
        // Gives the batch of this thread away before it is full.
        self.guard().flush();
    }

    fn hold(&self, key: &K) -> impl Sized {
        let pinned = self.pin();
        assert!(pinned.contains_key(key));
        pinned
    }
}

/// scc's index: lock-free reads, and garbage when the epochs get there.
pub(crate) enum Index {}

impl Family for Index {
    const NAME: &'static str = "scc::HashIndex";
    const OWN_CALL: &'static str = "Guard::accelerate, 8 times";
    type Map<K: Key, V: Value> = scc::HashIndex<K, V, FixedState>;
}

impl<K: Key, V: Value> Map<K, V> for scc::HashIndex<K, V, FixedState> {
    fn insert(&self, key: K, value: V) {
        use scc::hash_index::Entry;
        match self.entry_sync(key) {
            Entry::Occupied(mut entry) => entry.update(value),
            Entry::Vacant(entry) => drop(entry.insert_entry(value)),
        }
    }

    fn remove(&self, key: &K) -> bool {
        self.remove_sync(key)
    }

    fn read<R>(&self, key: &K, read: impl FnOnce(&V) -> R) -> Option<R> {
        self.peek_with(key, |_, value| read(value))
    }

    fn read_or_default<R>(&self, key: K, read: impl FnOnce(&V) -> R) -> R
    where
        V: Default,
    {
        let guard = scc::Guard::new();
        if let Some(value) = self.peek(&key, &guard) {
            return read(value);
        }
        read(self.entry_sync(key).or_default().get())
    }

    fn each(&self, mut visit: impl FnMut(&K, &V)) {
        let guard = scc::Guard::new();
        self.iter(&guard).for_each(|(key, value)| visit(key, value));
    }

    fn clear(&self) {
        self.clear_sync();
    }

    fn own_call(&self) {
        // Garbage goes after three epochs, and each of these lets one pass if nobody else hinders it.
        for _ in 0..8 {
            scc::Guard::new().accelerate();
        }
    }

    fn hold(&self, key: &K) -> impl Sized {
        let guard = scc::Guard::new();
        assert!(self.peek(key, &guard).is_some());
        guard
    }
}

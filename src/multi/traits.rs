//! The traits that users expect.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use super::MultiMap;
use crate::HashMap;

/// A map of slices, with its settings. A key with an empty slice stays until somebody removes it.
impl<K, V, S> From<HashMap<K, Box<[V]>, S>> for MultiMap<K, V, S> {
    fn from(map: HashMap<K, Box<[V]>, S>) -> Self {
        MultiMap { map }
    }
}

impl<K, V, S: Default> Default for MultiMap<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for MultiMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pin().fmt(f)
    }
}

/// Clones what an iteration yields, and the settings.
impl<K, V, S> Clone for MultiMap<K, V, S>
where
    K: Clone + Eq + Hash,
    V: Clone,
    S: Clone + BuildHasher,
{
    fn clone(&self) -> Self {
        MultiMap { map: self.map.clone() }
    }
}

/// Inserts each pair by itself, as [`MultiMap::insert`] does.
impl<K, V, S> Extend<(K, V)> for MultiMap<K, V, S>
where
    K: Eq + Hash,
    V: Clone,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        (&*self).extend(pairs);
    }
}

/// Inserts each pair by itself, as [`MultiMap::insert`] does.
impl<K, V, S> Extend<(K, V)> for &MultiMap<K, V, S>
where
    K: Eq + Hash,
    V: Clone,
    S: BuildHasher,
{
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        for (key, value) in pairs {
            self.insert(key, value);
        }
    }
}

/// Groups the values by their keys first, so that each slice is made once.
impl<K, V, S> FromIterator<(K, V)> for MultiMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher + Default,
{
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut groups = std::collections::HashMap::<K, Vec<V>, S>::default();
        for (key, value) in pairs {
            groups.entry(key).or_default().push(value);
        }
        groups.into_iter().map(|(key, values)| (key, values.into())).collect::<HashMap<_, _, S>>().into()
    }
}

impl<K: Eq + Hash, V, const N: usize> From<[(K, V); N]> for MultiMap<K, V> {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

//! The traits that users expect.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use super::NestedMap;

impl<K1, K2, V, S: Default> Default for NestedMap<K1, K2, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K1: fmt::Debug, K2: fmt::Debug, V: fmt::Debug, S> fmt::Debug for NestedMap<K1, K2, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pin().fmt(f)
    }
}

/// Clones what an iteration yields, and the hasher.
impl<K1, K2, V, S> Clone for NestedMap<K1, K2, V, S>
where
    K1: Clone + Eq + Hash,
    K2: Clone + Eq + Hash,
    V: Clone,
    S: Clone + BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn clone(&self) -> Self {
        let clone = Self::with_hasher(self.hasher().clone());
        (&clone).extend(self.pin().iter().map(|(outer, inner, value)| (outer.clone(), inner.clone(), value.clone())));
        clone
    }
}

/// Equal if both yield the same, when nobody writes.
impl<K1, K2, V, S, T> PartialEq<NestedMap<K1, K2, V, T>> for NestedMap<K1, K2, V, S>
where
    K1: Eq + Hash,
    K2: Eq + Hash,
    V: PartialEq,
    S: BuildHasher,
    T: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn eq(&self, other: &NestedMap<K1, K2, V, T>) -> bool {
        let (ours, theirs) = (self.pin(), other.pin());
        let mut entries = 0;
        let same =
            ours.iter().inspect(|_| entries += 1).all(|(outer, inner, value)| theirs.get(outer, inner) == Some(value));
        same && entries == theirs.iter().count()
    }
}

impl<K1, K2, V, S> Eq for NestedMap<K1, K2, V, S>
where
    K1: Eq + Hash,
    K2: Eq + Hash,
    V: Eq,
    S: BuildHasher,
{
}

/// Inserts each by itself, as [`NestedMap::insert`] does.
impl<K1, K2, V, S> Extend<(K1, K2, V)> for &NestedMap<K1, K2, V, S>
where
    K1: Eq + Hash,
    K2: Eq + Hash,
    S: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn extend<I: IntoIterator<Item = (K1, K2, V)>>(&mut self, entries: I) {
        for (outer, inner, value) in entries {
            self.insert(outer, inner, value);
        }
    }
}

/// Inserts each by itself, as [`NestedMap::insert`] does.
impl<K1, K2, V, S> Extend<(K1, K2, V)> for NestedMap<K1, K2, V, S>
where
    K1: Eq + Hash,
    K2: Eq + Hash,
    S: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn extend<I: IntoIterator<Item = (K1, K2, V)>>(&mut self, entries: I) {
        (&*self).extend(entries);
    }
}

impl<K1, K2, V, S> FromIterator<(K1, K2, V)> for NestedMap<K1, K2, V, S>
where
    K1: Eq + Hash,
    K2: Eq + Hash,
    S: BuildHasher + Default,
{
    fn from_iter<I: IntoIterator<Item = (K1, K2, V)>>(entries: I) -> Self {
        let map = Self::default();
        (&map).extend(entries);
        map
    }
}

impl<K1: Eq + Hash, K2: Eq + Hash, V, const N: usize> From<[(K1, K2, V); N]> for NestedMap<K1, K2, V> {
    fn from(entries: [(K1, K2, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

//! The traits that users expect of a map.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::Index;

use equivalent::Equivalent;

use super::{HashMap, Pinned, SessionGuard};
use crate::core::Core;

impl<K, V, S: Default> Default for HashMap<K, V, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for HashMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.pin(), f)
    }
}

/// Clones what an iteration yields, and the settings.
impl<K, V, S> Clone for HashMap<K, V, S>
where
    K: Clone + Eq + Hash,
    V: Clone,
    S: Clone + BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn clone(&self) -> Self {
        let on_reclaim = self.core.domain.context().on_reclaim.clone();
        let mut clone = Self::of(Core::new(self.core.domain.limits(), on_reclaim), self.hasher().clone());
        clone.core.domain.warn_from = self.core.domain.warn_from;
        clone.reserve(self.len());
        clone.insert_many(self.pin().iter().map(|(key, value)| (key.clone(), value.clone())));
        clone
    }
}

/// Compares what an iteration yields. While others write, no more than that.
impl<K, V, S, T> PartialEq<HashMap<K, V, T>> for HashMap<K, V, S>
where
    K: Eq + Hash,
    V: PartialEq,
    S: BuildHasher,
    T: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn eq(&self, other: &HashMap<K, V, T>) -> bool {
        let (ours, theirs) = (self.pin(), other.pin());
        self.len() == other.len() && ours.iter().all(|(key, value)| theirs.get(key) == Some(value))
    }
}

impl<K, V, S> Eq for HashMap<K, V, S>
where
    K: Eq + Hash,
    V: Eq,
    S: BuildHasher,
{
}

impl<K, V, S> Extend<(K, V)> for HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        let pairs = pairs.into_iter();
        // As std does: half of them may be known already.
        let expected = pairs.size_hint().0;
        self.reserve(if self.is_empty() { expected } else { expected.div_ceil(2) });
        self.insert_many(pairs);
    }
}

/// As [`insert_many`](HashMap::insert_many). Unlike a map of one's own, one that others may use gets no table for all at once.
///
/// ```
/// let map = tidymap::HashMap::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| (&map).extend([(1, "one"), (2, "two")]));
///     scope.spawn(|| (&map).extend([(3, "three")]));
/// });
/// assert_eq!(map.len(), 3);
/// ```
impl<K, V, S> Extend<(K, V)> for &HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.insert_many(pairs);
    }
}

impl<K, V, S> FromIterator<(K, V)> for HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher + Default,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut map = Self::default();
        map.extend(pairs);
        map
    }
}

impl<K: Eq + Hash, V, const N: usize> From<[(K, V); N]> for HashMap<K, V> {
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

/// The value of a key that is there, as of std's map. There is none for the map itself: who indexes has no guard.
///
/// ```
/// let map = tidymap::HashMap::from([("a", 1)]);
/// assert_eq!(map.pin()["a"], 1);
/// ```
///
/// # Panics
/// If the key is absent.
impl<K, Q, V, S, G> Index<&Q> for Pinned<'_, K, V, S, G>
where
    K: Eq + Hash,
    Q: Hash + Equivalent<K> + ?Sized,
    S: BuildHasher,
    G: SessionGuard<K, V>,
{
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no entry found for key")
    }
}

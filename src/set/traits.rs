//! The traits that users expect of a set.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use super::HashSet;
use crate::HashMap;

impl<T, S> From<HashMap<T, (), S>> for HashSet<T, S> {
    fn from(map: HashMap<T, (), S>) -> Self {
        HashSet { map }
    }
}

impl<T, S: Default> Default for HashSet<T, S> {
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<T: fmt::Debug, S> fmt::Debug for HashSet<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.pin(), f)
    }
}

/// Clones what an iteration yields, and the settings.
impl<T, S> Clone for HashSet<T, S>
where
    T: Clone + Eq + Hash,
    S: Clone + BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn clone(&self) -> Self {
        self.map.clone().into()
    }
}

/// Compares what an iteration yields. While others write, no more than that.
impl<T, S, R> PartialEq<HashSet<T, R>> for HashSet<T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
    R: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn eq(&self, other: &HashSet<T, R>) -> bool {
        self.map == other.map
    }
}

impl<T, S> Eq for HashSet<T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
}

impl<T, S> Extend<T> for HashSet<T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        let values = values.into_iter();
        // As std does: half of them may be known already.
        let expected = values.size_hint().0;
        self.reserve(if self.is_empty() { expected } else { expected.div_ceil(2) });
        self.insert_many(values);
    }
}

/// As [`insert_many`](HashSet::insert_many). Unlike a set of one's own, one that others may use gets no table for all at once.
///
/// ```
/// let set = tidymap::HashSet::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| (&set).extend([1, 2]));
///     scope.spawn(|| (&set).extend([2, 3]));
/// });
/// assert_eq!(set.len(), 3);
/// ```
impl<T, S> Extend<T> for &HashSet<T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        self.insert_many(values);
    }
}

impl<'a, T, S> Extend<&'a T> for HashSet<T, S>
where
    T: Copy + Eq + Hash + 'a,
    S: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, values: I) {
        self.extend(values.into_iter().copied());
    }
}

impl<'a, T, S> Extend<&'a T> for &HashSet<T, S>
where
    T: Copy + Eq + Hash + 'a,
    S: BuildHasher,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, values: I) {
        self.insert_many(values.into_iter().copied());
    }
}

impl<T, S> FromIterator<T> for HashSet<T, S>
where
    T: Eq + Hash,
    S: BuildHasher + Default,
{
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut set = Self::default();
        set.extend(values);
        set
    }
}

impl<T: Eq + Hash, const N: usize> From<[T; N]> for HashSet<T> {
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn from(values: [T; N]) -> Self {
        values.into_iter().collect()
    }
}

//! Sessions: many operations under one guard.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use equivalent::Equivalent;

use super::{ContainsMany, HashSet, SetIter, forward};
use crate::Pinned;

/// A session on a set, opened by [`HashSet::pin`]: one guard for many operations.
///
/// It has the operations of [`HashSet`] on elements (the rest by [`set`](Self::set)), with plain references as results; see there for what each
/// does, and where it linearizes. What is removed while the session is open is dropped when it ends, so that these references stay
/// good.
///
/// Not `Send`: it belongs to its thread.
///
/// # Two sets
///
/// [`union`](Self::union), [`intersection`](Self::intersection), [`difference`](Self::difference),
/// [`symmetric_difference`](Self::symmetric_difference), [`is_subset`](Self::is_subset), [`is_superset`](Self::is_superset) and
/// [`is_disjoint`](Self::is_disjoint) are of two sessions, be it of one set. They take no lock, wait for nothing and allocate nothing: they iterate over one set, look each
/// element up in the other, and then perhaps the other way round.
///
/// Without writers they are those of the standard library. Beside writers they promise as much for each element by itself, and nothing for all
/// at one moment: one that is in both sets, in one of them, or in neither, *and stays so throughout*, counts as that, and is yielded once if it is to
/// be yielded. One that comes or goes in either set meanwhile may be yielded or not, and by `union` and `symmetric_difference`, which look into both
/// sets in turn, once from each.
///
/// ```
/// let (known, seen) = (tidymap::HashSet::from([1, 2, 3]), tidymap::HashSet::from([3, 4]));
/// let (known, seen) = (known.pin(), seen.pin());
/// assert_eq!(seen.difference(&known).collect::<Vec<_>>(), [&4]);
/// assert!(!known.is_disjoint(&seen));
/// ```
#[must_use = "a session that is dropped at once protects nothing"]
pub struct PinnedSet<'m, T, S = RandomState> {
    set: &'m HashSet<T, S>,
    session: Pinned<'m, T, (), S>,
}

impl<'m, T, S> PinnedSet<'m, T, S> {
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(super) fn new(set: &'m HashSet<T, S>) -> Self {
        PinnedSet { set, session: set.map.pin() }
    }

    /// The set.
    pub fn set(&self) -> &'m HashSet<T, S> {
        self.set
    }

    /// The session on the map that the set is.
    #[cfg(feature = "rayon")]
    pub(super) fn as_map(&self) -> &Pinned<'m, T, (), S> {
        &self.session
    }

    /// Ends the session and opens a new one: what only it held back is dropped. Costs as much as a new session.
    ///
    /// ```
    /// let set = tidymap::HashSet::from([1]);
    /// let mut session = set.pin();
    /// session.remove(&1);
    /// assert_eq!(set.stats().pending.entries, 1);
    /// session.refresh();
    /// assert_eq!(set.stats().pending.entries, 0);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn refresh(&mut self) {
        self.session.refresh();
    }

    /// All elements that are there throughout, each once, and some of those that come or go meanwhile; none twice (C2).
    ///
    /// Takes no lock, waits for nothing, allocates nothing. O(capacity).
    ///
    /// ```
    /// let set = tidymap::HashSet::from([1, 2]);
    /// let mut elements: Vec<i32> = set.pin().iter().copied().collect();
    /// elements.sort();
    /// assert_eq!(elements, [1, 2]);
    /// ```
    pub fn iter(&self) -> SetIter<'_, T> {
        SetIter::new(self.session.keys())
    }

    /// See [`HashSet::retain`].
    pub fn retain(&self, mut keep: impl FnMut(&T) -> bool) {
        self.session.retain(move |element, ()| keep(element));
    }

    forward! { session:
        /// See [`HashSet::len`].
        pub fn len(&self) -> usize;

        /// See [`HashSet::is_empty`].
        pub fn is_empty(&self) -> bool;

        /// See [`HashSet::clear`].
        pub fn clear(&self);
    }
}

impl<T, S> PinnedSet<'_, T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
    /// See [`HashSet::contains`].
    #[inline(always)]
    pub fn contains<Q>(&self, value: &Q) -> bool
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.session.contains_key(value)
    }

    /// See [`HashSet::get`].
    #[inline(always)]
    pub fn get<Q>(&self, value: &Q) -> Option<&T>
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.session.get_key_value(value).map(|(element, ())| element)
    }

    /// Is there an element equal to each of `values`? In their order.
    ///
    /// What a loop of [`contains`](Self::contains) finds: each is looked up, and linearizes, when it is asked for. Where lookups wait for memory,
    /// `values` is read up to 16 ahead, and the processor asked to fetch what is to be looked at; see
    /// [`Pinned::get_many`](crate::Pinned::get_many).
    ///
    /// ```
    /// let set = tidymap::HashSet::from([1, 2]);
    /// let session = set.pin();
    /// assert_eq!(session.contains_many(&[2, 3, 1]).collect::<Vec<_>>(), [true, false, true]);
    /// ```
    pub fn contains_many<'q, Q, I>(&self, values: I) -> ContainsMany<'_, 'q, Q, T, S, I::IntoIter>
    where
        I: IntoIterator<Item = &'q Q>,
        Q: Hash + Equivalent<T> + ?Sized + 'q,
    {
        ContainsMany::new(self.session.get_many(values))
    }

    /// See [`HashSet::insert`]. If `value` is not needed, it is dropped before the call returns, while the session is open.
    pub fn insert(&self, value: T) -> bool {
        self.session.try_insert(value, ()).is_ok()
    }

    /// See [`HashSet::get_or_insert`].
    pub fn get_or_insert(&self, value: T) -> &T {
        self.session.get_key_value_or_insert(value, ()).0
    }

    /// See [`HashSet::insert_many`].
    pub fn insert_many(&self, values: impl IntoIterator<Item = T>) -> usize {
        self.session.try_insert_many(values.into_iter().map(|value| (value, ())))
    }

    /// See [`HashSet::remove`]. The element is dropped when the session ends.
    pub fn remove<Q>(&self, value: &Q) -> bool
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.session.remove(value).is_some()
    }

    /// Removes the element equal to `value` and returns it; it is dropped when the session ends. See [`HashSet::remove`].
    pub fn take<Q>(&self, value: &Q) -> Option<&T>
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.session.remove_entry(value).map(|(element, ())| element)
    }

    /// See [`HashSet::remove_many`]. What is removed is dropped when the session ends; a cap does not make it wait.
    pub fn remove_many<'q, Q>(&self, values: impl IntoIterator<Item = &'q Q>) -> usize
    where
        Q: Hash + Equivalent<T> + ?Sized + 'q,
    {
        self.session.remove_many(values)
    }
}

impl<'s, T, S> IntoIterator for &'s PinnedSet<'_, T, S> {
    type Item = &'s T;
    type IntoIter = SetIter<'s, T>;

    fn into_iter(self) -> SetIter<'s, T> {
        self.iter()
    }
}

impl<T: fmt::Debug, S> fmt::Debug for PinnedSet<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

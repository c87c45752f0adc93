//! Maps with several values a key, made of a [`HashMap`] whose values are slices. Safe code throughout.
//!
//! - this file: the map, its construction, and the operations, one-shot;
//! - [`session`]: the same under one guard; [`reference`]: what the one-shot ones return; [`traits`].

mod reference;
mod session;
mod traits;

use std::hash::{BuildHasher, Hash, RandomState};

use equivalent::Equivalent;

pub use reference::ValuesRef;
pub use session::{MultiIter, PinnedMulti};

use crate::{Compute, HashMap, Operation};

/// A concurrent map with several values a key, for many reads and few writes: headers and their values, topics and their subscribers.
///
/// The values of a key are one slice, in the order in which they were inserted, in one allocation that is exactly as large as they are. Readers see
/// the slice as a whole: all values that the key had at one moment. A key without values is not there: who removes the last one removes the key in the same step, and
/// no insert is lost by that.
///
/// ```
/// use tidymap::MultiMap;
///
/// let headers = MultiMap::new();
/// headers.insert("accept", "text/html");
/// headers.insert("accept", "text/plain");
/// assert_eq!(*headers.get("accept").unwrap(), ["text/html", "text/plain"]);
///
/// assert!(headers.remove_value("accept", &"text/html"));
/// assert!(headers.remove_value("accept", &"text/plain"));
/// assert!(!headers.contains_key("accept") && headers.is_empty());
/// ```
///
/// # What a write costs
///
/// Readers may be looking at the slice, so a write makes a new one, with **clones** of the values that stay, and the old one is dropped as the contract has it (R1, R2). That is
/// O(values of the key), right for a few and wrong for thousands. Values whose clones are dear, or that have an identity, go into an [`Arc`](std::sync::Arc): then what is
/// dropped with the old slice is a reference, and the value itself goes with the last slice that has it.
///
/// If threads write the same key at the same time, one of them has to make its slice anew. No closure of the user's runs but `Clone`, `Eq` and those of
/// [`retain_values`](Self::retain_values), which may be called again in that case; see [`HashMap::compute`], of which all writes are made.
pub struct MultiMap<K, V, S = RandomState> {
    map: HashMap<K, Box<[V]>, S>,
}

impl<K, V> MultiMap<K, V> {
    /// An empty map. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::from(HashMap::new())
    }
}

impl<K, V, S> MultiMap<K, V, S> {
    /// An empty map with this hasher. Other settings come with a map that [`HashMap::builder`] has built, by [`From`].
    #[must_use]
    pub fn with_hasher(hash_builder: S) -> Self {
        Self::from(HashMap::with_hasher(hash_builder))
    }

    /// The map of slices: for what concerns the map as a whole, as [`reclaim`](HashMap::reclaim) and [`stats`](HashMap::stats).
    ///
    /// Who puts an empty slice into it finds a key without values.
    pub fn as_map(&self) -> &HashMap<K, Box<[V]>, S> {
        &self.map
    }

    /// The map of slices.
    pub fn into_map(self) -> HashMap<K, Box<[V]>, S> {
        self.map
    }

    /// Opens a session; see [`HashMap::pin`].
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn pin(&self) -> PinnedMulti<'_, K, V, S> {
        PinnedMulti::new(self)
    }

    /// How many keys there are; see [`HashMap::len`]. Their values are counted by [`PinnedMulti::values_len`].
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Is there no key?
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Removes everything; see [`HashMap::clear`].
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn clear(&self) {
        self.map.clear();
    }
}

impl<K, V, S> MultiMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// The values of `key`, in the order in which they were inserted. Costs, waits and linearizes as [`HashMap::get`].
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get<Q>(&self, key: &Q) -> Option<ValuesRef<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.map.get(key).map(ValuesRef::new)
    }

    /// Has `key` values? See [`HashMap::contains_key`].
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.map.contains_key(key)
    }

    /// Is `value` among those of `key`? O(values of the key).
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn contains<Q>(&self, key: &Q, value: &V) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
        V: PartialEq,
    {
        self.get(key).is_some_and(|values| values.contains(value))
    }

    /// Removes `key` with all its values, and returns them; see [`HashMap::remove`].
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove<Q>(&self, key: &Q) -> Option<ValuesRef<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.map.remove(key).map(ValuesRef::new)
    }
}

impl<K, V, S> MultiMap<K, V, S>
where
    K: Eq + Hash,
    V: Clone,
    S: BuildHasher,
{
    /// Adds `value` behind those of `key`, equal ones or not, and returns how many there are now.
    ///
    /// Linearizes when the new slice takes the place of the old one. See there for cost and waiting: [what a write costs](Self#what-a-write-costs),
    /// [`HashMap::compute`].
    ///
    /// # Panics
    /// If `Clone`, `Hash`, `Eq` or a destructor panics; also on capacity overflow. Aborts if there is no memory.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn insert(&self, key: K, value: V) -> usize {
        self.insert_all(key, [value])
    }

    /// Adds `values` behind those of `key`, all in one step, and returns how many there are now. Adding none changes nothing, and inserts no key.
    ///
    /// ```
    /// let topics = tidymap::MultiMap::new();
    /// assert_eq!(topics.insert_all("news", ["alice", "bob"]), 2);
    /// assert_eq!(topics.insert_all("sports", []), 0);
    /// assert_eq!(topics.len(), 1);
    /// ```
    ///
    /// # Panics
    /// As [`insert`](Self::insert). Nothing is inserted then, if it is not a destructor that has panicked.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn insert_all(&self, key: K, values: impl IntoIterator<Item = V>) -> usize {
        let new: Vec<V> = values.into_iter().collect();
        let computed = self.map.compute(key, |old| {
            let old = old.map_or(&[][..], |(_, old)| old);
            if new.is_empty() { Operation::Abort(old.len()) } else { Operation::Insert([old, &new].concat().into()) }
        });
        match computed {
            Compute::Inserted(values) | Compute::Updated { new: values, .. } => values.len(),
            Compute::Aborted(len) => len,
            Compute::Removed(_) | Compute::Absent => unreachable!("it inserts"),
        }
    }

    /// Removes the first value of `key` that equals `value`, and the key with its last one. True if there was such a value.
    ///
    /// ```
    /// let map = tidymap::MultiMap::from([("a", 1), ("a", 2), ("a", 1)]);
    /// assert!(map.remove_value("a", &1));
    /// assert_eq!(*map.get("a").unwrap(), [2, 1]);
    /// assert!(!map.remove_value("a", &3));
    /// ```
    ///
    /// # Panics
    /// If `Clone`, `Hash`, `Eq` or a destructor panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove_value<Q>(&self, key: &Q, value: &V) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
        V: PartialEq,
    {
        self.rewrite(key, |old| {
            let place = old.iter().position(|there| there == value)?;
            Some([&old[..place], &old[place + 1..]].concat().into())
        })
        .is_some()
    }

    /// Removes the values of `key` of which `keep` says no, in one step, and the key if none stays; returns how many were removed.
    ///
    /// `keep` may be asked again, of all values, if another thread has written them meanwhile.
    ///
    /// ```
    /// let map = tidymap::MultiMap::from([("a", 1), ("a", 2), ("a", 3)]);
    /// assert_eq!(map.retain_values("a", |value| value % 2 == 1), 1);
    /// assert_eq!(map.retain_values("a", |_| false), 2);
    /// assert!(map.is_empty());
    /// ```
    ///
    /// # Panics
    /// If `keep`, `Clone`, `Hash`, `Eq` or a destructor panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn retain_values<Q>(&self, key: &Q, mut keep: impl FnMut(&V) -> bool) -> usize
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.rewrite(key, |old| {
            let kept: Box<[V]> = old.iter().filter(|value| keep(value)).cloned().collect();
            (kept.len() < old.len()).then_some(kept)
        })
        .unwrap_or(0)
    }

    /// Replaces the values of `key` by those that `next` makes of them, if any, and the key by nothing if these are none. Returns how many there are
    /// less.
    fn rewrite<Q>(&self, key: &Q, mut next: impl FnMut(&[V]) -> Option<Box<[V]>>) -> Option<usize>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let computed = self.map.compute_present(key, |_, old| match next(old) {
            None => Operation::Abort(()),
            Some(values) if values.is_empty() => Operation::Remove,
            Some(values) => Operation::Insert(values),
        });
        match computed {
            Compute::Removed(old) => Some(old.len()),
            Compute::Updated { old, new } => Some(old.len() - new.len()),
            Compute::Aborted(()) | Compute::Absent => None,
            Compute::Inserted(_) => unreachable!("of an absent key nothing is made"),
        }
    }
}

//! Maps of maps, in which an inner map is there as long as it has entries. Safe but for the traits `Send` and `Sync`; the protocol is in
//! `core/nested`.
//!
//! - this file: the map, its construction, and what concerns all of it;
//! - [`one_shot`] and [`session`]: the operations on a key of each level; [`inner`]: all that belongs to an outer key; [`iter`];
//! - [`reference`]: what the one-shot ones return; [`stats`], [`traits`].

mod inner;
mod iter;
mod one_shot;
mod reference;
mod session;
mod stats;
mod traits;

use std::hash::{BuildHasher, Hash, RandomState};

pub use inner::InnerMap;
pub use iter::{Inners, NestedIter, OuterKeys};
pub use reference::NestedRef;
pub use session::PinnedNested;
pub use stats::NestedStats;

use crate::core::{Nested, NestedGuard};
use crate::sync::const_unless_loom;

/// A concurrent map of maps, for many reads and few writes: region → key → value, user → session → state, tenant → table → row.
///
/// An *outer key* is there as long as it has entries: the first insert brings its inner map, in one step for all who look, and the removal of the last
/// entry takes it away. No insert is lost by that, however the two meet, and no empty inner map stays behind (if `Hash` and `Eq` of the outer keys agree). [`remove_outer`](Self::remove_outer) removes an outer key with
/// everything that belongs to it in one step.
///
/// All of it has one set of guards, and the [contract](crate#the-contract-line-by-line) of [`HashMap`](crate::HashMap): what is removed (a value, a key of either level) is dropped when the call
/// returns, unless a guard was live that could see it, and else by the last of these. An empty map holds nothing.
///
/// ```
/// use tidymap::NestedMap;
///
/// let sessions = NestedMap::new();
/// sessions.insert("alice", 7, "laptop");
/// sessions.insert("alice", 9, "phone");
/// sessions.insert("bob", 7, "desk");
/// assert_eq!(*sessions.get("alice", &9).unwrap(), "phone");
///
/// // The last session of bob's takes bob with it.
/// sessions.remove("bob", &7);
/// assert!(!sessions.contains_outer("bob"));
///
/// // Alice logs out everywhere.
/// assert_eq!(sessions.remove_outer("alice"), 2);
/// assert!(sessions.is_empty());
/// ```
///
/// # One map with pairs as keys instead?
///
/// A [`HashMap<(K1, K2), V>`](crate::HashMap) reads with one lookup instead of two, and takes less memory where most outer keys have few entries: an inner map of one entry takes some
/// 700 bytes ([`InnerMap::heap`]). This map is for those who list or remove what belongs to an outer key, or ask how much that is; there, all entries of all keys would have to be looked at.
///
/// # What is not here
///
/// Of what [`HashMap`](crate::HashMap) has: no settings (no [cap on garbage](crate::Builder::max_pending), no [hook](crate::Builder::on_reclaim), no [batches](crate::Reclaim::Batched), no
/// [`ReadFence`](crate::ReadFence): it is always `Immediate` and `Auto`), no sessions that are `Send`, no `Reader`, no calls with many keys, nothing by `&mut` or by value, no single flight, no `reclaim_async`, and neither serde nor rayon.
pub struct NestedMap<K1, K2, V, S = RandomState> {
    core: Nested<K1, K2, V>,
    hash_builder: S,
}

// SAFETY: Send: D2, as `HashMap`: all that the map owns goes along with it.
unsafe impl<K1: Send, K2: Send, V: Send, S: Send> Send for NestedMap<K1, K2, V, S> {}
// SAFETY: Sync: as `HashMap`: a shared map lets any thread see keys and values (Sync), and drop them (Send). What threads keep for themselves in
// the map's records is touched by the owner only (D2).
unsafe impl<K1: Send + Sync, K2: Send + Sync, V: Send + Sync, S: Sync> Sync for NestedMap<K1, K2, V, S> {}

impl<K1, K2, V, S> std::panic::UnwindSafe for NestedMap<K1, K2, V, S>
where
    K1: std::panic::RefUnwindSafe,
    K2: std::panic::RefUnwindSafe,
    V: std::panic::RefUnwindSafe,
    S: std::panic::UnwindSafe,
{
}

impl<K1, K2, V, S> std::panic::RefUnwindSafe for NestedMap<K1, K2, V, S>
where
    K1: std::panic::RefUnwindSafe,
    K2: std::panic::RefUnwindSafe,
    V: std::panic::RefUnwindSafe,
    S: std::panic::RefUnwindSafe,
{
}

impl<K1, K2, V> NestedMap<K1, K2, V> {
    /// An empty map. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }
}

impl<K1, K2, V, S> NestedMap<K1, K2, V, S> {
    const_unless_loom! {
        /// An empty map with this hasher, for the keys of both levels. Allocates nothing.
        #[must_use]
        pub fn with_hasher(hash_builder: S) -> Self {
            NestedMap { core: Nested::new(), hash_builder }
        }
    }

    /// The map's hasher.
    pub fn hasher(&self) -> &S {
        &self.hash_builder
    }

    /// Opens a session: one guard for many calls, whose results are plain references; see [`HashMap::pin`](crate::HashMap::pin).
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("a", 1, "one"), ("a", 2, "two"), ("b", 1, "uno")]);
    /// let session = map.pin();
    /// assert_eq!((session.get("a", &1), session.get("b", &2)), (Some(&"one"), None));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn pin(&self) -> PinnedNested<'_, K1, K2, V, S> {
        PinnedNested::new(self)
    }

    /// The number of entries of all outer keys. Exact when no writer runs (C3). O(capacity for outer keys); for one of them: [`InnerMap::len`].
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn len(&self) -> usize {
        if self.core.is_vacant() { 0 } else { self.core.len(&self.guard()) }
    }

    /// True if there is no entry. Exact when no other call runs. One load.
    pub fn is_empty(&self) -> bool {
        self.outer_len() == 0
    }

    /// The number of outer keys. Exact when no other call runs, reading ones included: one that goes on with an inner map's tables may be the one that
    /// finds it empty, and takes it out. One load.
    pub fn outer_len(&self) -> usize {
        self.core.outer_len()
    }

    /// Removes everything, one outer key after the other, waiting for writers that are linking entries of it: each in one step, as [`remove_outer`](Self::remove_outer) does it, but not all of them in one.
    ///
    /// # Panics
    /// If a destructor panics. All has been removed and dropped then all the same.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn clear(&self) {
        if !self.core.is_vacant() {
            self.core.clear(&self.guard());
        }
    }

    /// Removes the entries of which `keep` says no, among those that are there throughout the call, and with the last of an outer key that key; see
    /// [`HashMap::retain`](crate::HashMap::retain).
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("a", 1, 10), ("a", 2, 20), ("b", 1, 20)]);
    /// map.retain(|_, _, value| *value < 15);
    /// assert_eq!((map.len(), map.outer_len()), (1, 1));
    /// ```
    ///
    /// # Panics
    /// If `keep` or a destructor panics.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn retain(&self, mut keep: impl FnMut(&K1, &K2, &V) -> bool) {
        if !self.core.is_vacant() {
            self.core.retain(&self.guard(), |outer, pair| keep(outer, pair.key, pair.value));
        }
    }

    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn guard(&self) -> NestedGuard<'_, K1, K2, V> {
        self.core.guard()
    }
}

impl<K1, K2, V, S: BuildHasher> NestedMap<K1, K2, V, S> {
    /// A key with its hash.
    #[inline]
    fn hashed<Q: Hash>(&self, key: Q) -> (crate::core::Hash, Q) {
        (crate::core::Hash::new(self.hash_builder.hash_one(&key)), key)
    }
}

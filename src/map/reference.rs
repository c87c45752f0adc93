//! What one-shot operations return: pairs, each with the guard that keeps it.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::core::{self, Core, Guard, Pair};

/// A pair of a map, kept from being dropped for as long as this lives. Derefs to the value.
///
/// It is a live guard: whatever is removed from the map meanwhile waits for it. Not `Send`.
pub struct Ref<'m, K, V> {
    key: NonNull<K>,
    value: NonNull<V>,
    _guard: Guard<'m, K, V>,
}

impl<'m, K, V> Ref<'m, K, V> {
    /// A pair found under a guard, and that guard.
    ///
    /// # Safety
    /// `pair` was found under `guard`.
    pub(super) unsafe fn new(guard: Guard<'m, K, V>, pair: Erased<K, V>) -> Self {
        Ref { key: pair.0, value: pair.1, _guard: guard }
    }

    /// The key, as it is stored.
    pub fn key(&self) -> &K {
        // SAFETY: E2, E3: found under `_guard`, which is still live.
        unsafe { self.key.as_ref() }
    }

    /// The value.
    pub fn value(&self) -> &V {
        // SAFETY: as in `key`.
        unsafe { self.value.as_ref() }
    }
}

impl<K, V> Deref for Ref<'_, K, V> {
    type Target = V;

    fn deref(&self) -> &V {
        self.value()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Ref<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ref").field("key", self.key()).field("value", self.value()).finish()
    }
}

impl<K, V: fmt::Display> fmt::Display for Ref<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// A pair on its way from a guard that is about to be moved.
pub(super) type Erased<K, V> = (NonNull<K>, NonNull<V>);

pub(super) fn erase<K, V>(pair: Pair<'_, K, V>) -> Erased<K, V> {
    (NonNull::from(pair.key), NonNull::from(pair.value))
}

/// Makes a [`Ref`] of a pair and the guard it was found under.
macro_rules! keep {
    ($guard:expr, $pair:expr) => {{
        let pair = erase($pair);
        // SAFETY: every use names the guard that was given to the operation that found the pair.
        unsafe { Ref::new($guard, pair) }
    }};
}
pub(super) use keep;

/// A pair that was removed by [`HashMap::remove_entry`](crate::HashMap::remove_entry). Derefs to the value, like a [`Ref`], and may be taken by value.
///
/// It is a live guard. Not `Send`.
pub struct Removed<'m, K, V> {
    pair: Ref<'m, K, V>,
    removed: core::Removed<K, V>,
}

impl<'m, K, V> Removed<'m, K, V> {
    /// # Safety
    /// `pair` was found under `guard` and removed under it, and `removed` tells of that.
    pub(super) unsafe fn new(guard: Guard<'m, K, V>, pair: Erased<K, V>, removed: core::Removed<K, V>) -> Self {
        // SAFETY: by the caller's promise.
        Removed { pair: unsafe { Ref::new(guard, pair) }, removed }
    }

    /// The key, as it was stored.
    pub fn key(&self) -> &K {
        self.pair.key()
    }

    /// The value.
    pub fn value(&self) -> &V {
        self.pair.value()
    }

    /// The pair by value, if nobody else looks: if no other guard is live that could have found it before it was removed.
    ///
    /// Never waits. O(threads that have used the map).
    ///
    /// # Errors
    /// If another guard is live that could see the pair, one of this thread included; or if the removal met a writer at the tables and was
    /// completed by that. Then this is as it was: asked again later it may succeed in the first case, and else the pair is dropped
    /// as after every removal. [`HashMap::remove_owned`](crate::HashMap::remove_owned) waits instead.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", String::from("first"))]);
    /// let removed = map.remove_entry("a").unwrap();
    /// assert_eq!(removed.len(), 5);
    /// let (_, value) = removed.try_into_owned().unwrap();
    /// assert_eq!(value, "first");
    /// ```
    pub fn try_into_owned(self) -> Result<(K, V), Self> {
        let Removed { pair: Ref { key, value, _guard: guard }, removed } = self;
        Core::claim(guard, &removed).map_err(|guard| Removed { pair: Ref { key, value, _guard: guard }, removed })
    }
}

impl<'m, K, V> From<Removed<'m, K, V>> for Ref<'m, K, V> {
    fn from(removed: Removed<'m, K, V>) -> Self {
        removed.pair
    }
}

impl<K, V> Deref for Removed<'_, K, V> {
    type Target = V;

    fn deref(&self) -> &V {
        self.value()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Removed<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Removed").field("key", self.key()).field("value", self.value()).finish()
    }
}

impl<K, V: fmt::Display> fmt::Display for Removed<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

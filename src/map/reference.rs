//! What one-shot operations return: pairs, each with the guard that keeps it.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::core::{self, Core, Guard, Pair, Unlinked};
use crate::reclaim::Garbage;

/// A pair, and the guard that keeps it.
pub(crate) struct Kept<'m, K, V, G: Garbage> {
    key: NonNull<K>,
    value: NonNull<V>,
    guard: crate::reclaim::Guard<'m, G>,
}

impl<'m, K, V, G: Garbage> Kept<'m, K, V, G> {
    /// A pair found under a guard, and that guard.
    ///
    /// # Safety
    /// `pair` was found under `guard`.
    pub(crate) unsafe fn new(guard: crate::reclaim::Guard<'m, G>, pair: Erased<K, V>) -> Self {
        Kept { key: pair.0, value: pair.1, guard }
    }

    pub(crate) fn key(&self) -> &K {
        // SAFETY: E2, E3: found under `guard`, which is still live.
        unsafe { self.key.as_ref() }
    }

    pub(crate) fn value(&self) -> &V {
        // SAFETY: as in `key`.
        unsafe { self.value.as_ref() }
    }
}

/// A pair of a map, kept from being dropped for as long as this lives. Derefs to the value.
///
/// It is a live guard: whatever is removed from the map meanwhile waits for it. Not `Send`.
pub struct Ref<'m, K, V>(Kept<'m, K, V, Unlinked<K, V>>);

impl<'m, K, V> Ref<'m, K, V> {
    pub(super) fn new(kept: Kept<'m, K, V, Unlinked<K, V>>) -> Self {
        Ref(kept)
    }

    /// The key, as it is stored.
    pub fn key(&self) -> &K {
        self.0.key()
    }

    /// The value.
    pub fn value(&self) -> &V {
        self.0.value()
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
pub(crate) type Erased<K, V> = (NonNull<K>, NonNull<V>);

#[inline(always)]
pub(crate) fn erase<K, V>(pair: Pair<'_, K, V>) -> Erased<K, V> {
    (NonNull::from(pair.key), NonNull::from(pair.value))
}

/// Makes what an operation returns of a pair and the guard it was found under: a [`Ref`], or what is named.
macro_rules! keep {
    ($guard:expr, $pair:expr) => {
        keep!($guard, $pair, Ref)
    };
    ($guard:expr, $pair:expr, $of:ident) => {{
        let pair = $crate::map::reference::erase($pair);
        // SAFETY: E2, E3: every use names the guard that was given to the operation that found the pair.
        $of::new(unsafe { $crate::map::reference::Kept::new($guard, pair) })
    }};
}
pub(crate) use keep;

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
        Removed { pair: Ref::new(unsafe { Kept::new(guard, pair) }), removed }
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
        let Removed { pair: Ref(Kept { key, value, guard }), removed } = self;
        Core::claim(guard, &removed).map_err(|guard| Removed { pair: Ref(Kept { key, value, guard }), removed })
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

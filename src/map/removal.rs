//! The operations on `&HashMap` that remove a key, each under a guard of its own.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use super::reference::{Ref, Removed, erase, keep};
use super::{HashMap, ReclaimError};

impl<K, V, S> HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// Removes `key` and returns its pair.
    ///
    /// When the returned `Ref` is dropped, key and value have been dropped, unless another guard was live (R1). Linearizes at the
    /// compare-and-swap that kills the entry; waits for nothing, but for room if there is a
    /// [cap on garbage](crate::Builder::max_pending). O(1) on average (P3).
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", 1)]);
    /// assert_eq!(map.remove("a").as_deref(), Some(&1));
    /// assert!(map.remove("a").is_none());
    /// ```
    #[doc(alias = "Delete")]
    #[doc(alias = "LoadAndDelete")]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove<Q>(&self, key: &Q) -> Option<Ref<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.remove_if(key, |_, _| true).unwrap_or(None)
    }

    /// Removes `key` if `wanted` says so of its pair. Like [`remove`](Self::remove); `wanted` runs without a lock, again if the value
    /// has changed meanwhile.
    ///
    /// # Errors
    /// If `wanted` says no: the pair, which stays.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", 1)]);
    /// assert_eq!(*map.remove_if("a", |_, n| *n > 1).unwrap_err(), 1);
    /// assert!(map.remove_if("a", |_, n| *n == 1).unwrap().is_some());
    /// ```
    #[doc(alias = "CompareAndDelete")]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove_if<Q>(
        &self,
        key: &Q,
        mut wanted: impl FnMut(&K, &V) -> bool,
    ) -> Result<Option<Ref<'_, K, V>>, Ref<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        let Some(_permit) = self.admit(key) else { return Ok(None) };
        let guard = self.guard();
        // By value, as in `update`.
        match self.core.remove_if(&guard, hash, key, move |pair| wanted(pair.key, pair.value)) {
            Ok(None) => Ok(None),
            Ok(Some(pair)) => Ok(Some(keep!(guard, pair))),
            Err(pair) => Err(keep!(guard, pair)),
        }
    }

    /// Removes `key` and returns its pair, to be [taken by value](Removed::try_into_owned) if nobody else looks. Otherwise like
    /// [`remove`](Self::remove).
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("a", String::from("first"))]);
    /// let session = map.pin();
    /// let removed = map.remove_entry("a").unwrap();
    /// let removed = removed.try_into_owned().expect_err("the session may look");
    /// drop(session);
    /// assert_eq!(removed.try_into_owned().unwrap(), ("a", String::from("first")));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove_entry<Q>(&self, key: &Q) -> Option<Removed<'_, K, V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        let _permit = self.admit(key)?;
        let guard = self.guard();
        let (pair, removed) = self.core.remove_entry(&guard, hash, key)?;
        let pair = erase(pair);
        // SAFETY: found and removed under this guard.
        Some(unsafe { Removed::new(guard, pair, removed) })
    }

    /// Removes `key`, waits until no guard can see its pair any more, and returns that by value.
    ///
    /// Linearizes at the compare-and-swap that kills the entry: from then on the key is absent for all. Then waits, asleep if it
    /// takes longer, for the guards that were live when the entry had left the tables, which is at once, and for none that are
    /// taken later. Waits for writers that are linking entries. Two threads that each hold a guard on the one map while they
    /// remove from the other wait for each other for ever, as with locks.
    ///
    /// # Errors
    /// At once, and with nothing removed, if this thread holds a guard on the map: it would wait for itself.
    /// A session of [`pin_owned`](crate::HashMap::pin_owned) is no thread's and gives no error, also if the caller owns it: the call waits until
    /// somebody ends it. End it first.
    ///
    /// ```
    /// use tidymap::{HashMap, ReclaimError};
    ///
    /// let map = HashMap::from([("a", String::from("first"))]);
    /// let a = map.get("a");
    /// assert_eq!(map.remove_owned("a"), Err(ReclaimError::GuardHeld));
    /// drop(a);
    /// assert_eq!(map.remove_owned("a"), Ok(Some(("a", String::from("first")))));
    /// assert_eq!(map.remove_owned("a"), Ok(None));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove_owned<Q>(&self, key: &Q) -> Result<Option<(K, V)>, ReclaimError>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.core.would_wait_for_guard().map_err(ReclaimError::new)?;
        let hash = self.hash(key);
        let Some(_permit) = self.admit(key) else { return Ok(None) };
        self.core.remove_owned(hash, key).map_err(ReclaimError::new)
    }
}

//! What std's map can do with `&mut`, and by value: no guard, nothing to wait for, no garbage.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::iter::FusedIterator;

use equivalent::Equivalent;

use super::HashMap;
use crate::core::exclusive as core;

impl<K, V, S> HashMap<K, V, S> {
    /// All pairs, with values that can be changed. O(capacity); waits for nothing.
    ///
    /// A value that is changed in place is not overwritten: what was there is dropped there and then, and neither the figures of
    /// [`stats`](Self::stats) nor [`on_reclaim`](crate::Builder::on_reclaim) hear of it.
    ///
    /// ```
    /// let mut map = tidymap::HashMap::from([("a", 1), ("b", 2)]);
    /// for (_, n) in map.iter_mut() {
    ///     *n *= 10;
    /// }
    /// assert_eq!(map.get_cloned("b"), Some(20));
    /// ```
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        IterMut { inner: self.core.iter_mut() }
    }

    /// All values, to be changed; see [`iter_mut`](Self::iter_mut).
    ///
    /// ```
    /// let mut map = tidymap::HashMap::from([("a", 1), ("b", 2)]);
    /// map.values_mut().for_each(|n| *n += 1);
    /// assert_eq!(map.get_cloned("a"), Some(2));
    /// ```
    pub fn values_mut(&mut self) -> ValuesMut<'_, K, V> {
        ValuesMut { pairs: self.iter_mut() }
    }

    /// The map's keys, by value; see [`into_iter`](Self::into_iter). The values are dropped one by one.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one")]);
    /// assert_eq!(map.into_keys().collect::<Vec<_>>(), [1]);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn into_keys(self) -> IntoKeys<K, V> {
        IntoKeys { pairs: self.into_iter() }
    }

    /// The map's values, by value; see [`into_iter`](Self::into_iter). The keys are dropped one by one.
    ///
    /// ```
    /// let map = tidymap::HashMap::from([(1, "one")]);
    /// assert_eq!(map.into_values().collect::<Vec<_>>(), ["one"]);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn into_values(self) -> IntoValues<K, V> {
        IntoValues { pairs: self.into_iter() }
    }

    /// Takes all pairs out, by value. The map can be used again when the iterator has been dropped.
    ///
    /// Waits for nothing, also under a [cap on garbage](crate::Builder::max_pending): what is taken out is never garbage.
    /// [`stats`](Self::stats) counts it as removed and dropped; [`on_reclaim`](crate::Builder::on_reclaim) is not given it, but is given
    /// what is left when the iterator is dropped, as that is dropped by the map. If the iterator is leaked, the rest
    /// stays in the map. O(capacity).
    ///
    /// # Panics
    /// If the destructor of something that is left panics, the others still run (R5), and the map is empty.
    ///
    /// ```
    /// let mut map = tidymap::HashMap::from([(1, "one"), (2, "two")]);
    /// let mut pairs: Vec<_> = map.drain().collect();
    /// pairs.sort();
    /// assert_eq!(pairs, [(1, "one"), (2, "two")]);
    /// assert!(map.is_empty());
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn drain(&mut self) -> Drain<'_, K, V> {
        Drain { inner: self.core.drain_mut() }
    }

    /// Takes the pairs out of which `wanted` says yes, by value, when the iterator comes to them.
    ///
    /// `wanted` may change the values, also those that stay. What the iterator does not come to stays, also if it is dropped or leaked.
    /// In all else like [`drain`](Self::drain).
    ///
    /// # Panics
    /// If `wanted` panics, the pair stays.
    ///
    /// ```
    /// let mut map: tidymap::HashMap<_, _> = (0..10).map(|n| (n, n * n)).collect();
    /// let even: Vec<_> = map.extract_if(|key, _| key % 2 == 0).collect();
    /// assert_eq!((even.len(), map.len()), (5, 5));
    /// assert!(even.contains(&(4, 16)) && !map.contains_key(&4));
    /// ```
    pub fn extract_if<F>(&mut self, wanted: F) -> ExtractIf<'_, K, V, F>
    where
        F: FnMut(&K, &mut V) -> bool,
    {
        ExtractIf { inner: self.core.extract(), wanted }
    }
}

impl<K, V, S> HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// The value of `key`, to be changed in place; see [`iter_mut`](Self::iter_mut). O(1) on average; waits for nothing.
    ///
    /// ```
    /// let mut map = tidymap::HashMap::from([("a", String::from("first"))]);
    /// map.get_mut("a").unwrap().push_str(", changed");
    /// assert_eq!(*map.get("a").unwrap(), "first, changed");
    /// ```
    pub fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        self.core.get_mut(hash, key).map(|(_, value)| value)
    }

    /// Removes `key` and returns its pair, by value. Unlike [`remove_owned`](Self::remove_owned) it waits for nobody and always
    /// succeeds: who has the map to himself need not share the pair.
    ///
    /// Counted and given to the caller as by [`drain`](Self::drain). O(1) on average (P3).
    ///
    /// ```
    /// let mut map = tidymap::HashMap::from([("a", String::from("first"))]);
    /// assert_eq!(map.remove_mut("a"), Some(("a", String::from("first"))));
    /// assert_eq!(map.remove_mut("a"), None);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn remove_mut<Q>(&mut self, key: &Q) -> Option<(K, V)>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hash(key);
        self.core.remove_mut(hash, key)
    }
}

impl<'m, K, V, S> IntoIterator for &'m mut HashMap<K, V, S> {
    type Item = (&'m K, &'m mut V);
    type IntoIter = IterMut<'m, K, V>;

    fn into_iter(self) -> IterMut<'m, K, V> {
        self.iter_mut()
    }
}

/// All pairs, by value, each dropped by its new owner only. What the iterator has left is dropped with it, like a map (R7): by
/// [`on_reclaim`](crate::Builder::on_reclaim), if there is one.
///
/// ```
/// let map = tidymap::HashMap::from([(1, String::from("one"))]);
/// for (key, value) in map {
///     assert_eq!((key, value.as_str()), (1, "one"));
/// }
/// ```
impl<K, V, S> IntoIterator for HashMap<K, V, S> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn into_iter(self) -> IntoIter<K, V> {
        IntoIter { inner: self.core.into_pairs() }
    }
}

/// Defines an iterator that knows how many items are left: what `$next` makes of those of the field `$field`.
macro_rules! exact_iterator {
    ($(#[$attr:meta])* $name:ident<$($life:lifetime,)? K, V> { $field:ident: $inner:ty } yields $item:ty, $next:expr) => {
        $(#[$attr])*
        pub struct $name<$($life,)? K, V> {
            $field: $inner,
        }

        impl<$($life,)? K, V> Iterator for $name<$($life,)? K, V> {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<$item> {
                self.$field.next().map($next)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.$field.size_hint()
            }
        }

        impl<$($life,)? K, V> ExactSizeIterator for $name<$($life,)? K, V> {}

        impl<$($life,)? K, V> FusedIterator for $name<$($life,)? K, V> {}

        impl<$($life,)? K, V> fmt::Debug for $name<$($life,)? K, V> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("left", &self.len()).finish_non_exhaustive()
            }
        }
    };
}

exact_iterator! {
    /// The pairs of a map, with values that can be changed: [`HashMap::iter_mut`].
    IterMut<'m, K, V> { inner: core::IterMut<'m, K, V> } yields (&'m K, &'m mut V), |pair| pair
}

exact_iterator! {
    /// The values of a map, to be changed: [`HashMap::values_mut`].
    ValuesMut<'m, K, V> { pairs: IterMut<'m, K, V> } yields &'m mut V, |(_, value)| value
}

exact_iterator! {
    /// The pairs of a map that is gone: [`HashMap::into_iter`].
    IntoIter<K, V> { inner: core::IntoIter<K, V> } yields (K, V), |pair| pair
}

exact_iterator! {
    /// The keys of a map that is gone: [`HashMap::into_keys`].
    IntoKeys<K, V> { pairs: IntoIter<K, V> } yields K, |(key, _)| key
}

exact_iterator! {
    /// The values of a map that is gone: [`HashMap::into_values`].
    IntoValues<K, V> { pairs: IntoIter<K, V> } yields V, |(_, value)| value
}

exact_iterator! {
    /// The pairs that are taken out of a map: [`HashMap::drain`].
    Drain<'m, K, V> { inner: core::Drain<'m, K, V> } yields (K, V), |pair| pair
}

/// The pairs that are taken out of a map, if they are wanted: [`HashMap::extract_if`].
#[must_use = "it takes nothing out before it is asked"]
pub struct ExtractIf<'m, K, V, F> {
    inner: core::Extract<'m, K, V>,
    wanted: F,
}

impl<K, V, F> Iterator for ExtractIf<'_, K, V, F>
where
    F: FnMut(&K, &mut V) -> bool,
{
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        self.inner.next_if(&mut self.wanted)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.inner.most()))
    }
}

impl<K, V, F> FusedIterator for ExtractIf<'_, K, V, F> where F: FnMut(&K, &mut V) -> bool {}

impl<K, V, F> fmt::Debug for ExtractIf<'_, K, V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtractIf").finish_non_exhaustive()
    }
}

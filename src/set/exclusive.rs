//! What std's set can do with `&mut`, and by value.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::iter::FusedIterator;

use equivalent::Equivalent;

use super::HashSet;
use crate::IntoKeys;

impl<T, S> HashSet<T, S> {
    /// Takes all elements out, by value; see [`HashMap::drain`](crate::HashMap::drain).
    ///
    /// ```
    /// let mut set = tidymap::HashSet::from([1, 2]);
    /// let mut elements: Vec<_> = set.drain().collect();
    /// elements.sort();
    /// assert_eq!((elements, set.len()), (vec![1, 2], 0));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn drain(&mut self) -> impl ExactSizeIterator<Item = T> + FusedIterator + fmt::Debug {
        self.map.drain().map(|(value, ())| value)
    }

    /// Takes the elements out of which `wanted` says yes, by value, when the iterator comes to them; see
    /// [`HashMap::extract_if`](crate::HashMap::extract_if).
    ///
    /// ```
    /// let mut set: tidymap::HashSet<u32> = (0..10).collect();
    /// assert_eq!(set.extract_if(|n| n % 2 == 0).count(), 5);
    /// assert!(set.contains(&7) && !set.contains(&4));
    /// ```
    #[must_use = "it takes nothing out before it is asked"]
    pub fn extract_if(&mut self, mut wanted: impl FnMut(&T) -> bool) -> impl FusedIterator<Item = T> {
        self.map.extract_if(move |value, ()| wanted(value)).map(|(value, ())| value)
    }
}

impl<T, S> HashSet<T, S>
where
    T: Eq + Hash,
    S: BuildHasher,
{
    /// Removes the element and returns it, by value, without waiting for anybody; see [`HashMap::remove_mut`](crate::HashMap::remove_mut).
    ///
    /// ```
    /// let mut set = tidymap::HashSet::from(["a"]);
    /// assert_eq!((set.take_mut("a"), set.take_mut("a")), (Some("a"), None));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn take_mut<Q>(&mut self, value: &Q) -> Option<T>
    where
        Q: Hash + Equivalent<T> + ?Sized,
    {
        self.map.remove_mut(value).map(|(value, ())| value)
    }
}

/// All elements, by value; see the [map's](crate::HashMap::into_iter).
///
/// ```
/// let set = tidymap::HashSet::from([String::from("one")]);
/// assert_eq!(set.into_iter().collect::<Vec<String>>(), ["one"]);
/// ```
impl<T, S> IntoIterator for HashSet<T, S> {
    type Item = T;
    type IntoIter = IntoKeys<T, ()>;

    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn into_iter(self) -> IntoKeys<T, ()> {
        self.map.into_keys()
    }
}

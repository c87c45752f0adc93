//! Iterators of a session.

use std::fmt;

use crate::core;

/// The pairs of a map: [`Pinned::iter`](super::Pinned::iter).
pub struct Iter<'s, K, V> {
    inner: core::Iter<'s, K, V>,
}

impl<'s, K, V> Iter<'s, K, V> {
    pub(crate) fn new(inner: core::Iter<'s, K, V>) -> Self {
        Iter { inner }
    }
}

impl<'s, K, V> Iterator for Iter<'s, K, V> {
    type Item = (&'s K, &'s V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next().map(core::Pair::parts)
    }
}

impl<K, V> fmt::Debug for Iter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// The keys of a map: [`Pinned::keys`](super::Pinned::keys), [`InnerMap::keys`](crate::InnerMap::keys).
#[derive(Debug)]
pub struct Keys<'s, K, V> {
    pairs: Iter<'s, K, V>,
}

impl<'s, K, V> Keys<'s, K, V> {
    pub(crate) fn new(pairs: Iter<'s, K, V>) -> Self {
        Keys { pairs }
    }
}

impl<'s, K, V> Iterator for Keys<'s, K, V> {
    type Item = &'s K;

    #[inline]
    fn next(&mut self) -> Option<&'s K> {
        self.pairs.next().map(|(key, _)| key)
    }
}

/// The values of a map: [`Pinned::values`](super::Pinned::values), [`InnerMap::values`](crate::InnerMap::values).
#[derive(Debug)]
pub struct Values<'s, K, V> {
    pairs: Iter<'s, K, V>,
}

impl<'s, K, V> Values<'s, K, V> {
    pub(crate) fn new(pairs: Iter<'s, K, V>) -> Self {
        Values { pairs }
    }
}

impl<'s, K, V> Iterator for Values<'s, K, V> {
    type Item = &'s V;

    #[inline]
    fn next(&mut self) -> Option<&'s V> {
        self.pairs.next().map(|(_, value)| value)
    }
}

//! Iterators of sessions.

use std::fmt;
use std::hash::RandomState;
use std::iter::FusedIterator;

use super::{InnerMap, PinnedNested};
use crate::core::{self, OuterIter};

/// All entries: [`PinnedNested::iter`]. Takes no lock and never waits.
pub struct NestedIter<'s, K1, K2, V>(core::NestedIter<'s, K1, K2, V>);

impl<'s, K1, K2, V> NestedIter<'s, K1, K2, V> {
    pub(super) fn new(entries: core::NestedIter<'s, K1, K2, V>) -> Self {
        NestedIter(entries)
    }
}

impl<'s, K1, K2, V> Iterator for NestedIter<'s, K1, K2, V> {
    type Item = (&'s K1, &'s K2, &'s V);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(outer, pair)| (outer, pair.key, pair.value))
    }
}

impl<K1, K2, V> FusedIterator for NestedIter<'_, K1, K2, V> {}

impl<K1, K2, V> fmt::Debug for NestedIter<'_, K1, K2, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NestedIter").finish_non_exhaustive()
    }
}

/// The outer keys: [`PinnedNested::outer_keys`]. Takes no lock and never waits.
pub struct OuterKeys<'s, K1, K2, V, S = RandomState>(Inners<'s, K1, K2, V, S>);

impl<'s, K1, K2, V, S> OuterKeys<'s, K1, K2, V, S> {
    pub(super) fn new(inners: Inners<'s, K1, K2, V, S>) -> Self {
        OuterKeys(inners)
    }
}

impl<'s, K1, K2, V, S> Iterator for OuterKeys<'s, K1, K2, V, S> {
    type Item = &'s K1;

    fn next(&mut self) -> Option<&'s K1> {
        self.0.next().map(|inner| inner.outer_key())
    }
}

impl<K1, K2, V, S> FusedIterator for OuterKeys<'_, K1, K2, V, S> {}

impl<K1, K2, V, S> fmt::Debug for OuterKeys<'_, K1, K2, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OuterKeys").finish_non_exhaustive()
    }
}

/// What belongs to each outer key: [`PinnedNested::inners`]. Takes no lock and never waits.
pub struct Inners<'s, K1, K2, V, S = RandomState> {
    session: &'s PinnedNested<'s, K1, K2, V, S>,
    found: OuterIter<'s, K1, K2, V>,
}

impl<'s, K1, K2, V, S> Inners<'s, K1, K2, V, S> {
    pub(super) fn new(session: &'s PinnedNested<'s, K1, K2, V, S>, found: OuterIter<'s, K1, K2, V>) -> Self {
        Inners { session, found }
    }
}

impl<'s, K1, K2, V, S> Iterator for Inners<'s, K1, K2, V, S> {
    type Item = InnerMap<'s, K1, K2, V, S>;

    fn next(&mut self) -> Option<Self::Item> {
        self.found.find_map(|found| InnerMap::new(self.session, found))
    }
}

impl<K1, K2, V, S> FusedIterator for Inners<'_, K1, K2, V, S> {}

impl<K1, K2, V, S> fmt::Debug for Inners<'_, K1, K2, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inners").finish_non_exhaustive()
    }
}

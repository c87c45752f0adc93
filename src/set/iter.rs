//! Iterators of a session.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::iter::FusedIterator;

use equivalent::Equivalent;

use crate::{GetMany, Keys};

/// The elements of a set: [`PinnedSet::iter`](super::PinnedSet::iter).
pub struct SetIter<'s, T> {
    keys: Keys<'s, T, ()>,
}

impl<'s, T> SetIter<'s, T> {
    pub(super) fn new(keys: Keys<'s, T, ()>) -> Self {
        SetIter { keys }
    }
}

impl<'s, T> Iterator for SetIter<'s, T> {
    type Item = &'s T;

    #[inline]
    fn next(&mut self) -> Option<&'s T> {
        self.keys.next()
    }
}

impl<T> fmt::Debug for SetIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetIter").finish_non_exhaustive()
    }
}

/// Whether each of many is in a set: [`PinnedSet::contains_many`](super::PinnedSet::contains_many).
#[must_use = "it looks up nothing before it is asked"]
pub struct ContainsMany<'s, 'q, Q: ?Sized, T, S, I> {
    found: GetMany<'s, 'q, Q, T, (), S, I>,
}

impl<'s, 'q, Q: ?Sized, T, S, I> ContainsMany<'s, 'q, Q, T, S, I> {
    pub(super) fn new(found: GetMany<'s, 'q, Q, T, (), S, I>) -> Self {
        ContainsMany { found }
    }
}

impl<'q, Q, T, S, I> Iterator for ContainsMany<'_, 'q, Q, T, S, I>
where
    Q: Hash + Equivalent<T> + ?Sized,
    S: BuildHasher,
    I: Iterator<Item = &'q Q>,
{
    type Item = bool;

    #[inline]
    fn next(&mut self) -> Option<bool> {
        self.found.next().map(|found| found.is_some())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.found.size_hint()
    }
}

impl<'q, Q, T, S, I> ExactSizeIterator for ContainsMany<'_, 'q, Q, T, S, I>
where
    Q: Hash + Equivalent<T> + ?Sized,
    S: BuildHasher,
    I: ExactSizeIterator<Item = &'q Q>,
{
}

impl<'q, Q, T, S, I> FusedIterator for ContainsMany<'_, 'q, Q, T, S, I>
where
    Q: Hash + Equivalent<T> + ?Sized,
    S: BuildHasher,
    I: Iterator<Item = &'q Q>,
{
}

impl<Q: ?Sized, T, S, I> fmt::Debug for ContainsMany<'_, '_, Q, T, S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainsMany").finish_non_exhaustive()
    }
}

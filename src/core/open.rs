//! The operations that link, on a map with a domain of its own: that is never closed, so they always come to an end.

use super::ops::{Computed, Next};
use super::{Core, Hash, MapHeld, Pair};

impl<K: Eq, V> Core<K, V> {
    /// See [`Tables::insert`](super::Tables::insert).
    #[inline]
    pub(crate) fn insert<'g>(
        &self,
        guard: &'g MapHeld<'_, K, V>,
        hash: Hash,
        key: K,
        value: V,
    ) -> Option<Pair<'g, K, V>> {
        let Ok(old) = self.tables.insert(guard, hash, key, value);
        old
    }

    /// See [`Tables::try_insert`](super::Tables::try_insert).
    #[inline]
    pub(crate) fn try_insert<'g>(
        &self,
        guard: &'g MapHeld<'_, K, V>,
        hash: Hash,
        key: K,
        value: V,
    ) -> Result<Pair<'g, K, V>, (Pair<'g, K, V>, K, V)> {
        let Ok(inserted) = self.tables.try_insert(guard, hash, key, value);
        inserted
    }

    /// See [`Tables::get_or_insert_with`](super::Tables::get_or_insert_with).
    #[inline]
    pub(crate) fn get_or_insert_with<'g>(
        &self,
        guard: &'g MapHeld<'_, K, V>,
        hash: Hash,
        key: K,
        make: impl FnOnce() -> V,
    ) -> Pair<'g, K, V> {
        let Ok(pair) = self.tables.get_or_insert_with(guard, hash, key, make);
        pair
    }

    /// See [`Tables::update_or_insert_with`](super::Tables::update_or_insert_with).
    #[inline]
    pub(crate) fn update_or_insert_with<'g>(
        &self,
        guard: &'g MapHeld<'_, K, V>,
        hash: Hash,
        key: K,
        successor: impl FnMut(Pair<'g, K, V>) -> V,
        make: impl FnOnce() -> V,
    ) -> Pair<'g, K, V> {
        let Ok(new) = self.tables.update_or_insert_with(guard, hash, key, successor, make);
        new
    }

    /// See [`Tables::compute`](super::Tables::compute).
    #[inline]
    pub(crate) fn compute<'g, T>(
        &self,
        guard: &'g MapHeld<'_, K, V>,
        hash: Hash,
        key: K,
        next: impl FnMut(Option<Pair<'g, K, V>>) -> Next<V, T>,
    ) -> Computed<'g, K, V, T> {
        let Ok(computed) = self.tables.compute(guard, hash, key, next);
        computed
    }
}

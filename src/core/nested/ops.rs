//! The operations on a key of an inner map. Each linearizes where it does in the inner map: an inner map to which it links, or in which it finds
//! something, is in the outer one at that moment.

use equivalent::Equivalent;

use super::super::ops::{Computed, Fresh, Next};
use super::{Hashed, Nested, NestedHeld, Pair};

impl<K1, K2, V> Nested<K1, K2, V> {
    #[inline]
    pub(crate) fn get<'g, Q1, Q2>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        outer: Hashed<&Q1>,
        (hash, key): Hashed<&Q2>,
    ) -> Option<Pair<'g, K2, V>>
    where
        Q1: Equivalent<K1> + ?Sized,
        Q2: Equivalent<K2> + ?Sized,
    {
        self.with_inner(guard, outer, |inner| inner.get(guard, hash, key)).flatten()
    }

    /// Inserts or overwrites; returns the pair from before.
    pub(crate) fn insert<'g>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        outer: Hashed<K1>,
        (hash, key): Hashed<K2>,
        value: V,
    ) -> Option<Pair<'g, K2, V>>
    where
        K1: Eq,
        K2: Eq,
    {
        let link = |inner: &'g super::Inner<K1, K2, V>, Fresh { key, value }| inner.insert(guard, hash, key, value);
        self.linking(guard, outer, Fresh { key, value }, |_| Ok(()), link)
    }

    /// Inserts if the key is absent. Else returns the pair that is there, and key and value.
    pub(crate) fn try_insert<'g>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        outer: Hashed<K1>,
        (hash, key): Hashed<K2>,
        value: V,
    ) -> Result<Pair<'g, K2, V>, (Pair<'g, K2, V>, K2, V)>
    where
        K1: Eq,
        K2: Eq,
    {
        let link = |inner: &'g super::Inner<K1, K2, V>, Fresh { key, value }| inner.try_insert(guard, hash, key, value);
        self.linking(guard, outer, Fresh { key, value }, |_| Ok(()), link)
    }

    /// The key's pair, inserted with what `make` makes if it is absent.
    pub(crate) fn get_or_insert_with<'g>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        outer: Hashed<K1>,
        inner: Hashed<K2>,
        make: impl FnOnce() -> V,
    ) -> Pair<'g, K2, V>
    where
        K1: Eq,
        K2: Eq,
    {
        if let Some(pair) = self.get(guard, (outer.0, &outer.1), (inner.0, &inner.1)) {
            return pair;
        }
        let (Ok(pair) | Err((pair, ..))) = self.try_insert(guard, outer, inner, make());
        pair
    }

    /// Replaces the key's value by its successor; returns the new pair.
    pub(crate) fn update<'g, Q1, Q2>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        outer: Hashed<&Q1>,
        (hash, key): Hashed<&Q2>,
        successor: impl FnMut(Pair<'g, K2, V>) -> V,
    ) -> Option<Pair<'g, K2, V>>
    where
        Q1: Equivalent<K1> + ?Sized,
        Q2: Equivalent<K2> + ?Sized,
    {
        self.with_inner(guard, outer, |inner| inner.update(guard, hash, key, successor)).flatten()
    }

    /// Replaces the key's value by its successor, or inserts what `make` makes; returns the new pair.
    pub(crate) fn update_or_insert_with<'g>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        outer: Hashed<K1>,
        inner: Hashed<K2>,
        mut successor: impl FnMut(Pair<'g, K2, V>) -> V,
        make: impl FnOnce() -> V,
    ) -> Pair<'g, K2, V>
    where
        K1: Eq,
        K2: Eq,
    {
        if let Some(new) = self.update(guard, (outer.0, &outer.1), (inner.0, &inner.1), &mut successor) {
            return new;
        }
        let (hash, key) = inner;
        let fresh = Fresh { key, value: make() };
        self.linking(
            guard,
            outer,
            fresh,
            |_| Ok(()),
            |inner, Fresh { key, value }| inner.update_or_insert_with(guard, hash, key, &mut successor, || value),
        )
    }

    /// Inserts, overwrites, removes or leaves the key as `next` says, which may be asked more than once.
    pub(crate) fn compute<'g, T>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        outer: Hashed<K1>,
        (hash, key): Hashed<K2>,
        next: impl FnMut(Option<Pair<'g, K2, V>>) -> Next<V, T>,
    ) -> Computed<'g, K2, V, T>
    where
        K1: Eq,
        K2: Eq,
    {
        // Asked before there is an inner map, so that there is none for nothing: what is carried is a key, and the answer for an absent one.
        let next = std::cell::RefCell::new(next);
        let ask = |old: Option<Pair<'g, K2, V>>| (next.borrow_mut())(old);
        let is_wanted = |(_, value): &mut (K2, Option<V>)| match ask(None) {
            Next::Insert(new) => {
                *value = Some(new);
                Ok(())
            }
            Next::Remove => Err(Computed::Absent),
            Next::Abort(why) => Err(Computed::Aborted(why)),
        };
        let computed = self.linking(guard, outer, (key, None), is_wanted, |inner, (key, value)| {
            let key = match value {
                None => key,
                Some(value) => match inner.try_insert(guard, hash, key, value) {
                    Ok(Ok(pair)) => return Ok(Computed::Inserted(pair)),
                    Ok(Err((_, key, _))) | Err(Fresh { key, .. }) => key,
                },
            };
            inner.compute(guard, hash, key, ask).map_err(|Fresh { key, .. }| (key, None))
        });
        // As in `linking`.
        drop(next);
        computed
    }

    /// Removes the key if `wanted` says so of its pair. `Err` is the pair that was not wanted.
    pub(crate) fn remove_if<'g, Q1, Q2>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        outer: Hashed<&Q1>,
        (hash, key): Hashed<&Q2>,
        wanted: impl FnMut(Pair<'g, K2, V>) -> bool,
    ) -> Result<Option<Pair<'g, K2, V>>, Pair<'g, K2, V>>
    where
        Q1: Equivalent<K1> + ?Sized,
        Q2: Equivalent<K2> + ?Sized,
    {
        self.with_inner(guard, outer, |inner| inner.remove_if(guard, hash, key, wanted)).unwrap_or(Ok(None))
    }

    /// Removes an outer key with all that is in its inner map, in one step; tells how many entries that were.
    pub(crate) fn remove_outer<Q>(&self, guard: &NestedHeld<'_, K1, K2, V>, outer: Hashed<&Q>) -> usize
    where
        Q: Equivalent<K1> + ?Sized,
    {
        self.with_inner(guard, outer, |inner| inner.clear(guard)).unwrap_or(0)
    }
}

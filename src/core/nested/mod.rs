//! Maps of maps: the values of an outer map are tables themselves, and all of them are used under guards of one domain.
//!
//! An inner map is in the outer one as long as it has entries. Who unlinks the last of them, under the inner map's mutex, *closes* it in the
//! same hold of the mutex: nothing is linked in it from then on. So "it is empty" and "nothing comes to it any more" are one step, and an insert that
//! is too late learns it before it has linked anything: it goes on with another inner map, which it makes itself. Whoever has used an inner map looks at the
//! end whether it is closed, and then kills its entry in the outer map (N1). That is found by address: no code of the user's runs for it, and
//! it cannot be the entry of a later inner map of the same key.
//!
//! The key of an outer map can be given away only once, so who has made an inner map must come to an end with it: he keeps it open until his
//! own entry is linked.
//!
//! To remove an outer key is to [clear](Tables::clear) its inner map, which closes it, unless it is kept open.
//!
//! This file has the parts, and the way to an inner map; [`ops`] are the operations on one key of it, [`whole`] those on all keys.

mod ops;
mod whole;

use std::convert::Infallible;

use equivalent::Equivalent;

pub(crate) use whole::{NestedIter, OuterIter};

use super::garbage::{self, Host, Unlinked};
use super::hash::Hash;
use super::shape::LEAST_OF_MANY;
use super::{Pair, Tables};
use crate::reclaim::{Amount, Domain, Garbage, Guard, Held, Limits, Panics, Weight};
use crate::sync::{AtomicUsize, const_unless_loom};

/// What a map of maps unlinks.
pub(crate) enum NestedUnlinked<K1, K2, V> {
    Outer(Unlinked<K1, Inner<K1, K2, V>>),
    Inner(Unlinked<K2, V>),
}

/// The map that belongs to a key of the outer one.
pub(crate) type Inner<K1, K2, V> = Tables<K2, V, NestedUnlinked<K1, K2, V>>;
type Outer<K1, K2, V> = Tables<K1, Inner<K1, K2, V>, NestedUnlinked<K1, K2, V>>;

pub(crate) type NestedGuard<'m, K1, K2, V> = Guard<'m, NestedUnlinked<K1, K2, V>>;
pub(crate) type NestedHeld<'m, K1, K2, V> = Held<'m, NestedUnlinked<K1, K2, V>>;

impl<K1, K2, V> From<Unlinked<K1, Inner<K1, K2, V>>> for NestedUnlinked<K1, K2, V> {
    fn from(unlinked: Unlinked<K1, Inner<K1, K2, V>>) -> Self {
        NestedUnlinked::Outer(unlinked)
    }
}

impl<K1, K2, V> From<Unlinked<K2, V>> for NestedUnlinked<K1, K2, V> {
    fn from(unlinked: Unlinked<K2, V>) -> Self {
        NestedUnlinked::Inner(unlinked)
    }
}

// SAFETY: E5, D2: `reclaim` uses nothing of the thread it runs on; `NestedMap` is shared between threads only if keys and values are Send.
unsafe impl<K1, K2, V> Garbage for NestedUnlinked<K1, K2, V> {
    /// Bytes of the tables that readers see, the outer and all inner ones.
    type Context = AtomicUsize;

    fn weight(&self) -> Weight {
        match self {
            NestedUnlinked::Outer(unlinked) => unlinked.weight(),
            NestedUnlinked::Inner(unlinked) => unlinked.weight(),
        }
    }

    unsafe fn reclaim(self, table_bytes: &AtomicUsize, amount: Amount, panics: &mut Panics) -> Option<Self> {
        // SAFETY: by the caller's promise. N1: an outer entry is dead only if nothing is linked in its inner map, so no entry goes uncounted.
        unsafe {
            match self {
                NestedUnlinked::Outer(outer) => {
                    outer.reclaim_beside(table_bytes, None, amount, panics).map(Self::Outer)
                }
                NestedUnlinked::Inner(inner) => {
                    inner.reclaim_beside(table_bytes, None, amount, panics).map(Self::Inner)
                }
            }
        }
    }

    fn is_urgent(table_bytes: &AtomicUsize) -> bool {
        garbage::is_urgent(table_bytes)
    }
}

impl<K1, K2, V> Host<K1, Inner<K1, K2, V>> for NestedUnlinked<K1, K2, V> {
    const CLOSES: bool = false;

    type Closed<T> = Infallible;

    fn closed<T>(_: T) -> Infallible {
        unreachable!("the outer map does not close")
    }

    fn table_bytes(context: &AtomicUsize) -> &AtomicUsize {
        context
    }
}

impl<K1, K2, V> Host<K2, V> for NestedUnlinked<K1, K2, V> {
    const CLOSES: bool = true;

    const LEAST: usize = LEAST_OF_MANY;

    type Closed<T> = T;

    fn closed<T>(parts: T) -> T {
        parts
    }

    fn table_bytes(context: &AtomicUsize) -> &AtomicUsize {
        context
    }
}

/// Is the very key at this address.
struct Same<K>(*const K);

impl<K> Equivalent<K> for Same<K> {
    fn equivalent(&self, key: &K) -> bool {
        std::ptr::eq(self.0, key)
    }
}

/// A key, or what is looked up in its place, with its hash.
pub(crate) type Hashed<Q> = (Hash, Q);

pub(crate) struct Nested<K1, K2, V> {
    outer: Outer<K1, K2, V>,
    pub(crate) domain: Domain<NestedUnlinked<K1, K2, V>>,
}

/// An inner map, with the key to which it belongs, and the hash by which that was found.
pub(crate) struct FoundInner<'g, K1, K2, V> {
    hash: Hash,
    pub(crate) key: &'g K1,
    inner: &'g Inner<K1, K2, V>,
}

impl<K1, K2, V> Clone for FoundInner<'_, K1, K2, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K1, K2, V> Copy for FoundInner<'_, K1, K2, V> {}

impl<K1, K2, V> FoundInner<'_, K1, K2, V> {
    /// Entries that are there now.
    pub(crate) fn len(&self) -> usize {
        self.inner.len()
    }
}

/// An inner map in use: taken out of the outer one at the end, if it is closed then, be it because the user's code panics.
struct Used<'g, 'm, K1, K2, V> {
    nested: &'g Nested<K1, K2, V>,
    guard: &'g NestedHeld<'m, K1, K2, V>,
    found: FoundInner<'g, K1, K2, V>,
    /// Have we made it, and keep it open?
    is_new: bool,
}

impl<K1, K2, V> Drop for Used<'_, '_, K1, K2, V> {
    #[inline]
    fn drop(&mut self) {
        if self.is_new {
            self.found.inner.let_close(self.guard);
        }
        if self.found.inner.is_closed() {
            self.nested.prune(self.guard, self.found);
        }
    }
}

impl<K1, K2, V> Drop for Nested<K1, K2, V> {
    /// Drops all entries and all that is pending (R7).
    fn drop(&mut self) {
        let mut panics = Panics::default();
        self.outer.drop_all(None, &mut panics);
        self.domain.drop_all(&mut panics);
        panics.resume();
    }
}

impl<K1, K2, V> Nested<K1, K2, V> {
    const_unless_loom! {
        pub(crate) fn new() -> Nested<K1, K2, V> {
            Nested { outer: Tables::new(), domain: Domain::new(Limits::NONE, AtomicUsize::new(0)) }
        }
    }

    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn guard(&self) -> NestedGuard<'_, K1, K2, V> {
        self.domain.guard()
    }

    /// Are there no outer keys? Then there is nothing to guard.
    pub(crate) fn is_vacant(&self) -> bool {
        self.outer.is_vacant()
    }

    /// Kills the outer entry of an inner map that is closed (N1).
    #[cold]
    fn prune(&self, guard: &NestedHeld<'_, K1, K2, V>, found: FoundInner<'_, K1, K2, V>) {
        // If it is not there, or killed by another, somebody has been faster. An outer entry has one value for its life.
        if let Some(entry) = self.outer.find(guard, found.hash, &Same(found.key)) {
            self.outer.kill(guard, &entry);
        }
    }

    /// The inner map of a key, if there is one.
    #[inline]
    pub(crate) fn inner<'g, Q>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        (hash, key): Hashed<&Q>,
    ) -> Option<FoundInner<'g, K1, K2, V>>
    where
        Q: Equivalent<K1> + ?Sized,
    {
        let Pair { key, value } = self.outer.get(guard, hash, key)?;
        Some(FoundInner { hash, key, inner: value })
    }

    #[inline]
    fn used<'g, 'm>(
        &'g self,
        guard: &'g NestedHeld<'m, K1, K2, V>,
        found: FoundInner<'g, K1, K2, V>,
        is_new: bool,
    ) -> Used<'g, 'm, K1, K2, V> {
        Used { nested: self, guard, found, is_new }
    }

    /// Runs an operation that links nothing on an inner map.
    #[inline]
    pub(crate) fn on<'g, R>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        found: FoundInner<'g, K1, K2, V>,
        operation: impl FnOnce(&'g Inner<K1, K2, V>) -> R,
    ) -> R {
        let used = self.used(guard, found, false);
        operation(used.found.inner)
    }

    /// Runs an operation that links nothing on the inner map of a key, if there is one.
    #[inline]
    fn with_inner<'g, Q, R>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        key: Hashed<&Q>,
        operation: impl FnOnce(&'g Inner<K1, K2, V>) -> R,
    ) -> Option<R>
    where
        Q: Equivalent<K1> + ?Sized,
    {
        self.inner(guard, key).map(|found| self.on(guard, found, operation))
    }

    /// Runs an operation that may link on the inner map of a key; on a new one, if it is absent and `is_wanted`. `carried` is what it links.
    fn linking<'g, T, R>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        (hash, key): Hashed<K1>,
        carried: T,
        mut is_wanted: impl FnMut(&mut T) -> Result<(), R>,
        mut operation: impl FnMut(&'g Inner<K1, K2, V>, T) -> Result<R, T>,
    ) -> R
    where
        K1: Eq,
    {
        let mut key = Some(key);
        let done = self.link_in(guard, hash, &mut key, carried, &mut is_wanted, &mut operation);
        // Here, where a panic of theirs drops the result, too. At the end of the function it would be leaked.
        drop((key, is_wanted, operation));
        done
    }

    /// [`linking`](Self::linking), which takes the key if it needs it.
    fn link_in<'g, T, R>(
        &'g self,
        guard: &'g NestedHeld<'_, K1, K2, V>,
        hash: Hash,
        key: &mut Option<K1>,
        mut carried: T,
        is_wanted: &mut impl FnMut(&mut T) -> Result<(), R>,
        operation: &mut impl FnMut(&'g Inner<K1, K2, V>, T) -> Result<R, T>,
    ) -> R
    where
        K1: Eq,
    {
        while let Some(wanted) = key.as_ref() {
            let (found, is_new) = match self.inner(guard, (hash, wanted)) {
                Some(found) => (found, false),
                None => {
                    if let Err(done) = is_wanted(&mut carried) {
                        return done;
                    }
                    let Some(wanted) = key.take() else { break };
                    let Ok(made) = self.outer.try_insert(guard, hash, wanted, Tables::kept_open());
                    let (pair, is_new) = match made {
                        Ok(pair) => (pair, true),
                        Err((pair, again, _)) => {
                            *key = Some(again);
                            (pair, false)
                        }
                    };
                    (FoundInner { hash, key: pair.key, inner: pair.value }, is_new)
                }
            };
            let used = self.used(guard, found, is_new);
            match operation(found.inner, carried) {
                Ok(done) => return done,
                Err(again) => carried = again,
            }
            // Closed, and taken out with this, if nobody else has done it.
            drop(used);
        }
        unreachable!("what we have made does not close before we are done")
    }
}

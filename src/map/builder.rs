//! Settings for a new map.

use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;

use super::HashMap;
use crate::core::Core;

/// When what is unlinked, and seen by no guard, is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reclaim {
    /// Before the call that unlinked it returns, or with the [`Ref`](super::Ref) it returned.
    #[default]
    Immediate,
    /// Saved up, at most so many items in the whole map, and dropped together. Cheaper where removals are many.
    ///
    /// [`HashMap::reclaim`] and [`HashMap::try_reclaim`] drop what is saved up, on whichever thread it is.
    Batched(usize),
}

/// Settings for a new map: [`HashMap::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder<K, V, S = RandomState> {
    capacity: usize,
    hash_builder: S,
    reclaim: Reclaim,
    _map: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Builder<K, V> {
    pub(super) fn new() -> Self {
        Builder { capacity: 0, hash_builder: RandomState::new(), reclaim: Reclaim::default(), _map: PhantomData }
    }
}

impl<K, V, S> Builder<K, V, S> {
    /// Room for so many entries. Default: 0.
    pub fn capacity(self, capacity: usize) -> Self {
        Builder { capacity, ..self }
    }

    /// The hasher. Default: [`RandomState`], which withstands chosen keys.
    pub fn hasher<T>(self, hash_builder: T) -> Builder<K, V, T> {
        Builder { capacity: self.capacity, hash_builder, reclaim: self.reclaim, _map: PhantomData }
    }

    /// When garbage is dropped. Default: [`Reclaim::Immediate`].
    pub fn reclaim(self, reclaim: Reclaim) -> Self {
        Builder { reclaim, ..self }
    }

    /// The map.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory.
    #[must_use]
    pub fn build(self) -> HashMap<K, V, S>
    where
        K: Eq + Hash,
        S: BuildHasher,
    {
        let batch = match self.reclaim {
            Reclaim::Immediate => 0,
            Reclaim::Batched(items) => items,
        };
        let map = HashMap { core: Core::new(batch), hash_builder: self.hash_builder };
        if self.capacity > 0 {
            map.reserve(self.capacity);
        }
        map
    }
}

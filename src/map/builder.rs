//! Settings for a new map.

use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;

use super::HashMap;
use crate::core::Core;
use crate::reclaim::WarnFrom;

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
    warn_from: WarnFrom,
    _map: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Builder<K, V> {
    pub(super) fn new() -> Self {
        Builder {
            capacity: 0,
            hash_builder: RandomState::new(),
            reclaim: Reclaim::default(),
            warn_from: WarnFrom::DEFAULT,
            _map: PhantomData,
        }
    }
}

impl<K, V, S> Builder<K, V, S> {
    /// Room for so many entries. Default: 0.
    pub fn capacity(self, capacity: usize) -> Self {
        Builder { capacity, ..self }
    }

    /// The hasher. Default: [`RandomState`], which withstands chosen keys.
    pub fn hasher<T>(self, hash_builder: T) -> Builder<K, V, T> {
        Builder {
            capacity: self.capacity,
            hash_builder,
            reclaim: self.reclaim,
            warn_from: self.warn_from,
            _map: PhantomData,
        }
    }

    /// When garbage is dropped. Default: [`Reclaim::Immediate`].
    pub fn reclaim(self, reclaim: Reclaim) -> Self {
        Builder { reclaim, ..self }
    }

    /// Warn of a guard of this age, if something waits for it. Default: a minute. [`Duration::MAX`](std::time::Duration::MAX) is never.
    ///
    /// The warning is one event of the crate `tracing`, target `tidymap`, with the fields `thread`, `age`, `entries`, `bytes`
    /// and `location` of the oldest guard (see [`GuardInfo`](super::GuardInfo)), once for a guard. Calls that look are those by which something has
    /// to wait, and [`HashMap::stats`], [`guards`](HashMap::guards), [`try_reclaim`](HashMap::try_reclaim) and
    /// [`reclaim`](HashMap::reclaim); there is no thread for it. The subscriber runs like a destructor: after the work, outside
    /// every lock and guard of the call. It may use the map, and its panic goes on in the call.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let map = tidymap::HashMap::<u32, u32>::builder().warn_guard_age(Duration::from_secs(5)).build();
    /// # drop(map);
    /// ```
    #[cfg(feature = "tracing")]
    pub fn warn_guard_age(self, age: std::time::Duration) -> Self {
        Builder { warn_from: WarnFrom { age }, ..self }
    }

    /// The map.
    ///
    /// # Panics
    /// On capacity overflow. Aborts if there is no memory.
    #[must_use]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn build(self) -> HashMap<K, V, S>
    where
        K: Eq + Hash,
        S: BuildHasher,
    {
        let batch = match self.reclaim {
            Reclaim::Immediate => 0,
            Reclaim::Batched(items) => items,
        };
        let mut map = HashMap { core: Core::new(batch), hash_builder: self.hash_builder };
        map.core.domain.warn_from = self.warn_from;
        if self.capacity > 0 {
            map.reserve(self.capacity);
        }
        map
    }
}

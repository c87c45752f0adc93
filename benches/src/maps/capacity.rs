//! Maps that are told in advance how much there will be.

use super::{
    Dash, FixedState, Flurry, Index, Key, Locked, Papaya, Peer, SccMap, Skip, Tidy, TidyBatched, TidyFenced, Value,
    Writable,
};

/// A map that is made with room for so many entries.
pub trait Roomy: Writable {
    /// A list has no room to be made in advance.
    const HAS_CAPACITY: bool = true;
    /// Does a key that is overwritten stay where readers find it?
    const OVERWRITES_IN_PLACE: bool = true;

    /// An empty one that need not grow up to so many.
    fn with_capacity<K: Key, V: Value>(entries: usize) -> Self::Map<K, V>;
}

macro_rules! roomy {
    ($($peer:ty: $of:ident::$map:ident;)*) => {$(
        impl Roomy for $peer {
            fn with_capacity<K: Key, V: Value>(entries: usize) -> Self::Map<K, V> {
                $of::$map::<K, V, FixedState>::with_capacity_and_hasher(entries, FixedState::default()).into()
            }
        }
    )*};
}

roomy! {
    Tidy: tidymap::HashMap;
    Papaya: papaya::HashMap;
    Index: scc::HashIndex;
    SccMap: scc::HashMap;
    Dash: dashmap::DashMap;
    Flurry: flurry::HashMap;
    Locked: hashbrown::HashMap;
}

/// Kinds with settings of their own.
macro_rules! roomy_by_reserve {
    ($($peer:ty),*) => {$(
        impl Roomy for $peer {
            fn with_capacity<K: Key, V: Value>(entries: usize) -> Self::Map<K, V> {
                let map = Self::empty::<K, V>();
                map.reserve(entries);
                map
            }
        }
    )*};
}

roomy_by_reserve!(TidyBatched, TidyFenced);

impl Roomy for Skip {
    const HAS_CAPACITY: bool = false;
    /// It removes the old entry and links a new one. A reader in between finds nothing.
    const OVERWRITES_IN_PLACE: bool = false;

    fn with_capacity<K: Key, V: Value>(_: usize) -> Self::Map<K, V> {
        Self::empty()
    }
}

//! What one-shot operations return.

use std::fmt;
use std::ops::Deref;

use crate::core::NestedUnlinked;
use crate::map::reference::Kept;

/// A pair of an inner map, kept from being dropped for as long as this lives. Derefs to the value.
///
/// It is a live guard, as [`Ref`](crate::Ref) is. Not `Send`.
pub struct NestedRef<'m, K1, K2, V>(Kept<'m, K2, V, NestedUnlinked<K1, K2, V>>);

impl<'m, K1, K2, V> NestedRef<'m, K1, K2, V> {
    pub(super) fn new(kept: Kept<'m, K2, V, NestedUnlinked<K1, K2, V>>) -> Self {
        NestedRef(kept)
    }

    /// The inner key, as it is stored.
    pub fn key(&self) -> &K2 {
        self.0.key()
    }

    /// The value.
    pub fn value(&self) -> &V {
        self.0.value()
    }
}

impl<K1, K2, V> Deref for NestedRef<'_, K1, K2, V> {
    type Target = V;

    fn deref(&self) -> &V {
        self.value()
    }
}

impl<K1, K2: fmt::Debug, V: fmt::Debug> fmt::Debug for NestedRef<'_, K1, K2, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NestedRef").field("key", self.key()).field("value", self.value()).finish()
    }
}

impl<K1, K2, V: fmt::Display> fmt::Display for NestedRef<'_, K1, K2, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

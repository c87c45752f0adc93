//! What one-shot operations return.

use std::fmt;
use std::ops::Deref;

use crate::Ref;

/// The values of a key, kept from being dropped for as long as this lives. Derefs to the slice.
///
/// It is a live guard, as [`Ref`] is. Not `Send`.
pub struct ValuesRef<'m, K, V>(Ref<'m, K, Box<[V]>>);

impl<'m, K, V> ValuesRef<'m, K, V> {
    pub(super) fn new(found: Ref<'m, K, Box<[V]>>) -> Self {
        ValuesRef(found)
    }

    /// The key, as it is stored.
    pub fn key(&self) -> &K {
        self.0.key()
    }

    /// The values.
    pub fn values(&self) -> &[V] {
        self.0.value()
    }
}

impl<K, V> Deref for ValuesRef<'_, K, V> {
    type Target = [V];

    fn deref(&self) -> &[V] {
        self.values()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for ValuesRef<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValuesRef").field("key", self.key()).field("values", &self.values()).finish()
    }
}

//! What holds a session open: its thread, or whoever owns it.

use std::fmt;

use crate::core::{Core, Guard, Lease, MapHeld};

/// What keeps the references good that a session hands out: a [`LocalGuard`] or an [`OwnedGuard`]. Sealed: there are no others.
#[expect(private_bounds, reason = "sealed, and no concern of users")]
pub trait SessionGuard<K, V>: Protect<K, V> {}

/// How the operations of a session are made under its guard.
pub(crate) trait Protect<K, V> {
    /// For operations that only read.
    fn reading(&self) -> &MapHeld<'_, K, V>;

    /// Runs an operation of any kind. What it finds stays good for as long as this guard does.
    fn writing<'s, R>(&'s self, core: &'s Core<K, V>, operation: impl FnOnce(&'s MapHeld<'s, K, V>) -> R) -> R
    where
        K: 's,
        V: 's;

    /// Exchanges the guard for one taken now.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn refresh(&mut self);
}

/// The guard of a session that belongs to its thread, opened by [`HashMap::pin`](crate::HashMap::pin). Neither `Send` nor `Sync`.
pub struct LocalGuard<'m, K, V>(pub(in crate::map) Guard<'m, K, V>);

impl<K, V> SessionGuard<K, V> for LocalGuard<'_, K, V> {}

impl<K, V> Protect<K, V> for LocalGuard<'_, K, V> {
    #[inline(always)]
    fn reading(&self) -> &MapHeld<'_, K, V> {
        &self.0
    }

    #[inline(always)]
    fn writing<'s, R>(&'s self, _: &'s Core<K, V>, operation: impl FnOnce(&'s MapHeld<'s, K, V>) -> R) -> R
    where
        K: 's,
        V: 's,
    {
        operation(&self.0)
    }

    fn refresh(&mut self) {
        self.0.refresh();
    }
}

impl<K, V> fmt::Debug for LocalGuard<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalGuard").finish_non_exhaustive()
    }
}

/// The guard of a session that belongs to whoever owns it, opened by [`HashMap::pin_owned`](crate::HashMap::pin_owned).
pub struct OwnedGuard<'m, K, V>(pub(in crate::map) Lease<'m, K, V>);

// SAFETY: Send, Sync: D4: nothing of the lease is touched through a shared reference, and its end is fit for any thread. What that
// drops, and what the session lets other threads see, are keys and values, as with a map that is shared.
unsafe impl<K: Send + Sync, V: Send + Sync> Send for OwnedGuard<'_, K, V> {}
// SAFETY: as above.
unsafe impl<K: Send + Sync, V: Send + Sync> Sync for OwnedGuard<'_, K, V> {}

impl<K, V> SessionGuard<K, V> for OwnedGuard<'_, K, V> {}

impl<K, V> Protect<K, V> for OwnedGuard<'_, K, V> {
    #[inline(always)]
    fn reading(&self) -> &MapHeld<'_, K, V> {
        // SAFETY: D4: for operations that only read, by this method's word.
        unsafe { self.0.held() }
    }

    /// Under a guard of the calling thread, which notes in its own record what it unlinks.
    fn writing<'s, R>(&'s self, core: &'s Core<K, V>, operation: impl FnOnce(&'s MapHeld<'s, K, V>) -> R) -> R
    where
        K: 's,
        V: 's,
    {
        let guard = core.guard();
        let held: *const MapHeld<'_, K, V> = &*guard;
        // SAFETY: G3: the lease is older than this guard, so it protects what is found under it, for `'s`; the operations keep
        // nothing of the guard but that.
        operation(unsafe { &*held })
    }

    fn refresh(&mut self) {
        self.0.refresh();
    }
}

impl<K, V> fmt::Debug for OwnedGuard<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedGuard").finish_non_exhaustive()
    }
}

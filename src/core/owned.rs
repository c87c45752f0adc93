//! Pairs that are handed over by value instead of being dropped.

use equivalent::Equivalent;

use super::entry::Entry;
use super::garbage::Unlinked;
use super::hash::Hash;
use super::{Core, Guard, MapHeld, Pair};
use crate::reclaim::{Panics, WouldWait};

/// An entry that was removed under a guard.
pub(crate) struct Removed<K, V>(Entry<K, V>);

impl<K, V> Core<K, V> {
    /// Removes the key, and tells its pair and how to [claim](Self::claim) it.
    pub(crate) fn remove_entry<'g, Q>(
        &self,
        guard: &'g MapHeld<'_, K, V>,
        hash: Hash,
        key: &Q,
    ) -> Option<(Pair<'g, K, V>, Removed<K, V>)>
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            let found = self.find(guard, hash, key)?;
            if self.kill(guard, &found) {
                // SAFETY: found under the guard.
                return Some((unsafe { found.pair() }, Removed(found.entry)));
            }
        }
    }

    /// The removed pair, if no other guard can see it and it was this thread that unlinked it; else the guard.
    pub(crate) fn claim<'m>(guard: Guard<'m, K, V>, removed: &Removed<K, V>) -> Result<(K, V), Guard<'m, K, V>> {
        let is_it = |garbage: &Unlinked<K, V>| matches!(garbage, Unlinked::Entry(entry) if *entry == removed.0);
        // SAFETY: nobody else can see it, and it is not garbage any more, so this is its only end (E5).
        guard.take_back(is_it, |_| unsafe { removed.0.take() })
    }

    /// Says so if waiting for guards would be to wait for the calling thread.
    pub(crate) fn would_wait_for_guard(&self) -> Result<(), WouldWait> {
        match self.domain.would_wait() {
            Some(WouldWait::ForOwnGuard) => Err(WouldWait::ForOwnGuard),
            // A destructor's thread holds nothing back.
            Some(WouldWait::ForOwnDrop) | None => Ok(()),
        }
    }

    /// Removes the key, waits until no guard can see its pair, and returns that.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn remove_owned<Q>(&self, hash: Hash, key: &Q) -> Result<Option<(K, V)>, WouldWait>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let guard = self.guard();
        let Some(entry) = self.take_out(&guard, hash, key)? else { return Ok(None) };
        // SAFETY: E2: it is dead, and ours.
        let weight = unsafe { entry.weight_now() };
        guard.retired(weight);
        let stamp = self.domain.stamp();
        // What this drops is the user's, and may panic: not before the pair is safe.
        let mut panics = Panics::default();
        panics.run(|| drop(guard));
        panics.run(|| {
            self.domain.wait_passed(stamp, None);
        });
        // SAFETY: G3, W1: its stamp has passed, and it was not retired, so this is its only end (E5).
        let pair = unsafe { entry.take() };
        panics.run(|| self.domain.freed(weight));
        panics.resume();
        Ok(Some(pair))
    }

    /// Kills and unlinks the key's entry, which is the caller's then. Under the mutex from the one to the other, so that
    /// nobody is asked to do it for us. Not if the thread holds another guard.
    fn take_out<Q>(&self, guard: &MapHeld<'_, K, V>, hash: Hash, key: &Q) -> Result<Option<Entry<K, V>>, WouldWait>
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            let Some(found) = self.find(guard, hash, key) else { return Ok(None) };
            // Hash and Eq of the key are the user's, and may have kept one since the caller asked.
            if !guard.is_only() {
                return Err(WouldWait::ForOwnGuard);
            }
            let mut lock = self.lock();
            // SAFETY: E2: found under the guard.
            let killed = unsafe { found.entry.kill(found.word) };
            if killed {
                self.writer.census.died(1);
                self.writer.note_writer();
                // SAFETY: found under the guard, and killed here (W1).
                unsafe { self.unlink_found(guard, &mut lock, &found) };
            }
            self.unlock(guard, lock);
            if killed {
                return Ok(Some(found.entry));
            }
        }
    }
}

//! What a map with a domain of its own says and does about its garbage.

use std::time::Instant;

use super::{Core, Drain};
use crate::reclaim::WouldWait;

impl<K, V> Core<K, V> {
    /// How many entries have been linked, removed or given another value.
    #[cfg(feature = "arc-swap")]
    pub(crate) fn changes(&self) -> u64 {
        let (_, retired, _) = self.domain.tallies();
        self.linked() + retired.entries
    }

    /// Returns when all that was unlinked before the call has been dropped, or the deadline has passed (then false); or says
    /// why it would wait for its own thread.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn reclaim(&self, deadline: Option<Instant>) -> Result<bool, WouldWait> {
        self.stamp_all()?;
        Ok(self.domain.reclaim(deadline))
    }

    /// The same, for a task to poll.
    pub(crate) fn drain(&self) -> Result<Drain<'_, K, V>, WouldWait> {
        self.stamp_all()?;
        Ok(Drain::new(&self.domain))
    }

    /// Sees to it that all that was unlinked before is stamped; or says why waiting for it would be to wait for oneself.
    fn stamp_all(&self) -> Result<(), WouldWait> {
        if let Some(would_wait) = self.domain.would_wait() {
            return Err(would_wait);
        }
        // What was killed while the mutex was taken, and left to its holder, is stamped when we have had the mutex.
        let guard = self.guard();
        self.unlock(&guard, self.lock());
        Ok(())
    }
}

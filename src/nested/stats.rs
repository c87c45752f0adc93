//! What is held, and by whom; and waiting until it is dropped.

use std::time::{Duration, Instant};

use super::NestedMap;
use crate::{GuardInfo, Guards, Heap, Pending, ReclaimError};

/// The figures of a [`NestedMap`]: [`NestedMap::stats`]. They agree with each other when no operation is running.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NestedStats {
    /// Entries of all outer keys.
    pub len: usize,
    /// Outer keys.
    pub outer_len: usize,
    /// Removed entries, overwritten values and outer keys that have gone, since the map was made.
    pub retired: u64,
    /// How many of these have been dropped.
    pub freed: u64,
    /// The others.
    pub pending: Pending,
    /// Sessions and [`NestedRef`](super::NestedRef)s that are live, and calls that are running.
    pub live_guards: usize,
    /// The one that has been live for longest, and its thread.
    pub oldest_guard: Option<GuardInfo>,
    /// Memory that the map holds, on both levels. An inner map's place in the outer one counts as an entry's bytes. Of one outer key: [`InnerMap::heap`](super::InnerMap::heap).
    pub heap: Heap,
}

impl<K1, K2, V, S> NestedMap<K1, K2, V, S> {
    /// What the map holds, what waits to be dropped, and who is in its way (R8). O(outer keys and threads). Waits for no other call.
    ///
    /// ```
    /// let map = tidymap::NestedMap::from([("a", 1, "one")]);
    /// let session = map.pin();
    /// map.remove("a", &1);
    /// assert_eq!(map.stats().pending.entries, 2, "the entry, and the outer key that went with it");
    /// drop(session);
    /// assert_eq!((map.stats().pending.entries, map.stats().heap.entries), (0, 0));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn stats(&self) -> NestedStats {
        // Before we take a guard ourselves.
        let domain = &self.core.domain;
        let (live_guards, oldest) = domain.oldest();
        let pending = Pending::new(domain.pending_weight());
        let (allocated, retired, freed) = domain.tallies();
        let held = allocated.minus(freed);
        NestedStats {
            len: self.len(),
            outer_len: self.outer_len(),
            retired: retired.entries,
            freed: freed.entries,
            pending,
            live_guards,
            oldest_guard: oldest.map(GuardInfo::new),
            heap: Heap { tables: held.table_bytes, entries: held.entry_bytes, records: domain.record_bytes() as u64 },
        }
    }

    /// Who holds garbage back, and how much; see [`HashMap::guards`](crate::HashMap::guards).
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn guards(&self) -> Guards {
        Guards::new(self.core.domain.waited())
    }

    /// Waits until everything that was unlinked before the call has been dropped (R3); see [`HashMap::reclaim`](crate::HashMap::reclaim). O(outer keys).
    ///
    /// It waits for all guards that are live when it is called, also for those that see nothing of what was unlinked, and if others go on removing, for those that
    /// come while it does; and for writers that are linking entries of any outer key.
    ///
    /// # Errors
    /// At once, if it would wait for itself: if this thread holds a guard on the map, or runs a destructor from which the map is still to return.
    ///
    /// ```
    /// use tidymap::{NestedMap, ReclaimError};
    ///
    /// let map = NestedMap::from([("a", 1, "one")]);
    /// let one = map.remove("a", &1);
    /// assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
    /// drop(one);
    /// assert_eq!(map.reclaim(), Ok(()));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn reclaim(&self) -> Result<(), ReclaimError> {
        self.core.reclaim(None).map(drop).map_err(ReclaimError::new)
    }

    /// [`reclaim`](Self::reclaim), but waits no longer than `timeout`, give or take what destructors and writers take; see [`HashMap::reclaim_timeout`](crate::HashMap::reclaim_timeout).
    ///
    /// # Errors
    /// As for [`reclaim`](Self::reclaim); or [`ReclaimError::TimedOut`].
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn reclaim_timeout(&self, timeout: Duration) -> Result<(), ReclaimError> {
        // A time too far to be told is none.
        match self.core.reclaim(Instant::now().checked_add(timeout)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(ReclaimError::TimedOut),
            Err(would_wait) => Err(ReclaimError::new(would_wait)),
        }
    }

    /// Drops what can be dropped now, and tells what is left. Never waits.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn try_reclaim(&self) -> Pending {
        self.core.domain.try_reclaim();
        Pending::new(self.core.domain.pending_weight())
    }
}

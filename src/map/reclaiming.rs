//! Waiting until what was unlinked has been dropped: for threads, and for tasks.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{HashMap, Pending, ReclaimError, stats};
use crate::core::{Core, Drain};

impl<K, V, S> HashMap<K, V, S> {
    /// Waits until everything that was unlinked before the call has been dropped (R3).
    ///
    /// Under [`Reclaim::Immediate`](crate::Reclaim::Immediate) this waits for guards that were live at a removal; under [`Reclaim::Batched`](crate::Reclaim::Batched) it also
    /// drops what is saved up. Guards taken after the call do not prolong it. Gives up the processor a few times and then sleeps until it is woken by
    /// whoever it waits for; waits for writers that are linking entries; runs destructors like every call that removes.
    ///
    /// # Errors
    /// At once, if it would wait for itself: if this thread holds a guard on the map, or runs a destructor from which the
    /// map is still to return. A session of [`pin_owned`](Self::pin_owned) is no thread's and gives no error, also if the caller owns it: the call
    /// waits until somebody ends it. End it first. So it is with [`reclaim_async`](Self::reclaim_async).
    ///
    /// ```
    /// use tidymap::{HashMap, ReclaimError};
    ///
    /// let map = HashMap::from([(1, "one")]);
    /// let one = map.remove(&1);
    /// assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
    /// drop(one);
    /// assert_eq!(map.reclaim(), Ok(()));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn reclaim(&self) -> Result<(), ReclaimError> {
        self.core.reclaim(None).map(drop).map_err(ReclaimError::new)
    }

    /// [`reclaim`](Self::reclaim), but waits no longer than `timeout`, give or take what destructors take that it runs itself. What
    /// can be dropped then has been dropped all the same.
    ///
    /// # Errors
    /// As for [`reclaim`](Self::reclaim); or [`ReclaimError::TimedOut`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use tidymap::{HashMap, ReclaimError};
    ///
    /// let map = HashMap::from([(1, "one")]);
    /// let session = map.pin();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         map.remove(&1);
    ///         let waited = map.reclaim_timeout(Duration::from_millis(1));
    ///         assert_eq!(waited, Err(ReclaimError::TimedOut));
    ///     });
    /// });
    /// drop(session);
    /// assert_eq!(map.reclaim_timeout(Duration::from_millis(1)), Ok(()));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn reclaim_timeout(&self, timeout: Duration) -> Result<(), ReclaimError> {
        // A time too far to be told is none.
        let deadline = Instant::now().checked_add(timeout);
        match self.core.reclaim(deadline) {
            Ok(true) => Ok(()),
            Ok(false) => Err(ReclaimError::TimedOut),
            Err(would_wait) => Err(ReclaimError::new(would_wait)),
        }
    }

    /// Drops what can be dropped now, what other threads saved up included, and tells what is left (R3). Never waits. Tables that
    /// are on their way back in parts go whole, but for one of which another call has a part in its hands.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn try_reclaim(&self) -> Pending {
        self.core.domain.try_reclaim();
        self.core.domain.warn_now();
        stats::pending(&self.core)
    }

    /// [`reclaim`](Self::reclaim) for tasks: a future that is ready when everything that was unlinked before its first poll has been
    /// dropped.
    ///
    /// Needs no runtime, and no thread waits for it: the guard that leaves last wakes the task, or the thread that has dropped the last
    /// of the garbage. A poll runs destructors like every call that removes, and waits for writers that are linking entries, never for
    /// readers. The future may be dropped at any time, and leaves nothing behind.
    ///
    /// # Errors
    /// At the first poll, if the polling thread holds a guard on the map, or runs a destructor from which the map is still to return.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let map = tidymap::HashMap::from([(1, "one")]);
    /// map.remove(&1);
    /// assert_eq!(map.reclaim_async().await, Ok(()));
    /// assert_eq!(map.stats().pending.entries, 0);
    /// # });
    /// ```
    pub fn reclaim_async(&self) -> Reclaiming<'_, K, V> {
        Reclaiming { core: &self.core, drain: None }
    }
}

/// The future of [`HashMap::reclaim_async`].
#[must_use = "futures do nothing unless they are polled"]
pub struct Reclaiming<'m, K, V> {
    core: &'m Core<K, V>,
    drain: Option<Drain<'m, K, V>>,
}

impl<K, V> Future for Reclaiming<'_, K, V> {
    type Output = Result<(), ReclaimError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let drain = match &mut this.drain {
            Some(drain) => drain,
            none => none.insert(this.core.drain().map_err(ReclaimError::new)?),
        };
        drain.poll(context).map(Ok)
    }
}

impl<K, V> fmt::Debug for Reclaiming<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reclaiming").field("begun", &self.drain.is_some()).finish_non_exhaustive()
    }
}

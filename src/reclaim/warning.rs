//! A line in the log when a guard has been live for too long while garbage waits for it: under the feature `tracing`, and
//! nothing at all without it.
//!
//! A subscriber is the user's code: it may use the map, and may panic. So it runs where destructors run, outside of every lock
//! and after everything else, and it is called once for a guard, whatever it does with the map meanwhile.

use std::time::Instant;
#[cfg(feature = "tracing")]
use std::{cell::Cell, time::Duration};

use super::Garbage;
use super::domain::Domain;
use super::drops::Panics;
#[cfg(feature = "tracing")]
use super::{epochs::Epoch, tally::Weight};
#[cfg(feature = "tracing")]
use crate::sync::{AtomicU64, Ordering};

/// The age from which on a guard is warned about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WarnFrom {
    #[cfg(feature = "tracing")]
    pub(crate) age: Duration,
}

impl WarnFrom {
    pub(crate) const DEFAULT: WarnFrom = WarnFrom {
        #[cfg(feature = "tracing")]
        age: Duration::from_secs(60),
    };
}

/// What a thread's record knows of warnings.
#[derive(Debug, Default)]
pub(super) struct Warned {
    /// The thread has handed something over, and has not looked for whom it waits. Owner only.
    #[cfg(feature = "tracing")]
    due: Cell<bool>,
    /// The epoch of the last guard in this record that was warned about. They only rise.
    #[cfg(feature = "tracing")]
    last: AtomicU64,
}

#[cfg(not(feature = "tracing"))]
impl Warned {
    #[inline(always)]
    pub(super) fn make_due(&self) {}

    #[inline(always)]
    pub(super) fn is_due(&self) -> bool {
        false
    }
}

#[cfg(feature = "tracing")]
impl Warned {
    /// Something has been handed over. Owner only.
    pub(super) fn make_due(&self) {
        self.due.set(true);
    }

    /// Has something been handed over since the last call? Owner only.
    pub(super) fn is_due(&self) -> bool {
        self.due.replace(false)
    }

    /// True for one caller and a guard.
    fn is_news(&self, epoch: Epoch) -> bool {
        self.last.fetch_max(epoch, Ordering::Relaxed) < epoch
    }
}

impl<G: Garbage> Domain<G> {
    /// When somebody who sleeps should look whether to warn: when the oldest guard will be too old.
    #[cfg(not(feature = "tracing"))]
    pub(super) fn next_warning(&self) -> Option<Instant> {
        None
    }

    /// When somebody who sleeps should look whether to warn: when the oldest guard will be too old.
    #[cfg(feature = "tracing")]
    pub(super) fn next_warning(&self) -> Option<Instant> {
        let oldest = self.epochs.holders().min_by_key(|holder| holder.epoch)?;
        let left = self.warn_from.age.checked_sub(oldest.age())?;
        // The clock of ages is a coarse one.
        Instant::now().checked_add(left.max(Duration::from_millis(10)))
    }

    /// [`warn_of_oldest`](Self::warn_of_oldest), by a call that has nothing more to do.
    #[inline]
    pub(crate) fn warn_now(&self) {
        let mut panics = Panics::default();
        self.warn_of_oldest(&mut panics);
        panics.resume();
    }

    /// Warns of the oldest guard, if it is too old, something waits for it, and it has not been warned of. Not for a thread
    /// that holds a lock.
    #[cfg(not(feature = "tracing"))]
    #[inline(always)]
    pub(super) fn warn_of_oldest(&self, _panics: &mut Panics) {}

    /// Warns of the oldest guard, if it is too old, something waits for it, and it has not been warned of. Not for a thread
    /// that holds a lock.
    #[cfg(feature = "tracing")]
    pub(super) fn warn_of_oldest(&self, panics: &mut Panics) {
        let Some(oldest) = self.epochs.holders().min_by_key(|holder| holder.epoch) else { return };
        // Asked in any case: the age of a `Ref` counts from the first time.
        if oldest.age() < self.warn_from.age {
            return;
        }
        let local = &oldest.record.local;
        let pending = self.pending_weight();
        let handed_over = pending.entries > 0 && self.epochs.is_awaited(oldest.epoch);
        let waits = handed_over || local.listed.read().0 != Weight::default();
        if !waits || !local.warned.is_news(oldest.epoch) {
            return;
        }
        panics.run(|| {
            tracing::warn!(
                target: "tidymap",
                thread = oldest.thread_name(),
                age = ?oldest.age(),
                entries = pending.entries,
                bytes = pending.entry_bytes + pending.table_bytes,
                location = oldest.location().map(tracing::field::display),
                "a guard has been live for long, and removed entries wait for it"
            );
        });
    }
}

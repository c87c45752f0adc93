//! What the user has chosen for the reclaiming; and how much garbage a map may hold: what is saved up, and the cap that makes writers wait.
//!
//! With a cap a call that may add to the garbage takes a [`Permit`] before it takes its guard: so it does not hold back what it
//! waits for. A permit counts as garbage while the call runs, and what the call unlinks counts for itself from then on, also
//! if another thread will hand it over. So what is retired and not dropped never exceeds the cap, as long as whoever retires
//! has a permit. No code of the user's runs between the permit and the guard: it could wait for what the permit has taken.

use super::Garbage;
use super::domain::Domain;
use super::drops::Panics;
use super::fences::ReadFence;
use crate::sync::{AtomicUsize, Ordering, const_unless_loom};

/// What the user has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How many items may be saved up. 0: none.
    pub(crate) batch: usize,
    /// How many entries and values may wait to be dropped, or [`usize::MAX`].
    pub(crate) max_pending: usize,
    pub(crate) read_fence: ReadFence,
}

impl Limits {
    pub(crate) const NONE: Limits = Limits { batch: 0, max_pending: usize::MAX, read_fence: ReadFence::BY_DEFAULT };
}

/// Counts what has been retired and not dropped, and the permits, if there is a cap.
#[derive(Debug)]
pub(super) struct Cap {
    max: usize,
    counted: AtomicUsize,
}

impl Cap {
    const_unless_loom! {
        pub(super) fn new(max: usize) -> Cap {
            Cap { max, counted: AtomicUsize::new(0) }
        }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    fn is_set(&self) -> bool {
        self.max != usize::MAX
    }

    /// Counts so many, whatever the cap.
    #[inline]
    pub(super) fn add(&self, items: u64) {
        if self.is_set() {
            self.counted.fetch_add(items as usize, Ordering::Relaxed);
        }
    }

    /// Counts so many if there is room for them.
    fn try_add(&self, items: usize) -> bool {
        let more = |counted: usize| counted.checked_add(items).filter(|more| *more <= self.max);
        // ORDERING: Acquire pairs with the Release of `sub`: what made the room has been dropped.
        self.counted.fetch_update(Ordering::Acquire, Ordering::Relaxed, more).is_ok()
    }

    /// Counts so many less. True if there was no room before, and is now: who waits for that is to be told.
    #[inline(always)]
    fn sub(&self, items: u64) -> bool {
        if !self.is_set() {
            return false;
        }
        // ORDERING: Release, see `try_add`.
        let before = self.counted.fetch_sub(items as usize, Ordering::Release);
        before >= self.max && before - (items as usize) < self.max
    }
}

/// Leave to add so many items to the garbage, mostly one.
#[must_use = "it is given back when it is dropped"]
pub(crate) struct Permit<'d, G: Garbage> {
    /// None if there is no cap.
    domain: Option<&'d Domain<G>>,
    items: usize,
}

impl<G: Garbage> Domain<G> {
    /// A permit, if there is room.
    #[inline]
    pub(crate) fn try_admit(&self) -> Option<Permit<'_, G>> {
        self.try_admit_all(1)
    }

    /// A permit for so many, if there is room for all of them.
    #[inline]
    pub(crate) fn try_admit_all(&self, items: usize) -> Option<Permit<'_, G>> {
        if !self.cap.is_set() {
            return Some(Permit { domain: None, items });
        }
        self.cap.try_add(items).then(|| Permit { domain: Some(self), items })
    }

    /// A permit as soon as there is room. A thread that would wait for itself gets one at once.
    #[inline]
    pub(crate) fn admit(&self) -> Permit<'_, G> {
        self.try_admit().unwrap_or_else(|| self.admit_at_cap())
    }

    #[cold]
    fn admit_at_cap(&self) -> Permit<'_, G> {
        let mut permit = None;
        let mut panics = Panics::default();
        self.wait(None, || {
            // Asked each time: a destructor below may have kept a guard.
            if self.would_wait().is_some() {
                self.cap.add(1);
                permit = Some(Permit { domain: Some(self), items: 1 });
                return true;
            }
            permit = self.try_admit();
            if permit.is_none() && self.has_batched() {
                // What is saved up would wait for us.
                panics.absorb(self.drop_passed());
                permit = self.try_admit();
            }
            permit.is_some()
        });
        panics.resume();
        permit.expect("waited for without a deadline")
    }

    /// Counts what has been dropped, or given back, and wakes those who wait for room if that has made some.
    #[inline(always)]
    pub(super) fn make_room(&self, items: u64) {
        if self.cap.sub(items) {
            self.waiters.wake();
        }
    }
}

impl<G: Garbage> Drop for Permit<'_, G> {
    fn drop(&mut self) {
        if let Some(domain) = self.domain {
            domain.make_room(self.items as u64);
        }
    }
}

//! Guards that belong to whoever owns them, not to a thread.

use super::Garbage;
use super::directory::Record;
use super::domain::Domain;
use super::epochs::{Epoch, Exit};
use super::guard::Held;
use super::local::Local;
use super::place::Place;
use super::slot::{self, Slot};

/// A guard that may go from thread to thread, and be used by several.
///
/// It has a slot of its own, and by it a record, as if it were a thread. That record announces its epoch, and is used for nothing
/// else: what is unlinked goes to the records of the threads that unlink it (D4).
pub(crate) struct Lease<'d, G: Garbage> {
    held: Held<'d, G>,
    epoch: Epoch,
    place: Place,
    slot: Slot,
}

impl<G: Garbage> Domain<G> {
    /// Takes a guard that belongs to its owner. Locks what all threads of the process take their slots from.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn lease(&self) -> Lease<'_, G> {
        let place = Place::here();
        let slot = slot::lease();
        let (record, epoch) = self.epochs.enter_leased(slot, place);
        record.is_leased.set(true);
        self.epochs.note_time(record);
        Lease { held: Held::new(self, record), epoch, place, slot }
    }
}

impl<'d, G: Garbage> Lease<'d, G> {
    /// What operations use of it.
    ///
    /// # Safety
    /// Only for operations that unlink nothing (D4).
    #[inline(always)]
    pub(crate) unsafe fn held(&self) -> &Held<'d, G> {
        &self.held
    }

    /// Exchanges this guard for one taken now.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn refresh(&mut self) {
        let (domain, record) = self.held.parts();
        let (epoch, exit) = domain.epochs.advance(record, self.epoch);
        self.epoch = epoch;
        domain.epochs.note_time(record);
        Self::ended(domain, exit);
    }

    /// Goes on after a guard of no thread has ended: as the calling thread, which may be any.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn ended(domain: &Domain<G>, exit: Exit) {
        if exit == Exit::Awaited {
            domain.with_record(|own: &Record<Local<G>>| domain.look_after(own)).resume();
        }
    }
}

impl<G: Garbage> Drop for Lease<'_, G> {
    fn drop(&mut self) {
        let (domain, record) = self.held.parts();
        record.is_leased.set(false);
        let exit = domain.epochs.exit(record, self.epoch, self.place);
        slot::end_lease(self.slot);
        Self::ended(domain, exit);
    }
}

impl<G: Garbage> std::fmt::Debug for Lease<'_, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

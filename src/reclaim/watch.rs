//! Who holds back what.

use std::panic::Location;
use std::time::Duration;

use super::domain::Domain;
use super::drops::Panics;
use super::epochs::{Epoch, Holder};
use super::local::Local;
use super::pending::Retired;
use super::tally::Weight;
use super::{Amount, Garbage};

/// A thread that holds guards, and what waits for the oldest of them.
#[derive(Debug)]
pub(crate) struct Waited {
    pub(crate) thread: Option<String>,
    pub(crate) age: Duration,
    pub(crate) guards: usize,
    pub(crate) location: Option<&'static Location<'static>>,
    pub(crate) pending: Weight,
    epoch: Epoch,
}

impl Waited {
    fn new<L>(holder: &Holder<'_, L>) -> Waited {
        Waited {
            thread: holder.thread_name(),
            age: holder.age(),
            guards: holder.guards,
            location: holder.location(),
            pending: Weight::default(),
            epoch: holder.epoch,
        }
    }
}

impl<G: Garbage> Domain<G> {
    /// How many guards are live, and the thread that holds the oldest of them: all that is pending counts for that one.
    pub(crate) fn oldest(&self) -> (usize, Option<Waited>) {
        let (mut guards, mut oldest) = (0, None::<Holder<'_, Local<G>>>);
        for holder in self.epochs.holders() {
            guards += holder.guards;
            if oldest.as_ref().is_none_or(|oldest| holder.epoch < oldest.epoch) {
                oldest = Some(holder);
            }
        }
        (guards, oldest.map(|holder| Waited { pending: self.pending_weight(), ..Waited::new(&holder) }))
    }

    /// All threads that hold guards, the one with the oldest first.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn waited(&self) -> Vec<Waited> {
        let mut all: Vec<_> = self.epochs.holders().map(|holder| Waited::new(&holder)).collect();
        all.sort_by_key(|waited| (waited.epoch, std::cmp::Reverse(waited.age)));
        let Some(oldest) = all.first() else { return all };
        // Of what is stamped from `all[i].epoch` to below the next one's.
        let mut between = vec![Weight::default(); all.len()];
        let mut add = |stamp, weight: Weight| {
            let older = all.partition_point(|waited| waited.epoch <= stamp);
            if let Some(sum) = older.checked_sub(1).map(|last| &mut between[last]) {
                *sum = sum.plus(weight);
            }
        };
        if self.epochs.is_awaited(oldest.epoch) {
            self.with_record(|record| self.survey(&record.local, &mut add)).resume();
        }
        // Second: what is handed over in between counts nowhere, instead of twice.
        for local in self.epochs.records().map(|record| &record.local) {
            let (weight, first) = local.listed.read();
            add(first.unwrap_or(Epoch::MAX), weight);
        }
        let mut sum = Weight::default();
        for (waited, weight) in all.iter_mut().zip(between).rev() {
            sum = sum.plus(weight);
            waited.pending = sum;
        }
        all
    }

    /// Shows all that is handed over and waits to `look`: its stamp, and what it weighs. Drops what has passed.
    fn survey(&self, local: &Local<G>, mut look: impl FnMut(Epoch, Weight)) -> Panics {
        self.busy_with(local, || {
            let mut items = Vec::new();
            let look = |item: &Retired<G>| look(item.stamp, item.garbage.weight());
            self.pending.survey(|| self.horizon(), &mut items, look);
            self.free(local, items, Amount::Bounded)
        })
    }

    /// All that has been unlinked and not dropped.
    pub(crate) fn pending_weight(&self) -> Weight {
        let (_, retired, freed) = self.tallies();
        retired.minus(freed)
    }
}

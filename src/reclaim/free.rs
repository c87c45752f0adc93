//! Dropping what has passed; and leaving over what is too large to go in one call, for the guards that end next.

use super::domain::{Domain, Local};
use super::drops::Panics;
use super::epochs::Epoch;
use super::pending::{KEEP, Retired};
use super::{Amount, Garbage};
use crate::sync::{Ordering, fence};

/// A stamp that has passed.
const PASSED: Epoch = 0;

impl<G: Garbage> Domain<G> {
    /// Drops `items`, each whatever the others do. The thread holds no guard of its own making and no lock here.
    pub(super) fn free(&self, local: &Local<G>, mut items: Vec<Retired<G>>, amount: Amount) -> Panics {
        let mut panics = Panics::default();
        let mut left = Vec::new();
        for item in items.drain(..) {
            let weight = item.garbage.weight();
            let was_left_over = item.stamp == PASSED;
            // SAFETY: G3: its stamp has passed: no guard that could have seen it is live, and it was retired once.
            match unsafe { item.garbage.reclaim(&self.context, amount, &mut panics) } {
                None => {
                    local.freed.add(weight);
                    self.make_room(weight.entries);
                    if was_left_over {
                        self.left_over.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                Some(garbage) => {
                    if !was_left_over {
                        self.left_over.fetch_add(1, Ordering::Relaxed);
                    }
                    left.push(Retired { stamp: PASSED, garbage });
                }
            }
        }
        // SAFETY: G2, as in `take_retired`.
        let retired = unsafe { &mut *local.retired.get() };
        if retired.capacity() == 0 && items.capacity() <= KEEP {
            *retired = items;
        }
        if !left.is_empty() {
            self.leave_over(local, left, &mut panics);
        }
        panics
    }

    /// Has the guards that end next go on with what is left over.
    #[cold]
    fn leave_over(&self, local: &Local<G>, left: Vec<Retired<G>>, panics: &mut Panics) {
        self.pending.push(left);
        self.epochs.ask_leavers();
        // ORDERING: our side of *fewer tables against a part left over*, see `Core::publish`.
        fence(Ordering::SeqCst);
        if G::is_urgent(&self.context) {
            let mut items = Vec::new();
            self.take_passed(&mut items);
            panics.absorb(self.free(local, items, Amount::Bounded));
        }
    }

    /// Is there something that has been reclaimed in part, waiting or in somebody's hands?
    pub(super) fn has_left_over(&self) -> bool {
        self.left_over.load(Ordering::Relaxed) > 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::epochs::Exit;
    use super::super::limits::Limits;
    use super::super::place::Place;
    use super::super::slot;
    use super::super::tally::Weight;
    use super::*;

    /// Of so many parts, of which one goes in a call.
    struct Large(u64);

    // SAFETY: reclaimed once, or by no one; nothing depends on it.
    unsafe impl Garbage for Large {
        type Context = ();

        fn weight(&self) -> Weight {
            Weight { table_bytes: 1, ..Weight::default() }
        }

        unsafe fn reclaim(self, (): &(), amount: Amount, _: &mut Panics) -> Option<Self> {
            (amount == Amount::Bounded && self.0 > 1).then(|| Large(self.0 - 1))
        }

        fn is_urgent((): &()) -> bool {
            false
        }
    }

    fn retire(domain: &Domain<Large>, parts: u64) {
        let guard = domain.guard();
        guard.retire(Large(parts));
        guard.seal();
    }

    fn is_gone(domain: &Domain<Large>) -> bool {
        domain.pending_weight() == Weight::default()
    }

    /// Does a guard that does nothing see that it is awaited?
    fn guards_look(domain: &Domain<Large>) -> bool {
        let place = Place::here();
        let (record, epoch) = domain.epochs.enter(place);
        let exit = domain.epochs.exit(record, epoch, place);
        slot::leave();
        exit == Exit::Awaited
    }

    #[test]
    fn what_is_left_over_goes_with_the_guards_that_follow_and_then_they_are_at_leisure_again() {
        let domain = Domain::new(Limits::NONE, ());
        retire(&domain, 5);
        for _ in 0..4 {
            assert!(guards_look(&domain) && !is_gone(&domain));
            drop(domain.guard());
        }
        assert!(is_gone(&domain));
        assert!(!guards_look(&domain), "with no stamp given since");
    }

    #[test]
    fn what_is_left_over_goes_with_guards_of_any_age() {
        let domain = Domain::new(Limits::NONE, ());
        let old = domain.guard();
        retire(&domain, 3);
        drop(domain.guard());
        assert!(!is_gone(&domain), "the old guard may be using it");
        drop(old);
        // Stamped since, so of a later epoch.
        retire(&domain, 1);
        drop(domain.guard());
        assert!(is_gone(&domain));
        assert!(!domain.has_left_over());
    }

    #[test]
    fn who_asks_for_it_gets_all_at_once() {
        let domain = Domain::new(Limits::NONE, ());
        retire(&domain, 1000);
        domain.try_reclaim();
        assert!(is_gone(&domain));
        retire(&domain, 1000);
        assert!(domain.reclaim(None) && is_gone(&domain));
        assert!(!guards_look(&domain) && !domain.has_left_over());
    }
}

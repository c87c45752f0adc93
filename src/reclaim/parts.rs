//! What is too large to be reclaimed in one go: a part with each of the calls that follow.
//!
//! Calls that have had the writer mutex go on with it; guards that end do, where no writer has come for a while. These are asked
//! to look by a mark ([`ask_leavers`](super::epochs::Epochs::ask_leavers)), which is set after something was left over, and
//! taken away before anybody looks for it. So while something is left, either the mark is set or somebody is about to look; and
//! while nothing is, nobody looks for long.

use super::domain::Domain;
use super::drops::Panics;
use super::local::Local;
use super::{Amount, Garbage};
use crate::sync::{IN_MODEL, Ordering, fence};

/// So many guards end and look before one of them concludes that no writer comes.
const PATIENCE: usize = 256;

impl<G: Garbage> Domain<G> {
    /// Keeps what is left of something that has passed, for whoever comes next.
    #[cold]
    pub(super) fn leave_over(&self, local: &Local<G>, garbage: G) {
        self.left_over.push(garbage);
        self.epochs.ask_leavers();
        // ORDERING: our side of *fewer tables against a part left over*, see `Core::publish`.
        fence(Ordering::SeqCst);
        if G::is_urgent(&self.context) {
            self.reclaim_left_over(local, Amount::All);
        }
    }

    /// A part of all that is left over, by a call that has had the writer mutex.
    #[inline]
    pub(super) fn go_on(&self, local: &Local<G>) {
        if !self.left_over.is_empty() {
            self.readers_alone.store(0, Ordering::Relaxed);
            let part = || {
                self.reclaim_left_over(local, Amount::Bounded);
                Panics::default()
            };
            self.busy_with(local, part).resume();
        }
    }

    /// The same by a guard that has ended, if no writer comes to do it.
    pub(super) fn go_on_alone(&self, local: &Local<G>) {
        self.epochs.answer();
        if self.left_over.is_empty() {
            return;
        }
        // In a model, where few guards end, at once.
        let waits = !IN_MODEL && self.readers_alone.fetch_add(1, Ordering::Relaxed) < PATIENCE;
        if waits && !G::is_urgent(&self.context) {
            self.epochs.ask_leavers();
        } else {
            self.reclaim_left_over(local, Amount::Bounded);
        }
    }

    /// So much of all that is left over.
    #[cold]
    pub(super) fn reclaim_left_over(&self, local: &Local<G>, amount: Amount) {
        self.epochs.answer();
        // Nothing of the user's runs.
        let mut panics = Panics::default();
        for garbage in self.left_over.take() {
            let weight = garbage.weight();
            // SAFETY: G3: it had passed when a part of it was reclaimed.
            match unsafe { garbage.reclaim(&self.context, amount, &mut panics) } {
                None => local.freed.add(weight),
                Some(rest) => self.leave_over(local, rest),
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    use super::super::epochs::Exit;
    use super::super::place::Place;
    use super::super::{Limits, Weight, slot};
    use super::*;

    /// Takes so many calls. The context: how many have been made, and whether all is urgent.
    struct Large(usize);

    // SAFETY: a number.
    unsafe impl Garbage for Large {
        type Context = (AtomicUsize, AtomicBool);

        fn weight(&self) -> Weight {
            Weight { table_bytes: 1, ..Weight::default() }
        }

        unsafe fn reclaim(self, context: &Self::Context, amount: Amount, _: &mut Panics) -> Option<Large> {
            context.0.fetch_add(1, Ordering::SeqCst);
            let goes_whole = amount == Amount::All || context.1.load(Ordering::SeqCst);
            (self.0 > 1 && !goes_whole).then(|| Large(self.0 - 1))
        }

        fn is_urgent(context: &Self::Context) -> bool {
            context.1.load(Ordering::SeqCst)
        }
    }

    fn domain() -> Domain<Large> {
        Domain::new(Limits::NONE, <(AtomicUsize, AtomicBool)>::default())
    }

    fn retire(domain: &Domain<Large>, parts: usize) {
        domain.guard().retire(Large(parts));
    }

    impl Domain<Large> {
        fn parts(&self) -> usize {
            self.context().0.load(Ordering::SeqCst)
        }

        /// Does a guard that is taken now look for something when it ends?
        fn asks(&self) -> bool {
            let place = Place::here();
            let (record, epoch) = self.epochs.enter(place);
            let exit = self.epochs.exit(record, epoch, place);
            slot::leave();
            exit == Exit::Awaited
        }
    }

    #[test]
    fn each_writer_reclaims_a_part() {
        let domain = domain();
        retire(&domain, 5);
        for parts in 1..5 {
            assert_eq!((domain.parts(), domain.asks()), (parts, true));
            let guard = domain.guard();
            guard.go_on();
        }
        assert_eq!((domain.parts(), domain.asks()), (5, false), "nobody looks for what is not there");
        domain.guard().go_on();
        assert_eq!(domain.parts(), 5);
        assert_eq!(domain.tallies().2.table_bytes, 1);
    }

    #[test]
    fn readers_go_on_if_no_writer_comes() {
        let domain = domain();
        retire(&domain, 5);
        for _ in 0..PATIENCE {
            drop(domain.guard());
        }
        assert_eq!((domain.parts(), domain.asks()), (1, true));
        for parts in 2..=5 {
            drop(domain.guard());
            assert_eq!(domain.parts(), parts);
        }
        assert!(!domain.asks());
        // They remember that no writer comes, until one does.
        retire(&domain, 3);
        drop(domain.guard());
        assert_eq!((domain.parts(), domain.asks()), (7, true));
        domain.guard().go_on();
        assert_eq!((domain.parts(), domain.asks()), (8, false));
    }

    #[test]
    fn who_asks_for_all_gets_all() {
        let domain = domain();
        retire(&domain, 5);
        domain.try_reclaim();
        assert_eq!((domain.parts(), domain.asks()), (2, false));
        retire(&domain, 5);
        domain.context().1.store(true, Ordering::SeqCst);
        retire(&domain, 1);
        assert_eq!((domain.parts(), domain.asks()), (5, false), "urgent: seen by who has given a stamp");
        retire(&domain, 5);
        assert_eq!(domain.parts(), 6);
    }

    #[test]
    fn nothing_is_left_when_threads_only_read_in_the_end() {
        const LARGE: usize = if cfg!(miri) { 10 } else { 100 };
        let domain = domain();
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let domain = &domain;
                scope.spawn(move || {
                    for round in 0..LARGE {
                        retire(domain, 1 + (round + thread) % 7);
                        let guard = domain.guard();
                        if round % 3 == thread {
                            guard.go_on();
                        }
                    }
                });
            }
        });
        for _ in 0..PATIENCE + 10 {
            drop(domain.guard());
        }
        assert!(domain.left_over.is_empty() && !domain.asks());
        assert_eq!(domain.tallies().2.table_bytes, 3 * LARGE as u64);
    }
}

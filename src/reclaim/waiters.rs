//! Those who wait: for guards to leave, for drops to be done, for room.
//!
//! Whoever may have changed any of that, because its guard has left or its garbage is dropped, looks here afterwards, which is
//! one load while nobody waits. *Change against wait* is a store-load race like *exit against hold_back*, and the same
//! [`barrier`](super::barrier) decides it: the waiter enters itself here, has every thread execute a fence
//! ([`hold_back`](super::epochs::Epochs::hold_back)), and looks once more; who changes something looks here after a barrier
//! that costs nothing.

use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};
use std::time::Instant;

use super::domain::Domain;
use super::drops::Panics;
use super::{Garbage, barrier};
use crate::sync::{AtomicUsize, Condvar, IN_MODEL, Mutex, Ordering, const_unless_loom, yield_now};

/// How often a thread that waits gives up the processor before it goes to sleep.
const YIELDS: usize = if IN_MODEL { 0 } else { 8 };

#[derive(Debug)]
pub(super) struct Waiters {
    /// Is anybody there? 0 or 1; written under the mutex.
    any: AtomicUsize,
    list: Mutex<List>,
}

#[derive(Debug)]
struct List {
    wakers: Vec<(Entered, Waker)>,
    next: Entered,
}

/// Who has entered is known by this.
pub(super) type Entered = u64;

impl Waiters {
    const_unless_loom! {
        pub(super) fn new() -> Waiters {
            Waiters { any: AtomicUsize::new(0), list: Mutex::new(List { wakers: Vec::new(), next: 0 }) }
        }
    }

    /// Enters `waker`, to be woken once.
    fn enter(&self, waker: Waker) -> Entered {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let entered = list.next;
        list.next += 1;
        list.wakers.push((entered, waker));
        // ORDERING: Relaxed: `enter_waiter` has every thread execute a fence after it.
        self.any.store(1, Ordering::Relaxed);
        entered
    }

    /// Takes out who has entered, if it is still there.
    pub(super) fn forget(&self, entered: Entered) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let found = list.wakers.iter().position(|(other, _)| *other == entered);
        let waker = found.map(|index| list.wakers.swap_remove(index));
        if list.wakers.is_empty() {
            list.wakers = Vec::new();
            self.any.store(0, Ordering::Relaxed);
        }
        drop(list);
        // The waker's destructor is the user's code.
        drop(waker);
    }

    /// Wakes all, after something that they may wait for has changed.
    #[inline]
    pub(super) fn wake(&self) {
        // ORDERING: our side of *change against wait*: we have changed something, pass the barrier, and look whether anybody is
        // there. Pairs with `enter_waiter`: not both can miss.
        barrier::light();
        if self.any.load(Ordering::Relaxed) != 0 {
            self.wake_all();
        }
    }

    #[cold]
    fn wake_all(&self) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let wakers = std::mem::take(&mut list.wakers);
        self.any.store(0, Ordering::Relaxed);
        drop(list);
        // A waker is the user's code, but not that of whoever happens to be here: a panic in it ends with it.
        let mut panics = Panics::default();
        for (_, waker) in wakers {
            panics.run(|| waker.wake());
        }
        panics.ignore();
    }
}

impl<G: Garbage> Domain<G> {
    /// Enters `waker`. Whoever calls this looks once more afterwards whether it has to wait.
    pub(super) fn enter_waiter(&self, waker: Waker) -> Entered {
        let entered = self.waiters.enter(waker);
        // ORDERING: the waiter's side of *change against wait*: it has entered itself, `hold_back` ends with the dear side of the
        // barrier, and the caller looks once more. Pairs with `wake`. Guards that are here now are told that they are awaited:
        // they look in when they leave, also those that have nothing to change but their end.
        self.epochs.hold_back(self.epochs.last_stamp());
        entered
    }

    /// Waits until `ready`, which is asked again when something has changed. False if the deadline has passed before that.
    pub(super) fn wait(&self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        // Most of what is waited for are calls that end at once.
        for () in std::iter::repeat_n((), YIELDS) {
            if ready() {
                return true;
            }
            if has_passed(deadline) {
                return false;
            }
            yield_now();
        }
        let bell = Arc::new(Bell::default());
        let mut panics = Panics::default();
        let is_ready = loop {
            let entered = self.enter_waiter(Waker::from(bell.clone()));
            let is_ready = ready();
            if !is_ready {
                bell.wait([deadline, self.next_warning()].into_iter().flatten().min());
            }
            self.waiters.forget(entered);
            if is_ready {
                break true;
            }
            self.warn_of_oldest(&mut panics);
            if has_passed(deadline) {
                break ready();
            }
        };
        // A subscriber's. Not before: callers rely on what they have waited for.
        panics.resume();
        is_ready
    }
}

fn has_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// Wakes a thread. Apart from the thread's own handle, which a thread that is ending may not have any more.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    condvar: Condvar,
}

impl Bell {
    /// Waits until it has been rung, or the deadline has passed.
    fn wait(&self, deadline: Option<Instant>) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = match deadline {
                None => self.condvar.wait(rung).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    self.condvar.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.condvar.notify_one();
    }
}

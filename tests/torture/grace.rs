//! Grace periods of the test's own: a thread that was using the map has left it, and each that was there then. They know nothing of the map's
//! epochs, and so can say when a drop comes late.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::*};

use crate::item::Id;

/// Whether each thread is using the map: an odd number while it is in a call, or holds a guard.
pub(crate) struct Presence(Vec<AtomicU64>);

/// Threads that were using the map, with their numbers then.
type Users = Vec<(usize, u64)>;

impl Presence {
    pub(crate) fn new(threads: usize) -> Presence {
        Presence((0..threads).map(|_| AtomicU64::new(0)).collect())
    }

    /// Runs what uses the map, as this thread, and leaves no guard behind.
    pub(crate) fn using<R>(&self, thread: usize, work: impl FnOnce() -> R) -> R {
        let number = self.0[thread].load(Relaxed);
        self.0[thread].store(number + 1, Relaxed);
        // Before all that the thread does with the map, for those who ask who is there.
        std::sync::atomic::fence(SeqCst);
        let result = work();
        self.0[thread].store(number + 2, Release);
        result
    }

    fn users(&self) -> Users {
        std::sync::atomic::fence(SeqCst);
        let numbers = self.0.iter().map(|number| number.load(Acquire)).enumerate();
        numbers.filter(|(_, number)| number % 2 == 1).collect()
    }

    fn have_left(&self, users: &Users) -> bool {
        users.iter().all(|(thread, number)| self.0[*thread].load(Acquire) != *number)
    }
}

/// Grace periods after which everything must have been dropped. The first ends calls that were to complete the removal, the second the guards that
/// could see it until then, the third the call in which the last of these had it dropped.
pub(crate) const ENOUGH: usize = 3;

/// What a thread has removed and waits to be dropped.
pub(crate) struct Waiting<'p> {
    presence: &'p Presence,
    items: VecDeque<(Id, Users, usize)>,
    /// How many were dropped after so many grace periods, or were not when `ENOUGH` had passed: the last.
    pub(crate) dropped_after: [u64; ENOUGH + 1],
}

impl<'p> Waiting<'p> {
    pub(crate) fn new(presence: &'p Presence) -> Waiting<'p> {
        Waiting { presence, items: VecDeque::new(), dropped_after: [0; ENOUGH + 1] }
    }

    /// The thread has removed it, and has left the map.
    pub(crate) fn add(&mut self, id: Id) {
        self.items.push_back((id, self.presence.users(), 0));
    }

    pub(crate) fn look(&mut self) {
        for _ in 0..self.items.len() {
            let Some((id, users, passed)) = self.items.pop_front() else { return };
            // First who has left, then what they have dropped.
            let passed = passed + usize::from(self.presence.have_left(&users));
            if id.is_dropped() || passed == ENOUGH {
                self.dropped_after[if id.is_dropped() { passed.min(ENOUGH - 1) } else { ENOUGH }] += 1;
                continue;
            }
            let users = if self.presence.have_left(&users) { self.presence.users() } else { users };
            self.items.push_back((id, users, passed));
        }
    }
}

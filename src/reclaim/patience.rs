//! How long a thread waits for others before it goes the dear way.
//!
//! Who has unlinked something looks whether all others have seen that. Most guards that are met are calls that end within some ten nanoseconds, and most
//! threads that seem to rest are between two of them. Each look takes a cache line from a thread that is about to write to it; so they are not made sooner than is of use.

use std::cell::Cell;

use crate::sync::IN_MODEL;

/// Powers of two. Not for longer than it takes to have a barrier executed, and to hand the garbage over.
const LEAST: u8 = 3;
const MOST: u8 = 7;

/// After having met somebody, this many times a thread takes it that somebody is there before it looks.
const COMPANY: u8 = 15;

/// Of a record. Owner only.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// How many more looks are worth while: a power of two.
    looks: Cell<u8>,
    /// How many times more somebody is taken to be there.
    company: Cell<u8>,
}

impl Patience {
    /// Looks until there is something to return: once, or, if it `may_wait`, as often as is worth while.
    #[inline]
    pub(super) fn look<T>(&self, may_wait: bool, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let company = self.company.get();
        if company > 0 && may_wait {
            self.company.set(company - 1);
            pause();
        }
        if let Some(found) = look() {
            return Some(found);
        }
        // In models every order is tried anyway.
        if !may_wait || IN_MODEL {
            return None;
        }
        self.company.set(COMPANY);
        let power = self.looks.get().clamp(LEAST, MOST);
        for _ in 0..1 << power {
            pause();
            if let Some(found) = look() {
                self.looks.set(power + 1);
                return Some(found);
            }
        }
        self.looks.set(power.saturating_sub(1));
        None
    }
}

/// About as long as it takes a thread to begin another guard and to be seen.
fn pause() {
    std::hint::spin_loop();
}

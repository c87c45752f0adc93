//! How long a thread waits for others before it goes the dear way.
//!
//! Who has unlinked something looks whether all others have seen that. Most guards that are met are calls that end within some ten nanoseconds, and most
//! threads that seem to rest are between two of them. Each look takes a cache line from a thread that is about to write to it; so they are not made sooner than is of use.

use std::cell::Cell;

use crate::sync::IN_MODEL;

/// Exponents of two: how many more looks there are. Not for longer than it takes to have a barrier executed, and to hand the garbage over, as far as a number of looks can say that.
const LEAST: u8 = 3;
const MOST: u8 = 7;

/// After having met somebody, this many times a thread takes it that somebody is there before it looks.
const COMPANY: u8 = 15;

/// Of a record. Owner only.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// How many more looks are worth while: an exponent of two.
    power: Cell<u8>,
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
            std::hint::spin_loop();
        }
        if let Some(found) = look() {
            return Some(found);
        }
        // In models every order is tried anyway.
        if !may_wait || IN_MODEL {
            return None;
        }
        self.company.set(COMPANY);
        let power = self.power.get().clamp(LEAST, MOST);
        for _ in 0..1 << power {
            std::hint::spin_loop();
            if let Some(found) = look() {
                self.power.set(power + 1);
                return Some(found);
            }
        }
        self.power.set(power.saturating_sub(1));
        None
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    /// How many looks it takes to find what is there from the `n`th on.
    fn looks(patience: &Patience, may_wait: bool, n: u32) -> (bool, u32) {
        let mut looks = 0;
        let found = patience.look(may_wait, || {
            looks += 1;
            (looks >= n).then_some(())
        });
        (found.is_some(), looks)
    }

    #[test]
    fn looks_longer_where_that_was_not_in_vain_and_once_where_it_may_not_wait() {
        let patience = Patience::default();
        assert_eq!(looks(&patience, true, 1), (true, 1));
        assert_eq!(looks(&patience, true, u32::MAX), (false, 9));
        assert_eq!(looks(&patience, false, 2), (false, 1));
        (0..10).for_each(|_| assert_eq!(looks(&patience, true, 5), (true, 5)));
        assert_eq!(looks(&patience, true, u32::MAX), (false, 129));
        (0..10).for_each(|_| assert!(!looks(&patience, true, u32::MAX).0));
        assert_eq!(looks(&patience, true, u32::MAX), (false, 9));
    }
}

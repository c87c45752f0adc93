//! How threads share the operations of a round: as Go's harness does it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::case::Round;
use crate::threads::together;

/// The operations that one thread does, by their numbers. Thread *t* of a round of *n* counts from *t* × *n*, and takes from what is left
/// for all until that is nothing.
pub(super) struct Turns<'r> {
    left_for_all: &'r AtomicU64,
    lot: u64,
    left: u64,
    next: u64,
}

/// What one thread has done: the operations with these numbers.
pub(super) struct Share {
    pub(super) begin: u64,
    pub(super) end: u64,
    /// What the work returned.
    pub(super) result: i64,
}

impl Turns<'_> {
    #[cold]
    fn refill(&mut self) -> bool {
        let less = |left: u64| (left > 0).then(|| left.saturating_sub(self.lot));
        let before = self.left_for_all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or(0);
        self.left = before.min(self.lot);
        self.left > 0
    }
}

impl Iterator for Turns<'_> {
    type Item = u64;

    #[inline(always)]
    fn next(&mut self) -> Option<u64> {
        if self.left == 0 && !self.refill() {
            return None;
        }
        self.left -= 1;
        self.next += 1;
        Some(self.next - 1)
    }
}

/// A round on a fresh map.
pub(super) fn round<M: Sync + 'static>(
    threads: usize,
    setup: fn() -> M,
    work: fn(&M, &mut Turns<'_>) -> i64,
    check: fn(&M, &[Share]),
) -> Round {
    Box::new(move |operations| {
        let map = setup();
        let left_for_all = AtomicU64::new(operations);
        let shares = Mutex::new(Vec::new());
        let duration = together(threads, |thread, begin| {
            let first = thread as u64 * operations;
            // Go's take about 100 microseconds.
            let lot = (operations / 1000).clamp(1, 10_000);
            let mut turns = Turns { left_for_all: &left_for_all, lot, left: 0, next: first };
            begin();
            let result = work(&map, &mut turns);
            let share = Share { begin: first, end: turns.next, result };
            shares.lock().unwrap_or_else(PoisonError::into_inner).push(share);
        });
        let shares = shares.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(shares.iter().map(|share| share.end - share.begin).sum::<u64>(), operations);
        check(&map, &shares);
        duration
    })
}

/// The sum of what all threads returned.
pub(super) fn result(shares: &[Share]) -> i64 {
    shares.iter().map(|share| share.result).sum()
}

/// How many operations there were.
pub(super) fn count(shares: &[Share]) -> i64 {
    shares.iter().map(|share| (share.end - share.begin) as i64).sum()
}

/// How many there were with a number of which the remainder by `modulus` is less than `bound`.
pub(super) fn count_below(shares: &[Share], bound: u64, modulus: u64) -> i64 {
    let up_to = |number: u64| (number / modulus * bound + (number % modulus).min(bound)) as i64;
    shares.iter().map(|share| up_to(share.end) - up_to(share.begin)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_counted() {
        let shares = [(5, 5), (0, 7), (6, 40)].map(|(begin, end)| Share { begin, end, result: 0 });
        let slowly = shares.iter().flat_map(|share| share.begin..share.end).filter(|number| number % 10 < 3).count();
        assert_eq!(count_below(&shares, 3, 10), slowly as i64);
    }
}

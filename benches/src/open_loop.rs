//! An open loop: operations arrive at fixed times, and each is timed from when it was due. One that has to wait because
//! another took long is late by that, too.

use std::hint::spin_loop;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Arrivals at fixed times, whether the one before has been served or not.
pub struct Schedule {
    next: Instant,
    apart: Duration,
}

impl Schedule {
    pub fn of(per_second: u64) -> Schedule {
        Schedule { next: Instant::now(), apart: Duration::from_nanos(1_000_000_000 / per_second) }
    }

    /// Has the next one arrived? Then the one after it is the next.
    pub fn is_due(&mut self) -> bool {
        let is_due = Instant::now() >= self.next;
        if is_due {
            self.next += self.apart;
        }
        is_due
    }

    /// Waits for the next arrival, if it is still to come, and says when it was due.
    pub fn arrival(&mut self) -> Instant {
        let due = self.next;
        self.next += self.apart;
        while Instant::now() < due {
            spin_loop();
        }
        due
    }
}

/// For nanoseconds: up to a quarter of an hour, to three digits.
pub fn histogram() -> Histogram<u64> {
    let mut times = Histogram::new_with_bounds(1, 1_000_000_000_000, 3).expect("these bounds are fine");
    // Written to now: the system must not have to find the pages while something is measured.
    (0..39).flat_map(|power| (8..16).map(move |eighth| eighth << power >> 3)).for_each(|n| times.saturating_record(n));
    times.reset();
    times
}

/// Serves what arrives, once at least, until another thread has done its work. `record` is given what `serve` gives, and how
/// long that took.
pub fn while_another<T>(
    works: impl FnOnce() + Send,
    per_second: u64,
    mut serve: impl FnMut() -> T,
    mut record: impl FnMut(T, u64),
) {
    let ready = Barrier::new(2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            ready.wait();
            works();
        });
        ready.wait();
        let mut schedule = Schedule::of(per_second);
        loop {
            let due = schedule.arrival();
            let served = serve();
            record(served, due.elapsed().as_nanos() as u64);
            if other.is_finished() {
                break;
            }
        }
        other.join().expect("the other one does not panic");
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn who_comes_late_is_timed_from_when_it_was_due() {
        let mut times = Vec::new();
        let calls = AtomicBool::new(true);
        let mut count = 0;
        let serve = || {
            count += 1;
            if count == 1 {
                thread::sleep(Duration::from_millis(20));
            }
            calls.store(count < 10, Ordering::Relaxed);
        };
        let until_ten = || {
            while calls.load(Ordering::Relaxed) {
                thread::yield_now();
            }
        };
        while_another(until_ten, 1_000, serve, |(), nanoseconds| times.push(nanoseconds));
        // The first was late by itself, and the nine after it because of that: each a millisecond less.
        assert!(times[0] >= 20_000_000, "{times:?}");
        let late = times[..10].iter().enumerate().all(|(at, time)| *time >= (20 - at as u64) * 1_000_000);
        assert!(late, "{times:?}");
    }
}

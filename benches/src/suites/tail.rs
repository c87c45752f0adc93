//! `tail`: how long single calls take beside one another.
//!
//! Reads, single calls, arrive at fixed times on one thread; writes do on another. Each is timed from when it was due, so a
//! call that takes long makes those late that come after it. Two things that a program does:
//!
//! - *growth*: new keys only, into an empty map, so that tables are made and replaced;
//! - *reload*: all values are overwritten, then each tenth key is removed and inserted again, over and over.
//!
//! The maps take turns, and each round another one begins. Among them is no map at all: what the machine does by itself.
//!
//! evmap and ArcSwap do not take part: a write waits for all readers, or copies the map. Nor does crossbeam's SkipMap: while a key
//! is overwritten, a reader may not find it.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;

use super::Extent;
use crate::clock::settle_the_allocator;
use crate::keys::{Order, shuffled};
use crate::maps::*;
use crate::open_loop::{Schedule, histogram, while_another};
use crate::paired::ALLOCATOR;
use crate::results::Latency;

/// What arrives in a second. Two cores are not busy with it.
const READS: u64 = 500_000;
const WRITES: u64 = 500_000;

/// Of the reads, and of the writes.
struct Times([Histogram<u64>; 2]);

impl Times {
    fn new() -> Times {
        Times([histogram(), histogram()])
    }
}

/// What happens beside the reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Beside {
    Growth,
    Reload,
}

impl Beside {
    fn names(self) -> [&'static str; 2] {
        match self {
            Beside::Growth => ["reads while the map grows", "inserts of new keys, beside reads"],
            Beside::Reload => ["reads while all is reloaded", "overwriting, removals, inserts, beside reads"],
        }
    }
}

/// Somebody, and one round of it.
type Contender = (&'static str, fn(Beside, u64) -> Times);

const FIELD: [Contender; 9] = [
    ("no map", nothing),
    (Tidy::NAME, round::<Tidy>),
    (TidyBatched::NAME, round::<TidyBatched>),
    (Papaya::NAME, round::<Papaya>),
    (Index::NAME, round::<Index>),
    (SccMap::NAME, round::<SccMap>),
    (Dash::NAME, round::<Dash>),
    (Flurry::NAME, round::<Flurry>),
    (Locked::NAME, round::<Locked>),
];

/// Measures all of it.
pub fn measure(extent: Extent, rounds: usize, filter: &str, mut report: impl FnMut(&Latency)) -> Vec<Latency> {
    let sizes: &[u64] = match extent {
        Extent::Smoke => &[1 << 10],
        Extent::Chosen => &[1 << 16],
        Extent::Full => &[1 << 10, 1 << 16, 1 << 20],
    };
    let mut latencies = Vec::new();
    for beside in [Beside::Growth, Beside::Reload] {
        for keys in sizes {
            // Growth goes further, so that there is much of it.
            let keys = if beside == Beside::Growth { keys * 4 } else { *keys };
            let cases = beside.names().map(|name| format!("{name}, keys={keys}, threads=2"));
            if !cases.iter().any(|case| case.contains(filter)) {
                continue;
            }
            let mut all = FIELD.map(|_| Times::new());
            for round in 0..rounds {
                for turn in 0..FIELD.len() {
                    let who = (turn + round) % FIELD.len();
                    let times = (FIELD[who].1)(beside, keys);
                    for (all, times) in all[who].0.iter_mut().zip(&times.0) {
                        all.add(times).expect("of the same bounds");
                    }
                }
            }
            for (what, case) in cases.iter().enumerate() {
                let rate = [READS, WRITES][what];
                let latency = |((map, _), times): (&Contender, &Times)| latency(case, map, rate, &times.0[what]);
                let of_case = FIELD.iter().zip(&all).map(latency).inspect(&mut report);
                latencies.extend(of_case);
            }
        }
    }
    latencies
}

fn latency(case: &str, map: &str, rate: u64, times: &Histogram<u64>) -> Latency {
    let percentiles = [50.0, 99.0, 99.9, 99.99, 100.0];
    let at = |percentile| if percentile == 100.0 { times.max() } else { times.value_at_percentile(percentile) };
    Latency {
        case: case.to_owned(),
        map: map.to_owned(),
        allocator: ALLOCATOR.to_owned(),
        operations: times.len(),
        rate,
        percentiles: percentiles.map(|percentile| (percentile, at(percentile))).into(),
        by: None,
    }
}

/// What a writer and a reader do to a map, or to nothing.
struct Calls<I, R, G> {
    insert: I,
    remove: R,
    get: G,
}

fn round<M: Writable>(beside: Beside, keys: u64) -> Times {
    settle_the_allocator();
    let map = match beside {
        Beside::Growth => M::empty(),
        Beside::Reload => M::filled(shuffled(keys, 1).map(|number| (number, number))),
    };
    let calls = Calls {
        insert: |key, value| M::insert::<u64, u64>(&map, key, value),
        remove: |key: &u64| M::remove::<u64, u64>(&map, key),
        get: |key: &u64| M::get::<u64, u64>(&map, key),
    };
    let times = in_turns(beside, keys, M::NAME, calls);
    assert_eq!(M::scan::<u64, u64>(&map, usize::MAX) as u64, keys, "keys of {}", M::NAME);
    times
}

fn nothing(beside: Beside, keys: u64) -> Times {
    settle_the_allocator();
    let calls = Calls {
        insert: |key, value| {
            black_box((key, value));
        },
        remove: |key: &u64| black_box(*key) < u64::MAX,
        get: |key: &u64| Some(black_box(*key)),
    };
    in_turns(beside, keys, "nothing", calls)
}

fn in_turns<I, R, G>(beside: Beside, keys: u64, who: &str, calls: Calls<I, R, G>) -> Times
where
    I: Fn(u64, u64) + Sync,
    R: Fn(&u64) -> bool + Sync,
    G: Fn(&u64) -> Option<u64> + Sync,
{
    let Calls { insert, remove, get } = &calls;
    let Times([mut reads, mut writes]) = Times::new();
    // Keys below are there, but for a tenth of them while it is reloaded.
    let there = AtomicU64::new(if beside == Beside::Growth { 1 } else { keys });
    if beside == Beside::Growth {
        insert(0, 0);
    }
    let write = || {
        let mut schedule = Schedule::of(WRITES);
        let mut timed = |write: &mut dyn FnMut()| {
            let due = schedule.arrival();
            write();
            writes.saturating_record(due.elapsed().as_nanos() as u64);
        };
        match beside {
            Beside::Growth => (1..keys).for_each(|key| {
                timed(&mut || insert(key, key));
                there.store(key + 1, Ordering::Release);
            }),
            Beside::Reload => {
                shuffled(keys, 2).for_each(|key| timed(&mut || insert(key, key | 1 << 32)));
                for key in shuffled(keys, 3).filter(|key| is_replaced(*key)) {
                    timed(&mut || assert!(remove(&key), "{who} lacks {key}"));
                    timed(&mut || insert(key, key | 2 << 32));
                }
            }
        }
    };
    let mut numbers = Order::Uniform.numbers(u64::from(u32::MAX), 4);
    let read = || {
        let among = there.load(Ordering::Acquire);
        let key = numbers.next().expect("there is no end") % among;
        match get(&key) {
            Some(value) => assert_eq!(value as u32, key as u32, "a wrong answer of {who}"),
            None => assert!(beside == Beside::Reload && is_replaced(key), "{who} lacks {key}"),
        }
    };
    while_another(write, READS, read, |(), nanoseconds| reads.saturating_record(nanoseconds));
    Times([reads, writes])
}

/// Each tenth key.
fn is_replaced(key: u64) -> bool {
    key.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_measured_and_does_the_same_writes() {
        let latencies = measure(Extent::Smoke, 1, "", |_| ());
        // Reads and writes, beside growth and reload.
        assert_eq!(latencies.len(), FIELD.len() * 4);
        for writes in latencies.iter().filter(|latency| latency.case.contains("beside")) {
            let expected = if writes.case.contains("new keys") { (1 << 12) - 1 } else { (1 << 10) + 103 * 2 };
            assert_eq!(writes.operations, expected, "{writes:?}");
        }
        for latency in latencies {
            let figures: Vec<_> = latency.percentiles.iter().map(|(_, figure)| *figure).collect();
            assert!(latency.operations > 0 && figures.is_sorted() && figures[0] > 0, "{latency:?}");
        }
    }

    #[test]
    #[should_panic(expected = "the other one does not panic")]
    fn a_map_that_loses_a_key_is_found_out() {
        let calls = Calls { insert: |_, _| (), remove: |_: &u64| false, get: |key: &u64| Some(*key) };
        in_turns(Beside::Reload, 1 << 6, "a map", calls);
    }
}

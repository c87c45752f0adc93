//! The ways of looking at one growth, call by call.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hdrhistogram::Histogram;
use tidymap_benches::clock::{settle_the_allocator, thread_time};
use tidymap_benches::open_loop::{Schedule, histogram, while_another};

use crate::maps::{Family, Map, MapOf};
use crate::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// Inserts, one after the other, each timed.
    Closed,
    /// The same by the thread's own clock.
    Cpu,
    /// Inserts that arrive on a schedule, each timed from when it was due.
    Open,
    /// Reads that arrive on a schedule while another thread inserts as fast as it can.
    Reads,
}

impl Form {
    pub(crate) const ALL: [Form; 4] = [Form::Closed, Form::Cpu, Form::Open, Form::Reads];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Form::Closed => "closed",
            Form::Cpu => "cpu",
            Form::Open => "open",
            Form::Reads => "reads",
        }
    }

    pub(crate) fn title(self, per_second: u64) -> String {
        match self {
            Form::Closed => "inserts one after the other".to_owned(),
            Form::Cpu => "inserts one after the other, in the thread's own CPU time".to_owned(),
            Form::Open => format!("inserts that arrive {per_second} times a second, from when each was due"),
            Form::Reads => {
                format!(
                    "reads that arrive {per_second} times a second while a writer grows the map, from when each was due"
                )
            }
        }
    }
}

/// The calls of one growth, in nanoseconds.
#[derive(Clone)]
pub(crate) struct Calls {
    pub(crate) times: Histogram<u64>,
    pub(crate) longest: u64,
    /// Which call that was.
    pub(crate) at: u64,
    sum: u64,
    /// The longest of each [`BLOCK`] calls.
    blocks: Vec<u32>,
}

/// So many calls are looked at together when rounds are compared: what a map does at a certain size may come a few calls
/// earlier or later.
const BLOCK: u64 = 64;

impl Calls {
    pub(crate) fn new(calls: u64) -> Calls {
        let mut blocks = vec![1; (calls / BLOCK + 1) as usize];
        blocks.fill(0);
        Calls { times: histogram(), longest: 0, at: 0, sum: 0, blocks }
    }

    #[inline]
    fn record(&mut self, call: u64, nanoseconds: u64) {
        self.times.saturating_record(nanoseconds);
        self.sum += nanoseconds;
        let block = &mut self.blocks[(call / BLOCK) as usize];
        *block = (*block).max(u32::try_from(nanoseconds).unwrap_or(u32::MAX));
        if nanoseconds > self.longest {
            (self.longest, self.at) = (nanoseconds, call);
        }
    }

    pub(crate) fn mean(&self) -> f64 {
        self.sum as f64 / self.times.len().max(1) as f64
    }

    /// The longest that every round had, at the same calls, and which these are. The machine does not hit the same
    /// calls each time: this is the map, or the allocator under it.
    pub(crate) fn in_every_round(&self) -> (u64, u64) {
        let (block, longest) =
            self.blocks.iter().enumerate().max_by_key(|(_, longest)| **longest).expect("never empty");
        (u64::from(*longest), block as u64 * BLOCK)
    }

    /// Puts another round to this one.
    pub(crate) fn add(&mut self, other: &Calls) {
        self.times.add(&other.times).expect("of the same bounds");
        self.sum += other.sum;
        // What is left is what each round has at that place.
        self.blocks.iter_mut().zip(&other.blocks).for_each(|(mine, theirs)| *mine = (*mine).min(*theirs));
        if other.longest > self.longest {
            (self.longest, self.at) = (other.longest, other.at);
        }
    }
}

/// One growth from nothing to so many keys, looked at in some form; the arrivals in a second; what comes out.
pub(crate) type Growth = fn(Form, u64, u64) -> Calls;

/// A map grows.
pub(crate) fn map<F: Family>(form: Form, keys: u64, per_second: u64) -> Calls {
    settle_the_allocator();
    let map = MapOf::<F, u64, u64>::default();
    let insert = |key| map.insert(key, !key);
    let calls = match form {
        Form::Reads => while_growing(keys, per_second, insert, |key| map.read(&key, |value| *value).expect("inserted")),
        _ => inserts(form, keys, per_second, insert),
    };
    assert_eq!(map.count() as u64, keys);
    calls
}

/// What the machine does by itself: the clocks, the schedule, and no map.
pub(crate) fn nothing(form: Form, keys: u64, per_second: u64) -> Calls {
    settle_the_allocator();
    let call = |key| {
        black_box(key);
    };
    match form {
        Form::Reads => {
            let mut boxes: Vec<Box<[u64; 3]>> = Vec::with_capacity(keys as usize);
            while_growing(keys, per_second, |key| boxes.push(Box::new([key; 3])), |key| black_box(!key))
        }
        _ => inserts(form, keys, per_second, call),
    }
}

/// What the allocator does besides: a block for each key, as large as an entry of a map.
pub(crate) fn boxes(form: Form, keys: u64, per_second: u64) -> Calls {
    settle_the_allocator();
    let mut boxes: Vec<Box<[u64; 3]>> = Vec::with_capacity(keys as usize);
    let calls = inserts(form, keys, per_second, |key| boxes.push(Box::new([key; 3])));
    assert_eq!(black_box(&boxes).len() as u64, keys);
    calls
}

fn inserts(form: Form, keys: u64, per_second: u64, mut insert: impl FnMut(u64)) -> Calls {
    let mut calls = Calls::new(keys);
    match form {
        Form::Closed => {
            let mut last = Instant::now();
            for key in 0..keys {
                insert(key);
                // The end of one is the beginning of the next: no time goes uncounted.
                let now = Instant::now();
                calls.record(key, (now - last).as_nanos() as u64);
                last = now;
            }
        }
        Form::Cpu => {
            let mut last = thread_time().expect("this form is only where there is such a clock");
            for key in 0..keys {
                insert(key);
                let now = thread_time().expect("as before");
                calls.record(key, now - last);
                last = now;
            }
        }
        Form::Open => {
            let mut schedule = Schedule::of(per_second);
            for key in 0..keys {
                let due = schedule.arrival();
                insert(key);
                calls.record(key, due.elapsed().as_nanos() as u64);
            }
        }
        Form::Reads => unreachable!("has two threads"),
    }
    calls
}

/// Reads random ones of the keys that are there, while another thread inserts more.
fn while_growing(keys: u64, per_second: u64, mut insert: impl FnMut(u64) + Send, read: impl Fn(u64) -> u64) -> Calls {
    insert(0);
    let there = AtomicU64::new(1);
    let grow = || {
        for key in 1..keys {
            insert(key);
            there.store(key + 1, Ordering::Release);
        }
    };
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let look = || {
        let among = there.load(Ordering::Acquire);
        let key = random.below(among);
        assert_eq!(read(key), !key);
        among
    };
    let mut calls = Calls::new(keys);
    while_another(grow, per_second, look, |among, nanoseconds| calls.record(among, nanoseconds));
    calls
}

//! `write`: inserts, overwriting, removals, each by itself, and insertions and removals at a stable size.
//!
//! Insertion and removal begin with new maps each time, of which making, filling, and dropping are not timed. Overwriting and
//! churn go on with the same map, which each round leaves as full as it was. Threads write to keys of their own.
//!
//! evmap and ArcSwap do not take part: a write waits for all readers, or copies the map.

use std::hint::spin_loop;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Extent;
use crate::case::{Case, Contender, Round};
use crate::keys::{Order, shuffled};
use crate::maps::*;
use crate::threads::together;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Insert,
    /// Into a map that has been told how much there will be.
    InsertReserved,
    Overwrite,
    Remove,
    /// Each time one key goes and another comes.
    Churn,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Insert, Kind::InsertReserved, Kind::Overwrite, Kind::Remove, Kind::Churn];

    fn name(self) -> &'static str {
        match self {
            Kind::Insert => "insert into an empty map",
            Kind::InsertReserved => "insert into a map with capacity",
            Kind::Overwrite => "overwrite",
            Kind::Remove => "remove",
            Kind::Churn => "remove one, insert another",
        }
    }

    fn fresh(self) -> bool {
        matches!(self, Kind::Insert | Kind::InsertReserved | Kind::Remove)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Writes {
    kind: Kind,
    keys: u64,
    threads: usize,
    /// So many of each round, or as many as there are keys.
    at_least: u64,
    /// With all peers, and not only those that are not far behind?
    everybody: bool,
}

pub fn cases(extent: Extent) -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        let of = |keys, threads| Writes { kind, keys, threads, at_least: 1 << 17, everybody: true };
        let (of_u64, of_strings) = match extent {
            Extent::Smoke => {
                let small = |threads| Writes { at_least: 1 << 10, ..of(1 << 8, threads) };
                (vec![small(1), small(2)], vec![small(1)])
            }
            Extent::Chosen => {
                let mut of_u64 = vec![of(1 << 10, 1), of(1 << 10, 2), of(1 << 16, 1), of(1 << 16, 2)];
                if !matches!(kind, Kind::InsertReserved | Kind::Remove) {
                    of_u64.push(Writes { everybody: false, ..of(1 << 20, 1) });
                }
                (of_u64, vec![of(1 << 16, 1)])
            }
            Extent::Full => {
                let all: Vec<_> =
                    [10, 16, 20].iter().flat_map(|bits| [1, 2].map(|threads| of(1 << bits, threads))).collect();
                (all.clone(), all)
            }
        };
        cases.extend(of_u64.into_iter().map(|writes| case::<u64>("u64", writes)));
        cases.extend(of_strings.into_iter().map(|writes| case::<String>("16-64 bytes", writes)));
    }
    cases
}

fn case<K: Key>(of_keys: &str, writes: Writes) -> Case {
    let mut theirs = vec![contender::<Papaya, K>(writes), contender::<Index, K>(writes), contender::<Dash, K>(writes)];
    if writes.everybody {
        theirs.extend([
            contender::<SccMap, K>(writes),
            contender::<Flurry, K>(writes),
            contender::<Skip, K>(writes),
            contender::<Locked, K>(writes),
        ]);
    }
    if writes.kind == Kind::InsertReserved && !Skip::HAS_CAPACITY {
        theirs.retain(|contender| contender.map != Skip::NAME);
    }
    Case {
        suite: "write",
        name: writes.kind.name().to_owned(),
        labels: vec![
            ("keys", writes.keys.to_string()),
            ("key", of_keys.to_owned()),
            ("value", "u64".to_owned()),
            ("threads", writes.threads.to_string()),
        ],
        operations: if writes.kind.fresh() { writes.at_least.max(writes.keys) } else { writes.at_least },
        ours: vec![contender::<Tidy, K>(writes), contender::<TidyBatched, K>(writes)],
        theirs,
        remark: None,
    }
}

fn contender<M: Roomy, K: Key>(writes: Writes) -> Contender {
    Contender {
        map: M::NAME,
        call: if M::POLICY.is_empty() { "single calls" } else { M::POLICY },
        protection: Protection::OneShot,
        prepare: Box::new(move || round::<M, K>(writes)),
    }
}

/// One write. Keys that are inserted go into the map; those that are removed stay here, so that it does not drop two.
enum Job<K> {
    Insert(Option<K>, u64),
    Remove(K),
}

/// One thread's jobs for each of the maps of a round.
type Jobs<K> = Vec<Vec<Job<K>>>;

fn round<M: Roomy, K: Key>(writes: Writes) -> Round {
    let Writes { kind, keys, threads, .. } = writes;
    let pairs = move || shuffled(keys, 1).map(|number| (K::of(number), number));
    let kept = (!kind.fresh()).then(|| {
        let map = M::filled::<K, u64>(pairs());
        if kind == Kind::Overwrite {
            // Whatever a first overwriting changes in an entry is done.
            pairs().for_each(|(key, number)| M::insert(&map, key, number));
        }
        map
    });
    let mut source = Source::<K>::new(writes);
    Box::new(move |operations| {
        let count = if kind.fresh() { operations / keys } else { 1 };
        let new = |_| match kind {
            Kind::Insert => M::empty::<K, u64>(),
            Kind::InsertReserved => M::with_capacity(keys as usize),
            _ => M::filled(pairs()),
        };
        let new: Vec<_> = if kind.fresh() { (0..count).map(new).collect() } else { Vec::new() };
        let maps: Vec<&M::Map<K, u64>> = kept.iter().chain(&new).collect();
        let jobs: Vec<_> = (0..threads).map(|thread| Mutex::new(source.jobs(thread, operations))).collect();
        let begun = AtomicUsize::new(0);
        let time = together(threads, |thread, begin| {
            let mut jobs = jobs[thread].lock().unwrap();
            begin();
            for (turn, (map, jobs)) in maps.iter().zip(jobs.iter_mut()).enumerate() {
                line_up(&begun, threads * (turn + 1));
                work::<M, K>(map, jobs);
            }
        });
        maps.iter().for_each(|map| check::<M, K>(map, writes));
        for jobs in jobs {
            if let Some(Job::Insert(_, number)) = jobs.into_inner().unwrap().last().and_then(|jobs| jobs.last()) {
                let (map, key) = (maps.last().expect("there is a map"), K::of(*number & u64::from(u32::MAX)));
                assert_eq!(M::get::<K, u64>(map, key.borrow()), Some(*number), "the last word, of {}", M::NAME);
            }
        }
        time
    })
}

/// Waits until so many have come.
fn line_up(begun: &AtomicUsize, all: usize) {
    begun.fetch_add(1, Ordering::Relaxed);
    let mut turns = 0_u32;
    while begun.load(Ordering::Relaxed) < all {
        turns += 1;
        // The other one may have lost the processor.
        if turns.is_multiple_of(1 << 12) { thread::yield_now() } else { spin_loop() }
    }
}

#[inline(always)]
fn work<M: Roomy, K: Key>(map: &M::Map<K, u64>, jobs: &mut [Job<K>]) {
    let mut vain = 0_u64;
    for job in jobs {
        match job {
            Job::Insert(key, number) => M::insert::<K, u64>(map, key.take().expect("each job is done once"), *number),
            Job::Remove(key) => vain += u64::from(!M::remove::<K, u64>(map, (*key).borrow())),
        }
    }
    assert_eq!(vain, 0, "{} has not found what was to be removed", M::NAME);
}

/// What a round has to leave.
fn check<M: Roomy, K: Key>(map: &M::Map<K, u64>, Writes { kind, keys, .. }: Writes) {
    if keys <= 1 << 16 {
        let left = M::scan::<K, u64>(map, usize::MAX);
        assert_eq!(left as u64, if kind == Kind::Remove { 0 } else { keys }, "keys in {} after: {kind:?}", M::NAME);
    }
}

/// Jobs, the same for everybody.
struct Source<K> {
    writes: Writes,
    /// Of all numbers that are used.
    keys: Vec<K>,
    /// Of each thread, in the order in which it uses them.
    own: Vec<Vec<u64>>,
    /// How many times each thread has been given jobs for a map that stays.
    given: Vec<u64>,
}

impl<K: Key> Source<K> {
    fn new(writes: Writes) -> Source<K> {
        let Writes { kind, keys, threads, .. } = writes;
        // One half of them is there, and then the other.
        let all = if kind == Kind::Churn { keys * 2 } else { keys };
        let of_thread = |thread| {
            let own = |bound, seed| shuffled(bound, seed).filter(move |number| *number as usize % threads == thread);
            match kind {
                Kind::Churn => own(keys, 2).chain(own(keys, 3).map(|number| keys + number)).collect(),
                _ => own(keys, 2).collect(),
            }
        };
        Source {
            writes,
            keys: (0..all).map(K::of).collect(),
            own: (0..threads).map(of_thread).collect(),
            given: vec![0; threads],
        }
    }

    fn jobs(&mut self, thread: usize, operations: u64) -> Jobs<K> {
        let Writes { kind, keys, threads, .. } = self.writes;
        let own = &self.own[thread];
        let at = |place: u64| own[(place % own.len() as u64) as usize];
        let insert =
            |number: u64, stamp: u64| Job::Insert(Some(self.keys[number as usize].clone()), number | stamp << 32);
        let remove = |number: u64| Job::Remove(self.keys[number as usize].clone());
        let given = &mut self.given[thread];
        let count = operations / threads as u64;
        match kind {
            Kind::Insert | Kind::InsertReserved => {
                (0..operations / keys).map(|_| own.iter().map(|number| insert(*number, 0)).collect()).collect()
            }
            Kind::Remove => {
                (0..operations / keys).map(|_| own.iter().map(|number| remove(*number)).collect()).collect()
            }
            Kind::Overwrite => {
                *given += 1;
                let places = Order::Uniform.numbers(own.len() as u64, *given << 8 | thread as u64);
                let jobs = places.take(count as usize).zip(0..);
                vec![jobs.map(|(place, index)| insert(at(place), *given << 20 | index)).collect()]
            }
            Kind::Churn => {
                let from = *given;
                *given += count / 2;
                let both = |place: u64| [remove(at(place)), insert(at(place + own.len() as u64 / 2), 0)];
                vec![(from..*given).flat_map(both).collect()]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::case::run_each;

    #[test]
    fn everybody_does_all_writes_again_and_again() {
        cases(Extent::Smoke).iter().for_each(|case| run_each(case, 3));
    }

    #[test]
    fn overwriting_and_removal_meet_present_keys_and_insertion_new_ones() {
        for kind in Kind::ALL {
            let writes = Writes { kind, keys: 1 << 8, threads: 2, at_least: 0, everybody: true };
            let mut source = Source::<u64>::new(writes);
            let mut there: BTreeMap<u64, u64> = BTreeMap::new();
            for round in 0..3 {
                if round == 0 || kind.fresh() {
                    let begins_empty = matches!(kind, Kind::Insert | Kind::InsertReserved);
                    there = (0..if begins_empty { 0 } else { 1 << 8 }).map(|number| (number, number)).collect();
                }
                let mut operations = 0;
                for thread in 0..2 {
                    for job in source.jobs(thread, 1 << 8).into_iter().flatten() {
                        operations += 1;
                        match job {
                            Job::Insert(key, number) => {
                                let key = key.unwrap();
                                assert_eq!((key as usize % 2, number as u32), (thread, key as u32));
                                let old = there.insert(key, number);
                                assert_eq!(old.is_some(), kind == Kind::Overwrite, "{kind:?}");
                                assert_ne!(old, Some(number), "something else each time");
                            }
                            Job::Remove(key) => assert!(there.remove(&key).is_some(), "{kind:?}"),
                        }
                    }
                }
                assert_eq!(operations, 1 << 8, "{kind:?}");
                assert_eq!(there.len(), if kind == Kind::Remove { 0 } else { 1 << 8 }, "{kind:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "has not found")]
    fn a_removal_in_vain_is_noticed() {
        let map = Tidy::empty::<u64, u64>();
        work::<Tidy, u64>(&map, &mut [Job::Remove(1)]);
    }
}

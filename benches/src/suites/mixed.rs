//! `mixed`: reads, and writes between them.
//!
//! - *Mostly reads*: 99.9/0.1 to 90/10. Half of the writes overwrite a present key; of the others each removes one, and the next
//!   one inserts it again.
//! - *YCSB* A to F, zipf 0.99. An update is an insert over a present key; F's is the map's own call for it, if it has one.
//!   E visits entries from the beginning: there is no order in which to begin elsewhere. D's threads read the latest of what
//!   they have inserted themselves.
//! - The three mixes of *conc-map-bench*, with its way to choose keys: most reads find nothing. Its capacity of 2^25 is 2^17
//!   here, and values have 64 bits instead of 32.
//!
//! All do the same steps, made in advance. Threads never insert or remove the same keys, so it is known what each call has to
//! find, and it is asserted. Reads are single calls; or go through a guard or handle that is held for some hundred steps, beside
//! writes that are single calls.
//!
//! evmap and ArcSwap do not take part: a write waits for all readers, or copies the map.

mod generate;
mod program;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::Extent;
use crate::case::{Case, Contender, Round};
use crate::keys::shuffled;
use crate::maps::*;
use crate::threads::together;
use generate::{UNIVERSAL, mostly_reads, ycsb};
use program::{Expected, Met, Program, Step, work};

/// So many steps a guard or handle is held.
const HELD: usize = 256;

pub fn cases(extent: Extent) -> Vec<Case> {
    let mut cases = Vec::new();
    for (keys, threads, writes) in mixes(extent) {
        let shares = (f64::from(1000 - writes) / 10.0, f64::from(writes) / 10.0);
        let count = if extent == Extent::Smoke { 1 << 10 } else { (1 << 19) / threads.max(2) as usize };
        let program = mostly_reads(keys, writes, threads, count);
        let kind = format!("{}/{} reads/writes", shares.0, shares.1);
        cases.push(case(kind, keys, "uniform", program));
    }
    let (keys, count) = if extent == Extent::Smoke { (1 << 8, 1 << 10) } else { (1 << 16, 1 << 18) };
    for workload in 'A'..='F' {
        for threads in [1, 2] {
            // Scans take longer.
            let count = if workload == 'E' { count >> 4 } else { count };
            let order = if workload == 'D' { "latest, zipf 0.99" } else { "zipf 0.99" };
            cases.push(case(format!("YCSB {workload}"), keys, order, ycsb(workload, keys, threads, count)));
        }
    }
    for universal in UNIVERSAL {
        for threads in [1, 2] {
            let capacity = if extent == Extent::Smoke { 1 << 10 } else { 1 << 17 };
            let program = universal.program(capacity, threads);
            cases.push(case(universal.name.to_owned(), program.prefilled, "uniform", program));
        }
    }
    cases
}

/// Keys, threads, and writes in a thousand steps.
fn mixes(extent: Extent) -> Vec<(u32, u32, u32)> {
    const ALL: [u32; 4] = [1, 10, 50, 100];
    let with = |keys: u32, threads: &[u32], writes: &[u32]| {
        let of = threads.iter().flat_map(|threads| writes.iter().map(move |writes| (keys, *threads, *writes)));
        of.collect::<Vec<_>>()
    };
    match extent {
        Extent::Smoke => with(1 << 8, &[1, 2, 8], &[50]),
        Extent::Chosen => [
            with(1 << 10, &[2], &ALL),
            with(1 << 16, &[1, 2], &ALL),
            with(1 << 16, &[4, 8], &[10, 50]),
            with(1 << 20, &[2], &[10]),
        ]
        .concat(),
        Extent::Full => [1 << 10, 1 << 16, 1 << 20].map(|keys| with(keys, &[1, 2, 4, 8], &ALL)).concat(),
    }
}

fn case(name: String, keys: u32, order: &'static str, program: Program) -> Case {
    let expected = Expected::of(&program);
    let threads = program.steps.len();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let hits = expected.hit_rate().map_or("scans".to_owned(), |rate| format!("{rate:.2} %"));
    let mut remark = format!("hits of the reads: {hits}");
    if !expected.exact {
        remark += ", if threads take turns";
    }
    if threads > cores {
        remark += &format!("; {threads} threads share {cores} cores");
    }
    let shared = Arc::new((program, expected));
    Case {
        suite: "mixed",
        name,
        labels: vec![
            ("keys", keys.to_string()),
            ("key", "u64".to_owned()),
            ("value", "u64".to_owned()),
            ("hits", hits),
            ("order", order.to_owned()),
            ("threads", threads.to_string()),
        ],
        operations: shared.0.steps.iter().map(|steps| steps.len() as u64).sum(),
        ours: vec![
            contender::<Single<Tidy>>(&shared),
            contender::<Single<TidyBatched>>(&shared),
            contender::<Single<TidyFenced>>(&shared),
            contender::<Held<TidyPin>>(&shared),
        ],
        theirs: vec![
            contender::<Single<Papaya>>(&shared),
            contender::<Single<Index>>(&shared),
            contender::<Single<SccMap>>(&shared),
            contender::<Single<Dash>>(&shared),
            contender::<Single<Flurry>>(&shared),
            contender::<Single<Skip>>(&shared),
            contender::<Single<Locked>>(&shared),
            contender::<Held<PapayaPin>>(&shared),
            contender::<Held<FlurryPin>>(&shared),
        ],
        remark: Some(remark),
    }
}

/// How somebody works with a map.
trait Manner: 'static {
    type Peer: Roomy;
    const CALL: &'static str;
    const PROTECTION: Protection;

    fn work(map: &<Self::Peer as Peer>::Map<u64, u64>, steps: &[Step]) -> Met;
}

/// Each read and each write is a call of its own.
enum Single<M> {
    #[expect(dead_code, reason = "names the map")]
    Never(PhantomData<M>),
}

impl<M: Roomy> Manner for Single<M> {
    type Peer = M;
    const CALL: &'static str = if M::POLICY.is_empty() { "single calls" } else { M::POLICY };
    const PROTECTION: Protection = Protection::OneShot;

    fn work(map: &M::Map<u64, u64>, steps: &[Step]) -> Met {
        work::<M>(map, steps, |key| M::get::<u64, u64>(map, key))
    }
}

/// Reads go through what is opened for [`HELD`] steps.
enum Held<W> {
    #[expect(dead_code, reason = "names the way to read")]
    Never(PhantomData<W>),
}

impl<W: Way> Manner for Held<W>
where
    W::Peer: Roomy,
{
    type Peer = W::Peer;
    const CALL: &'static str = W::CALL;
    const PROTECTION: Protection = W::PROTECTION;

    fn work(map: &MapOf<W, u64, u64>, steps: &[Step]) -> Met {
        let mut met = Met::default();
        for some in steps.chunks(HELD) {
            let mut reader = W::open::<u64, u64>(map);
            met += work::<W::Peer>(map, some, |key| reader.read(key));
        }
        met
    }
}

fn contender<M: Manner>(shared: &Arc<(Program, Expected)>) -> Contender {
    let shared = Arc::clone(shared);
    Contender {
        map: M::Peer::NAME,
        call: M::CALL,
        protection: M::PROTECTION,
        prepare: Box::new(move || round::<M>(Arc::clone(&shared))),
    }
}

fn round<M: Manner>(shared: Arc<(Program, Expected)>) -> Round {
    let at_once = shared.0.steps.iter().map(|steps| steps.len() as u64).sum::<u64>();
    let kept = shared.0.repeats.then(|| fill::<M::Peer>(&shared.0));
    Box::new(move |operations| {
        let (program, expected) = &*shared;
        assert!(operations % at_once == 0, "programs are done as a whole");
        let once = |_| {
            let new = kept.is_none().then(|| fill::<M::Peer>(program));
            let map = kept.as_ref().or(new.as_ref()).expect("one of them");
            together(program.steps.len(), |thread, begin| {
                let steps = &program.steps[thread];
                begin();
                let met = M::work(map, steps);
                let exact = expected.exact && (M::Peer::OVERWRITES_IN_PLACE || program.steps.len() == 1);
                expected.check(thread, met, exact, M::Peer::NAME);
            })
        };
        (0..operations / at_once).map(once).sum::<Duration>()
    })
}

fn fill<M: Roomy>(program: &Program) -> M::Map<u64, u64> {
    let pairs = shuffled(program.prefilled.into(), 1).map(|number| (number, number));
    match program.capacity {
        None => M::filled(pairs),
        Some(capacity) => {
            let map = M::with_capacity(capacity);
            pairs.for_each(|(key, value)| M::fill_in(&map, key, value));
            map
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::run_each;

    #[test]
    fn everybody_does_every_program_and_meets_what_is_expected() {
        // The second time it is what the first one has left, or a new one.
        cases(Extent::Smoke).iter().for_each(|case| run_each(case, 2));
    }

    #[test]
    #[should_panic(expected = "a wrong answer")]
    fn a_map_that_lacks_a_key_is_found_out() {
        let program = mostly_reads(1 << 6, 50, 1, 1 << 10);
        let expected = Expected::of(&program);
        let map = fill::<Tidy>(&program);
        map.remove(
            &program.steps[0]
                .iter()
                .find_map(|step| match step {
                    Step::Read(number) => Some(u64::from(*number)),
                    _ => None,
                })
                .expect("there are reads"),
        );
        expected.check(0, <Single<Tidy> as Manner>::work(&map, &program.steps[0]), true, "a map");
    }

    #[test]
    fn the_mixes_that_are_chosen_are_among_all() {
        let all = mixes(Extent::Full);
        assert!(mixes(Extent::Chosen).iter().all(|mix| all.contains(mix)));
    }
}

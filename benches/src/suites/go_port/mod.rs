//! `go_port`: the benchmarks of Go's `sync.Map`, with the keys, the mixes and the way of sharing the work that they have there.
//!
//! Go's values are boxed, each in an allocation of its own, so `Box<u64>` is what compares; `u64` is what a program would use here. Go
//! itself runs beside, in the same minutes.

mod loads;
mod sharing;
mod strings;
mod writes;

use foldhash::fast::FixedState;

use super::Extent;
use crate::case::{Case, Contender, Round};
use crate::go::{Benchmark, For, Go, HASH_TRIE, READ_AND_DIRTY};
use crate::maps::{Protection, Value};
use sharing::{Share, Turns, round};

/// From integers, as there.
type Map<V> = tidymap::HashMap<u64, V, FixedState>;

/// A benchmark, on this map.
struct Ported<M> {
    /// Go's, without what tells Go that it is one.
    name: &'static str,
    /// What is called here.
    call: &'static str,
    protection: Protection,
    /// Of a round.
    operations: u64,
    setup: fn() -> M,
    /// Does its turns; returns what the check asks for.
    work: fn(&M, &mut Turns<'_>) -> i64,
    check: fn(&M, &[Share]),
    /// Does the map grow with the operations? Then Go does as many.
    grows: bool,
}

/// Milliseconds that Go takes for a benchmark for which any number of operations will do, after shorter ones to see how many that are.
const GO_TIME: u64 = 100;

/// Of these the values are constants or below 256 there, and have their boxes in static memory: Go's timed loop allocates none, `Box<u64>`
/// one for each value that is stored, or offered.
const WITHOUT_BOXES: [&str; 7] = [
    "LoadAndDeleteCollision",
    "SwapCollision",
    "CompareAndSwapCollision",
    "CompareAndSwapNoExistingKey",
    "CompareAndSwapValueNotEqual",
    "CompareAndDeleteCollision",
    "Clear",
];

const GO_HAS_NO_BOXES: &str = "The values are constants or below 256, and have their boxes in static memory there: Go allocates only what \
its map does (`-benchmem`: nothing for CompareAndSwapValueNotEqual, one block for each swap). `Box<u64>` is one allocation more for each value that is stored or offered; \
`u64` is the closer comparison.";

/// Who else takes part in a case.
type GoContenders = Vec<(Go, &'static str, String)>;

pub fn cases(extent: Extent) -> Vec<Case> {
    let mut cases = Vec::new();
    for threads in [1, 2] {
        cases.extend(of_values::<Box<u64>>("boxed", threads, extent));
        cases.extend(of_values::<u64>("unboxed", threads, extent));
        for benchmark in strings::all() {
            // This one is not in 1.23.
            let theirs = vec![(HASH_TRIE, "internal/sync", format!("^Benchmark{}$", benchmark.name))];
            cases.push(case(vec![benchmark], "unboxed", threads, extent, theirs));
        }
    }
    cases
}

fn of_values<V: Value>(value: &'static str, threads: usize, extent: Extent) -> Vec<Case> {
    let mut cases: Vec<(&str, Vec<Ported<Map<V>>>)> = Vec::new();
    for benchmark in loads::all().into_iter().chain(writes::all()) {
        match cases.iter_mut().find(|(name, _)| *name == benchmark.name) {
            // Another call for the same.
            Some((_, ours)) => ours.push(benchmark),
            None => cases.push((benchmark.name, vec![benchmark])),
        }
    }
    let case = |(name, ours)| {
        let pattern = |go| (go, "sync", format!(r"^Benchmark(Map)?{name}$/^\*sync\.Map$"));
        case(ours, value, threads, extent, [READ_AND_DIRTY, HASH_TRIE].map(pattern).into())
    };
    cases.into_iter().map(case).collect()
}

fn case<M: Sync + 'static>(
    ours: Vec<Ported<M>>,
    value: &'static str,
    threads: usize,
    extent: Extent,
    theirs: GoContenders,
) -> Case {
    let first = &ours[0];
    let (name, grows) = (first.name, first.grows);
    let remark = WITHOUT_BOXES.contains(&name).then(|| GO_HAS_NO_BOXES.to_owned());
    let theirs = match extent {
        Extent::Smoke => Vec::new(),
        Extent::Chosen | Extent::Full => theirs,
    };
    Case {
        suite: "go_port",
        name: name.to_owned(),
        labels: vec![("threads", threads.to_string()), ("value", value.to_owned())],
        operations: if extent == Extent::Smoke { first.operations / 1000 } else { first.operations },
        ours: ours.into_iter().map(|benchmark| contender(benchmark, threads)).collect(),
        theirs: theirs
            .into_iter()
            .map(|(go, package, pattern)| go_contender(go, package, pattern, threads, grows))
            .collect(),
        remark,
    }
}

fn contender<M: Sync + 'static>(benchmark: Ported<M>, threads: usize) -> Contender {
    let Ported { call, protection, setup, work, check, .. } = benchmark;
    Contender { map: "tidymap", call, protection, prepare: Box::new(move || round(threads, setup, work, check)) }
}

fn go_contender(go: Go, package: &'static str, pattern: String, threads: usize, grows: bool) -> Contender {
    let benchmark = Benchmark { go, package, pattern, threads };
    let map = match (go, package) {
        (READ_AND_DIRTY, _) => "Go sync.Map 1.23.9",
        (_, "sync") => "Go sync.Map 1.24.11",
        _ => "Go HashTrieMap 1.24.11",
    };
    let prepare = move || -> Round {
        let benchmark = benchmark.clone();
        Box::new(move |operations| {
            let duration = if grows { For::Operations(operations) } else { For::Milliseconds(GO_TIME) };
            let nanoseconds = benchmark.run(duration).unwrap_or_else(|why| panic!("{why}"));
            std::time::Duration::from_nanos((nanoseconds * operations as f64) as u64)
        })
    };
    Contender { map, call: "its own harness", protection: Protection::Collected, prepare: Box::new(prepare) }
}

/// Is Go there, or can it be had?
///
/// # Errors
/// Says what is missing.
pub fn ready() -> Result<(), String> {
    READ_AND_DIRTY.tests("sync")?;
    HASH_TRIE.tests("sync")?;
    HASH_TRIE.tests("internal/sync")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each checks itself.
    #[test]
    fn every_benchmark_runs() {
        let cases = cases(Extent::Smoke);
        assert_eq!(cases.len(), 2 * (2 * 24 + 5));
        for case in cases {
            for contender in &case.ours {
                (contender.prepare)()(5000);
            }
        }
    }

    #[test]
    fn each_is_compared_with_both_versions() {
        for case in cases(Extent::Chosen) {
            let is_trie_only = case.name.starts_with("HashTrieMap");
            assert_eq!(case.pairs().len(), case.ours.len() * if is_trie_only { 1 } else { 2 }, "{}", case.id());
        }
    }
}

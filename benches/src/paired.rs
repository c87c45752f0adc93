//! Measures pairs: this map and one peer do the same in turns, in one process, so that the drift of a machine hits both alike.
//!
//! Each round runs both, first the one and then the other, and in the next round the other way round. A round's ratio is
//! taken within the round; what is reported is the median over the rounds, with the quartiles as spread.

use crate::case::{Case, Contender, Round};
use crate::results::{Comparison, Quartiles, Scaling, Side};

/// The name of the allocator that this process runs with.
pub const ALLOCATOR: &str = if cfg!(feature = "mimalloc") { "mimalloc" } else { "system" };

/// Measures all pairs of a case.
///
/// # Panics
/// If a map gives a wrong answer.
pub fn compare(case: &Case, rounds: usize, mut report: impl FnMut(&Comparison)) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for ours in &case.ours {
        let pairs: Vec<_> = case.pairs().into_iter().filter(|(one, _)| std::ptr::eq(*one, ours)).collect();
        if pairs.is_empty() {
            continue;
        }
        // Ours is there for all of its peers; of those there is one at a time.
        let mut our_round = (ours.prepare)();
        for (_, theirs) in pairs {
            let mut their_round = (theirs.prepare)();
            let times = in_turns(case.operations, rounds, &mut our_round, &mut their_round);
            let comparison = comparison(case, ours, theirs, &times);
            report(&comparison);
            comparisons.push(comparison);
        }
    }
    comparisons
}

/// How many times as much `two` threads do as one, each contender of the same two cases by itself.
pub fn scale(one: &Case, two: &Case, rounds: usize, mut report: impl FnMut(&Scaling)) -> Vec<Scaling> {
    let all = |case: &Case| case.ours.len() + case.theirs.len();
    assert_eq!(all(one), all(two), "the same contenders");
    let contenders = one.ours.iter().chain(&one.theirs).zip(two.ours.iter().chain(&two.theirs));
    let scalings = contenders.map(|(alone, together)| {
        let (mut alone_round, mut together_round) = ((alone.prepare)(), (together.prepare)());
        let times = in_turns(two.operations, rounds, &mut alone_round, &mut together_round);
        let scaling = Scaling {
            case: one.id(),
            map: alone.map.to_owned(),
            call: alone.call.to_owned(),
            allocator: ALLOCATOR.to_owned(),
            factor: Quartiles::of(times.iter().map(|(alone, together)| alone / together)),
        };
        report(&scaling);
        scaling
    });
    scalings.collect()
}

/// Measures this map alone, where there are no peers, or none are wanted: nanoseconds an operation of each contender.
///
/// # Panics
/// If it gives a wrong answer.
pub fn alone(case: &Case, rounds: usize) -> Vec<Side> {
    let side = |ours: &Contender| {
        let mut round = (ours.prepare)();
        time(&mut round, case.operations);
        let times = (0..rounds).map(|_| time(&mut round, case.operations));
        Side { map: ours.map.to_owned(), call: ours.call.to_owned(), nanoseconds: Quartiles::of(times) }
    };
    case.ours.iter().map(side).collect()
}

/// Nanoseconds an operation.
fn time(round: &mut Round, operations: u64) -> f64 {
    round(operations).as_nanos() as f64 / operations as f64
}

/// Nanoseconds an operation of both, round by round.
fn in_turns(operations: u64, rounds: usize, ours: &mut Round, theirs: &mut Round) -> Vec<(f64, f64)> {
    let time = |round: &mut Round| time(round, operations);
    // To warm up.
    time(ours);
    time(theirs);
    let round = |number: usize| {
        if number.is_multiple_of(2) {
            let ours = time(ours);
            (ours, time(theirs))
        } else {
            let theirs = time(theirs);
            (time(ours), theirs)
        }
    };
    (0..rounds).map(round).collect()
}

fn comparison(case: &Case, ours: &Contender, theirs: &Contender, times: &[(f64, f64)]) -> Comparison {
    let side = |contender: &Contender, nanoseconds| Side {
        map: contender.map.to_owned(),
        call: contender.call.to_owned(),
        nanoseconds,
    };
    Comparison {
        suite: case.suite.to_owned(),
        case: case.name.clone(),
        labels: case.labels.iter().map(|(label, value)| (label.to_string(), value.clone())).collect(),
        allocator: ALLOCATOR.to_owned(),
        ours: side(ours, Quartiles::of(times.iter().map(|(ours, _)| *ours))),
        theirs: side(theirs, Quartiles::of(times.iter().map(|(_, theirs)| *theirs))),
        ratio: Quartiles::of(times.iter().map(|(ours, theirs)| theirs / ours)),
        rounds: times.len(),
        remark: case.remark.clone(),
    }
}

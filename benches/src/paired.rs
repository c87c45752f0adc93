//! Measures pairs: this map and one peer do the same in turns, in one process, so that the drift of a machine hits both alike.
//!
//! Each round runs both, first the one and then the other, and in the next round the other way round. A round's ratio is
//! taken within the round; what is reported is the median over the rounds, with the quartiles as spread.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use crate::case::{Case, Contender};
use crate::results::{Comparison, Failed, Quartiles, Scaling, Side};

/// The name of the allocator that this process runs with.
pub const ALLOCATOR: &str = if cfg!(feature = "mimalloc") { "mimalloc" } else { "system" };

/// Measures all pairs of a case. A peer that panics, or gives a wrong answer, is told of among the failures, and the others go on.
///
/// # Panics
/// If this map gives a wrong answer.
pub fn compare(
    case: &Case,
    rounds: usize,
    mut report: impl FnMut(&Result<Comparison, Failed>),
) -> (Vec<Comparison>, Vec<Failed>) {
    let (mut comparisons, mut failures) = (Vec::new(), Vec::new());
    for ours in &case.ours {
        let pairs: Vec<_> = case.pairs().into_iter().filter(|(one, _)| std::ptr::eq(*one, ours)).collect();
        if pairs.is_empty() {
            continue;
        }
        // Ours is there for all of its peers; of those there is one at a time.
        let mut our_round = (ours.prepare)();
        for (_, theirs) in pairs {
            let measured =
                with_a_peer(theirs, |their_round| in_turns(case.operations, rounds, &mut our_round, their_round));
            let result = match measured {
                Ok(times) => Ok(comparison(case, ours, theirs, &times)),
                Err(why) => {
                    Err(Failed { suite: case.suite.to_owned(), case: case.id(), map: theirs.map.to_owned(), why })
                }
            };
            report(&result);
            match result {
                Ok(comparison) => comparisons.push(comparison),
                Err(failed) => failures.push(failed),
            }
        }
    }
    (comparisons, failures)
}

/// A [`Round`](crate::case::Round), borrowed.
type Runs<'r> = dyn FnMut(u64) -> Duration + 'r;

/// What a peer says when it panics.
struct PeerPanicked(String);

/// Does `work` with a round of a peer. Where that panics, or its map does when it is dropped, tells why.
fn with_a_peer<T>(theirs: &Contender, work: impl FnOnce(&mut Runs<'_>) -> T) -> Result<T, String> {
    let caught = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
    };
    let mut round = catch_unwind(AssertUnwindSafe(|| (theirs.prepare)())).map_err(caught)?;
    let mut guarded = |operations| {
        catch_unwind(AssertUnwindSafe(|| round(operations)))
            .unwrap_or_else(|panic| resume_unwind(Box::new(PeerPanicked(caught(panic)))))
    };
    match catch_unwind(AssertUnwindSafe(|| work(&mut guarded))) {
        Ok(done) => catch_unwind(AssertUnwindSafe(|| drop(round))).map(|()| done).map_err(caught),
        Err(panic) => match panic.downcast::<PeerPanicked>() {
            Ok(panicked) => {
                // What is left of its map is better not touched again.
                std::mem::forget(round);
                Err(panicked.0)
            }
            Err(ours) => resume_unwind(ours),
        },
    }
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
            by: None,
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
fn time(round: &mut Runs<'_>, operations: u64) -> f64 {
    round(operations).as_nanos() as f64 / operations as f64
}

/// Nanoseconds an operation of both, round by round.
fn in_turns(operations: u64, rounds: usize, ours: &mut Runs<'_>, theirs: &mut Runs<'_>) -> Vec<(f64, f64)> {
    let time = |round: &mut Runs<'_>| time(round, operations);
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
        by: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::Protection;

    fn contender(map: &'static str, round: fn(u64) -> Duration) -> Contender {
        Contender { map, call: "call", protection: Protection::OneShot, prepare: Box::new(move || Box::new(round)) }
    }

    fn case(ours: Contender, theirs: Vec<Contender>) -> Case {
        Case {
            suite: "test",
            name: "case".to_owned(),
            labels: vec![],
            operations: 10,
            ours: vec![ours],
            theirs,
            remark: None,
        }
    }

    #[test]
    fn a_peer_that_fails_is_told_of_and_the_others_go_on() {
        let ours = contender("ours", |operations| Duration::from_nanos(10 * operations));
        let slow = contender("slow", |operations| Duration::from_nanos(30 * operations));
        let failing = contender("failing", |_| panic!("a wrong answer"));
        let (comparisons, failures) = compare(&case(ours, vec![failing, slow]), 3, |_| ());
        assert_eq!((comparisons.len(), failures.len()), (1, 1));
        assert_eq!(comparisons[0].ratio, Quartiles { low: 3.0, median: 3.0, high: 3.0 });
        assert_eq!((failures[0].map.as_str(), failures[0].why.as_str()), ("failing", "a wrong answer"));
    }

    #[test]
    #[should_panic(expected = "a wrong answer of ours")]
    fn this_map_must_not_fail() {
        let ours = contender("ours", |_| panic!("a wrong answer of ours"));
        let other = contender("other", Duration::from_nanos);
        compare(&case(ours, vec![other]), 3, |_| ());
    }
}

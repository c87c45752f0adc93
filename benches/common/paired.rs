//! Paired measurement: all candidates run in turns within one process, so that the drift of a machine hits all of them alike.
//!
//! Each round runs every candidate once, in an order that moves on by one each round, and takes their ratios within the
//! round. What is printed is the median over the rounds, with the quartiles of the ratio as its spread.

use std::time::Instant;

/// One candidate: does `operations` operations, and is timed as a whole.
pub(crate) struct Candidate<'a> {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnMut() + 'a>,
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Candidate { name, run: Box::new(run) }
    }
}

/// Measures the candidates and prints a line for each: nanoseconds an operation, and how many times as long it takes as
/// the first one.
pub(crate) fn compare(title: &str, operations: u64, rounds: usize, mut candidates: Vec<Candidate<'_>>) {
    let count = candidates.len();
    let mut times = vec![Vec::with_capacity(rounds); count];
    for round in 0..=rounds {
        let mut this_round = vec![0.0; count];
        for turn in 0..count {
            let index = (turn + round) % count;
            let start = Instant::now();
            (candidates[index].run)();
            this_round[index] = start.elapsed().as_nanos() as f64 / operations as f64;
        }
        // The first round warms up.
        if round > 0 {
            times.iter_mut().zip(this_round).for_each(|(times, time)| times.push(time));
        }
    }
    println!("\n{title}");
    println!("  {:<34} {:>9}  {:>7}  quartiles of the ratio", "", "ns/op", "ratio");
    for (candidate, theirs) in candidates.iter().zip(&times) {
        let mut ratios: Vec<f64> = theirs.iter().zip(&times[0]).map(|(theirs, first)| theirs / first).collect();
        let mut theirs = theirs.clone();
        theirs.sort_by(f64::total_cmp);
        ratios.sort_by(f64::total_cmp);
        let quantile = |sorted: &[f64], q: f64| sorted[((sorted.len() - 1) as f64 * q).round() as usize];
        println!(
            "  {:<34} {:>9.2}  {:>7.2}  {:.2} .. {:.2}",
            candidate.name,
            quantile(&theirs, 0.5),
            quantile(&ratios, 0.5),
            quantile(&ratios, 0.25),
            quantile(&ratios, 0.75),
        );
    }
}

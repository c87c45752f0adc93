//! Measures suites in this process, with this allocator, and writes what it found as JSON. `cargo xtask bench` runs it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tidymap_benches::case::Contender;
use tidymap_benches::maps::Protection;
use tidymap_benches::paired::{ALLOCATOR, alone, compare, scale};
use tidymap_benches::results::{Comparison, Failed, Latency, Results, Scaling, Side};
use tidymap_benches::suites::{self, Extent, read, tail};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static MIMALLOC: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What to measure.
#[derive(Parser)]
struct Arguments {
    /// Suites.
    suites: Vec<String>,
    /// Only cases whose name contains this.
    #[arg(long, default_value = "")]
    filter: String,
    /// Rounds of each pair.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    #[arg(long, default_value = "chosen")]
    extent: Extent,
    /// In `go_port` only this map, without Go beside it.
    #[arg(long)]
    without_go: bool,
    /// Where the results go.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut results = Results::default();
    for suite in &arguments.suites {
        if suite == "scaling" {
            for (one, two) in read::scalings(arguments.extent) {
                println!("\nscaling: {} ({ALLOCATOR} allocator)", one.id());
                results.scalings.extend(scale(&one, &two, arguments.rounds, show_scaling));
            }
            continue;
        }
        if suite == "tail" {
            println!("\ntail ({ALLOCATOR} allocator): nanoseconds at p50, p99, p99.9, p99.99, longest");
            results.latencies.extend(tail::measure(
                arguments.extent,
                arguments.rounds,
                &arguments.filter,
                show_latency,
            ));
            continue;
        }
        if !suites::NAMES.contains(&suite.as_str()) {
            return fail(&format!("no such suite: {suite}"));
        }
        let mut cases = suites::cases(suite, arguments.extent);
        if arguments.without_go {
            let is_go = |theirs: &Contender| theirs.protection == Protection::Collected;
            cases.iter_mut().for_each(|case| case.theirs.retain(|theirs| !is_go(theirs)));
        } else if arguments.extent > Extent::Smoke
            && let Err(why) = suites::make_ready(suite)
        {
            return fail(&why);
        }
        for case in cases.iter().filter(|case| case.id().contains(&arguments.filter)) {
            println!("\n{suite}: {} ({ALLOCATOR} allocator)", case.id());
            let (comparisons, failures) = compare(case, arguments.rounds, show);
            results.comparisons.extend(comparisons);
            results.failures.extend(failures);
            if case.theirs.is_empty() {
                alone(case, arguments.rounds).iter().for_each(show_alone);
            }
        }
    }
    match arguments.json {
        Some(path) => {
            let json = serde_json::to_string_pretty(&results).expect("results can be written as JSON");
            match std::fs::write(&path, json) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&format!("{}: {error}", path.display())),
            }
        }
        None => ExitCode::SUCCESS,
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

fn show(result: &Result<Comparison, Failed>) {
    let Comparison { ours, theirs, ratio, .. } = match result {
        Ok(comparison) => comparison,
        Err(Failed { map, why, .. }) => return println!("  {map} has failed: {why}"),
    };
    println!(
        "  {:<32} {:>8.2} ns   {:<38} {:>8.2} ns   {:>6.2} ({:.2} .. {:.2})",
        ours.call,
        ours.nanoseconds.median,
        format!("{}, {}", theirs.map, theirs.call),
        theirs.nanoseconds.median,
        ratio.median,
        ratio.low,
        ratio.high,
    );
}

fn show_scaling(scaling: &Scaling) {
    let Scaling { map, call, factor, .. } = scaling;
    println!("  {:<44} {:>6.2} ({:.2} .. {:.2})", format!("{map}, {call}"), factor.median, factor.low, factor.high);
}

fn show_latency(latency: &Latency) {
    let figures: String = latency.percentiles.iter().map(|(_, nanoseconds)| format!("{nanoseconds:>10}")).collect();
    println!("  {:<68} {:<20} {figures}", latency.case, latency.map);
}

fn show_alone(ours: &Side) {
    let Side { call, nanoseconds, .. } = ours;
    println!("  {call:<32} {:>8.2} ns   ({:.2} .. {:.2})", nanoseconds.median, nanoseconds.low, nanoseconds.high);
}

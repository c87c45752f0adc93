//! Measures suites in this process, with this allocator, and writes what it found as JSON. `cargo xtask bench` runs it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tidymap_benches::case::Contender;
use tidymap_benches::maps::Protection;
use tidymap_benches::paired::{ALLOCATOR, alone, compare};
use tidymap_benches::results::{Comparison, Results, Side};
use tidymap_benches::suites::{self, Extent};

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
    extent: String,
    /// In `go_port` only this map, without Go beside it.
    #[arg(long)]
    without_go: bool,
    /// Where the results go.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let extent = match arguments.extent.as_str() {
        "smoke" => Extent::Smoke,
        "chosen" => Extent::Chosen,
        "full" => Extent::Full,
        other => return fail(&format!("no such extent: {other}")),
    };
    let mut results = Results::default();
    for suite in &arguments.suites {
        let Some(mut cases) = suites::cases(suite, extent) else { return fail(&format!("no such suite: {suite}")) };
        if arguments.without_go {
            let is_go = |theirs: &Contender| theirs.protection == Protection::Collected;
            cases.iter_mut().for_each(|case| case.theirs.retain(|theirs| !is_go(theirs)));
        } else if extent > Extent::Smoke
            && let Err(why) = suites::make_ready(suite)
        {
            return fail(&why);
        }
        for case in cases.iter().filter(|case| case.id().contains(&arguments.filter)) {
            println!("\n{suite}: {} ({ALLOCATOR} allocator)", case.id());
            results.comparisons.extend(compare(case, arguments.rounds, show));
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

fn show(comparison: &Comparison) {
    let Comparison { ours, theirs, ratio, .. } = comparison;
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

fn show_alone(ours: &Side) {
    let Side { call, nanoseconds, .. } = ours;
    println!("  {call:<32} {:>8.2} ns   ({:.2} .. {:.2})", nanoseconds.median, nanoseconds.low, nanoseconds.high);
}

//! The project's own tasks: `cargo xtask --help`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use tidymap_benches::Failure;
use tidymap_benches::machine;
use tidymap_benches::report;
use tidymap_benches::results::Results;
use tidymap_benches::suites;

/// Tasks around tidymap.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measures, and writes BENCHMARKS.md, its plots, and its figures as JSON.
    Bench {
        /// Suites, all of them if none is named. What is not measured stays as it is in the JSON.
        suites: Vec<String>,
        /// Allocators: each is measured in a process of its own.
        #[arg(long, value_delimiter = ',', default_value = "system,mimalloc")]
        allocators: Vec<String>,
        /// `smoke`, `chosen` (what is published) or `full` (hours).
        #[arg(long, default_value = "chosen")]
        extent: String,
        /// Rounds of each pair.
        #[arg(long, default_value_t = 11)]
        rounds: usize,
        /// Only cases whose name contains this.
        #[arg(long, default_value = "")]
        filter: String,
        /// Where the page goes; the rest goes to `docs/benchmarks` beside it.
        #[arg(long, default_value = ".")]
        to: PathBuf,
    },
    /// Writes BENCHMARKS.md and the plots from the JSON that is there.
    Pages {
        #[arg(long, default_value = ".")]
        to: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Bench { suites, allocators, extent, rounds, filter, to } => {
            bench(suites, allocators, &extent, rounds, &filter, &to)
        }
        Task::Pages { to } => stored(&to).and_then(|results| report::write(&results, &to)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// What was measured before, if anything was.
fn stored(to: &Path) -> Result<Results, Failure> {
    let path = report::json(to);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Results::default()),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

fn bench(
    suites: Vec<String>,
    allocators: Vec<String>,
    extent: &str,
    rounds: usize,
    filter: &str,
    to: &Path,
) -> Result<(), Failure> {
    let suites = if suites.is_empty() { suites::NAMES.iter().map(ToString::to_string).collect() } else { suites };
    let mut results = stored(to)?;
    results.machine = machine::describe()?;
    for allocator in &allocators {
        let features = match allocator.as_str() {
            "system" => "",
            other => other,
        };
        // One by one, and stored after each: what was measured is not lost if a later one fails.
        for suite in &suites {
            if allocator != "system" && !suites::depends_on_allocator(suite) {
                continue;
            }
            let json = std::env::temp_dir().join(format!("tidymap-{suite}-{allocator}-{}.json", std::process::id()));
            let mut run = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            run.args(["run", "--quiet", "--package", "tidymap-benches", "--bin", "measure"]);
            // Of a smoke test nobody looks at the figures: it is as this program is.
            if !(extent == "smoke" && cfg!(debug_assertions)) {
                run.arg("--release");
            }
            run.args(["--features", features, "--", suite, "--extent", extent, "--filter", filter]);
            run.args(["--rounds", &rounds.to_string(), "--json"]).arg(&json);
            let status = run.status().map_err(|error| format!("cargo cannot be run: {error}"))?;
            if !status.success() {
                return Err(format!("{suite} with the {allocator} allocator: {status}").into());
            }
            let measured = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
            std::fs::remove_file(&json)?;
            let filtered = if filter.is_empty() { String::new() } else { format!(" --filter '{filter}'") };
            let command = format!(
                "cargo xtask bench {suite} --allocators {allocator} --extent {extent} --rounds {rounds}{filtered}"
            );
            results.absorb(command, measured);
            report::store(&results, to)?;
        }
    }
    report::write(&results, to)
}

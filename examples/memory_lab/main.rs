//! The memory laboratory: ten ways in which long-lived maps hold on to memory, on this crate's map and four others, side by
//! side.
//!
//! It counts with an allocator of its own, and says where this crate's map loses.
//!
//! ```text
//! cargo run --release -p tidymap-examples --example memory_lab
//! cargo run --release -p tidymap-examples --example memory_lab -- --scenario churn --svg /tmp
//! cargo test -p tidymap-examples --example memory_lab
//! ```
//!
//! It ends with status 1 if a map does not hold what it must, or holds a byte when it has been dropped, or if this crate's
//! map holds a value back that nobody is looking at.
//!
//! - [`maps`]: the maps, behind one trait;
//! - [`scenarios`], [`catalogue`]: what they go through;
//! - [`heap`], [`values`], [`lab`]: what is measured, and when;
//! - [`report`]: the figures; [`grid`], [`tables`], [`page`], [`plot`]: how they are shown.

mod catalogue;
#[path = "../common/grid.rs"]
mod grid;
#[path = "../../tests/common/heap.rs"]
mod heap;
mod lab;
mod levels;
#[path = "../common/maps.rs"]
mod maps;
mod page;
mod plot;
mod report;
mod scenarios;
mod tables;
#[cfg(test)]
mod tests;
mod values;

use std::error::Error;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use clap::{Parser, ValueEnum};

use crate::catalogue::Scenario;
use crate::report::Report;

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

/// Ten ways in which long-lived maps hold on to memory, on five maps, counted.
#[derive(Parser)]
#[command(name = "memory_lab")]
struct Args {
    /// Only this scenario; may be given more than once [default: all]
    #[arg(long, value_name = "NAME", conflicts_with = "docs")]
    scenario: Vec<Scenario>,

    /// How many entries there are in the large maps
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1000..=2_000_000))]
    entries: u64,

    /// Write all figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write a plot of each scenario to this folder: the heap over the operations
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,

    /// Write the report to memory_lab.md in this folder, and some of the plots beside it
    #[arg(long, value_name = "DIR")]
    docs: Option<PathBuf>,
}

/// The plots that say more than their tables: the report has these.
const PLOTTED: [&str; 5] = ["mass-deletion", "churn", "stalled-reader", "cleared", "two-levels"];

fn main() -> ExitCode {
    let args = Args::parse();
    let report = run(&args);
    let mut failed = false;
    for fault in report.faults() {
        eprintln!("error: {fault}");
        failed = true;
    }
    if let Err(error) = write(&args, &report) {
        eprintln!("error: {error}");
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Takes the maps through the scenarios, and prints the tables as they come.
fn run(args: &Args) -> Report {
    let chosen = if args.scenario.is_empty() { Scenario::value_variants() } else { &args.scenario };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut report =
        Report { entries: args.entries as usize, processors, bodies: catalogue::bodies(), scenarios: Vec::new() };
    println!("{}\n", tables::LEGEND);
    for scenario in chosen {
        let scenario = scenario.compare(report.entries);
        println!("{}: {}\n\n{}", scenario.name.to_uppercase(), scenario.story, tables::scenario(&scenario));
        if let Some(refused) = tables::refused(&scenario) {
            println!("{refused}\n");
        }
        report.scenarios.push(scenario);
    }
    println!("HELD AT THE END, AS A MULTIPLE OF WHAT THE LIVE ENTRIES NEED\n\n{}", tables::of_needed(&report));
    println!("THE SAME, AS A MULTIPLE OF WHAT A NEW MAP OF THAT KIND TAKES\n\n{}", tables::of_fresh(&report));
    println!("THE PEAK, AS A MULTIPLE OF WHAT THE FULL MAP HELD\n\n{}", tables::peak_of_full(&report));
    println!("VALUES NOT DROPPED AT REST\n\n{}", tables::undropped(&report));
    println!("A MAP FOR ITSELF\n\n{}", tables::bodies(&report));
    print_losses("WHERE TIDYMAP LOSES AT THE END", tables::losses_at_rest(&report));
    print_losses("WHERE TIDYMAP LOSES AT THE PEAK", tables::losses_at_the_peak(&report));
    report
}

fn print_losses(title: &str, losses: Vec<String>) {
    println!("{title}, BY MORE THAN A TENTH\n");
    for loss in &losses {
        println!("  {}", loss.replace("**", ""));
    }
    println!("{}", if losses.is_empty() { "  nowhere\n" } else { "" });
}

fn write(args: &Args, report: &Report) -> Result<(), Box<dyn Error>> {
    if let Some(file) = &args.json {
        serde_json::to_writer_pretty(BufWriter::new(File::create(file).map_err(in_writing(file))?), report)?;
    }
    if let Some(folder) = &args.svg {
        write_plots(report, folder, |_| true)?;
    }
    if let Some(folder) = &args.docs {
        write_plots(report, &folder.join("memory_lab"), |name| PLOTTED.contains(&name))?;
        let file = folder.join("memory_lab.md");
        fs::write(&file, page::page(report, &PLOTTED)).map_err(in_writing(&file))?;
    }
    Ok(())
}

fn write_plots(report: &Report, folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder).map_err(in_writing(folder))?;
    for scenario in report.scenarios.iter().filter(|scenario| is_wanted(scenario.name)) {
        let file = folder.join(scenario.name).with_extension("svg");
        fs::write(&file, plot::svg(scenario)?).map_err(in_writing(&file))?;
    }
    Ok(())
}

/// Says which file an error is about.
fn in_writing(path: &Path) -> impl FnOnce(std::io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

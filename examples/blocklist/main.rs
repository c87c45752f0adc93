//! The job that this crate is made for: a mail gateway's block list of disposable domains, looked up by many threads and
//! reloaded by one, while nobody waits.
//!
//! Readers classify a stream of addresses without stopping. Meanwhile the writer takes the list from one published version
//! to another and back, again and again. It prints how long lookups take during the reloads and between them, and whether
//! what is removed is dropped: the destructors of the entries count themselves. With `--compare` other maps do the same.
//!
//! ```text
//! cargo run --release -p tidymap-examples --example blocklist -- --seconds 10 --compare
//! ```
//!
//! It ends with status 1 if an answer is wrong, or if this crate's map holds anything back after a reload.
//!
//! - [`lists`], [`addresses`]: the real lists, and what is looked up;
//! - [`block_list`], [`listing`]: the maps, and the values that tell when they are dropped;
//! - [`job`], [`readers`], [`heap`]: the job and its measurement;
//! - [`report`], [`tables`]: what comes out.

mod addresses;
mod block_list;
#[path = "../../tests/common/heap.rs"]
mod heap;
mod job;
mod listing;
mod lists;
mod readers;
mod report;
mod tables;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::block_list::{BlockList, Dash, Index, Locked, Papaya, Tidy};
use crate::job::Job;
use crate::lists::Lists;
use crate::report::{ListFigures, MapReport, Report};
use crate::tables::RunningTable;

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

/// Hot-reloads a block list of disposable mail domains while readers look up addresses in it.
#[derive(Parser)]
#[command(name = "blocklist")]
struct Args {
    /// How long to run. With --compare the maps share the time equally
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,

    /// How many threads look up addresses [default: one less than there are processors, but one at least]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    readers: Option<u16>,

    /// Do the same job with RwLock<HashMap>, dashmap, papaya and scc::HashIndex, one after the other
    #[arg(long)]
    compare: bool,

    /// Print all figures as JSON, and no tables
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let readers = args.readers.map_or_else(spare_processors, usize::from);
    let lists = Lists::load();
    let stream = addresses::stream(&lists);
    let mut report = Report {
        seconds: args.seconds,
        readers,
        timed_one_in: readers::TIMED_ONE_IN,
        clock_ns: clock_ns(),
        lists: ListFigures {
            old_domains: lists.back.listed.len(),
            new_domains: lists.forward.listed.len(),
            additions: lists.forward.add.len(),
            removals: lists.forward.remove.len(),
        },
        maps: Vec::new(),
    };
    if !args.json {
        tables::print_job(&report);
    }

    let maps: &[fn(&Job<'_>, &mut Show) -> MapReport] = if args.compare {
        &[run::<Tidy>, run::<Locked>, run::<Dash>, run::<Papaya>, run::<Index>]
    } else {
        &[run::<Tidy>]
    };
    let time = Duration::from_secs(args.seconds) / maps.len() as u32;
    let job = Job { lists: &lists, stream: &stream, readers, time };
    let mut show = Show::new(args.seconds, (!args.json && !args.compare).then(|| RunningTable::start(time)));
    for run in maps {
        report.maps.push(run(&job, &mut show));
    }
    show.bar.finish_and_clear();

    if args.json {
        let json = serde_json::to_string_pretty(&report).expect("a report has nothing that JSON has not");
        println!("{json}");
    } else {
        if show.table.is_some() {
            println!();
        }
        tables::print_summary(&report);
    }
    let faults: Vec<_> = report.maps.iter().flat_map(MapReport::faults).collect();
    for fault in &faults {
        eprintln!("error: {fault}");
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is to be seen while the job runs.
struct Show {
    /// On a terminal only.
    bar: ProgressBar,
    table: Option<RunningTable>,
    /// How long the maps before this one took.
    before: Duration,
}

impl Show {
    fn new(seconds: u64, table: Option<RunningTable>) -> Self {
        let style = ProgressStyle::with_template("{msg:15} {bar:60} {percent:>3}%").expect("a valid template");
        let bar = ProgressBar::new(seconds * 1000).with_style(style);
        Show { bar, table, before: Duration::ZERO }
    }
}

/// Does the job with one map, and shows how it goes.
fn run<B: BlockList>(job: &Job<'_>, show: &mut Show) -> MapReport {
    show.bar.set_message(B::NAME);
    let report = job::run::<B>(job, |reload, elapsed| {
        show.bar.set_position((show.before + elapsed.min(job.time)).as_millis() as u64);
        let is_back = reload.to == Lists::OLD;
        if let Some(lines) = show.table.as_mut().and_then(|table| table.lines(reload, is_back, elapsed)) {
            show.bar.suspend(|| println!("{lines}"));
        }
    });
    show.before += job.time;
    report
}

/// How many readers leave a processor for the writer.
fn spare_processors() -> usize {
    thread::available_parallelism().map_or(1, |processors| (processors.get() - 1).max(1))
}

/// How long it takes to read the clock, in the median.
fn clock_ns() -> u64 {
    let mut times: Vec<_> = (0..1001).map(|_| Instant::now().elapsed().as_nanos() as u64).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

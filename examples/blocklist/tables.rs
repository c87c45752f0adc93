//! The report for people: lines for some of the reloads as they happen, and tables at the end.

use std::time::Duration;

use crate::lists::Lists;
use crate::report::{Lookups, ReloadReport, Report};

/// How many times the running table shows a reload and the way back, with the pauses before them.
const SHOWN: u32 = 4;

/// The lines of one map's reloads as they happen: as many as fit on a screen.
pub(crate) struct RunningTable {
    every: Duration,
    due: Duration,
    showing: bool,
}

impl RunningTable {
    /// Prints the head of the table, for a job that takes `time`.
    pub(crate) fn start(time: Duration) -> Self {
        println!("{:<9} {:^45} | {:^31} | {:^20}", "", "lookups", "entries", "heap, MiB");
        println!(
            "{:<9} {:>6} {LOOKUPS_HEAD} | {:>7} {:>7} {:>7} {:>7} | {:>6} {:>6} {:>6}",
            "", "ms", "removed", "dropped", "pending", "promot.", "before", "after", "peak"
        );
        RunningTable { every: time / SHOWN, due: Duration::ZERO, showing: false }
    }

    /// The lines of a reload that ended `elapsed` after the first began, and of the pause before it, if it is one to show.
    /// Of a reload that is shown, so is the way back.
    pub(crate) fn lines(&mut self, reload: &ReloadReport, is_back: bool, elapsed: Duration) -> Option<String> {
        if !is_back {
            self.showing = elapsed >= self.due;
            while self.due <= elapsed {
                self.due += self.every;
            }
        }
        self.showing.then(|| {
            format!(
                "{:<9} {:>6.1} {} |\n{:<9} {:>6.1} {} | {:>7} {:>7} {:>7} {:>7} | {:>6} {:>6} {:>6}",
                "between",
                reload.pause_ms,
                lookups(&reload.between),
                format!("to {}", reload.to),
                reload.time_ms,
                lookups(&reload.during),
                reload.removed,
                reload.dropped,
                or_dash(reload.pending),
                or_dash(reload.promotions),
                mib(reload.heap_before),
                mib(reload.heap_after),
                mib(reload.heap_peak),
            )
        })
    }
}

/// Prints what the job is.
pub(crate) fn print_job(report: &Report) {
    let lists = &report.lists;
    println!(
        "{} and a writer that reloads the list: {} domains to {} (+{} -{}) and back.\n",
        plural(report.readers, "reader"),
        lists.old_domains,
        lists.new_domains,
        lists.additions,
        lists.removals,
    );
}

/// Prints the tables at the end, with a line for each map, and says what they mean.
pub(crate) fn print_summary(report: &Report) {
    print_lookups(report);
    print_reloads(report);
    print_heap(report);
    println!(
        "
An address in {} has its lookups timed, each by itself and with the {} ns that reading the clock takes. No lookup at all
took longer than max: the longest that so many addresses in a row took. Preempted readers show up in it, whatever the map.
  slept      how often readers slept, waiting for something: a lock of the map, or the memory allocator's
  flush      how long the map's own call for dropping what is removed takes, if it has one
  dropped    as destructors counted themselves, right after that call; in step: reloads after which this was all
  late       removed and not dropped, the most over all reloads: right before that call (at once), and right after it
  left       the same in the end: after the last pause, and after the map itself was dropped",
        report.timed_one_in, report.clock_ns,
    );
}

fn print_lookups(report: &Report) {
    println!("{:<15} {:^38} | {:^38} | {:^15}", "LOOKUPS", "during reloads", "between reloads", "readers");
    println!("{:<15} {LOOKUPS_HEAD} | {LOOKUPS_HEAD} | {:>5} {:>9}", "", "slept", "preempted");
    for map in &report.maps {
        println!(
            "{:<15} {} | {} | {:>5} {:>9}",
            map.map,
            lookups(&map.during),
            lookups(&map.between),
            or_dash(map.reader_waits),
            or_dash(map.reader_preemptions),
        );
    }
}

fn print_reloads(report: &Report) {
    println!(
        "\n{:<15} {:^21} | {:^24} | {:^15} | {:^15} | {:^15}",
        "RELOADS", "mean ms", "entries", "late", "left", ""
    );
    println!(
        "{:<15} {:>6} {:>6} {:>7} | {:>7} {:>7} {:>8} | {:>7} {:>7} | {:>6} {:>8} | {:>7} {:>7} {:>5}",
        "",
        Lists::NEW,
        Lists::OLD,
        "flush",
        "removed",
        "dropped",
        "in step",
        "at once",
        "flushed",
        "at end",
        "map gone",
        "pending",
        "promot.",
        "wrong",
    );
    for map in &report.maps {
        println!(
            "{:<15} {:>6.1} {:>6.1} {:>7.3} | {:>7} {:>7} {:>8} | {:>7} {:>7} | {:>6} {:>8} | {:>7} {:>7} {:>5}",
            map.map,
            map.mean(|reload| (reload.to == Lists::NEW).then_some(reload.time_ms)),
            map.mean(|reload| (reload.to == Lists::OLD).then_some(reload.time_ms)),
            map.mean(|reload| Some(reload.flush_ms)),
            map.removed,
            map.dropped,
            format!(
                "{}/{}",
                map.reloads.iter().filter(|reload| reload.undropped_flushed == 0).count(),
                map.reloads.len()
            ),
            map.worst(|reload| reload.undropped),
            map.worst(|reload| reload.undropped_flushed),
            map.undropped_at_the_end,
            map.undropped_after_the_map,
            or_dash(map.reloads.iter().filter_map(|reload| reload.pending).max()),
            or_dash(map.reloads.last().and_then(|reload| reload.promotions)),
            map.wrong_answers,
        );
    }
}

fn print_heap(report: &Report) {
    println!(
        "\n{:<15} {:>9} {:>9} {:>11} {:>9} {:>9}",
        "HEAP, MiB",
        Lists::OLD,
        Lists::NEW,
        format!("{} again", Lists::OLD),
        "peak",
        "map gone"
    );
    for map in &report.maps {
        let last =
            |version| map.reloads.iter().rfind(|reload| reload.to == version).map_or(0, |reload| reload.heap_after);
        println!(
            "{:<15} {:>9} {:>9} {:>11} {:>9} {:>9}",
            map.map,
            mib(map.reloads.first().map_or(0, |reload| reload.heap_before)),
            mib(last(Lists::NEW)),
            mib(last(Lists::OLD)),
            mib(map.worst(|reload| reload.heap_peak)),
            mib(map.heap_after_the_map),
        );
    }
}

const LOOKUPS_HEAD: &str = "   M/s     p50     p99   p99.9     max";

fn lookups(of: &Lookups) -> String {
    let time = |ns| if of.timed == 0 { "-".to_owned() } else { latency(ns) };
    let [p50, p99, p99_9, max] = [of.p50_ns, of.p99_ns, of.p99_9_ns, of.longest_in_a_row_ns].map(time);
    format!("{:>6.2} {p50:>7} {p99:>7} {p99_9:>7} {max:>7}", of.per_second / 1e6)
}

/// A time, to three digits or so.
fn latency(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..10_000 => format!("{:.1} µs", ns as f64 / 1e3),
        10_000..1_000_000 => format!("{} µs", ns / 1_000),
        1_000_000..10_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{} ms", ns / 1_000_000),
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

fn or_dash(figure: Option<u64>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string())
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

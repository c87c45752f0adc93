//! BENCHMARKS.md: every figure in it is one of the JSON's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::grid::Grid;
use crate::maps::{Peer, Plain, TidyFenced};
use crate::results::{Comparison, Quartiles, Results};

/// The page, with these plots: titles and files.
pub fn page(results: &Results, plots: &[(&str, String)]) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write(results, plots, &mut page);
    page
}

fn write(results: &Results, plots: &[(&str, String)], page: &mut String) -> std::fmt::Result {
    let commands: String = results.commands.iter().map(|command| format!("{command}\n")).collect();
    writeln!(
        page,
        "# Benchmarks

Written by `cargo xtask bench`, figures, plots and all; the figures are in [docs/benchmarks/results.json](docs/benchmarks/results.json). Do not edit. This page has been measured in parts:

```text
{commands}```

**How it was measured.** This map and one other do the same work in turns, round by round, in one process, with one hasher (foldhash): first the one, then the other, and in the next
round the other way round. So what a machine does to one it does to both. *Ratio* is how many times as long the other takes, the median over the rounds, with the quartiles behind it: **above 1 tidymap is ahead**. Timed
loops assert what they read. Nanoseconds are wall time an operation, all threads together, and are the machine's of the day; trust the ratios.
Each map is read by the call of the same kind: *one-shot* calls, which protect one read, beside one-shot calls; reads under a guard that is kept beside the same; handles beside handles.
"
    )?;
    let mut machine = Grid::new(["", ""]);
    results.machine.iter().for_each(|(what, how)| machine.row([what, how]));
    writeln!(page, "{}", machine.markdown())?;
    writeln!(page, "## At a glance\n")?;
    glance(results, page)?;
    for (title, file) in plots {
        writeln!(page, "![{title}]({file})\n")?;
    }
    losses(results, page)?;
    limit(results, page)?;
    failures(results, page)?;
    scaling(results, page)?;
    latency(results, page)?;
    all(results, page)
}

/// Not a peer, but what no shared map can be faster than.
fn is_limit(comparison: &Comparison) -> bool {
    comparison.theirs.map == Plain::NAME
}

/// A peer, beside this map as it comes.
fn counts(comparison: &Comparison) -> bool {
    !is_limit(comparison) && comparison.ours.map != TidyFenced::NAME
}

/// How clearly this map is ahead: by the quartiles.
fn verdict(ratio: Quartiles) -> std::cmp::Ordering {
    match ratio {
        Quartiles { low, .. } if low > 1.0 => std::cmp::Ordering::Greater,
        Quartiles { high, .. } if high < 1.0 => std::cmp::Ordering::Less,
        _ => std::cmp::Ordering::Equal,
    }
}

fn suites(results: &Results) -> BTreeSet<&str> {
    results.comparisons.iter().map(|comparison| comparison.suite.as_str()).collect()
}

/// For each peer and suite: the geometric mean of the ratios, and in how many cases this map is ahead.
fn glance(results: &Results, page: &mut String) -> std::fmt::Result {
    let suites = suites(results);
    let mut cells: BTreeMap<&str, BTreeMap<&str, Vec<Quartiles>>> = BTreeMap::new();
    for comparison in results.comparisons.iter().filter(|comparison| counts(comparison)) {
        cells.entry(&comparison.theirs.map).or_default().entry(&comparison.suite).or_default().push(comparison.ratio);
    }
    writeln!(
        page,
        "The geometric mean of the ratios, and in how many cases tidymap is ahead and behind (by both quartiles; the rest is equal within its spread). Reads that are made to have a fence are in the tables further down, and not counted here.\n"
    )?;
    let mut grid = Grid::new(std::iter::once("").chain(suites.iter().copied()));
    for (peer, by_suite) in cells {
        let cell = |suite: &&str| match by_suite.get(suite) {
            None => "–".to_owned(),
            Some(ratios) => {
                let mean = ratios.iter().map(|ratio| ratio.median.ln()).sum::<f64>() / ratios.len() as f64;
                let count = |wanted| ratios.iter().filter(|ratio| verdict(**ratio) == wanted).count();
                let mean = mean.exp();
                let mark = if mean < 1.0 { "**" } else { "" };
                let (ahead, behind) = (count(std::cmp::Ordering::Greater), count(std::cmp::Ordering::Less));
                format!("{mark}{mean:.2}{mark} ({ahead} : {behind} of {})", ratios.len())
            }
        };
        grid.row(std::iter::once(peer.to_owned()).chain(suites.iter().map(cell)));
    }
    writeln!(page, "{}", grid.markdown())
}

fn losses(results: &Results, page: &mut String) -> std::fmt::Result {
    writeln!(page, "## Where it loses\n\nEvery case in which both quartiles say so, the worst first.\n")?;
    let lost = |comparison: &&Comparison| counts(comparison) && verdict(comparison.ratio) == std::cmp::Ordering::Less;
    for suite in suites(results) {
        let mut lost: Vec<_> =
            results.comparisons.iter().filter(|comparison| comparison.suite == suite).filter(lost).collect();
        let all = results.comparisons.iter().filter(|comparison| comparison.suite == suite && counts(comparison));
        writeln!(page, "### {suite}: {} of {}\n", lost.len(), all.count())?;
        if lost.is_empty() {
            continue;
        }
        lost.sort_by(|one, other| one.ratio.median.total_cmp(&other.ratio.median));
        let names = Names::of(results, suite);
        let mut grid = Grid::new(["case", "allocator", "tidymap", "ns", "ahead of it", "ns", "ratio"]);
        for it in lost {
            grid.row([
                names.of_case(it),
                it.allocator.clone(),
                it.ours.call.clone(),
                nanoseconds(it.ours.nanoseconds),
                format!("{}, {}", it.theirs.map, it.theirs.call),
                nanoseconds(it.theirs.nanoseconds),
                ratio(it.ratio),
            ]);
        }
        writeln!(page, "{}", grid.markdown())?;
    }
    Ok(())
}

fn limit(results: &Results, page: &mut String) -> std::fmt::Result {
    let beside: Vec<_> = results.comparisons.iter().filter(|comparison| is_limit(comparison)).collect();
    if beside.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "## Beside the limit\n\nHow many times as long tidymap takes as hashbrown does, whose entries lie in the table itself, and which nobody may change meanwhile.\n"
    )?;
    let calls: BTreeSet<&str> = beside.iter().map(|comparison| comparison.ours.call.as_str()).collect();
    let names = Names::of(results, "read");
    let mut rows: BTreeMap<(String, &str), BTreeMap<&str, f64>> = BTreeMap::new();
    for it in beside {
        let row = rows.entry((names.of_case(it), &it.allocator)).or_default();
        row.insert(&it.ours.call, 1.0 / it.ratio.median);
    }
    let mut grid = Grid::new(["case", "allocator"].into_iter().chain(calls.iter().copied()));
    for ((case, allocator), by_call) in rows {
        let cell = |call: &&str| by_call.get(call).map_or("–".to_owned(), |times| format!("{times:.2}"));
        grid.row([case, allocator.to_owned()].into_iter().chain(calls.iter().map(cell)));
    }
    writeln!(page, "{}", grid.markdown())
}

fn failures(results: &Results, page: &mut String) -> std::fmt::Result {
    if results.failures.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "## Peers that failed\n\nThat panicked, or gave an answer that no order of the calls explains; they have no figure in these cases.\n"
    )?;
    let mut grid = Grid::new(["", "case", "why"]);
    for it in &results.failures {
        let why = it.why.lines().next().unwrap_or_default();
        grid.row([it.map.clone(), format!("{}: {}", it.suite, it.case), why.to_owned()]);
    }
    writeln!(page, "{}", grid.markdown())
}

fn scaling(results: &Results, page: &mut String) -> std::fmt::Result {
    if results.scalings.is_empty() {
        return Ok(());
    }
    writeln!(page, "## Two threads\n\nHow many times as many reads two threads do in the same time as one.\n")?;
    let mut grid = Grid::new(["", "call", "case", "times"]);
    for it in &results.scalings {
        grid.row([it.map.clone(), it.call.clone(), it.case.clone(), ratio(it.factor)]);
    }
    writeln!(page, "{}", grid.markdown())
}

fn latency(results: &Results, page: &mut String) -> std::fmt::Result {
    let Some(first) = results.latencies.first() else { return Ok(()) };
    writeln!(
        page,
        "## The tail\n\nMicroseconds from when a call was due; calls are due at fixed times, whether those before have ended or not.\n"
    )?;
    let head = first.percentiles.iter().map(|(percentile, _)| match percentile {
        100.0 => "longest".to_owned(),
        other => format!("p{other}"),
    });
    let mut grid =
        Grid::new(["case", "allocator", "map", "calls", "a second"].map(str::to_owned).into_iter().chain(head));
    for it in &results.latencies {
        let percentiles = it.percentiles.iter().map(|(_, nanoseconds)| format!("{:.2}", *nanoseconds as f64 / 1e3));
        let cells = [&it.case, &it.allocator, &it.map].map(String::clone);
        let counts = [it.operations.to_string(), it.rate.to_string()];
        grid.row(cells.into_iter().chain(counts).chain(percentiles));
    }
    writeln!(page, "{}", grid.markdown())
}

fn all(results: &Results, page: &mut String) -> std::fmt::Result {
    writeln!(page, "## All figures\n")?;
    for suite in suites(results) {
        writeln!(page, "### {suite}\n")?;
        let names = Names::of(results, suite);
        let mut tables: Vec<((String, &str), Vec<&Comparison>)> = Vec::new();
        for it in results.comparisons.iter().filter(|comparison| comparison.suite == suite) {
            let key = (names.of_case(it), it.allocator.as_str());
            match tables.iter_mut().find(|(other, _)| *other == key) {
                Some((_, rows)) => rows.push(it),
                None => tables.push((key, vec![it])),
            }
        }
        for ((case, allocator), rows) in tables {
            writeln!(page, "<details><summary>{case} ({allocator} allocator)</summary>\n")?;
            let mut grid = Grid::new(["tidymap", "ns", "beside", "ns", "ratio"]);
            for it in &rows {
                grid.row([
                    it.ours.call.clone(),
                    nanoseconds(it.ours.nanoseconds),
                    format!("{}, {}", it.theirs.map, it.theirs.call),
                    nanoseconds(it.theirs.nanoseconds),
                    ratio(it.ratio),
                ]);
            }
            writeln!(page, "{}", grid.markdown())?;
            let remarks: BTreeSet<&String> = rows.iter().filter_map(|it| it.remark.as_ref()).collect();
            for remark in remarks {
                writeln!(page, "{remark}\n")?;
            }
            writeln!(page, "</details>\n")?;
        }
    }
    Ok(())
}

fn nanoseconds(quartiles: Quartiles) -> String {
    match quartiles.median {
        median if median < 100.0 => format!("{median:.1}"),
        median => format!("{median:.0}"),
    }
}

fn ratio(quartiles: Quartiles) -> String {
    let Quartiles { low, median, high } = quartiles;
    format!("{median:.2} ({low:.2} – {high:.2})")
}

/// What cases are called: by the labels that are not the same for all of a suite.
struct Names(BTreeSet<String>);

impl Names {
    fn of(results: &Results, suite: &str) -> Names {
        let mut values: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
        for comparison in results.comparisons.iter().filter(|comparison| comparison.suite == suite) {
            comparison.labels.iter().for_each(|(label, value)| {
                values.entry(label).or_default().insert(value);
            });
        }
        Names(values.into_iter().filter(|(_, values)| values.len() > 1).map(|(label, _)| label.clone()).collect())
    }

    fn of_case(&self, comparison: &Comparison) -> String {
        let telling = comparison.labels.iter().filter(|(label, _)| self.0.contains(*label));
        let telling = telling.map(|(label, value)| format!("{label} {value}"));
        std::iter::once(comparison.case.clone()).chain(telling).collect::<Vec<_>>().join(", ")
    }
}

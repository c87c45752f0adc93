//! The report as a page: `--docs` writes it. Every figure in it is of the run that wrote it.

use std::fmt::Write as _;

use crate::grid::{escaped, number};
use crate::report::Report;
use crate::tables;

/// The page; `plotted` says which scenarios have a plot beside it, in the folder `memory_lab`.
pub(crate) fn page(report: &Report, plotted: &[&str]) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write(report, plotted, &mut page);
    page
}

fn write(report: &Report, plotted: &[&str], page: &mut String) -> std::fmt::Result {
    let list = |lines: Vec<String>| match lines.len() {
        0 => "- nowhere\n".to_owned(),
        _ => lines.into_iter().map(|line| format!("- {}\n", escaped(&line))).collect(),
    };
    write!(
        page,
        "\
# Ten ways to hold on to memory

Written by `cargo run --release -p tidymap-examples --example memory_lab -- --entries {} --docs docs`, all figures included. Do not edit.

Five maps go through ten scenarios, with {} entries and one hasher. The heap is what a counting allocator says is in use: bytes asked for,
beyond those before the map was made. It is read after fixed numbers of operations. Each map is used call by call, with
the settings it comes with ({} processors here, by which dashmap chooses its shards). Every run checks that the map holds the live entries in the end, and
that all bytes and values have gone back when it is dropped.

## Held at the end, as a multiple of what the live entries need

At rest after the scenario, with no call for giving memory back. What they need: the keys and values in an array, and the heap that
these own. The least is bold.

{}
As a multiple of what a new map of the same kind takes when the live entries are inserted into it. This is what the history costs; 1 or less is nothing.

{}
## Where tidymap loses

By more than a tenth, against the map that takes the least. Held at the end:

{}
Not lost: {}.

At the peak:

{}
Maps with locks have no garbage; in `stalled-reader` it is the writers that wait instead. What stands behind the losses:

- **An entry is a block of its own,** beside tables that are half full so that reads are short. That is the price where nothing is held back,
  and the allocator's own bytes for each block, which are not counted here, come on top (see *Blocks* below).
- **An overwritten value moves out of its entry.** The room of the first one, up to 64 bytes, stays in the entry until the key is removed.
- **A map has a record for each thread that used it**, made four at a time and kept until it is dropped, and is large itself (see *A map for itself* below): \
not a map to have thousands of. Tables of up to 2 KiB stay when a map runs empty.
- **Garbage is listed before it is dropped**, at the end of a `clear` or of a session, and with a reader that stalls: the list takes memory, too, when memory
  was to be given back, and while it grows or is handed on, the old list and the new one are there together.

## The most that was held

As a multiple of what the same map held when it was full.

{}
## Values not dropped at rest

Removed or overwritten, some time and {} operations ago.

{}
## Blocks

Blocks of the allocator for each live entry at rest. It adds its own bytes to each; those are not in the figures above.

{}
## A map for itself

Numbers to values of 8 bytes, one thread.

{}
## The scenarios

{}
",
        report.entries,
        number(report.entries as i64),
        report.processors,
        tables::of_needed(report).markdown(),
        tables::of_fresh(report).markdown(),
        list(tables::losses_at_rest(report)),
        tables::not_lost_at_rest(report),
        list(tables::losses_at_the_peak(report)),
        tables::peak_of_full(report).markdown(),
        number(crate::lab::ORDINARY as i64),
        tables::undropped(report).markdown(),
        tables::blocks(report).markdown(),
        tables::bodies(report).markdown(),
        tables::LEGEND,
    )?;
    writeln!(page, "\nThe calls:")?;
    for map in &report.scenarios[0].maps {
        writeln!(page, "- {}: `{}`", escaped(map.map), map.own_call)?;
    }
    for (n, scenario) in (1..).zip(&report.scenarios) {
        writeln!(page, "\n### {n}. {} (`{}`)\n\n{}\n", scenario.title, scenario.name, scenario.story)?;
        page.push_str(&tables::scenario(scenario).markdown());
        if let Some(refused) = tables::refused(scenario) {
            writeln!(page, "\n{}", escaped(&refused))?;
        }
        if plotted.contains(&scenario.name) {
            writeln!(page, "\n![heap over operations](memory_lab/{}.svg)", scenario.name)?;
        }
    }
    Ok(())
}

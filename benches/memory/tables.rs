//! The figures of all maps side by side, and where this crate's map loses.

use crate::grid::{Grid, bytes, number, times};
use crate::lives::{Lived, Stage, waits};

/// From here on, bytes for each entry say more than bytes.
const MANY: usize = 1_000;

/// Prints what has been measured of one kind of keys and values, if anything has. The first map is this crate's.
pub(crate) fn print<'a>(
    kind: &str,
    maps: &[&'static str],
    sizes: impl Iterator<Item = usize> + Clone,
    lived: impl Fn(&'static str, usize) -> Option<&'a Lived>,
) {
    let rows: Vec<_> = sizes
        .flat_map(|entries| Stage::ALL.map(|stage| (entries, stage)))
        .filter(|(entries, stage)| stage.is_reached_with(*entries))
        .map(|(entries, stage)| Row {
            entries,
            stage,
            held: maps
                .iter()
                .map(|map| lived(map, entries).filter(|_| !waits(map, stage)).map(|lived| lived[&stage].bytes))
                .collect(),
            refused: maps
                .iter()
                .map(|map| waits(map, stage) || lived(map, entries).is_some_and(|lived| lived[&stage].refused > 0))
                .collect(),
        })
        .filter(|row| row.held.iter().any(Option::is_some))
        .collect();
    if rows.is_empty() {
        return;
    }
    println!("\n{kind}: the heap, and the map itself; for each entry inserted, or B, KiB for all where few are left\n");
    let mut grid = Grid::new(["entries", "stage"].into_iter().chain(maps.iter().copied()));
    for row in &rows {
        let shown = row.held.iter().zip(&row.refused).map(|(held, refused)| match held {
            _ if *refused && held.is_none() => "writers wait".to_owned(),
            Some(held) => format!("{}{}", row.figure(*held), if *refused { " (w)" } else { "" }),
            None => "-".to_owned(),
        });
        grid.row([number(row.entries as i64), row.stage.name().to_owned()].into_iter().chain(shown));
    }
    print!("{grid}");
    println!("(w): some of the writers would have waited for the reader, and did not write");
    println!("\nwhere {} loses, by more than a tenth:", maps[0]);
    let mut lost = 0;
    for row in &rows {
        if let Some(line) = row.lost(maps) {
            println!("  {line}");
            lost += 1;
        }
    }
    println!("  {lost} of {} rows", rows.len());
}

struct Row {
    entries: usize,
    stage: Stage,
    held: Vec<Option<i64>>,
    refused: Vec<bool>,
}

impl Row {
    fn figure(&self, held: i64) -> String {
        let emptied = matches!(self.stage, Stage::AllRemoved | Stage::Cleared | Stage::LeftRemoved);
        if self.entries < MANY || emptied { bytes(held) } else { format!("{:.1}", held as f64 / self.entries as f64) }
    }

    /// Against whom the first map loses, and by how much.
    fn lost(&self, maps: &[&str]) -> Option<String> {
        let ours = self.held[0]?;
        let theirs = self.held.iter().enumerate().skip(1).filter_map(|(at, held)| Some(((*held)?, at)));
        let (least, at) = theirs.min()?;
        (ours * 10 > least * 11).then(|| {
            let (ours_shown, theirs) = (self.figure(ours), self.figure(least));
            let factor = times(ours as f64 / least as f64);
            let entries = number(self.entries as i64);
            let who = format!("{}{}", maps[at], if self.refused[at] { " (w)" } else { "" });
            let stage = self.stage.name();
            format!("{entries} entries, {stage}: {ours_shown}, and {who} {theirs}: {factor} times as much")
        })
    }
}

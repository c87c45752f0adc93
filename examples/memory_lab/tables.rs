//! The tables of the report, and the sentences on where this crate's map loses.

use crate::grid::{Grid, bytes, number, times};
use crate::report::{MapReport, Report, ScenarioReport, Stage};

impl Stage {
    fn title(self) -> &'static str {
        match self {
            Stage::Full => "full",
            Stage::During => "during",
            Stage::After => "after",
            Stage::AtRest => "at rest",
            Stage::OwnCall => "own call",
        }
    }
}

const STAGES: [Stage; 5] = [Stage::Full, Stage::During, Stage::After, Stage::AtRest, Stage::OwnCall];

/// What the columns of [`scenario`] mean.
pub(crate) const LEGEND: &str = "\
Heap in use when the map was full, after the event, and at rest, 1,024 ordinary operations later (lookups, with an insertion
and its removal among sixteen). \"Own call\" is after the call that the map has for giving memory back, in case it is made.
The peak is the most up to the rest, within an operation, too; in the plots such peaks are thorns. \"Not dropped\" are values
that had been removed or overwritten, and whose destructors had not run.";

/// One scenario: a line for each map.
pub(crate) fn scenario(scenario: &ScenarioReport) -> Grid {
    let stages: Vec<_> = STAGES.into_iter().filter(|&stage| scenario.has(stage)).collect();
    let of_drops: Vec<_> = stages.iter().copied().filter(|&stage| stage != Stage::Full).collect();
    let head = stages.iter().filter(|&&stage| stage != Stage::OwnCall).map(|stage| stage.title().to_owned());
    let mut grid = Grid::new(
        [String::new()]
            .into_iter()
            .chain(head)
            .chain(["peak".to_owned(), "own call".to_owned()])
            .chain(of_drops.iter().map(|stage| format!("not dropped: {}", stage.title()))),
    );
    for map in &scenario.maps {
        let heap = |stage| map.at(stage).map_or_else(String::new, |figures| bytes(figures.heap));
        let undropped = |stage| map.at(stage).map_or_else(String::new, |figures| number(figures.undropped));
        let heaps = stages.iter().filter(|&&stage| stage != Stage::OwnCall).map(|&stage| heap(stage));
        grid.row(
            [map.map.to_owned()]
                .into_iter()
                .chain(heaps)
                .chain([bytes(map.peak), heap(Stage::OwnCall)])
                .chain(of_drops.iter().map(|&stage| undropped(stage))),
        );
    }
    grid
}

/// What was put off because of a reader, if anything was.
pub(crate) fn refused(scenario: &ScenarioReport) -> Option<String> {
    let refused: Vec<_> = scenario
        .maps
        .iter()
        .filter(|map| map.refused > 0)
        .map(|map| format!("{} {}", map.map, number(map.refused as i64)))
        .collect();
    (!refused.is_empty()).then(|| format!("Writes that would have waited for the reader: {}.", refused.join(", ")))
}

/// A line for each scenario, a column for each map, and the least in bold.
fn summary(report: &Report, figure: impl Fn(&MapReport) -> f64, show: impl Fn(f64) -> String) -> Grid {
    let mut grid = Grid::new([""].into_iter().chain(names(report)));
    for scenario in &report.scenarios {
        let figures: Vec<_> = scenario.maps.iter().map(&figure).collect();
        let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let cells = figures.into_iter().map(|figure| {
            let shown = show(figure);
            if shown == show(least) { format!("**{shown}**") } else { shown }
        });
        grid.row([scenario.name.to_owned()].into_iter().chain(cells));
    }
    grid
}

fn names(report: &Report) -> impl Iterator<Item = &'static str> {
    report.bodies.iter().map(|body| body.map)
}

/// Held at the end, as a multiple of what the live entries need.
pub(crate) fn of_needed(report: &Report) -> Grid {
    summary(report, MapReport::of_needed, times)
}

/// Held at the end, as a multiple of what a new map takes.
pub(crate) fn of_fresh(report: &Report) -> Grid {
    summary(report, MapReport::of_fresh, times)
}

/// The peak, as a multiple of what the live entries need at the most.
pub(crate) fn peak_of_full(report: &Report) -> Grid {
    summary(report, MapReport::peak_of_full, times)
}

/// Values not dropped at rest.
pub(crate) fn undropped(report: &Report) -> Grid {
    let at_rest = |map: &MapReport| map.at(Stage::AtRest).map_or(0.0, |figures| figures.undropped as f64);
    summary(report, at_rest, |undropped| number(undropped as i64))
}

/// Blocks of the allocator for each live entry.
pub(crate) fn blocks(report: &Report) -> Grid {
    summary(report, MapReport::blocks_each, times)
}

/// What a map takes for being there.
pub(crate) fn bodies(report: &Report) -> Grid {
    let mut grid = Grid::new(["", "the map itself", "heap when new", "with one entry", "when that is removed"]);
    for body in &report.bodies {
        let heap = [body.itself as i64, body.new, body.with_one, body.after_one].map(bytes);
        grid.row([body.map.to_owned()].into_iter().chain(heap));
    }
    grid
}

/// Where this crate's map holds more at the end than another, one line each; the heaviest loss first.
pub(crate) fn losses_at_rest(report: &Report) -> Vec<String> {
    lost(report, MapReport::held, |scenario| {
        let map = scenario.tidymap();
        let history = match map.of_fresh() {
            more if more >= 2.0 => format!("what happened before makes it {} times that", times(more)),
            more if more >= 1.005 => format!("what happened before adds {:.0} % to that", (more - 1.0) * 100.0),
            _ => "what happened before adds nothing to that".to_owned(),
        };
        format!("A new tidymap with the same entries takes {}; {history}.", bytes(map.fresh))
    })
}

/// Where this crate's map has a higher peak than another, likewise.
pub(crate) fn losses_at_the_peak(report: &Report) -> Vec<String> {
    lost(
        report,
        |map| map.peak,
        |scenario| format!("That is {} times what it held when it was full.", times(scenario.tidymap().peak_of_full())),
    )
}

fn lost(
    report: &Report,
    figure: impl Fn(&MapReport) -> i64,
    remark: impl Fn(&ScenarioReport) -> String,
) -> Vec<String> {
    let duels = report.scenarios.iter().map(|scenario| (scenario, scenario.duel(&figure)));
    let mut lost: Vec<_> = duels.filter(|(_, duel)| duel.is_lost()).collect();
    lost.sort_by(|(_, one), (_, other)| other.times().total_cmp(&one.times()));
    let line = |(scenario, duel): (&ScenarioReport, crate::report::Duel<'_>)| {
        format!(
            "**{}**: {}, and {} {}: {} times as much. {}",
            scenario.name,
            bytes(duel.ours),
            duel.rival,
            bytes(duel.least),
            times(duel.times()),
            remark(scenario)
        )
    };
    lost.into_iter().map(line).collect()
}

/// The scenarios in which no other map holds less at the end, within a tenth.
pub(crate) fn not_lost_at_rest(report: &Report) -> String {
    let held = report.scenarios.iter().filter(|scenario| !scenario.duel(MapReport::held).is_lost());
    let names: Vec<_> = held.map(|scenario| scenario.name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

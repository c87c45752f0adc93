//! What comes out of the lab, as `--json` writes it, and what follows from it.

use serde::Serialize;

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) entries: usize,
    /// dashmap makes its shards by their number.
    pub(crate) processors: usize,
    pub(crate) bodies: Vec<Body>,
    pub(crate) scenarios: Vec<ScenarioReport>,
}

/// What a map takes for being there.
#[derive(Debug, Serialize)]
pub(crate) struct Body {
    pub(crate) map: &'static str,
    /// The map itself, wherever it is.
    pub(crate) itself: usize,
    /// Bytes of the heap, of a new map.
    pub(crate) new: i64,
    /// When it holds its first entry.
    pub(crate) with_one: i64,
    /// When that has been removed.
    pub(crate) after_one: i64,
}

/// One scenario, with all maps. Of those, the first is this crate's.
#[derive(Debug, Serialize)]
pub(crate) struct ScenarioReport {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) story: String,
    pub(crate) maps: Vec<MapReport>,
}

/// One map in one scenario. Bytes are those asked of the allocator, beyond what was in use before the map was made.
#[derive(Debug, Serialize)]
pub(crate) struct MapReport {
    pub(crate) map: &'static str,
    /// What [`Stage::OwnCall`] called.
    pub(crate) own_call: &'static str,
    /// Live entries in the end, as the scenario has it, and as an iteration found them.
    pub(crate) live: usize,
    pub(crate) found: usize,
    pub(crate) stages: Vec<StageFigures>,
    /// The most that was held up to [`Stage::AtRest`].
    pub(crate) peak: i64,
    pub(crate) operations: u64,
    /// Writes that would have waited for the reader, and were made up for when it had left.
    pub(crate) refused: usize,
    /// The live entries in an array, with what they own.
    pub(crate) needed: i64,
    /// The live entries in new maps of this kind.
    pub(crate) fresh: i64,
    /// Bytes and values that had not gone back when the map was dropped.
    pub(crate) heap_after_the_map: i64,
    pub(crate) undropped_after_the_map: i64,
    pub(crate) curve: Vec<Point>,
}

/// What was held after some number of operations, and the most since the point before.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) operations: u64,
    pub(crate) heap: i64,
    pub(crate) peak: i64,
}

/// When figures are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Stage {
    /// The map is full.
    Full,
    /// The event goes on.
    During,
    /// It is over.
    After,
    /// Some ordinary operations later.
    AtRest,
    /// After the map's own call for giving memory back.
    OwnCall,
}

/// What is held then.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct StageFigures {
    pub(crate) stage: Stage,
    pub(crate) operations: u64,
    pub(crate) heap: i64,
    /// How many blocks of the allocator that is.
    pub(crate) blocks: i64,
    /// Values that have been removed or overwritten, and are not dropped.
    pub(crate) undropped: i64,
}

/// More than that over the least is said to be a loss.
const MARGIN: f64 = 1.1;

impl MapReport {
    pub(crate) fn at(&self, stage: Stage) -> Option<&StageFigures> {
        self.stages.iter().find(|figures| figures.stage == stage)
    }

    /// Held at the end: at rest, before any call for giving memory back.
    pub(crate) fn held(&self) -> i64 {
        self.at(Stage::AtRest).map_or(0, |figures| figures.heap)
    }

    /// The same as a multiple of what the live entries need.
    pub(crate) fn of_needed(&self) -> f64 {
        self.held() as f64 / self.needed as f64
    }

    /// The same as a multiple of what a new map of this kind takes for the live entries.
    pub(crate) fn of_fresh(&self) -> f64 {
        self.held() as f64 / self.fresh as f64
    }

    /// The most that was held, as a multiple of what was held when the map was full.
    pub(crate) fn peak_of_full(&self) -> f64 {
        self.at(Stage::Full).map_or(0.0, |figures| self.peak as f64 / figures.heap as f64)
    }

    /// Blocks of the allocator for each live entry at rest.
    pub(crate) fn blocks_each(&self) -> f64 {
        self.at(Stage::AtRest).map_or(0.0, |figures| figures.blocks as f64 / self.live as f64)
    }

    /// What is not as it must be.
    fn faults(&self, tells_when_it_drops: bool) -> Vec<String> {
        let mut faults = Vec::new();
        if self.found != self.live {
            faults.push(format!("{} entries in the end, not {}", self.found, self.live));
        }
        if self.stages.iter().any(|figures| figures.undropped < 0) {
            faults.push("more dropped than removed".to_owned());
        }
        let left = self.undropped_after_the_map;
        if left != 0 {
            faults.push(format!("{left} values are not dropped after the map was"));
        }
        let left = self.heap_after_the_map;
        if left != 0 {
            faults.push(format!("{left} bytes have not gone back after the map was dropped"));
        }
        for figures in self.stages.iter().filter(|figures| figures.stage != Stage::During) {
            if tells_when_it_drops && figures.undropped != 0 {
                faults.push(format!("{} values are not dropped at {:?}", figures.undropped, figures.stage));
            }
        }
        faults
    }
}

/// This crate's map beside the one that takes the least of the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Duel<'a> {
    pub(crate) ours: i64,
    pub(crate) least: i64,
    pub(crate) rival: &'a str,
}

impl Duel<'_> {
    pub(crate) fn times(&self) -> f64 {
        self.ours as f64 / self.least as f64
    }

    /// By more than a tenth?
    pub(crate) fn is_lost(&self) -> bool {
        self.times() > MARGIN
    }
}

impl ScenarioReport {
    pub(crate) fn tidymap(&self) -> &MapReport {
        &self.maps[0]
    }

    pub(crate) fn duel(&self, figure: impl Fn(&MapReport) -> i64) -> Duel<'_> {
        let best = self.maps[1..].iter().min_by_key(|map| figure(map)).expect("there are others");
        Duel { ours: figure(self.tidymap()), least: figure(best), rival: best.map }
    }

    pub(crate) fn has(&self, stage: Stage) -> bool {
        self.tidymap().at(stage).is_some()
    }
}

impl Report {
    /// What is not as it must be, one line each. Every map must hold what was put into it and give everything back when it
    /// is dropped; this crate's must drop in time.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for scenario in &self.scenarios {
            for (n, map) in scenario.maps.iter().enumerate() {
                let found = map.faults(n == 0);
                faults.extend(found.into_iter().map(|fault| format!("{}, {}: {fault}", scenario.name, map.map)));
            }
        }
        faults
    }
}

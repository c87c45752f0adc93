//! The scenarios by name, and the maps that go through each.

use clap::ValueEnum;

use crate::grid::number;
use crate::lab::{body, measure};
use crate::levels::TwoLevels;
use crate::maps::{Dash, Index, Locked, Papaya, Tidy};
use crate::report::{Body, MapReport, ScenarioReport};
use crate::scenarios::{self, FEW, FEWER, ITEMS, OVERWRITES, STAYS, STORMS, TURNS};
use crate::values::{BIG_BYTES, KEY_BYTES};

fn count(n: usize) -> String {
    number(n as i64)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    MassDeletion,
    Churn,
    Reinsertion,
    StalledReader,
    OverwriteStorm,
    HeavyKeys,
    Cleared,
    GrownOnce,
    TwoLevels,
    ManySmall,
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::MassDeletion => "mass-deletion",
            Scenario::Churn => "churn",
            Scenario::Reinsertion => "reinsertion",
            Scenario::StalledReader => "stalled-reader",
            Scenario::OverwriteStorm => "overwrite-storm",
            Scenario::HeavyKeys => "heavy-keys",
            Scenario::Cleared => "cleared",
            Scenario::GrownOnce => "grown-once",
            Scenario::TwoLevels => "two-levels",
            Scenario::ManySmall => "many-small",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Scenario::MassDeletion => "Mass deletion",
            Scenario::Churn => "Churn of ever new keys",
            Scenario::Reinsertion => "Deleted and inserted again",
            Scenario::StalledReader => "A stalled reader",
            Scenario::OverwriteStorm => "Overwrite storms of big values",
            Scenario::HeavyKeys => "Keys with heap of their own",
            Scenario::Cleared => "A cleared map",
            Scenario::GrownOnce => "Grown once, never full again",
            Scenario::TwoLevels => "Inner maps that run empty",
            Scenario::ManySmall => "Many small maps",
        }
    }

    /// What happens, in a sentence or two. `n` is the size.
    fn story(self, n: usize) -> String {
        let kib = BIG_BYTES >> 10;
        let all = count(n);
        match self {
            Scenario::MassDeletion => format!("{all} entries, of which 99 in 100 are removed, one by one."),
            Scenario::Churn => format!(
                "{all} entries; then the oldest is removed and a new key inserted, {TURNS} times as often as there are entries."
            ),
            Scenario::Reinsertion => {
                format!("{all} entries, all of which are removed and inserted again, {TURNS} times.")
            }
            Scenario::StalledReader => format!(
                "{} entries with values of 48 bytes. Another thread looks at one of them and stalls; meanwhile each value is \
                 overwritten {OVERWRITES} times. Then the reader leaves, and that is when \"after\" is taken. Writes that \
                 would wait for the reader are put off until it has left.",
                count(n / 4)
            ),
            Scenario::OverwriteStorm => {
                format!("{} values of {kib} KiB each, all overwritten {STORMS} times.", count(n / 400))
            }
            Scenario::HeavyKeys => format!(
                "{} entries with keys of {KEY_BYTES} bytes. All are overwritten, with keys that are equal but not the same; \
                 then 9 in 10 are removed.",
                count(n / 10)
            ),
            Scenario::Cleared => format!("{all} entries, then clear(); then a hundredth as many others are inserted."),
            Scenario::GrownOnce => format!(
                "{all} entries, of which a third stays and is used: each is looked up, removed and inserted again."
            ),
            Scenario::TwoLevels => format!(
                "A map of {} maps with {ITEMS} entries each; in tidymap, a NestedMap. All entries are removed, but for those of one \
                 user in {STAYS}. Nobody removes inner maps that have run empty: NestedMap does it itself.",
                count(n / ITEMS)
            ),
            Scenario::ManySmall => format!(
                "{} maps in an array, each filled with {FEW} entries, of which {FEWER} stay. The maps themselves count, too.",
                count(n / 20)
            ),
        }
    }

    fn run<F: TwoLevels>(self, entries: usize) -> MapReport {
        let scenario = match self {
            Scenario::MassDeletion => scenarios::mass_deletion::<F>,
            Scenario::Churn => scenarios::churn::<F>,
            Scenario::Reinsertion => scenarios::reinsertion::<F>,
            Scenario::StalledReader => scenarios::stalled_reader::<F>,
            Scenario::OverwriteStorm => scenarios::overwrite_storm::<F>,
            Scenario::HeavyKeys => scenarios::heavy_keys::<F>,
            Scenario::Cleared => scenarios::cleared::<F>,
            Scenario::GrownOnce => scenarios::grown_once::<F>,
            Scenario::TwoLevels => scenarios::two_levels::<F>,
            Scenario::ManySmall => scenarios::many_small::<F>,
        };
        measure::<F>(entries, scenario)
    }

    /// Takes all maps through it, one after the other.
    pub(crate) fn compare(self, entries: usize) -> ScenarioReport {
        let runs = [
            Scenario::run::<Tidy>,
            Scenario::run::<Locked>,
            Scenario::run::<Dash>,
            Scenario::run::<Papaya>,
            Scenario::run::<Index>,
        ];
        ScenarioReport {
            name: self.name(),
            title: self.title(),
            story: self.story(entries),
            maps: runs.map(|run| run(self, entries)).into(),
        }
    }
}

/// What each map takes for being there.
pub(crate) fn bodies() -> Vec<Body> {
    [body::<Tidy>, body::<Locked>, body::<Dash>, body::<Papaya>, body::<Index>].map(|body| body()).into()
}

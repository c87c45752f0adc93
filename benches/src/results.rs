//! What was measured, as it is stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// All that one run of the benches found out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Results {
    /// On what it ran: processor, cores, system, compiler, versions of the peers.
    pub machine: BTreeMap<String, String>,
    /// The commands that something here comes from, as they are to be typed again.
    pub commands: Vec<String>,
    pub comparisons: Vec<Comparison>,
    pub latencies: Vec<Latency>,
    pub scalings: Vec<Scaling>,
    /// Peers that did not go through a case.
    #[serde(default)]
    pub failures: Vec<Failed>,
}

/// A peer that panicked, or gave a wrong answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Failed {
    pub suite: String,
    pub case: String,
    pub map: String,
    pub why: String,
}

/// This map and another in turns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    pub suite: String,
    pub case: String,
    pub labels: BTreeMap<String, String>,
    pub allocator: String,
    pub ours: Side,
    pub theirs: Side,
    /// How many times as long the other one takes, round by round. Above 1 this map is ahead.
    pub ratio: Quartiles,
    pub rounds: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Which of the [`commands`](Results::commands) it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<usize>,
}

/// One of two.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Side {
    pub map: String,
    pub call: String,
    /// Nanoseconds of wall time an operation, all threads together.
    pub nanoseconds: Quartiles,
}

/// How long single operations took, from when they were due.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    pub case: String,
    pub map: String,
    pub allocator: String,
    /// Operations in all, and how many are due in a second.
    pub operations: u64,
    pub rate: u64,
    /// Percentile, and nanoseconds. The last is the longest, at 100.
    pub percentiles: Vec<(f64, u64)>,
    /// Which of the [`commands`](Results::commands) it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<usize>,
}

/// How many times as much two threads do as one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scaling {
    pub case: String,
    pub map: String,
    pub call: String,
    pub allocator: String,
    pub factor: Quartiles,
    /// Which of the [`commands`](Results::commands) it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<usize>,
}

/// The middle of many figures, and their spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    #[serde(serialize_with = "to_thousandths")]
    pub low: f64,
    #[serde(serialize_with = "to_thousandths")]
    pub median: f64,
    #[serde(serialize_with = "to_thousandths")]
    pub high: f64,
}

/// More would be noise.
fn to_thousandths<S: serde::Serializer>(figure: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((figure * 1000.0).round() / 1000.0)
}

impl Quartiles {
    /// # Panics
    /// If there is no figure.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Quartiles {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let at = |part: f64| figures[((figures.len() - 1) as f64 * part).round() as usize];
        Quartiles { low: at(0.25), median: at(0.5), high: at(0.75) }
    }
}

impl Results {
    /// Puts what `command` found in the place of what was there of the same cases.
    pub fn absorb(&mut self, command: String, other: Results) {
        self.machine.extend(other.machine);
        let by = self.commands.len();
        self.commands.push(command);
        fn replace<T, K: Ord>(all: &mut Vec<T>, new: Vec<T>, key: impl Fn(&T) -> K, by: impl Fn(&mut T)) {
            let measured: BTreeSet<K> = new.iter().map(&key).collect();
            all.retain(|old| !measured.contains(&key(old)));
            all.extend(new.into_iter().map(|mut it| {
                by(&mut it);
                it
            }));
        }
        let case = |it: &Comparison| (it.suite.clone(), it.case.clone(), it.labels.clone(), it.allocator.clone());
        replace(&mut self.comparisons, other.comparisons, case, |it| it.by = Some(by));
        // A failure that does not come again has been seen all the same.
        self.failures.extend(other.failures);
        self.failures.sort();
        self.failures.dedup();
        replace(
            &mut self.latencies,
            other.latencies,
            |it| (it.case.clone(), it.allocator.clone()),
            |it| it.by = Some(by),
        );
        replace(
            &mut self.scalings,
            other.scalings,
            |it| (it.case.clone(), it.allocator.clone()),
            |it| it.by = Some(by),
        );
        self.forget_commands();
    }

    /// Forgets those commands of which nothing is left, and names one that was given twice once.
    fn forget_commands(&mut self) {
        let mut all: Vec<&mut Option<usize>> = self.comparisons.iter_mut().map(|it| &mut it.by).collect();
        all.extend(self.latencies.iter_mut().map(|it| &mut it.by));
        all.extend(self.scalings.iter_mut().map(|it| &mut it.by));
        let used: BTreeSet<usize> = all.iter().filter_map(|by| **by).collect();
        let mut commands: Vec<String> = Vec::new();
        let places: BTreeMap<usize, usize> = used
            .into_iter()
            .map(|old| {
                let place = commands.iter().position(|command| *command == self.commands[old]);
                let place = place.unwrap_or_else(|| {
                    commands.push(self.commands[old].clone());
                    commands.len() - 1
                });
                (old, place)
            })
            .collect();
        for by in all {
            *by = by.map(|old| places[&old]);
        }
        self.commands = commands;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_the_sorted_figures() {
        let of = |figures: &[f64]| Quartiles::of(figures.iter().copied());
        assert_eq!(of(&[5.0, 1.0, 4.0, 2.0, 3.0]), Quartiles { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(of(&[7.0]), Quartiles { low: 7.0, median: 7.0, high: 7.0 });
    }
    #[test]
    fn commands_are_named_as_long_as_something_comes_from_them() {
        let figure = Quartiles::of([1.0]);
        let of = |cases: &[&str]| Results {
            scalings: cases
                .iter()
                .map(|case| Scaling {
                    case: (*case).to_owned(),
                    map: String::new(),
                    call: String::new(),
                    allocator: String::new(),
                    factor: figure,
                    by: None,
                })
                .collect(),
            ..Results::default()
        };
        let mut results = Results::default();
        let by = |results: &Results| -> Vec<(String, String)> {
            let of = |it: &Scaling| (it.case.clone(), results.commands[it.by.unwrap()].clone());
            results.scalings.iter().map(of).collect()
        };
        results.absorb("first".to_owned(), of(&["a", "b"]));
        results.absorb("second".to_owned(), of(&["b", "c"]));
        assert_eq!(results.commands, ["first", "second"]);
        results.absorb("third".to_owned(), of(&["a"]));
        results.absorb("second".to_owned(), of(&["c"]));
        assert_eq!(results.commands, ["second", "third"]);
        let expected = [("b", "second"), ("a", "third"), ("c", "second")];
        assert_eq!(by(&results), expected.map(|(case, command)| (case.to_owned(), command.to_owned())));
    }
}

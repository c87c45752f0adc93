//! The figures of a map, for the `metrics` facade.

use metrics::{Counter, Gauge, Unit};

use super::Stats;

/// Says which figure has which name: a line here makes a metric and its documentation.
macro_rules! rows {
    ($($kind:ident($name:literal, $unit:ident, $help:literal, $figure:expr);)*) => {
        const ROWS: &[Row] = &[$($kind($name, Unit::$unit, $help, $figure)),*];

        /// The rows as a table in Markdown.
        macro_rules! documentation {
            () => { concat!($("| `", $name, "` | ", stringify!($kind), " | ", $help, " |\n"),*) }
        }
    };
}

// Names end with a base unit, and with `_total` if the figure only grows. `docs/metrics.md` has these lines, too: the example
// `prometheus` writes it.
rows! {
    gauge("tidymap_entries", Count, "Entries", |s| s.len as f64);
    gauge("tidymap_capacity_entries", Count, "How many entries the map can hold without a new table",
        |s| s.capacity as f64);
    gauge("tidymap_read_entries", Count, "Entries in the read table, where one search finds them",
        |s| s.read_len as f64);
    gauge("tidymap_dirty_entries", Count, "Entries in the tables that are searched when the read table has no answer",
        |s| s.dirty_len as f64);
    counter("tidymap_misses_total", Count, "Reads that had to look beyond the read table, told in lots of 64",
        |s| s.misses);
    counter("tidymap_promotions_total", Count, "How often the entries were moved to a new read table",
        |s| s.promotions);
    counter("tidymap_retired_total", Count, "Removed entries and overwritten values", |s| s.retired);
    counter("tidymap_freed_total", Count, "How many of the retired have been dropped", |s| s.freed);
    gauge("tidymap_pending_entries", Count, "Removed entries and overwritten values that have not been dropped",
        |s| s.pending.entries as f64);
    gauge("tidymap_pending_bytes", Bytes, "Memory that goes back with what is pending, replaced tables included",
        |s| s.pending.bytes as f64);
    gauge("tidymap_live_guards", Count, "Sessions and Refs that are live, and calls that are running",
        |s| s.live_guards as f64);
    gauge("tidymap_oldest_guard_seconds", Seconds, "How long the oldest guard has been live; 0 if there is none",
        |s| s.oldest_guard.as_ref().map_or(0.0, |guard| guard.age.as_secs_f64()));
    gauge("tidymap_heap_tables_bytes", Bytes, "Memory in tables", |s| s.heap.tables as f64);
    gauge("tidymap_heap_entries_bytes", Bytes, "Memory in keys and values, without what these own elsewhere",
        |s| s.heap.entries as f64);
    gauge("tidymap_heap_records_bytes", Bytes, "Memory in records of the threads that have used the map",
        |s| s.heap.records as f64);
}

/// Hands the figures of a map to the [`metrics`] facade, and so to Prometheus and others. Needs the feature `metrics`.
///
/// Figures go out when [`record`](Self::record) is called, and at no other time: nothing is added to what the map does. Call it as
/// often as somebody looks, say every few seconds.
///
/// ```
/// use metrics_exporter_prometheus::PrometheusBuilder;
/// use tidymap::{HashMap, Metrics};
///
/// let recorder = PrometheusBuilder::new().install_recorder()?;
/// let sessions = HashMap::from([("alice", 7)]);
///
/// let metrics = Metrics::new("sessions");
/// metrics.record(&sessions.stats());
/// assert!(recorder.render().contains("tidymap_entries{map=\"sessions\"} 1\n"));
/// # Ok::<(), metrics_exporter_prometheus::BuildError>(())
/// ```
///
/// # Names
///
/// Each has one label, `map`: the name given to [`new`](Self::new). They follow the conventions of Prometheus, and an exporter that adds
/// units and `_total` to names where they lack adds nothing to these.
///
/// | name | kind | meaning |
/// |---|---|---|
#[doc = documentation!()]
///
/// The oldest guard's thread has no metric, for its name is no number: [`Stats::oldest_guard`] has it. Nor has [`Stats::read_fence`].
#[derive(Clone, Debug)]
pub struct Metrics {
    instruments: Vec<Instrument>,
}

impl Metrics {
    /// Registers the metrics of the map with this name, and says what they mean.
    ///
    /// *The recorder must have been installed before.* The metrics belong to the one that is there now; if there is none, they go
    /// nowhere. Allocates, and takes what locks the recorder takes; so make it once for each map, and keep it.
    ///
    /// Give each map a name of its own. A new map under the name of an old one goes on with its gauges, but its counters stand
    /// still until they have passed the old one's. The facade cannot take metrics back: when a map is gone, the last figures
    /// remain, unless the exporter forgets what is no longer recorded. If it does, record more often than it forgets.
    ///
    /// ```
    /// let (users, rooms) = (tidymap::HashMap::from([("alice", 7)]), tidymap::HashMap::from([("lobby", 1)]));
    /// let metrics = [tidymap::Metrics::new("users"), tidymap::Metrics::new("rooms")];
    /// metrics[0].record(&users.stats());
    /// metrics[1].record(&rooms.stats());
    /// ```
    #[must_use = "figures go out with `record`"]
    pub fn new(map: impl Into<String>) -> Self {
        let map = map.into();
        Metrics { instruments: ROWS.iter().map(|row| row.register(&map)).collect() }
    }

    /// Sends these figures, which are those of [`HashMap::stats`](super::HashMap::stats).
    ///
    /// Counters are set and not added to, so figures that are sent twice are counted once, and old ones that come late count
    /// nothing. Waits for nothing, unless the recorder does. With that of Prometheus it costs 70 ns; the call of `stats` costs more
    /// (500 ns, if one thread has used the map).
    ///
    /// ```
    /// let map = tidymap::HashMap::from([("alice", 7)]);
    /// let metrics = tidymap::Metrics::new("sessions");
    /// let stats = map.stats();
    /// metrics.record(&stats);
    /// println!("{} entries", stats.len);
    /// ```
    pub fn record(&self, stats: &Stats) {
        for instrument in &self.instruments {
            match instrument {
                Instrument::Gauge(gauge, figure) => gauge.set(figure(stats)),
                Instrument::Counter(counter, figure) => counter.absolute(figure(stats)),
            }
        }
    }
}

/// A registered metric, and the figure that it takes.
#[derive(Clone, Debug)]
enum Instrument {
    Gauge(Gauge, fn(&Stats) -> f64),
    Counter(Counter, fn(&Stats) -> u64),
}

struct Row {
    name: &'static str,
    unit: Unit,
    help: &'static str,
    figure: Figure,
}

enum Figure {
    Gauge(fn(&Stats) -> f64),
    Counter(fn(&Stats) -> u64),
}

const fn gauge(name: &'static str, unit: Unit, help: &'static str, figure: fn(&Stats) -> f64) -> Row {
    Row { name, unit, help, figure: Figure::Gauge(figure) }
}

const fn counter(name: &'static str, unit: Unit, help: &'static str, figure: fn(&Stats) -> u64) -> Row {
    Row { name, unit, help, figure: Figure::Counter(figure) }
}

impl Row {
    fn register(&self, map: &str) -> Instrument {
        let labels = [("map", map.to_owned())];
        match self.figure {
            Figure::Gauge(figure) => {
                metrics::describe_gauge!(self.name, self.unit, self.help);
                Instrument::Gauge(metrics::gauge!(self.name, &labels), figure)
            }
            Figure::Counter(figure) => {
                metrics::describe_counter!(self.name, self.unit, self.help);
                Instrument::Counter(metrics::counter!(self.name, &labels), figure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{GuardInfo, Heap, Pending};
    use super::*;

    /// No `..` here: who adds a figure gives it the next number, and a row in [`ROWS`].
    #[test]
    fn each_figure_has_one_metric() {
        let stats = Stats {
            len: 1,
            capacity: 2,
            read_len: 3,
            dirty_len: 4,
            misses: 5,
            promotions: 6,
            retired: 7,
            freed: 8,
            pending: Pending { entries: 9, bytes: 10 },
            live_guards: 11,
            oldest_guard: Some(GuardInfo {
                age: Duration::from_secs(12),
                thread: None,
                guards: 11,
                location: None,
                pending: Pending { entries: 9, bytes: 10 },
            }),
            heap: Heap { tables: 13, entries: 14, records: 15 },
            // No figure.
            read_fence: false,
        };
        let mut figures: Vec<_> = ROWS
            .iter()
            .map(|row| match row.figure {
                Figure::Gauge(figure) => figure(&stats) as u64,
                Figure::Counter(figure) => figure(&stats),
            })
            .collect();
        figures.sort_unstable();
        assert_eq!(figures, (1..=15).collect::<Vec<_>>(), "all numbers that stand above, once each");
    }

    #[test]
    fn the_page_has_each_metric() {
        let page = include_str!("../../docs/metrics.md");
        for line in documentation!().lines() {
            assert!(page.contains(line), "missing in docs/metrics.md, which the example `prometheus` writes: {line}");
        }
    }

    /// What Prometheus asks of names: base units at the end, and `_total` for what only grows.
    #[test]
    fn names_end_with_their_units() {
        for Row { name, unit, figure, .. } in ROWS {
            assert_eq!(name.ends_with("_total"), matches!(figure, Figure::Counter(_)), "{name}");
            for unit_with_suffix in [Unit::Bytes, Unit::Seconds] {
                let suffix = format!("_{}", unit_with_suffix.as_str());
                assert_eq!(name.ends_with(&suffix), *unit == unit_with_suffix, "{name}");
            }
        }
    }
}

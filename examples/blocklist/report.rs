//! What comes out of the job, as `--json` prints it, and whether it is as it must be.

use std::time::Duration;

use serde::Serialize;

use crate::readers::{Figures, Switches};

/// Everything.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// For all maps together.
    pub(crate) seconds: u64,
    pub(crate) readers: usize,
    /// Of so many addresses, one had its lookups timed.
    pub(crate) timed_one_in: usize,
    /// What reading the clock adds to each lookup that is timed.
    pub(crate) clock_ns: u64,
    pub(crate) lists: ListFigures,
    pub(crate) maps: Vec<MapReport>,
}

/// The two lists.
#[derive(Debug, Serialize)]
pub(crate) struct ListFigures {
    pub(crate) old_domains: usize,
    pub(crate) new_domains: usize,
    pub(crate) additions: usize,
    pub(crate) removals: usize,
}

/// What one map did.
#[derive(Debug, Serialize)]
pub(crate) struct MapReport {
    pub(crate) map: &'static str,
    /// In the stream and in the check after each reload.
    pub(crate) wrong_answers: u64,
    /// Lookups while a reload was going on.
    pub(crate) during: Lookups,
    /// Lookups while none was.
    pub(crate) between: Lookups,
    /// How often the system stopped a reader because it waited for something. Linux only.
    pub(crate) reader_waits: Option<u64>,
    /// How often the system stopped a reader because it was another thread's turn. Linux only.
    pub(crate) reader_preemptions: Option<u64>,
    /// Over all reloads.
    pub(crate) removed: u64,
    /// Destructors that had run when the last reload, and the flush after it, were over.
    pub(crate) dropped: u64,
    /// Removed, and not dropped after the pause that followed.
    pub(crate) undropped_at_the_end: u64,
    /// Not dropped when the map had been dropped itself.
    pub(crate) undropped_after_the_map: u64,
    /// Bytes in use when the map had been dropped, over those before it was made.
    pub(crate) heap_after_the_map: u64,
    pub(crate) reloads: Vec<ReloadReport>,
}

/// What one reload did.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct ReloadReport {
    /// The version that is in use afterwards.
    pub(crate) to: &'static str,
    pub(crate) added: u64,
    pub(crate) removed: u64,
    pub(crate) time_ms: f64,
    /// How long the pause before it was.
    pub(crate) pause_ms: f64,
    /// What was removed, in this reload or before, and not dropped when the last change had been made.
    pub(crate) undropped: u64,
    /// How long the map's call for dropping what is removed took then, if it has one.
    pub(crate) flush_ms: f64,
    /// Destructors that ran from the reload's beginning to the end of that call.
    pub(crate) dropped: u64,
    /// What is not dropped after that call.
    pub(crate) undropped_flushed: u64,
    /// What the map itself says of that, if it does.
    pub(crate) pending: Option<u64>,
    /// How often the map moved its entries to a new read table, if it does that.
    pub(crate) promotions: Option<u64>,
    /// Lookups in this reload.
    pub(crate) during: Lookups,
    /// Lookups in the pause before it.
    pub(crate) between: Lookups,
    /// Bytes in use before the reload, after it and the pause that follows, and at most meanwhile.
    pub(crate) heap_before: u64,
    pub(crate) heap_after: u64,
    pub(crate) heap_peak: u64,
}

/// The lookups of a phase.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Lookups {
    pub(crate) count: u64,
    pub(crate) per_second: f64,
    /// How many were timed; nanoseconds of these.
    pub(crate) timed: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) p99_9_ns: u64,
    pub(crate) max_ns: u64,
    /// The longest that `timed_one_in` addresses in a row took: no lookup took longer, timed or not.
    pub(crate) longest_in_a_row_ns: u64,
}

impl Lookups {
    pub(crate) fn new(figures: &Figures, time: Duration) -> Self {
        let quantile = |q| figures.latency.value_at_quantile(q);
        Lookups {
            count: figures.lookups,
            per_second: figures.lookups as f64 / time.as_secs_f64(),
            timed: figures.latency.len(),
            p50_ns: quantile(0.5),
            p99_ns: quantile(0.99),
            p99_9_ns: quantile(0.999),
            max_ns: figures.latency.max(),
            longest_in_a_row_ns: figures.longest_chunk,
        }
    }
}

impl MapReport {
    /// The mean of `figure` over the reloads for which there is one.
    pub(crate) fn mean(&self, figure: impl Fn(&ReloadReport) -> Option<f64>) -> f64 {
        let figures = || self.reloads.iter().filter_map(&figure);
        figures().sum::<f64>() / figures().count().max(1) as f64
    }

    /// The most of `figure` over the reloads.
    pub(crate) fn worst(&self, figure: impl Fn(&ReloadReport) -> u64) -> u64 {
        self.reloads.iter().map(figure).max().unwrap_or(0)
    }

    pub(crate) fn count_switches(&mut self, of_readers: impl IntoIterator<Item = Option<Switches>>) {
        let mut total = Some(Switches { waits: 0, preemptions: 0 });
        for switches in of_readers {
            total = total.zip(switches).map(|(total, one)| Switches {
                waits: total.waits + one.waits,
                preemptions: total.preemptions + one.preemptions,
            });
        }
        self.reader_waits = total.map(|total| total.waits);
        self.reader_preemptions = total.map(|total| total.preemptions);
    }

    /// What is not as it must be, one line each. Every map must answer right; one that says when it drops must keep to it.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut claim = |holds: bool, fault: String| {
            if !holds {
                faults.push(format!("{}: {fault}", self.map));
            }
        };
        claim(self.wrong_answers == 0, format!("{} wrong answers", self.wrong_answers));
        for (n, reload) in (1..).zip(&self.reloads) {
            let Some(pending) = reload.pending else { continue };
            claim(pending == 0, format!("{pending} entries are pending after reload {n}"));
            let left = reload.undropped_flushed;
            claim(left == 0, format!("{left} removed entries are not dropped after reload {n}"));
        }
        if self.reloads.iter().any(|reload| reload.pending.is_some()) {
            let left = self.undropped_after_the_map;
            claim(left == 0, format!("{left} entries are not dropped after the map was"));
        }
        faults
    }
}

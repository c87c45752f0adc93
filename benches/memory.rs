//! How much heap the maps hold, and when: `cargo bench -p tidymap-benches --bench memory`, or with a filter, `cargo bench -p tidymap-benches --bench memory -- clear`.
//!
//! Criterion measures bytes here, not time: those that a counting allocator says are in use, beyond what was in use before the
//! map was made, with the map's own size added. What criterion calls time is bytes, and throughput is bytes for each entry
//! that was inserted. Names are `pairs/stage/map/entries`; the tables at the end have them side by side, and below each
//! stands where this crate's map loses.
//!
//! The figures are counts of bytes that were asked for, and hardly differ from run to run. So each map is taken through its
//! stages once for each of criterion's samples if it is small, and twice if it has a million entries.

#[path = "../examples/common/grid.rs"]
mod grid;
#[path = "../tests/common/heap.rs"]
mod heap;
#[path = "memory/lives.rs"]
mod lives;
#[path = "../examples/common/maps.rs"]
mod maps;
#[path = "common/samples.rs"]
mod samples;
#[path = "memory/tables.rs"]
mod tables;

use std::cell::RefCell;
use std::collections::HashMap as StdMap;

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{BenchmarkId, Criterion, Throughput};

use crate::lives::{Life, Lived, Numbers, Stage, Texts, life};
use crate::maps::{Dash, Index, Locked, Papaya, Tidy};
use crate::samples::{Figures, SAMPLES};

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

/// Bytes in use, handed over by who has counted them.
struct Bytes;

impl Measurement for Bytes {
    type Intermediate = i64;
    type Value = f64;

    fn start(&self) -> i64 {
        heap::Level::default().bytes_since()
    }

    fn end(&self, before: i64) -> f64 {
        (heap::Level::default().bytes_since() - before) as f64
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

impl ValueFormatter for Bytes {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        let (unit, name) = match typical {
            ..10_240.0 => (1.0, "B"),
            10_240.0..10_485_760.0 => (1024.0, "KiB"),
            _ => (1_048_576.0, "MiB"),
        };
        values.iter_mut().for_each(|value| *value /= unit);
        name
    }

    fn scale_throughputs(&self, _typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let (Throughput::Elements(entries) | Throughput::Bytes(entries)) = throughput else { return "B" };
        values.iter_mut().for_each(|value| *value /= *entries as f64);
        "B/entry"
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "B"
    }
}

impl Figures for Bytes {
    fn value(bytes: f64, times: u64) -> f64 {
        bytes * times as f64
    }
}

/// Which map, with which keys and values, and how many: the way it goes, which criterion asks for stage by stage.
type Lives = RefCell<StdMap<(&'static str, &'static str, usize), Vec<Lived>>>;

/// One kind of keys and values: its name, and each map's life with so many of them.
struct Kind {
    name: &'static str,
    maps: [(&'static str, Life); 5],
}

fn kinds() -> [Kind; 2] {
    use maps::Family;
    macro_rules! maps {
        ($pairs:ty) => {
            [
                (Tidy::NAME, life::<Tidy, $pairs> as Life),
                (Locked::NAME, life::<Locked, $pairs>),
                (Dash::NAME, life::<Dash, $pairs>),
                (Papaya::NAME, life::<Papaya, $pairs>),
                (Index::NAME, life::<Index, $pairs>),
            ]
        };
    }
    [Kind { name: "u64-u64", maps: maps!(Numbers) }, Kind { name: "string-32", maps: maps!(Texts) }]
}

const SIZES: [usize; 7] = [0, 1, 10, 100, 1_000, 100_000, 1_000_000];

fn main() {
    let mut criterion = samples::settings(Criterion::default().with_measurement(Bytes));
    let (kinds, lives) = (kinds(), Lives::default());
    let sizes = || SIZES.into_iter().filter(|entries| !samples::only_a_test() || *entries <= 1_000);
    for kind in &kinds {
        for stage in Stage::ALL {
            let mut group = criterion.benchmark_group(format!("{}/{}", kind.name, stage.name()));
            for entries in sizes().filter(|entries| stage.is_reached_with(*entries)) {
                group.throughput(Throughput::Elements(entries.max(1) as u64));
                for (map, life) in kind.maps {
                    if lives::waits(map, stage) {
                        continue;
                    }
                    let lived = || {
                        let mut lives = lives.borrow_mut();
                        let lived = lives.entry((kind.name, map, entries)).or_insert_with(|| times(entries, life));
                        lived.iter().map(|lived| lived[&stage].bytes as f64).collect()
                    };
                    samples::bench(&mut group, BenchmarkId::new(map, entries), lived);
                }
            }
            group.finish();
        }
    }
    criterion.final_summary();
    let lives = lives.into_inner();
    for kind in &kinds {
        tables::print(kind.name, &kind.maps.map(|(map, _)| map), sizes(), |map, entries| {
            lives.get(&(kind.name, map, entries)).map(|lived| &lived[0])
        });
    }
}

/// Takes a map through its life as often as is worth while.
fn times(entries: usize, life: Life) -> Vec<Lived> {
    let times = match entries {
        _ if samples::only_a_test() => 1,
        ..1_000_000 => SAMPLES,
        _ => 2,
    };
    (0..times).map(|_| life(entries)).collect()
}

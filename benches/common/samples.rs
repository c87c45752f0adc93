//! Hands criterion samples that have been taken already.
//!
//! One run of a map gives many figures at once, and the maps take turns in it; criterion measures one figure after the
//! other. So what it asks for here has been measured before, or is now, for all that share the run.

use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use std::time::Duration;

/// As many as criterion wants at least.
pub(crate) const SAMPLES: usize = 10;

/// The settings for samples that are there already. The command line comes after them, and may ask for more.
pub(crate) fn settings<M: Measurement + 'static>(criterion: Criterion<M>) -> Criterion<M> {
    criterion
        .sample_size(SAMPLES)
        .nresamples(10_000)
        .warm_up_time(Duration::from_nanos(1))
        .measurement_time(Duration::from_millis(1))
        .without_plots()
        .configure_from_args()
}

/// True if everything is to run once, to see whether it runs at all: with `--test`, and not by `cargo bench`.
pub(crate) fn only_a_test() -> bool {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    given("--test") || !given("--bench")
}

/// A measurement whose values are made of a number and of how many times criterion wants it.
pub(crate) trait Figures: Measurement {
    fn value(one: f64, times: u64) -> Self::Value;
}

impl Figures for WallTime {
    fn value(nanoseconds: f64, times: u64) -> Duration {
        Duration::from_secs_f64(nanoseconds * 1e-9 * times as f64)
    }
}

/// Benches what `samples` gives, which is asked only if this one has been selected. If it gives fewer than criterion asks
/// for, they come again from the first.
pub(crate) fn bench<M: Figures + 'static>(
    group: &mut BenchmarkGroup<'_, M>,
    id: BenchmarkId,
    samples: impl Fn() -> Vec<f64>,
) {
    let mut turn = 0;
    group.bench_function(id, |bencher| {
        let taken = samples();
        assert!(taken.iter().all(|sample| *sample > 0.0), "criterion takes no zeros: {taken:?}");
        // Criterion comes once to warm up and then once for each sample.
        let sample = taken[turn % taken.len()];
        turn += 1;
        bencher.iter_custom(|times| M::value(sample, times));
    });
}

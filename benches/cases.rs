//! The cases of `cargo xtask bench`, one contender after the other, by criterion: `cargo bench -p tidymap-benches --bench cases`, or
//! with a filter, `cargo bench -p tidymap-benches --bench cases -- 'read/get.*tidymap'`. For what changes between two versions of this map;
//! between two maps the pairs of xtask say more, since both meet the same machine there.
//!
//! `EXTENT=smoke` (a few small cases), `chosen` (the default) or `full`.

use criterion::{BenchmarkId, Criterion};
use tidymap_benches::case::Case;
use tidymap_benches::suites::{self, Extent};

fn main() {
    let mut criterion = Criterion::default().sample_size(10).without_plots().configure_from_args();
    let extent = std::env::var("EXTENT").unwrap_or_else(|_| "chosen".to_owned());
    let extent: Extent = extent.parse().unwrap_or_else(|why| panic!("EXTENT: {why}"));
    for suite in suites::NAMES {
        suites::cases(suite, extent).iter().for_each(|case| bench(&mut criterion, case));
    }
    criterion.final_summary();
}

fn bench(criterion: &mut Criterion, case: &Case) {
    let mut group = criterion.benchmark_group(format!("{}/{}", case.suite, case.id()));
    for contender in case.ours.iter().chain(&case.theirs) {
        // Filled only if it is asked for.
        let mut round = None;
        group.bench_function(BenchmarkId::new(contender.map, contender.call), |bencher| {
            let round = round.get_or_insert_with(|| (contender.prepare)());
            // A round of its size; criterion wants the time of so many operations.
            bencher.iter_custom(|times| round(case.operations).mul_f64(times as f64 / case.operations as f64));
        });
    }
    group.finish();
}

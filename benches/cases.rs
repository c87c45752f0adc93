//! The cases of `cargo xtask bench`, one contender after the other, by criterion: `cargo bench -p tidymap-benches --bench cases`, or
//! with a filter, `cargo bench -p tidymap-benches --bench cases -- 'read/get.*tidymap'`. For what changes between two versions of this map;
//! between two maps the pairs of xtask say more, since both meet the same machine there.
//!
//! `EXTENT=smoke` (a few small cases), `chosen` (the default) or `full`. `PEERS=none` leaves the others away: some of them
//! panic, or lose a key, now and then, and that ends the run. Go, which has a harness of its own, is only in xtask's.

use criterion::{BenchmarkId, Criterion};
use tidymap_benches::case::{Case, Contender};
use tidymap_benches::maps::Protection;
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
    let peers = if std::env::var("PEERS").is_ok_and(|peers| peers == "none") { &[][..] } else { &case.theirs };
    let here = |contender: &&Contender| contender.protection != Protection::Collected;
    for contender in case.ours.iter().chain(peers).filter(here) {
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

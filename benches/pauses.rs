//! How long a single call may take while a map grows: `cargo bench -p tidymap-benches --bench pauses`, or with a filter,
//! `cargo bench -p tidymap-benches --bench pauses -- 'closed/max'`. Ten million keys take their time and have to be asked for:
//! `cargo bench -p tidymap-benches --bench pauses -- 'closed/.*/10000000'`.
//!
//! Growths from nothing, u64 to u64, one hasher for all. Each call is timed and recorded; the max is the max. Names are
//! `form/figure/map/keys`. The forms: `closed`, inserts one after the other; `cpu`, the same in the thread's own CPU time, which
//! leaves out what the machine does to others' benefit; `open`, inserts that arrive at fixed times, each timed from when it was
//! due; `reads`, reads that arrive at fixed times while another thread inserts. Beside the maps stand controls: nothing at all
//! in the same loop, and a Box of an entry's size for each key. All take turns, round by round, and each finds an allocator that has
//! been tidied up. What criterion shows are the rounds' means and maxima; the tables have all of it. In these, `every round`
//! is the longest time that was met at the same keys in each round: that is the map's doing, while a maximum may be the machine's.
//!
//! Of ten million keys there are three rounds, which criterion gets again and again: it insists on ten. Settings, as environment
//! variables: `PAUSES_KEYS=1000,10000` other sizes, `PAUSES_RATE=200000` other arrivals in a second, `PAUSES_ROUNDS=5`.

#[path = "pauses/forms.rs"]
mod forms;
#[path = "../examples/common/grid.rs"]
mod grid;
#[path = "../examples/common/maps.rs"]
mod maps;
#[path = "pauses/promotions.rs"]
mod promotions;
#[path = "common/random.rs"]
mod random;
#[path = "pauses/rounds.rs"]
mod rounds;
#[path = "common/samples.rs"]
mod samples;

use criterion::{BenchmarkId, Criterion};

use tidymap_benches::clock;

use crate::forms::Form;
use crate::rounds::Rounds;

fn main() {
    let mut criterion = samples::settings(Criterion::default());
    let rounds = Rounds::new();
    for form in Form::ALL {
        if form == Form::Cpu && clock::thread_time().is_none() {
            continue;
        }
        for keys in sizes() {
            for (figure, of) in rounds::FIGURES {
                let mut group = criterion.benchmark_group(format!("{}/{figure}", form.name()));
                for name in rounds.names(form) {
                    samples::bench(&mut group, BenchmarkId::new(name, keys), || rounds.figures(form, keys, name, of));
                }
                group.finish();
            }
            rounds.print(form, keys);
        }
    }
    promotions::bench(&mut criterion, *sizes().iter().max().expect("there are sizes"));
    criterion.final_summary();
}

fn sizes() -> Vec<u64> {
    if samples::only_a_test() {
        return vec![1_000];
    }
    if let Ok(asked) = std::env::var("PAUSES_KEYS") {
        return asked.split(',').map(|size| size.trim().parse().expect("PAUSES_KEYS: numbers, with commas")).collect();
    }
    let mut sizes = vec![100_000, 1_000_000];
    if std::env::args().any(|argument| argument.contains("10000000")) {
        sizes.push(10_000_000);
    }
    sizes
}

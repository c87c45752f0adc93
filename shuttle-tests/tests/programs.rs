//! Random programs by schedules of chance, and by those of probabilistic concurrency testing (PCT), which change their mind rarely and at
//! chosen moments. `SHUTTLE_PROGRAMS=20000` makes a long run of it.
#![cfg(shuttle)]

use std::sync::{Arc, Mutex};

use shuttle::Runner;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle_tests::{Program, Seen, config, execute};

/// Schedules of each program.
const SCHEDULES: usize = 10;

fn programs() -> u64 {
    std::env::var("SHUTTLE_PROGRAMS").map_or(400, |programs| programs.parse().expect("a number of programs"))
}

/// Runs so many programs, and fails if they come upon nothing of what they are for.
fn run<S: Scheduler + 'static>(first: u64, scheduler: impl Fn(u64) -> S) {
    let sum = Arc::new(Mutex::new(Seen::default()));
    for seed in first..first + programs() {
        let (program, sum) = (Program::random(seed), sum.clone());
        Runner::new(scheduler(seed), config()).run(move || {
            let seen = execute(&program);
            let mut sum = sum.lock().unwrap();
            sum.calls += seen.calls;
            sum.overlapping += seen.overlapping;
            sum.calm += seen.calm;
            sum.promotions += seen.promotions;
        });
    }
    let sum = *sum.lock().unwrap();
    println!("{sum:?}");
    assert!(sum.overlapping * 10 > sum.calls, "{sum:?}");
    assert!(sum.calm > 0 && sum.promotions > 0, "{sum:?}");
}

#[test]
fn random_schedules() {
    run(0, |seed| RandomScheduler::new_from_seed(seed, SCHEDULES));
}

#[test]
fn pct_schedules() {
    run(1_000_000, |seed| PctScheduler::new_from_seed(seed, 3, SCHEDULES));
}

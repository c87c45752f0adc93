//! Any sequence of calls of a map with several values a key, against a map of vectors, with panics in the user's code: every answer, and
//! after every step what is alive. The run is that of the test `multi_map`.
//!
//! ```text
//! cargo +nightly fuzz run multi -- -max_total_time=60 -max_len=512
//! ```
#![no_main]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod input;
#[path = "../../../tests/multi_map/run.rs"]
mod run;
#[path = "../../../tests/multi_map/vectors.rs"]
mod vectors;

use input::Hostile;
use libfuzzer_sys::fuzz_target;
use run::run_with;
use tidymap_fuzz::Input;

fuzz_target!(|input: Input<Hostile>| {
    run_with(input.hashes, &[], &input.steps, |run, Hostile { fuse, step }| {
        run.fuses = vec![*fuse];
        run.step(step);
    });
});

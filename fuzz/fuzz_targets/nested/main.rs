//! Any sequence of calls of a map of maps, against maps of the standard library: every answer, and after every step all that can be seen. The run is
//! that of the test `nested`.
//!
//! ```text
//! cargo +nightly fuzz run nested -- -max_total_time=60 -max_len=512
//! ```
#![no_main]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod input;
#[path = "../../../tests/nested/run.rs"]
mod run;

use libfuzzer_sys::fuzz_target;
use tidymap_fuzz::Input;

fuzz_target!(|input: Input<run::Step>| run::agree(input.hashes, &input.steps));

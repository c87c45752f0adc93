//! Any sequence of calls, against a map of the standard library: every answer, and after every step what is alive.
//!
//! ```text
//! cargo +nightly fuzz run differential -- -max_total_time=60 -max_len=512
//! ```
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidymap_fuzz::{Input, Plain, differential};

fuzz_target!(|input: Input<Plain>| differential(&input));

//! The same with panics in the user's code, at any call of it: the map stays whole, and nothing is lost or dropped twice.
//!
//! ```text
//! cargo +nightly fuzz run panics -- -max_total_time=60 -max_len=512
//! ```
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidymap_fuzz::{Hostile, Input, panics};

fuzz_target!(|input: Input<Hostile>| panics(&input));

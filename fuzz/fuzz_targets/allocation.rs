//! The same with tables for which there is no memory: `try_reserve` says so, and the map is as it was.
//!
//! ```text
//! cargo +nightly fuzz run allocation -- -max_total_time=60 -max_len=512
//! ```
#![no_main]
#![feature(alloc_error_hook)]

use libfuzzer_sys::fuzz_target;
use tidymap_fuzz::memory::{Allocator, give_up};
use tidymap_fuzz::{Input, Starved, allocation};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fuzz_target!(
    init: std::alloc::set_alloc_error_hook(give_up),
    |input: Input<Starved>| allocation(&input)
);

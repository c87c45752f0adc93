//! Any sequence of calls of a set, against one of the standard library, with panics in the user's code: every answer, and after every
//! step what is alive. The run is that of the test `set`.
//!
//! ```text
//! cargo +nightly fuzz run sets -- -max_total_time=60 -max_len=512
//! ```
#![no_main]

#[path = "../../../tests/common/mod.rs"]
mod common;
mod input;
#[path = "../../../tests/differential/model.rs"]
#[allow(dead_code, reason = "of it guards and garbage: what is in the set, the standard library's tells")]
mod model;
#[path = "../../../tests/set/run.rs"]
mod run;
#[path = "../../../tests/set/twin.rs"]
mod twin;
#[path = "../../../tests/set/whole.rs"]
mod whole;

use input::Hostile;
use libfuzzer_sys::fuzz_target;
use run::{Settings, run_with};
use tidymap::Reclaim;
use tidymap_fuzz::Input;

fuzz_target!(|input: Input<Hostile>| {
    let settings = Settings {
        hasher: input.hashes,
        reclaim: input.batch.map_or(Reclaim::Immediate, |items| Reclaim::Batched(items.into())),
        max_pending: input.max_pending.map(usize::from),
        fuses: Vec::new(),
    };
    run_with(settings, &input.steps, |run, Hostile { fuse, step }| {
        run.fuses = vec![*fuse];
        run.step(step);
    });
});

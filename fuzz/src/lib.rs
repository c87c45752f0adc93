//! What the fuzz targets of one thread share: the run of the differential test (`tests/differential`), with its steps and its map's
//! settings read from bytes.
//!
//! - [`bytes`] and [`input`]: what the bytes say; [`hashes`]: the hash functions, most of them bad;
//! - [`kinds`]: what each target does with a step; [`memory`]: the allocator of one of them.

#[path = "../../tests/differential/answers.rs"]
mod answers;
pub mod bytes;
#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/differential/exclusive.rs"]
mod exclusive;
#[path = "../../tests/differential/flights.rs"]
mod flights;
#[path = "../../tests/differential/guards.rs"]
mod guards;
mod hashes;
mod input;
mod kinds;
#[path = "../../tests/differential/many.rs"]
mod many;
pub mod memory;
#[path = "../../tests/differential/model.rs"]
mod model;
#[path = "../../tests/differential/run.rs"]
mod run;
#[path = "../../tests/differential/settings.rs"]
#[allow(dead_code, reason = "the test's own way in")]
mod settings;
#[path = "../../tests/differential/state.rs"]
mod state;
#[path = "../../tests/differential/steps.rs"]
mod steps;
#[path = "../../tests/differential/world.rs"]
mod world;

use kinds::Kind;
use settings::{Settings, run_with};
use tidymap::Reclaim;

pub use hashes::Hashes;
pub use input::Input;
pub use kinds::{Hostile, Plain, Starved};

// Not generic, so that what they share is compiled once, and here.

/// The target of this name.
pub fn differential(input: &Input<Plain>) {
    run(input);
}

/// The target of this name.
pub fn panics(input: &Input<Hostile>) {
    run(input);
}

/// The target of this name.
pub fn allocation(input: &Input<Starved>) {
    run(input);
}

/// Does what the input says, and panics if anything is not as it should be.
fn run<T: Kind>(input: &Input<T>) {
    let settings = Settings {
        hasher: input.hashes,
        capacity: usize::from(input.capacity),
        reclaim: input.batch.map_or(Reclaim::Immediate, |items| Reclaim::Batched(usize::from(items))),
        max_pending: input.max_pending.map(usize::from),
        hook: input.hook,
        fuses: Vec::new(),
    };
    let steps = &input.steps;
    if input.large {
        run_with::<[u64; 9], Hashes, T>(settings, steps, |run, step| step.go(run), Kind::alone);
    } else {
        run_with::<u64, Hashes, T>(settings, steps, |run, step| step.go(run), Kind::alone);
    }
}

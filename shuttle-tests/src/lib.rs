//! Programs of two or three threads on few keys, run under a scheduler that is told who goes on at each access to shared memory.
//! What they do is recorded, and checked like the histories of real runs (`tests/linearizability`); what is alive is counted.
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test --release -p shuttle-tests
//! RUSTFLAGS="--cfg shuttle" cargo +nightly fuzz run schedule --target-dir target/shuttle-fuzz
//! ```
//!
//! - [`program`]: what threads do, read from bytes; [`actor`]: one that does it, [`calls`]: the calls that are recorded;
//! - [`execution`]: one run of a program, and what has to hold in it and after it; [`schedule`]: the scheduler of the fuzz target.
//!
//! Shuttle knows no weak memory: what is wrong here is wrong on every machine. The rest is for loom.
#![cfg(shuttle)]

mod actor;
mod calls;
#[path = "../../tests/linearizability/checker.rs"]
#[allow(dead_code, reason = "a part of it is for long histories")]
mod checker;
#[path = "../../tests/common/mod.rs"]
mod common;
mod execution;
#[path = "../../tests/linearizability/model.rs"]
#[allow(dead_code, reason = "the tests record more")]
mod model;
mod program;
mod schedule;

pub use execution::{Seen, config, execute};
pub use program::Program;
pub use schedule::Told;

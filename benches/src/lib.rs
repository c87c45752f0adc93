//! What is measured of tidymap and its peers, and how.
//!
//! - [`maps`] is the field: each map, and the ways in which it can be read;
//! - [`keys`] are keys, values, and the order in which they are asked for;
//! - [`suites`] are the workloads, as [cases](case::Case): one workload, and who takes part in it;
//! - [`go`] is a peer that brings its own benchmarks;
//! - [`paired`] measures a case: this map and one peer in turns, in one process, so that a machine's drift cancels;
//! - [`open_loop`] times single operations, which arrive at fixed times;
//! - [`results`] is what comes out, as it is stored; [`report`] makes pages and plots of it.
//!
//! `cargo xtask bench` runs it all; the criterion benches measure the same cases one by one.

pub mod case;
pub mod clock;
pub mod go;
pub mod keys;
pub mod machine;
pub mod maps;
pub mod open_loop;
pub mod paired;
pub mod report;
pub mod results;
pub mod suites;
pub mod threads;

/// Why a task could not be done.
pub type Failure = Box<dyn std::error::Error>;

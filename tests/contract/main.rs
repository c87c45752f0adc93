//! The contract, line by line: each test names the line that it shows (see the crate's documentation).

mod cap;
mod consistency;
mod drop_time;
mod everything;
mod faults;
mod hook;
#[cfg(feature = "guard-locations")]
mod locations;
mod many;
mod memory;
mod own_thread;
mod owned;
mod owned_sessions;
mod progress;
mod read_fence;
mod readers;
mod reclamation;
mod single_flight;
// As below.
#[cfg(not(loom))]
mod single_flight_tasks;
mod support;
mod tables;
// By a runtime that is not there under loom.
#[cfg(not(loom))]
mod tasks;
#[cfg(feature = "arc-swap")]
mod views;
mod visible;
#[cfg(feature = "tracing")]
mod warnings;

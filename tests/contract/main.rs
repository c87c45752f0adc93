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
#[path = "../common/rounds.rs"]
mod rounds;
mod single_flight;
mod single_flight_tasks;
mod support;
mod tables;
mod tasks;
#[cfg(feature = "arc-swap")]
mod views;
mod visible;
#[cfg(feature = "tracing")]
mod warnings;

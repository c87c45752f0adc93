//! The contract, line by line: each test names the line that it shows (see the crate's documentation).

mod consistency;
mod drop_time;
mod faults;
#[cfg(feature = "guard-locations")]
mod locations;
mod memory;
mod progress;
mod reclamation;
mod support;
mod tables;
mod visible;
#[cfg(feature = "tracing")]
mod warnings;

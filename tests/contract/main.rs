//! The contract, line by line: each test names the line that it shows (see the crate's documentation).

mod attack;
mod attack_all;
mod consistency;
mod drop_time;
mod faults;
mod memory;
mod progress;
mod reclamation;
mod support;
mod tables;

//! [`NestedMap`](tidymap::NestedMap): inner maps that are there as long as they have entries.
//!
//! - [`differential`]: everything that it can do, in any order, beside maps of the standard library ([`run`]);
//! - [`contract`]: lines of the contract on both levels, by number; [`memory`]: what it takes, by a counting allocator;
//! - [`races`]: the last removal against the next insert, by many threads; [`faults`]: F1, R5.

#[path = "../common/mod.rs"]
mod common;
mod contract;
mod differential;
mod faults;
mod memory;
mod races;
mod run;

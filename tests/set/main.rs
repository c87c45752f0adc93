//! Sets: what they share with the standard library's, and what with the map.
//!
//! - [`like_std`]: the tests of the standard library's set, where they apply;
//! - [`differential`]: everything that a set can do, in any order, beside a set of the standard library ([`run`], [`whole`], [`twin`]);
//! - [`contract`]: lines of the contract where sets have code of their own, by number; [`faults`]: F1 to F3;
//! - [`two_sets`]: operations of two sets beside writers.

#[path = "../common/mod.rs"]
mod common;
mod contract;
mod differential;
mod faults;
mod like_std;
#[path = "../differential/model.rs"]
#[allow(dead_code, reason = "of it guards and garbage: what is in the set, the standard library's tells")]
mod model;
mod run;
mod twin;
mod two_sets;
mod whole;

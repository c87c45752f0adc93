//! What takes `&mut`, or the map itself: values changed in place, pairs by value.
//!
//! - [`against_std`]: any of it, in any order, beside a map of the standard library; [`figures`]: what `stats`, the hook and
//!   the cap hear of it;
//! - [`faults`]: destructors and closures that panic, iterators and guards that are leaked; [`lookups`]: by what a key is looked up.

mod against_std;
#[path = "../common/mod.rs"]
mod common;
mod faults;
mod figures;
mod lookups;

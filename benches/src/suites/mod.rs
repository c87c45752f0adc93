//! The workloads.

pub mod mixed;
pub mod read;
pub mod tail;
pub mod write;

use crate::case::Case;

/// How much of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Each kind of case once, with few keys: to see whether it runs.
    Smoke,
    /// What is published.
    Chosen,
    /// Every combination. Takes hours.
    Full,
}

/// A suite by its name, if it has cases. [`tail`] has none: it measures single calls.
pub fn cases(suite: &str, extent: Extent) -> Option<Vec<Case>> {
    match suite {
        "mixed" => Some(mixed::cases(extent)),
        "read" => Some(read::cases(extent)),
        "write" => Some(write::cases(extent)),
        _ => None,
    }
}

/// The names of all suites.
pub const NAMES: &[&str] = &["mixed", "read", "tail", "write"];

//! The workloads.

pub mod read;

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

/// A suite by its name.
pub fn cases(suite: &str, extent: Extent) -> Option<Vec<Case>> {
    match suite {
        "read" => Some(read::cases(extent)),
        _ => None,
    }
}

/// The names of all suites.
pub const NAMES: &[&str] = &["read", "scaling"];

/// Does the allocator have a part in the suite's figures, beyond where it lays things?
pub fn depends_on_allocator(suite: &str) -> bool {
    suite != "scaling" && suite != "go_port"
}

//! The workloads.

pub mod go_port;
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
        "go_port" => Some(go_port::cases(extent)),
        "read" => Some(read::cases(extent)),
        _ => None,
    }
}

/// The names of all suites.
pub const NAMES: &[&str] = &["read", "go_port"];

/// Gets what a suite's peers need and this program does not bring.
///
/// # Errors
/// Says what is missing.
pub fn make_ready(suite: &str) -> Result<(), String> {
    match suite {
        "go_port" => go_port::ready(),
        _ => Ok(()),
    }
}

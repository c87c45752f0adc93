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

impl std::str::FromStr for Extent {
    type Err = String;

    fn from_str(name: &str) -> Result<Extent, String> {
        match name {
            "smoke" => Ok(Extent::Smoke),
            "chosen" => Ok(Extent::Chosen),
            "full" => Ok(Extent::Full),
            other => Err(format!("no such extent: {other}")),
        }
    }
}

/// The cases of a suite that has any.
pub fn cases(suite: &str, extent: Extent) -> Vec<Case> {
    match suite {
        "mixed" => mixed::cases(extent),
        "read" => read::cases(extent),
        "write" => write::cases(extent),
        _ => Vec::new(),
    }
}

/// The names of all suites.
pub const NAMES: &[&str] = &["mixed", "read", "scaling", "tail", "write"];

/// Does the allocator have a part in the suite's figures, beyond where it lays things?
pub fn depends_on_allocator(suite: &str) -> bool {
    suite != "scaling" && suite != "go_port"
}

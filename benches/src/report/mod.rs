//! Pages and plots of results.

#[path = "../../../examples/common/grid.rs"]
mod grid;
mod page;
mod plots;

use std::path::{Path, PathBuf};

use crate::Failure;
use crate::results::Results;

/// Where plots and figures are, beside the page.
const FOLDER: &str = "docs/benchmarks";

/// The figures, as they are stored.
pub fn json(to: &Path) -> PathBuf {
    to.join(FOLDER).join("results.json")
}

/// Stores the figures.
pub fn store(results: &Results, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to.join(FOLDER))?;
    Ok(std::fs::write(json(to), serde_json::to_string_pretty(results)? + "\n")?)
}

/// Writes the page and the plots.
pub fn write(results: &Results, to: &Path) -> Result<(), Failure> {
    store(results, to)?;
    let plots = plots::all(results)?;
    for plot in &plots {
        std::fs::write(to.join(FOLDER).join(format!("{}.svg", plot.name)), &plot.svg)?;
    }
    let plots: Vec<_> = plots.iter().map(|plot| (plot.title.as_str(), format!("{FOLDER}/{}.svg", plot.name))).collect();
    Ok(std::fs::write(to.join("BENCHMARKS.md"), page::page(results, &plots))?)
}

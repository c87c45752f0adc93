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

/// Stores the figures, each on a line of its own.
pub fn store(results: &Results, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to.join(FOLDER))?;
    let mut lists = Vec::new();
    if let serde_json::Value::Object(all) = serde_json::to_value(results)? {
        for (name, value) in all {
            lists.push(match value {
                serde_json::Value::Array(items) => {
                    let items: Vec<_> = items.iter().map(|item| format!("\n  {item}")).collect();
                    format!("\n \"{name}\": [{}\n ]", items.join(","))
                }
                other => format!("\n \"{name}\": {other}"),
            });
        }
    }
    Ok(std::fs::write(json(to), format!("{{{}\n}}\n", lists.join(",")))?)
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

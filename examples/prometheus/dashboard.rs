//! The dashboard: a grid of panels, each with some of the scraped figures over time.

use std::error::Error;
use std::time::Duration;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::exporter::LOOKUPS;
use crate::scrape::Scrape;

/// Told apart by people who see colours differently, too (Okabe and Ito).
const COLORS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];

const COLUMNS: usize = 2;
const WIDTH: u32 = 960;
const PANEL_HEIGHT: u32 = 210;
/// The part of a panel for its title and for what the lines are.
const TITLE: u32 = 44;

struct Panel {
    title: &'static str,
    /// What the figures are divided by.
    unit: f64,
    lines: &'static [Line],
}

struct Line {
    metric: &'static str,
    /// What it is called in the panel, where there are several.
    label: &'static str,
    /// Not the figure itself, but its growth in a second.
    is_rate: bool,
}

const fn level(metric: &'static str, label: &'static str) -> Line {
    Line { metric, label, is_rate: false }
}

const fn rate(metric: &'static str, label: &'static str) -> Line {
    Line { metric, label, is_rate: true }
}

const MIB: f64 = (1 << 20) as f64;

const PANELS: &[Panel] = &[
    Panel { title: "Lookups a second, millions", unit: 1e6, lines: &[rate(LOOKUPS, "")] },
    Panel {
        title: "Entries, thousands",
        unit: 1e3,
        lines: &[
            level("tidymap_entries", "all"),
            level("tidymap_read_entries", "in the read table"),
            level("tidymap_dirty_entries", "beyond it"),
        ],
    },
    Panel { title: "Oldest guard, seconds", unit: 1.0, lines: &[level("tidymap_oldest_guard_seconds", "")] },
    Panel { title: "Pending entries, thousands", unit: 1e3, lines: &[level("tidymap_pending_entries", "")] },
    Panel {
        title: "Removed and dropped a second, thousands",
        unit: 1e3,
        lines: &[rate("tidymap_retired_total", "removed"), rate("tidymap_freed_total", "dropped")],
    },
    Panel { title: "Pending, MiB", unit: MIB, lines: &[level("tidymap_pending_bytes", "")] },
    Panel { title: "Promotions since the start", unit: 1.0, lines: &[level("tidymap_promotions_total", "")] },
    Panel {
        title: "Heap, MiB (pending included)",
        unit: MIB,
        lines: &[level("tidymap_heap_entries_bytes", "keys and values"), level("tidymap_heap_tables_bytes", "tables")],
    },
];

/// The dashboard, as SVG.
///
/// # Errors
/// If a scrape lacks a figure.
pub(crate) fn svg(scrapes: &[(Duration, Scrape)]) -> Result<String, Box<dyn Error>> {
    let rows = PANELS.len().div_ceil(COLUMNS);
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (WIDTH, PANEL_HEIGHT * rows as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    for (panel, area) in PANELS.iter().zip(area.split_evenly((rows, COLUMNS))) {
        panel.draw(scrapes, &area)?;
    }
    area.present()?;
    drop(area);
    Ok(svg)
}

impl Panel {
    fn draw(
        &self,
        scrapes: &[(Duration, Scrape)],
        area: &DrawingArea<SVGBackend<'_>, Shift>,
    ) -> Result<(), Box<dyn Error>> {
        let lines: Vec<_> = self.lines.iter().map(|line| line.points(scrapes, self.unit)).collect::<Result<_, _>>()?;
        let most = lines.iter().flatten().map(|&(_, value)| value).fold(0.0, f64::max);
        let end = scrapes.last().map_or(0.0, |(at, _)| at.as_secs_f64());

        let (title, area) = area.split_vertically(TITLE);
        title.draw(&Text::new(self.title, (50, 8), ("sans-serif", 16)))?;
        let mut chart = ChartBuilder::on(&area)
            .margin_right(20)
            .x_label_area_size(24)
            .y_label_area_size(50)
            .build_cartesian_2d(0.0..end, 0.0..(most * 1.05).max(f64::MIN_POSITIVE))?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(7)
            .y_labels(5)
            .x_label_formatter(&|seconds| format!("{seconds:.0} s"))
            .y_label_formatter(&|value| format!("{value:.1}").trim_end_matches(".0").to_owned())
            .draw()?;
        let mut x = 50;
        for ((line, points), color) in self.lines.iter().zip(lines).zip(COLORS) {
            chart.draw_series(LineSeries::new(points, color.stroke_width(2)))?;
            if !line.label.is_empty() {
                title.draw(&PathElement::new([(x, 36), (x + 14, 36)], color.stroke_width(3)))?;
                title.draw(&Text::new(line.label, (x + 18, 30), ("sans-serif", 12)))?;
                x += 40 + 7 * line.label.len() as i32;
            }
        }
        Ok(())
    }
}

impl Line {
    fn points(&self, scrapes: &[(Duration, Scrape)], unit: f64) -> Result<Vec<(f64, f64)>, String> {
        let levels: Vec<_> = scrapes
            .iter()
            .map(|(at, scrape)| Some((at.as_secs_f64(), scrape.value(self.metric)? / unit)))
            .collect::<Option<_>>()
            .ok_or_else(|| format!("{} was not scraped", self.metric))?;
        let rate = |pair: &[(f64, f64)]| (pair[1].0, (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0));
        Ok(if self.is_rate { levels.windows(2).map(rate).collect() } else { levels })
    }
}

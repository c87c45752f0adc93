//! The plots of a page.

use std::collections::BTreeMap;

use plotters::prelude::*;

use crate::Failure;
use crate::results::Results;

/// A plot as SVG.
pub struct Plot {
    /// Of the file.
    pub name: String,
    pub title: String,
    pub svg: String,
}

/// Told apart by people who see colours differently, too (Okabe and Ito); then in greys.
const COLORS: [RGBColor; 10] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(110, 110, 110),
    RGBColor(160, 160, 160),
    RGBColor(200, 200, 200),
];

const WIDTH: u32 = 960;
const HEIGHT: u32 = 420;
/// The part of the width that says which line is whose.
const KEY: u32 = 230;

/// A line: whose, and its points.
type Line = (String, Vec<(f64, f64)>);

/// All plots for which there are figures.
pub fn all(results: &Results) -> Result<Vec<Plot>, Failure> {
    let mut plots = Vec::new();
    for (name, title, calls, key) in [
        ("read-kept", "get under a guard that is kept, u64 keys: ns", ["pin() for many", "reader()"], "u64"),
        ("read-one-shot", "one-shot get, u64 keys: ns", ["get()", "get()"], "u64"),
        (
            "read-kept-strings",
            "get under a guard that is kept, keys of 16 to 64 bytes: ns",
            ["pin() for many", "reader()"],
            "16-64 bytes",
        ),
        ("read-one-shot-strings", "one-shot get, keys of 16 to 64 bytes: ns", ["get()", "get()"], "16-64 bytes"),
    ] {
        let lines = by_size(results, &calls, key);
        if !lines.is_empty() {
            let svg = lines_over_sizes(title, &lines)?;
            plots.push(Plot { name: name.to_owned(), title: title.to_owned(), svg });
        }
    }
    for suite in ["go_port", "mixed", "write"] {
        let bars = ratios(results, suite);
        if !bars.is_empty() {
            let title = format!("{suite}: how many times as long the others take (above 1 tidymap is ahead)");
            let svg = ratio_bars(&title, &bars)?;
            plots.push(Plot { name: suite.to_owned(), title, svg });
        }
    }
    Ok(plots)
}

/// Nanoseconds over the number of keys, of the plain lookups by one thread.
fn by_size(results: &Results, calls: &[&str], key: &str) -> Vec<Line> {
    let mut lines: BTreeMap<String, BTreeMap<u64, f64>> = BTreeMap::new();
    let plain = [
        ("key", key),
        ("value", "u64"),
        ("hits", "100 %"),
        ("order", "uniform"),
        ("lookups", "independent"),
        ("threads", "1"),
    ];
    for it in &results.comparisons {
        let is_plain = plain.iter().all(|(label, value)| it.labels.get(*label).is_some_and(|has| has == value));
        if it.suite != "read" || it.allocator != "system" || !is_plain || !calls.contains(&it.ours.call.as_str()) {
            continue;
        }
        let Some(keys) = it.labels.get("keys").and_then(|keys| keys.parse().ok()) else { continue };
        for side in [&it.ours, &it.theirs] {
            let name = format!("{}, {}", side.map, side.call);
            lines.entry(name).or_default().insert(keys, side.nanoseconds.median);
        }
    }
    let mut lines: Vec<Line> = lines
        .into_iter()
        .map(|(name, points)| (name, points.into_iter().map(|(keys, time)| (keys as f64, time)).collect()))
        .collect();
    // This map's first.
    lines.sort_by_key(|(name, _)| !name.starts_with("tidymap"));
    lines
}

fn lines_over_sizes(title: &str, lines: &[Line]) -> Result<String, Failure> {
    let mut svg = String::new();
    {
        let points = || lines.iter().flat_map(|(_, points)| points);
        let most = points().map(|point| point.1).fold(1.0, f64::max) * 1.2;
        let least = points().map(|point| point.1).fold(f64::MAX, f64::min) / 1.2;
        let (first, last) =
            points().fold((f64::MAX, 1.0_f64), |(low, high), point| (low.min(point.0), high.max(point.0)));
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        area.fill(&WHITE)?;
        let (area, key) = area.split_horizontally(WIDTH - KEY);
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d((first..last * 1.01).log_scale(), (least..most).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("keys")
            .x_label_formatter(&|keys| format!("{keys:.0}"))
            .y_label_formatter(&|time| format!("{time:.0}"))
            .draw()?;
        for (n, (name, points)) in lines.iter().enumerate().rev() {
            let color = COLORS[n % COLORS.len()];
            let width = if name.starts_with("tidymap") { 4 } else { 2 };
            chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(width)).point_size(3))?;
            let y = 60 + 22 * n as i32;
            key.draw(&PathElement::new([(0, y), (18, y)], color.stroke_width(width)))?;
            key.draw(&Text::new(name.as_str(), (24, y - 6), ("sans-serif", 13)))?;
        }
        area.present()?;
    }
    Ok(svg)
}

/// The median of the ratios to each peer, of each case.
fn ratios(results: &Results, suite: &str) -> Vec<(String, f64)> {
    let mut by_peer: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for it in results.comparisons.iter().filter(|it| it.suite == suite && it.allocator == "system") {
        by_peer.entry((it.case.clone(), it.theirs.map.clone())).or_default().push(it.ratio.median.ln());
    }
    let mean = |logarithms: Vec<f64>| (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp();
    by_peer.into_iter().map(|((case, peer), ratios)| (format!("{case}: {peer}"), mean(ratios))).collect()
}

/// One bar for each ratio, from 1 to the right where this map is ahead, and to the left where it is behind.
fn ratio_bars(title: &str, bars: &[(String, f64)]) -> Result<String, Failure> {
    const ROW: i32 = 18;
    const NAMES: i32 = 380;
    let height = 60 + ROW * bars.len() as i32;
    let most = bars.iter().map(|(_, ratio)| ratio.ln().abs()).fold(0.1, f64::max);
    let width = f64::from(WIDTH as i32 - NAMES - 60) / 2.0;
    let one = NAMES + width as i32;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        area.draw(&Text::new(title, (10, 10), ("sans-serif", 18)))?;
        for (n, (name, ratio)) in bars.iter().enumerate() {
            let y = 44 + ROW * n as i32;
            let to = one + (ratio.ln() / most * width) as i32;
            let color = if *ratio < 1.0 { COLORS[0] } else { COLORS[1] };
            area.draw(&Rectangle::new([(one.min(to), y), (one.max(to), y + ROW - 5)], color.filled()))?;
            area.draw(&Text::new(name.as_str(), (10, y), ("sans-serif", 12)))?;
            area.draw(&Text::new(format!("{ratio:.2}"), (one.max(to) + 6, y), ("sans-serif", 12)))?;
        }
        area.draw(&PathElement::new([(one, 36), (one, height - 8)], BLACK))?;
        area.present()?;
    }
    Ok(svg)
}

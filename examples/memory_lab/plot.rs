//! Plots: the heap over the operations of one scenario, a line for each map.

use std::error::Error;

use plotters::prelude::*;

use crate::report::ScenarioReport;

/// Told apart by people who see colours differently, too (Okabe and Ito).
const COLORS: [RGBColor; 5] =
    [RGBColor(213, 94, 0), RGBColor(0, 0, 0), RGBColor(0, 114, 178), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

const WIDTH: u32 = 960;
const HEIGHT: u32 = 400;
/// The part of the width that says which line is whose.
const KEY: u32 = 140;

/// The plot, as SVG.
pub(crate) fn svg(scenario: &ScenarioReport) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    draw(scenario, SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)))?;
    Ok(svg)
}

fn draw(scenario: &ScenarioReport, backend: SVGBackend<'_>) -> Result<(), Box<dyn Error>> {
    let mib = |bytes: i64| bytes as f64 / f64::from(1 << 20);
    let points = || scenario.maps.iter().flat_map(|map| &map.curve);
    let most = points().map(|point| mib(point.peak)).fold(0.0, f64::max);
    let longest = points().map(|point| point.operations).max().unwrap_or(1);

    let area = backend.into_drawing_area();
    area.fill(&WHITE)?;
    let (area, key) = area.split_horizontally(WIDTH - KEY);
    let mut chart = ChartBuilder::on(&area)
        .caption(scenario.title, ("sans-serif", 20))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0..longest, 0.0..most * 1.05)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("operations")
        .y_desc("heap, MiB")
        .x_label_formatter(&|operations| crate::grid::number(*operations as i64))
        .x_labels(8)
        .y_labels(8)
        .draw()?;
    // This crate's line comes last, so that it lies on top.
    for (n, (map, color)) in scenario.maps.iter().zip(COLORS).enumerate().rev() {
        // Peaks between two points are thorns on the line.
        let line = map.curve.iter().flat_map(|point| {
            let heights =
                if point.peak - point.heap > point.heap / 20 { &[point.peak, point.heap][..] } else { &[point.heap] };
            heights.iter().map(|&height| (point.operations, mib(height))).collect::<Vec<_>>()
        });
        // The maps with locks have the same table, and hide each other if their lines are equally wide.
        let width = if map.map == "dashmap" { 5 } else { 2 };
        chart.draw_series(LineSeries::new(line, color.stroke_width(width)))?;
        let y = 60 + 22 * n as i32;
        key.draw(&PathElement::new([(0, y), (18, y)], color.stroke_width(3)))?;
        key.draw(&Text::new(map.map, (24, y - 6), ("sans-serif", 13)))?;
    }
    area.present()?;
    Ok(())
}

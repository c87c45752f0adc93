//! Tables, on a terminal and in Markdown.

#![allow(dead_code, reason = "shared by benches and an example, of which none uses all of it")]
#![allow(clippy::manual_is_multiple_of, reason = "newer than the oldest compiler that the examples are for")]

use std::fmt::{self, Write as _};

/// A table whose first column is names and whose others are figures.
pub(crate) struct Grid {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub(crate) fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Grid {
        Grid { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let cells: Vec<_> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.head.len(), "a cell for each column");
        self.rows.push(cells);
    }

    pub(crate) fn markdown(&self) -> String {
        let mut page = String::new();
        let line = |cells: &[String]| format!("| {} |\n", escaped(&cells.join(" | ")));
        page += &line(&self.head);
        page += &format!("|---|{}\n", "---:|".repeat(self.head.len() - 1));
        self.rows.iter().for_each(|row| page += &line(row));
        page
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.head).chain(&self.rows);
        let plain = |cell: &str| cell.replace("**", "");
        let widths: Vec<_> = (0..self.head.len())
            .map(|column| lines().map(|line| plain(&line[column]).chars().count()).max().unwrap_or(0))
            .collect();
        for line in lines() {
            let mut text = String::new();
            for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(text, "{:<width$}", plain(cell))?,
                    _ => write!(text, "  {:>width$}", plain(cell))?,
                }
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// What Markdown shows as `text`, which may name generic types. Bold stays bold.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('<', "\\<")
}

/// A number of bytes, to three digits or so.
pub(crate) fn bytes(bytes: i64) -> String {
    let size = bytes as f64;
    match bytes.unsigned_abs() {
        0..1_024 => format!("{bytes} B"),
        1_024..102_400 => format!("{:.1} KiB", size / 1024.0),
        102_400..1_048_576 => format!("{:.0} KiB", size / 1024.0),
        1_048_576..104_857_600 => format!("{:.2} MiB", size / 1_048_576.0),
        _ => format!("{:.0} MiB", size / 1_048_576.0),
    }
}

/// How many times as much.
pub(crate) fn times(factor: f64) -> String {
    match factor {
        ..10.0 => format!("{factor:.2}"),
        10.0..100.0 => format!("{factor:.1}"),
        _ => format!("{factor:.0}"),
    }
}

/// A number with its thousands apart.
pub(crate) fn number(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 && text != "-" {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! Texts: how they are written, and how wide that is.
//!
//! Nobody knows which font a reader has. Texts are taken to be as wide as in the widest that is common.

use crate::tone::Tone;

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) tone: Tone,
    /// Does it keep the lines away that it lies on?
    pub(crate) halo: bool,
    /// Which part of its width stands left of its place.
    pub(crate) left: f64,
}

/// What most is written in.
pub(crate) const BODY: Style = Style { size: 13.5, bold: false, tone: Tone::Plain, halo: false, left: 0.0 };
/// Notes.
pub(crate) const SMALL: Style = Style { size: 12.0, bold: false, tone: Tone::Quiet, halo: false, left: 0.0 };
/// What columns and parts are called.
pub(crate) const HEAD: Style = Style { size: 13.5, bold: true, tone: Tone::Plain, halo: false, left: 0.0 };
/// What a picture says.
pub(crate) const TITLE: Style = Style { size: 17.0, bold: true, tone: Tone::Plain, halo: false, left: 0.0 };

impl Style {
    pub(crate) const fn middle(self) -> Style {
        Style { left: 0.5, ..self }
    }

    pub(crate) const fn end(self) -> Style {
        Style { left: 1.0, ..self }
    }

    pub(crate) const fn halo(self) -> Style {
        Style { halo: true, ..self }
    }

    pub(crate) const fn tone(self, tone: Tone) -> Style {
        Style { tone, ..self }
    }
}

/// A text's parts, and which of them are code.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.split('`').zip([false, true].into_iter().cycle()).filter(|(part, _)| !part.is_empty())
}

/// How wide a text is: as DejaVu Sans has it, about, which is wider than most.
pub(crate) fn width(text: &str, style: Style) -> f64 {
    let wide = |letter: char| match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | 'I' | ' ' | '|' => 0.32,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' => 0.44,
        's' => 0.53,
        'm' | 'w' | 'M' | 'W' | '→' | '≥' | '≤' => 0.9,
        'A'..='Z' => 0.7,
        _ => 0.61,
    };
    let bold = if style.bold { 1.17 } else { 1.0 };
    let of = |(part, is_code): (&str, bool)| match is_code {
        true => 0.94 * 0.602 * part.chars().count() as f64,
        false => bold * part.chars().map(wide).sum::<f64>(),
    };
    style.size * parts(text).map(of).sum::<f64>()
}

/// With one digit after the point, if any.
pub(crate) fn number(number: f64) -> String {
    let digits = format!("{number:.1}");
    digits.strip_suffix(".0").unwrap_or(&digits).to_owned()
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

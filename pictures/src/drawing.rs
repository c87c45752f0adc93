//! A small set of shapes, all in one style: boxes, arrows, labels.
//!
//! What is written is meant to stand inside other pages, too, as it is. So there are no ids and no style sheet, which would apply to the whole
//! page, and no blank lines, which would end HTML in Markdown. The paper is light whatever the page is.
//!
//! [`Picture::complaints`] tells which texts would not fit.

use std::fmt::Write as _;

pub(crate) use crate::text::{BODY, HEAD, SMALL, Style};
use crate::text::{TITLE, escape, number, parts, width};
pub(crate) use crate::tone::Tone;
use crate::tone::{INK, PAPER};

const SANS: &str = "Fira Sans, Helvetica Neue, Arial, DejaVu Sans, sans-serif";
const MONO: &str = "Source Code Pro, Menlo, Consolas, DejaVu Sans Mono, monospace";
/// The least distance from a text to the edge of what it stands in.
const MARGIN: f64 = 4.0;

/// A rectangle: left, top, width, height.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area(pub(crate) i32, pub(crate) i32, pub(crate) i32, pub(crate) i32);

/// A text that has been written: where, as far as that can be known, and what it must not leave.
#[derive(Debug)]
struct Written {
    text: String,
    /// Left, top, right, bottom.
    at: [f64; 4],
    inside: [f64; 4],
}

/// A picture, as far as it has been drawn.
#[derive(Debug)]
pub struct Picture {
    name: &'static str,
    size: (i32, i32),
    head: String,
    body: String,
    written: Vec<Written>,
}

impl Picture {
    /// Paper, with what it shows as its first line. `alt` is for those who do not see it.
    pub(crate) fn new(name: &'static str, size: (i32, i32), title: &str, alt: &str) -> Picture {
        let (width, height) = size;
        // The first line is a whole tag and nothing else: by that Markdown knows it as HTML.
        let head = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" \
             style=\"display:block;max-width:100%;height:auto;margin:12px 0\" font-family=\"{SANS}\" stroke-linejoin=\"round\">\n<desc>{}</desc>\n",
            escape(alt)
        );
        let mut picture = Picture { name, size, head, body: String::new(), written: Vec::new() };
        let _ = writeln!(
            picture.body,
            "<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{PAPER}\" stroke=\"#d6d5ce\"/>",
            width - 1,
            height - 1
        );
        picture.label(24, 36, TITLE, title);
        picture
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}.svg", self.name)
    }

    /// The file.
    pub fn svg(&self) -> String {
        format!("{}{}</svg>\n", self.head, self.body)
    }

    /// Which texts would not fit, in a wide font.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for (index, Written { text, at, inside }) in self.written.iter().enumerate() {
            if at[0] < inside[0] || at[1] < inside[1] || at[2] > inside[2] || at[3] > inside[3] {
                complaints.push(format!("{}: {text:?} leaves its box: {at:.0?} in {inside:.0?}", self.name));
            }
            for other in &self.written[..index] {
                if at[0] < other.at[2] && other.at[0] < at[2] && at[1] < other.at[3] && other.at[1] < at[3] {
                    complaints.push(format!("{}: {text:?} lies on {:?}", self.name, other.text));
                }
            }
        }
        complaints
    }

    /// A line of text on the base line `y`. What stands between backquotes is code.
    pub(crate) fn label(&mut self, x: i32, y: i32, style: Style, text: &str) {
        let (width, height) = self.size;
        self.write(x.into(), y.into(), style, text, Area(0, 0, width, height));
    }

    /// Several of them, one below the other.
    pub(crate) fn lines(&mut self, x: i32, y: i32, style: Style, texts: &[&str]) {
        for (line, text) in (0..).zip(texts) {
            self.label(x, y + line * 17, style, text);
        }
    }

    fn write(&mut self, x: f64, y: f64, style: Style, text: &str, inside: Area) {
        let Area(left, top, across, down) = inside;
        let [left, top, right, bottom] = [left, top, left + across, top + down].map(f64::from);
        let from = x - style.left * width(text, style);
        self.written.push(Written {
            text: text.to_owned(),
            at: [from, y - 0.75 * style.size, from + width(text, style), y + 0.2 * style.size],
            inside: [left + MARGIN, top, right - MARGIN, bottom],
        });
        let anchor = match style.left {
            0.0 => "",
            0.5 => " text-anchor=\"middle\"",
            _ => " text-anchor=\"end\"",
        };
        let weight = if style.bold { " font-weight=\"bold\"" } else { "" };
        let halo = match style.halo {
            true => format!(" stroke=\"{PAPER}\" stroke-width=\"5\" paint-order=\"stroke\""),
            false => String::new(),
        };
        let Style { size, tone, .. } = style;
        let (x, y, ink) = (number(x), number(y), tone.ink());
        let _ =
            write!(self.body, "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{ink}\"{anchor}{weight}{halo}>");
        for (part, is_code) in parts(text) {
            let part = escape(part);
            if is_code {
                let size = number(size * 0.94);
                let _ = write!(self.body, "<tspan font-family=\"{MONO}\" font-size=\"{size}\">{part}</tspan>");
            } else {
                self.body.push_str(&part);
            }
        }
        self.body.push_str("</text>\n");
    }

    /// An empty box.
    pub(crate) fn area(&mut self, Area(x, y, width, height): Area, tone: Tone) {
        let (fill, stroke, dashes) = (tone.fill(), tone.stroke(), tone.dashes());
        let rounded = 5.min(width / 3).min(height / 3);
        let _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{rounded}\" fill=\"{fill}\" \
             stroke=\"{stroke}\" stroke-width=\"1.3\"{dashes}/>"
        );
    }

    /// A box with lines of text in its middle.
    pub(crate) fn boxed(&mut self, area: Area, tone: Tone, style: Style, texts: &[&str]) {
        self.area(area, tone);
        let style = style.tone(if tone == Tone::Plain { style.tone } else { tone }).middle();
        let Area(x, y, width, height) = area;
        let (x, y) = (f64::from(x) + f64::from(width) / 2.0, f64::from(y) + f64::from(height) / 2.0);
        let step = style.size + 3.5;
        let first = y + 0.35 * style.size - step * (texts.len() as f64 - 1.0) / 2.0;
        for (line, text) in texts.iter().enumerate() {
            self.write(x, first + step * line as f64, style, text, area);
        }
    }

    /// A number in a circle, with its middle there.
    pub(crate) fn badge(&mut self, x: i32, y: i32, number: u32) {
        let _ = writeln!(self.body, "<circle cx=\"{x}\" cy=\"{y}\" r=\"9\" fill=\"{INK}\"/>");
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{}\" font-size=\"12\" font-weight=\"bold\" fill=\"{PAPER}\" text-anchor=\"middle\">{number}</text>",
            f64::from(y) + 4.2
        );
    }

    pub(crate) fn dot(&mut self, x: i32, y: i32, tone: Tone) {
        let _ = writeln!(self.body, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{}\"/>", tone.stroke());
    }

    /// A line through these points.
    pub(crate) fn line(&mut self, points: &[(i32, i32)], tone: Tone) {
        let path = points.iter().map(|(x, y)| format!("{x} {y}")).collect::<Vec<_>>().join(" L");
        self.path(&format!("M{path}"), tone);
    }

    /// A line through these points, with a head at its end.
    pub(crate) fn arrow(&mut self, points: &[(i32, i32)], tone: Tone) {
        self.line(points, tone);
        if let [.., from, to] = *points {
            self.arrow_head(from, to, tone);
        }
    }

    /// An arrow that leaves and comes in level.
    pub(crate) fn swing(&mut self, from: (i32, i32), to: (i32, i32), tone: Tone) {
        let half = (from.0 + to.0) / 2;
        self.path(&format!("M{} {} C{half} {} {half} {} {} {}", from.0, from.1, from.1, to.1, to.0, to.1), tone);
        self.arrow_head((half, to.1), to, tone);
    }

    fn path(&mut self, path: &str, tone: Tone) {
        let (stroke, dashes) = (tone.stroke(), tone.dashes());
        let _ =
            writeln!(self.body, "<path d=\"{path}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"1.5\"{dashes}/>");
    }

    fn arrow_head(&mut self, from: (i32, i32), to: (i32, i32), tone: Tone) {
        let (x, y) = (f64::from(to.0), f64::from(to.1));
        let (dx, dy) = (x - f64::from(from.0), y - f64::from(from.1));
        let length = (dx * dx + dy * dy).sqrt().max(1.0);
        let (dx, dy) = (dx / length, dy / length);
        let corner = |side: f64| format!("{} {}", number(x - 8.0 * dx + side * dy), number(y - 8.0 * dy - side * dx));
        let (left, right) = (corner(4.0), corner(-4.0));
        let _ = writeln!(self.body, "<path d=\"M{left} L{} {} L{right} Z\" fill=\"{}\"/>", to.0, to.1, tone.stroke());
    }
}

//! The pictures of the protocol: each tells one thing, in the words of the code and of DESIGN.md.
//!
//! A picture is a function that draws on a [`Picture`]; `cargo run -p tidymap-pictures` writes them all to `docs/pictures`, where
//! DESIGN.md and the crate's page on the protocol show them. The tests hold the files to what is drawn here.
//!
//! The colours mean the same in all of them: see [`Tone`].

mod drawing;
mod entry;
mod epochs;
mod promotion;
mod races;
mod state;
mod text;
mod tone;

use std::path::{Path, PathBuf};

pub use drawing::Picture;
pub use tone::Tone;

/// All pictures, in the order in which they are shown.
pub fn all() -> Vec<Picture> {
    vec![state::draw(), promotion::draw(), entry::draw(), epochs::draw(), races::draw()]
}

/// Where they are kept.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures")
}

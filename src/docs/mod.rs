//! Pages that belong to no single item. No code, but what their examples show, which the tests run.
//!
//! - [`choosing`]: which map for which job, this one or another;
//! - [`cookbook`]: programs that people write with such a map;
//! - [`entry`]: what to call instead of `std`'s `entry` API;
//! - [`moving`]: what to call instead, for those who come from another map;
//! - [`protocol`]: how the map works, in five pictures.

pub mod choosing;
pub mod cookbook;
pub mod entry;
pub mod moving;
pub mod protocol;

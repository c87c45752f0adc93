//! Pages that belong to no single item. No code.

pub mod entry;

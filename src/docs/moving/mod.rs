//! What to call instead, for those who come from another map. The blocks are compiled, with both maps where the other one is Rust's.

pub mod from_dashmap;
pub mod from_go;
pub mod from_papaya;
pub mod from_rwlock;

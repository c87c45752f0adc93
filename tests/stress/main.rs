//! Many threads on few keys. Values carry their key and a checksum, and are counted: whatever the threads did, nobody has
//! seen a wrong value, and when they are done what is alive is what the map holds.
//!
//! - [`world`]: the keys, the values and their ledgers;
//! - [`anything`]: any operation on any key; [`counters`]: what no thread's operation may lose;
//! - [`comings`]: tables, sessions and threads that come and go;
//! - [`fences`]: reads that announce themselves without one;
//! - [`reclaim`] and [`rounds`]: that nothing is left, after `reclaim`, and after two threads have met.

mod anything;
mod comings;
#[path = "../common/mod.rs"]
mod common;
mod counters;
mod fences;
mod reclaim;
mod rounds;
mod world;

const THREADS: usize = 6;

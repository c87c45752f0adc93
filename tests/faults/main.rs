//! F1 at its worst: threads that die in the user's code, wherever the map calls it, while others go on; guards that nobody
//! ends; and threads that use maps in their last breath.
//!
//! - [`hostile`]: keys, values, a hasher and closures that panic when they are told to; [`operations`]: all that a map can do with them;
//! - [`points`]: one death at every single call of such code, and everything is counted afterwards;
//! - [`threads`]: many deaths beside threads that go on;
//! - [`results`]: what a call was about to return when it had to panic;
//! - [`leaks`]: guards that were forgotten; [`ending`]: destructors of thread-local values.

#[path = "../common/mod.rs"]
mod common;
mod ending;
mod hostile;
mod leaks;
mod operations;
mod points;
mod results;
mod threads;

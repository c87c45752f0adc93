//! The state of a small chat server, in maps that many threads read all the time and few write.
//!
//! - [`sessions`]: who is connected. A connection is closed by its destructor, at a moment that is known.
//! - [`blocklist`]: which domains may not write. Reloaded under its readers.
//! - [`pages`]: what is dear to make is made once, however many ask for it at the same time.
//! - [`routes`]: read by workers from a frozen copy, saved as JSON.
//! - [`topics`]: who is subscribed to what.

pub mod blocklist;
pub mod pages;
pub mod routes;
pub mod sessions;
pub mod topics;

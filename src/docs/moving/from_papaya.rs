//! From [papaya](https://docs.rs/papaya).
//!
//! | `papaya::HashMap` | [`HashMap`](crate::HashMap) |
//! |---|---|
//! | `pin()` | [`pin`](crate::HashMap::pin) |
//! | `pin_owned()` | [`pin_owned`](crate::HashMap::pin_owned) |
//! | `guard()`, and calls that take `&guard` | a session; or one-shot calls on the map itself, which papaya has not |
//! | `get`, `insert`, `remove`, `iter`, ... | the same names on sessions; `get_or_init` and its like on the map |
//! | `compute(k, f)` with its `Operation` and `Compute` | [`compute`](crate::HashMap::compute), with the same `Operation`; [`Compute`](crate::Compute) has pairs, as in `Inserted((k, v))`, and `Absent` besides |
//! | `get_or_insert_with`, `update`, `update_or_insert` | the same |
//! | `guard.flush()` | [`refresh`](crate::Pinned::refresh); [`reclaim`](crate::HashMap::reclaim) waits until it is dropped |
//! | `ResizeMode`, `Collector` | none: one engine for each map, tables in steps always |
//! | `HashSet` | [`HashSet`](crate::HashSet) |
//!
//! ```
//! let theirs = papaya::HashMap::new();
//! let ours = tidymap::HashMap::new();
//! let (their_session, our_session) = (theirs.pin(), ours.pin());
//!
//! assert_eq!(their_session.insert("a", 1), our_session.insert("a", 1));
//! assert_eq!(their_session.update("a", |n| n + 1), our_session.update("a", |n| n + 1));
//! assert_eq!(their_session.get("a"), our_session.get("a"));
//! assert_eq!(their_session.remove("a"), our_session.remove("a"));
//! ```
//!
//! # What is different
//!
//! - **When a removed value is dropped.** papaya drops it in batches, some time after the last guard of a batch; a thread that stops removing may keep its last ones for good. Here it is
//!   dropped before the call returns, or with the last guard that could see it, and [`stats`](crate::HashMap::stats) tells what is held, and by whom.
//! - **A guard that is held long** holds back what was removed since it was taken, in both; here it does so for its map only, and never what was removed before.
//! - **Inline pairs of numbers** are papaya's strength: key and value lie in one block of 16 bytes, and from 2^16 entries on its session reads of `u64` pairs are faster than this map's
//!   (BENCHMARKS.md has the ratios).

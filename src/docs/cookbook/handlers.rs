//! A map that the handlers of an async program share.
//!
//! One-shot reads and writes never wait for readers, and for other writers only briefly, so they may be called in tasks as they are. **Not so the calls that are made to wait**:
//! [`remove_owned`](crate::HashMap::remove_owned), [`reclaim`](crate::HashMap::reclaim) and `reclaim_timeout` wait for guards, [`get_or_init`](crate::HashMap::get_or_init) for another caller's `init`. In
//! a task they block the runtime's thread, perhaps the one that what they wait for needs. There take [`reclaim_async`](crate::HashMap::reclaim_async),
//! [`get_or_init_async`](crate::HashMap::get_or_init_async), and [`remove_entry`](crate::HashMap::remove_entry) with `try_into_owned`; or `spawn_blocking`.
//!
//! A [`Ref`](crate::Ref) or a session of [`pin`](crate::HashMap::pin) must not live across an `await`: it belongs to its thread, and holds garbage back while the task waits. The compiler says so where
//! a task has to be `Send`, as for `tokio::spawn`; in `block_on`, `#[tokio::main]` or a `LocalSet` it does not. There are three ways:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use std::sync::Arc;
//! use tidymap::HashMap;
//!
//! # async fn send(_: &str) {}
//! let users: Arc<HashMap<u64, Arc<str>>> = Arc::new(HashMap::from([(7, "alice".into())]));
//!
//! // 1. Take what you need, and let go: mostly the best.
//! let name = users.get_cloned(&7).unwrap();
//! send(&name).await;
//!
//! // 2. A session that is let go of before the await.
//! let all = {
//!     let session = users.pin();
//!     session.values().map(|name| name.len()).sum::<usize>()
//! };
//! send(&all.to_string()).await;
//!
//! // 3. A session of the task's own, which may live across it. What is removed meanwhile waits for it.
//! tokio::spawn({
//!     let users = users.clone();
//!     async move {
//!         let session = users.pin_owned();
//!         if let Some(name) = session.get(&7) {
//!             send(name).await;
//!         }
//!     }
//! })
//! .await
//! .unwrap();
//!
//! // Waiting without a thread: until what was removed is dropped, and for a value that another task is making.
//! users.remove(&7);
//! users.reclaim_async().await.unwrap();
//! # });
//! ```
//!
//! Under a [cap on garbage](crate::Builder::max_pending) one-shot writes may sleep: then write in `spawn_blocking`, or without a cap.
//!
//! In the repository, `examples/axum.rs` is a service whose handlers share a map, with a test that asks it over HTTP.

//! From `RwLock<HashMap>`, or a mutex around one.
//!
//! | under the lock | [`HashMap`](crate::HashMap) |
//! |---|---|
//! | `get(&k)` | [`get_cloned`](crate::HashMap::get_cloned), [`read`](crate::HashMap::read), or [`get`](crate::HashMap::get), whose result keeps the value |
//! | `map[&k]`, `iter()`, `keys()`, `values()`, `for pair in &map` | the same on a session: `map.pin()[&k]`, `for pair in &map.pin()` |
//! | `get_mut(&k)` | [`update`](crate::HashMap::update), or a value that can be changed through `&` |
//! | `insert(k, v)` | [`insert`](crate::HashMap::insert): returns a [`Ref`](crate::Ref) to the old value |
//! | `entry(k)` and what follows | [the table of entries](crate::docs::entry) |
//! | `remove(&k)` | [`remove`](crate::HashMap::remove); by value [`remove_owned`](crate::HashMap::remove_owned) |
//! | `retain(f)`, `clear()`, `len()`, `extend(pairs)` | the same, without `mut`; `f` sees `&V` |
//! | what has `&mut` anyway | the same: `iter_mut`, `get_mut`, `drain`, `into_iter` |
//!
//! ```
//! use std::sync::RwLock;
//!
//! let theirs = RwLock::new(std::collections::HashMap::new());
//! let ours = tidymap::HashMap::new();
//!
//! theirs.write().unwrap().insert("a", 1);
//! ours.insert("a", 1);
//!
//! assert_eq!(theirs.read().unwrap().get("a").copied(), ours.get_cloned("a"));
//!
//! // Several looks under one lock: a session. It keeps what it finds, but locks nothing out.
//! let (guard, session) = (theirs.read().unwrap(), ours.pin());
//! assert_eq!(guard.values().sum::<i32>(), session.values().sum::<i32>());
//! drop(guard);
//!
//! // A look and a change under one lock: one call.
//! *theirs.write().unwrap().entry("a").or_insert(0) += 1;
//! ours.update_or_insert("a", |n| n + 1, 1);
//!
//! // By value.
//! drop(session);
//! assert_eq!(theirs.write().unwrap().remove_entry("a"), ours.remove_owned("a").unwrap());
//! ```
//!
//! # What is different
//!
//! - **Each call is atomic, a series of calls is not.** What was done under one write lock is one call here: see [the table of entries](crate::docs::entry), and
//!   [`compute`](crate::HashMap::compute) for the rest. For invariants that span several keys, keep the lock; or put what belongs together into one value.
//! - **Readers never wait**, and neither do they make writers wait. A `RwLock` has all readers write to one word: two threads read less than one does alone.
//! - **No poisoning.** A panic in a closure leaves the map as it was before the call, or as it is after it (F1).
//! - **One thread, or hardly any reads**: then a lock is simpler, and as fast or faster.

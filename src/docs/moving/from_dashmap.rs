//! From [dashmap](https://docs.rs/dashmap).
//!
//! | `DashMap` | [`HashMap`](crate::HashMap) |
//! |---|---|
//! | `get(&k)` | [`get`](crate::HashMap::get) |
//! | `get_mut(&k)`, `alter(&k, f)` | [`update`](crate::HashMap::update), or a value that can be changed through `&` |
//! | `entry(k).or_insert(v)` and its like | [the table of entries](crate::docs::entry) |
//! | `insert(k, v)` | [`insert`](crate::HashMap::insert): returns a [`Ref`](crate::Ref) to the old value. The value itself, by ownership: clone an `Arc`, or [`on_reclaim`](crate::Builder::on_reclaim) |
//! | `remove(&k)` | [`remove`](crate::HashMap::remove); by value [`remove_owned`](crate::HashMap::remove_owned), [`remove_entry`](crate::HashMap::remove_entry) |
//! | `remove_if(&k, f)` | [`remove_if`](crate::HashMap::remove_if): `Err` if `f` says no, `Ok(None)` if the key is absent; dashmap's `None` is both |
//! | `retain(f)` | [`retain`](crate::HashMap::retain): `f` sees `&V` |
//! | `iter()` | [`pin`](crate::HashMap::pin), [`iter`](crate::Pinned::iter) |
//! | `iter_mut()`, `alter_all(f)` | [`iter_mut`](crate::HashMap::iter_mut) on a map of one's own; else [`update`](crate::HashMap::update) for each key |
//! | `view(&k, f)` | [`read`](crate::HashMap::read) |
//! | `try_get` and its like | not needed: nothing is locked |
//! | `into_read_only()` | a frozen view (feature `arc-swap`), or nothing: reads take no lock here |
//! | `DashSet` | [`HashSet`](crate::HashSet) |
//!
//! ```
//! let theirs: dashmap::DashMap<_, _> = [("a", 1)].into_iter().collect();
//! let ours = tidymap::HashMap::from([("a", 1)]);
//!
//! *theirs.get_mut("a").unwrap() += 1;
//! ours.update("a", |n| n + 1);
//!
//! *theirs.entry("b").or_insert(0) += 1;
//! ours.update_or_insert("b", |n| n + 1, 1);
//!
//! let (key, value) = theirs.remove("a").unwrap();
//! assert_eq!(ours.remove_owned("a").unwrap(), Some((key, value)));
//! assert_eq!(theirs.get("b").as_deref().copied(), ours.get_cloned("b"));
//! ```
//!
//! # What is different
//!
//! - **No deadlock against yourself.** A `Ref` of dashmap holds the lock of a shard, and a call on the same shard then waits for its own thread. Here it is a guard: any call goes on, also inside
//!   an iteration (F3).
//! - **Nothing is changed in place.** Readers may be looking, so a value is replaced by its successor; the old one is dropped when nobody looks any more. If that is dear, put an atomic or a mutex
//!   into the value.
//! - **Reads take no lock**, and do not write to memory that others read; several threads that read one key do not slow each other.
//! - **Writes to different keys** go on side by side when several threads insert, but removals share one mutex, and each costs more than in dashmap's shards: for maps that are mostly written, by many threads, it is the better one.

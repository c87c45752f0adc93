//! What to call instead of `std`'s `entry` API.
//!
//! An entry of `std`'s map is a place that is yours until you let go of it. In a map that many threads use that would be a lock, held while user code runs, and
//! this map holds none: so there is no `entry`, and what would be done with one is one call. *Atomic* below means: the whole line is one step at one moment (the
//! linearization point of the call), and no other call comes between its look and its change. Closures run without a lock, before that
//! moment; where they say what follows from the old value they run again if another thread was faster.
//!
//! | `std::collections::HashMap` | `tidymap::HashMap` | atomic |
//! |---|---|---|
//! | [`entry(k).or_insert(v)`](#or_insert) | [`get_or_insert`] | yes |
//! | [`entry(k).or_insert_with(f)`](#or_insert_with) | [`get_or_insert_with`], [`get_or_init`] | yes, after `f` |
//! | [`entry(k).or_insert_with_key(f)`](#or_insert_with_key) | [`get`], [`get_or_insert`] | the insertion |
//! | [`entry(k).or_default()`](#or_default) | [`get_or_insert_with`] | yes, after `default` |
//! | [`entry(k).and_modify(f)`](#and_modify) | [`update`] | yes |
//! | [`entry(k).and_modify(f).or_insert(v)`](#and_modifyor_insert) | [`update_or_insert`], [`update_or_insert_with`] | yes |
//! | [`*entry(k).or_insert(0) += 1`](#or_insert-and-a-change-in-place) | [`update_or_insert`], or a value that can be changed through `&` | yes |
//! | [`entry(k).insert_entry(v)`](#insert_entry) | [`insert`] | yes |
//! | [`match entry(k)`](#match) | [`compute`] | yes |
//! | [`Vacant::insert(v)`](#vacantentry) | [`try_insert`] | yes |
//! | [`Vacant::into_key()`](#vacantentry) | the error of [`try_insert`] | |
//! | [`Occupied::get()`, `key()`](#occupiedentry-to-read) | [`get`], [`Ref::key`](crate::Ref::key) | yes |
//! | [`Occupied::insert(v)`](#occupiedentry-to-overwrite) | [`update`], [`compare_exchange`] | yes |
//! | [`Occupied::get_mut()`, `into_mut()`](#occupiedentry-to-overwrite) | [`update`], or a value that can be changed through `&` | yes |
//! | [`Occupied::remove()`](#occupiedentry-to-remove) | [`remove`], [`remove_if`], [`compute`] | yes |
//! | [`Occupied::remove_entry()`](#occupiedentry-to-remove) | [`remove_entry`], [`remove_owned`] | yes |
//!
//! Several calls one after the other are several steps, in a session as well: others come between.
//!
//! [`get`]: crate::HashMap::get
//! [`get_or_insert`]: crate::HashMap::get_or_insert
//! [`get_or_insert_with`]: crate::HashMap::get_or_insert_with
//! [`get_or_init`]: crate::HashMap::get_or_init
//! [`update`]: crate::HashMap::update
//! [`update_or_insert`]: crate::HashMap::update_or_insert
//! [`update_or_insert_with`]: crate::HashMap::update_or_insert_with
//! [`insert`]: crate::HashMap::insert
//! [`try_insert`]: crate::HashMap::try_insert
//! [`compute`]: crate::HashMap::compute
//! [`compare_exchange`]: crate::HashMap::compare_exchange
//! [`remove`]: crate::HashMap::remove
//! [`remove_if`]: crate::HashMap::remove_if
//! [`remove_entry`]: crate::HashMap::remove_entry
//! [`remove_owned`]: crate::HashMap::remove_owned
//!
//! # `or_insert`
//!
//! ```
//! # let (mut theirs, ours) = (std::collections::HashMap::new(), tidymap::HashMap::new());
//! assert_eq!(*theirs.entry("a").or_insert(1), 1);
//! assert_eq!(*ours.get_or_insert("a", 1), 1);
//! ```
//!
//! # `or_insert_with`
//!
//! `get_or_insert_with` lets several threads that miss the same key make a value each, of which the first to come stays. `get_or_init` lets one of them make it
//! while the others wait; there are forms that may fail, and for tasks.
//!
//! ```
//! # let (mut theirs, ours) = (std::collections::HashMap::new(), tidymap::HashMap::new());
//! # let render = || String::from("index");
//! assert_eq!(*theirs.entry("a").or_insert_with(render), "index");
//! assert_eq!(*ours.get_or_insert_with("a", render), "index");
//! assert_eq!(*ours.get_or_init("b", render), "index");
//! assert!(ours.try_get_or_init("c", || "none".parse::<f64>().map(|number| number.to_string())).is_err());
//! ```
//!
//! # `or_insert_with_key`
//!
//! Two calls, of which the second is atomic: a key that comes between them stays as it is, and the value that was made is dropped.
//!
//! ```
//! # let (mut theirs, ours) = (std::collections::HashMap::new(), tidymap::HashMap::new());
//! assert_eq!(*theirs.entry("abc").or_insert_with_key(|key| key.len()), 3);
//! let key = "abc";
//! let found = ours.get(key).unwrap_or_else(|| {
//!     let length = key.len();
//!     ours.get_or_insert(key, length)
//! });
//! assert_eq!(*found, 3);
//! ```
//!
//! # `or_default`
//!
//! ```
//! # let mut theirs = std::collections::HashMap::<&str, Vec<u8>>::new();
//! # let ours = tidymap::HashMap::<&str, Vec<u8>>::new();
//! assert!(theirs.entry("a").or_default().is_empty());
//! assert!(ours.get_or_insert_with("a", Vec::default).is_empty());
//! ```
//!
//! # `and_modify`
//!
//! A value is not changed in place, where others may be reading it, but replaced by its successor: the closure returns that.
//!
//! ```
//! # let (mut theirs, ours) = (std::collections::HashMap::from([("a", 1)]), tidymap::HashMap::from([("a", 1)]));
//! theirs.entry("a").and_modify(|n| *n += 1);
//! assert_eq!(ours.update("a", |n| n + 1).as_deref(), Some(&2));
//! # assert_eq!(theirs["a"], 2);
//! ```
//!
//! # `and_modify().or_insert()`
//!
//! ```
//! # let (mut theirs, ours) = (std::collections::HashMap::new(), tidymap::HashMap::new());
//! theirs.entry("a").and_modify(|n| *n += 1).or_insert(1);
//! assert_eq!(*ours.update_or_insert("a", |n| n + 1, 1), 1);
//! theirs.entry("a").and_modify(|n| *n += 1).or_insert_with(|| 1);
//! assert_eq!(*ours.update_or_insert_with("a", |n| n + 1, || 1), 2);
//! # assert_eq!(theirs["a"], 2);
//! ```
//!
//! # `or_insert`, and a change in place
//!
//! Each update of a value makes a new one. What changes often, a counter say, may be a value that can be changed through a shared
//! reference; then the step is not the map's, but that value's own, and a change of a value that has been removed or overwritten meanwhile is lost with it.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//! # let mut theirs = std::collections::HashMap::new();
//!
//! *theirs.entry("a").or_insert(0) += 1;
//!
//! let ours = tidymap::HashMap::new();
//! ours.update_or_insert("a", |n| n + 1, 1);
//!
//! let counters = tidymap::HashMap::<_, AtomicU64>::new();
//! counters.get_or_insert_with("a", AtomicU64::default).fetch_add(1, Ordering::Relaxed);
//! # assert_eq!((theirs["a"], ours.get_cloned("a"), counters.get("a").unwrap().load(Ordering::Relaxed)), (1, Some(1), 1));
//! ```
//!
//! # `insert_entry`
//!
//! Inserts or overwrites, and returns the pair that was there before, not the new one.
//!
//! ```
//! # let ours = tidymap::HashMap::from([("a", 1)]);
//! assert_eq!(ours.insert("a", 2).as_deref(), Some(&1));
//! ```
//!
//! # `match`
//!
//! All that a `match` on the entry would do with its key goes through `compute`: it is told the pair, or that there is none, and says what is to be done.
//!
//! ```
//! use std::collections::hash_map::Entry;
//! use tidymap::{Compute, Operation};
//! # let (mut theirs, ours) = (std::collections::HashMap::from([("a", 1)]), tidymap::HashMap::from([("a", 1)]));
//!
//! match theirs.entry("a") {
//!     Entry::Occupied(entry) if *entry.get() == 1 => _ = entry.remove(),
//!     Entry::Occupied(mut entry) => *entry.get_mut() -= 1,
//!     Entry::Vacant(entry) => _ = entry.insert(9),
//! }
//! let done = ours.compute("a", |pair| match pair {
//!     Some((_, 1)) => Operation::Remove,
//!     Some((_, n)) => Operation::Insert(n - 1),
//!     None => Operation::<_, ()>::Insert(9),
//! });
//! assert!(matches!(done, Compute::Removed(_)) && theirs.is_empty());
//! ```
//!
//! # `VacantEntry`
//!
//! ```
//! # let ours = tidymap::HashMap::from([(String::from("a"), 1)]);
//! assert_eq!(*ours.try_insert(String::from("b"), 2).unwrap(), 2);
//! let occupied = ours.try_insert(String::from("a"), 2).unwrap_err();
//! assert_eq!((*occupied.entry, occupied.key.as_str(), occupied.value), (1, "a", 2));
//! ```
//!
//! # `OccupiedEntry`, to read
//!
//! The pair that was found stays readable for as long as the [`Ref`](crate::Ref) lives, whatever others do to the key.
//!
//! ```
//! # let ours = tidymap::HashMap::from([(String::from("a"), 1)]);
//! let found = ours.get("a").unwrap();
//! assert_eq!((found.key().as_str(), *found), ("a", 1));
//! ```
//!
//! # `OccupiedEntry`, to overwrite
//!
//! Only if the key is there (`insert` would bring it back): `update`, which makes the new value from the old one, or `compare_exchange`, if it is to be a certain one.
//!
//! ```
//! # let ours = tidymap::HashMap::from([("a", 1)]);
//! assert_eq!(ours.update("a", |_| 5).as_deref(), Some(&5));
//! assert_eq!(*ours.compare_exchange("a", &5, 6).unwrap(), 5);
//! assert!(ours.update("b", |_| 5).is_none());
//! ```
//!
//! # `OccupiedEntry`, to remove
//!
//! `remove` returns the pair under a guard; `remove_owned` waits until nobody else can see it, and returns it by value. With a condition: `remove_if`.
//!
//! ```
//! # let ours = tidymap::HashMap::from([("a", 1), ("b", 2), ("c", 3), ("d", 4)]);
//! assert_eq!(ours.remove("a").as_deref(), Some(&1));
//! assert_eq!(ours.remove_owned("b"), Ok(Some(("b", 2))));
//! assert!(ours.remove_if("c", |_, n| *n > 3).is_err(), "it stays");
//! assert_eq!(ours.remove_entry("d").unwrap().try_into_owned().unwrap(), ("d", 4));
//! ```

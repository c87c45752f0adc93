//! Which map for which job; this one is not always the answer. The figures are in BENCHMARKS.md, with a section on where this map loses.
//!
//! | the job | take | because |
//! |---|---|---|
//! | read often, written now and then; removed values must be dropped, at a known moment | **tidymap** | what it is for |
//! | the same, and values are to be closed, logged or counted when they go | **tidymap** | [`on_reclaim`](crate::Builder::on_reclaim), [`remove_owned`](crate::HashMap::remove_owned), [`reclaim`](crate::HashMap::reclaim) |
//! | long-lived, with keys that come and go: memory has to follow | **tidymap** | tables shrink by themselves, entries go at once, [`stats`](crate::HashMap::stats) says what is held |
//! | configuration: replaced as a whole, once an hour, read a billion times | [arc-swap](https://docs.rs/arc-swap), or a frozen view of this map (feature `arc-swap`: `HashMap::view`) | reads cost what a plain map's do |
//! | mostly written, by many threads | [dashmap](https://docs.rs/dashmap), [scc](https://docs.rs/scc)'s `HashMap` | writers of different shards go on side by side, for less than here, where removals share one mutex, and a removed value is dropped at once |
//! | `u64` pairs by the hundred thousand, and when a value is dropped does not matter | [papaya](https://docs.rs/papaya) | it keeps such pairs in less memory and reads them faster from 2^16 entries on |
//! | values that never change while others read them, deleted rarely | [scc](https://docs.rs/scc)'s `HashIndex` | fast reads; but values are not overwritten, only replaced by removal and insertion |
//! | a cache of bounded size that chooses what to forget | [moka](https://docs.rs/moka) | eviction policies, expiry, weights |
//! | keys in order, ranges | [crossbeam-skiplist](https://docs.rs/crossbeam-skiplist), or a lock around a `BTreeMap` | no hash map has an order |
//! | one writer, and readers that may see an older version until it publishes | [evmap](https://docs.rs/evmap) | two plain maps, at the price of everything twice |
//! | few threads, few reads, or invariants that span several keys | `RwLock<HashMap>`, `Mutex<HashMap>` | simple, and a write lock makes any series of calls atomic |
//! | several values a key; a set | [`MultiMap`](crate::MultiMap), [`HashSet`](crate::HashSet) of this crate | the same contract |
//! | maps of maps: tenant, user or region first | [`NestedMap`](crate::NestedMap) of this crate | an inner map goes with its last entry, and an outer key with all of its entries in one step |
//! | one thread | [`std::collections::HashMap`] | nothing is faster |

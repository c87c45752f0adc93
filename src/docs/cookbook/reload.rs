//! A list that is reloaded under its readers: a block list, routes, feature flags.
//!
//! The new version is put in and the old one taken out key by key, so readers never meet an empty list, nor wait for one, and what only the old version had is dropped
//! before the reload is over.
//!
//! ```
//! use tidymap::HashSet;
//!
//! #[derive(Default)]
//! struct BlockList {
//!     domains: HashSet<String>,
//! }
//!
//! impl BlockList {
//!     /// Of an address, by one look that takes no lock.
//!     fn blocks(&self, address: &str) -> bool {
//!         address.rsplit_once('@').is_some_and(|(_, domain)| self.domains.contains(domain))
//!     }
//!
//!     /// Reads another version: a domain a line.
//!     fn reload(&self, file: &str) {
//!         let version: std::collections::HashSet<&str> = file.lines().collect();
//!         self.domains.insert_many(version.iter().map(|domain| domain.to_string()));
//!         self.domains.retain(|domain| version.contains(domain.as_str()));
//!         // Wait until nobody can see the old ones any more, and they are dropped.
//!         self.domains.reclaim().expect("this thread is not reading");
//!     }
//! }
//!
//! let list = BlockList::default();
//! list.reload("spam.example\nphish.example");
//! assert!(list.blocks("win@spam.example"));
//!
//! std::thread::scope(|scope| {
//!     scope.spawn(|| (0..1000).for_each(|_| assert!(list.blocks("win@phish.example"), "in both versions")));
//!     list.reload("phish.example\nscam.example");
//! });
//! assert!(!list.blocks("win@spam.example") && list.blocks("win@scam.example"));
//! assert_eq!(list.domains.stats().pending.entries, 0);
//! ```
//!
//! In between a reader may find both versions' domains: that is what *key by key* means. Where all of a version has to be seen at one moment, put whole versions into
//! an [`arc_swap::ArcSwap`](https://docs.rs/arc-swap), or publish a frozen view (`self.domains.as_map().publish()`, feature `arc-swap`).
//!
//! In the repository, `cargo run --release -p tidymap-examples --example blocklist` is this on two published lists of 56,000 domains, with figures, beside other maps.

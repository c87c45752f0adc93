//! A cache that loads each key once, however many ask for it, and forgets what has expired.
//!
//! [`get_or_init`](crate::HashMap::get_or_init) has one caller load an absent key while the others wait for it: no stampede. What has expired is removed where it is met, on
//! condition that it is still the expired one, and the rest by a sweep with [`retain`](crate::HashMap::retain), now and then.
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use std::time::{Duration, Instant};
//! use tidymap::{HashMap, Ref};
//!
//! struct Cached {
//!     page: String,
//!     until: Instant,
//! }
//!
//! struct Cache {
//!     pages: HashMap<String, Cached>,
//!     keep: Duration,
//!     loads: AtomicUsize,
//! }
//!
//! impl Cache {
//!     fn page(&self, url: &str) -> Ref<'_, String, Cached> {
//!         // Somebody may have loaded it anew since we looked: that one stays.
//!         _ = self.pages.remove_if(url, |_, cached| cached.until <= Instant::now());
//!         self.pages.get_or_init(url.to_owned(), || self.load(url))
//!     }
//!
//!     fn load(&self, url: &str) -> Cached {
//!         self.loads.fetch_add(1, Ordering::Relaxed);
//!         Cached { page: format!("<h1>{url}</h1>"), until: Instant::now() + self.keep }
//!     }
//!
//!     /// For a timer, every minute or so. Their memory is free when this returns.
//!     fn sweep(&self) {
//!         let now = Instant::now();
//!         self.pages.retain(|_, cached| cached.until > now);
//!     }
//! }
//!
//! let cache = Cache { pages: HashMap::new(), keep: Duration::from_secs(3600), loads: AtomicUsize::new(0) };
//! std::thread::scope(|scope| {
//!     for _ in 0..8 {
//!         scope.spawn(|| assert_eq!(cache.page("/").page, "<h1>/</h1>"));
//!     }
//! });
//! assert_eq!(cache.loads.load(Ordering::Relaxed), 1);
//!
//! let cache = Cache { keep: Duration::ZERO, ..cache };
//! cache.page("/about");
//! cache.sweep();
//! assert_eq!(cache.pages.len(), 1, "of the two, the one that has an hour");
//! ```
//!
//! # When to take moka instead
//!
//! This cache grows with what is asked for. If it must not exceed a size, and has to choose what to forget, that choice is the hard part, and
//! [moka](https://docs.rs/moka) makes it well (TinyLFU), with expiry for each entry by timer wheels and weights. It drops what it has evicted some time later, in
//! maintenance that other calls do. Take this map where memory has to follow removals at once, or where nothing is evicted but by rules of your own.

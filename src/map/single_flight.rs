//! Values that one caller computes while the others wait: single flight.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hash};
use std::pin::pin;

use super::HashMap;
use super::flights::{Joined, Leader};
use super::reference::{Ref, keep};
use crate::core;

impl<K, V, S> HashMap<K, V, S>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    /// The pair of `key`, inserted with the value that `init` computes if it is absent: one caller computes, and others that want the
    /// same key wait for it.
    ///
    /// Of the calls of this and of [`try_get_or_init`](Self::try_get_or_init), [`get_or_init_async`](Self::get_or_init_async) and
    /// [`try_get_or_init_async`](Self::try_get_or_init_async) that find a key absent, one runs its `init` at a time (a *flight*), so that it runs once
    /// for all of them if it succeeds and nobody removes the key. If it fails, because it panics, returns an error or is cancelled, one of those that
    /// waited runs its own; nothing is poisoned. Where a value is cheap to make, [`get_or_insert_with`](Self::get_or_insert_with) does without waiting.
    ///
    /// **Linearizes** like [`get`](Self::get) if it finds the key. Else like [`try_insert`](Self::try_insert), when `init` has returned: at the
    /// link of the new entry; or, if another call, say `insert`, has inserted the key meanwhile, like a `get` that finds that pair, which stays, and what
    /// `init` made is dropped. Who has waited looks into the map again, and linearizes at that `get`; if the key has been removed in the meantime,
    /// it computes, or waits, anew.
    ///
    /// **Cost.** Of a key that is there, a `get`. Else two of them, an insertion, a few small allocations, and a mutex for some moments, in
    /// which as many steps are taken as a search among those keys takes that are being computed now.
    ///
    /// **Waits**, asleep, for `init` of the same key, and for no other one's; but if all 39 bits that the map uses of two keys' hashes agree, also for the
    /// insertion of the other. Who has computed waits for those who are comparing their key with this one, one call of `Eq` each. No guard is
    /// held while `init` runs or while the call waits, so what others remove is dropped meanwhile; guards that the caller holds stay, and under a
    /// [cap on garbage](crate::Builder::max_pending) two threads can wait for each other if one holds a guard and waits for the other's `init`, which removes.
    ///
    /// `init` may use the map in any way, and so also initialize *other* keys. A thread must not wait for itself: see below. In tasks, which
    /// must not block their thread, use [`get_or_init_async`](Self::get_or_init_async).
    ///
    /// # Panics
    /// If `init` panics: that goes on here, and those who waited never hear of it. If it asks for its own key, or for one whose
    /// `init`, on another thread, waits for this one in turn: a wait that would never end, which panics in the thread that would begin it. (Waits for each other across
    /// several maps, or beyond the map, are not found, nor those of tasks.) On capacity overflow, as [`insert`](Self::insert).
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// let (pages, rendered) = (tidymap::HashMap::new(), AtomicUsize::new(0));
    /// std::thread::scope(|scope| {
    ///     for _ in 0..4 {
    ///         scope.spawn(|| {
    ///             let page = pages.get_or_init("/", || {
    ///                 rendered.fetch_add(1, Ordering::Relaxed);
    ///                 String::from("<h1>index</h1>")
    ///             });
    ///             assert_eq!(*page, "<h1>index</h1>");
    ///         });
    ///     }
    /// });
    /// assert_eq!(rendered.into_inner(), 1);
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn get_or_init(&self, key: K, init: impl FnOnce() -> V) -> Ref<'_, K, V> {
        match self.try_get_or_init(key, || Ok::<V, Infallible>(init())) {
            Ok(found) => found,
            Err(never) => match never {},
        }
    }

    /// [`get_or_init`](Self::get_or_init) with an `init` that may fail.
    ///
    /// # Errors
    /// What `init` returned, to the caller whose `init` that was. The others do not hear of it: one of them computes next.
    ///
    /// # Panics
    /// As [`get_or_init`](Self::get_or_init).
    ///
    /// ```
    /// let ports = tidymap::HashMap::new();
    /// assert!(ports.try_get_or_init("web", || "eighty".parse::<u16>()).is_err());
    /// assert!(ports.is_empty(), "an error leaves nothing behind");
    /// assert_eq!(ports.try_get_or_init("web", || "80".parse()).as_deref(), Ok(&80));
    /// ```
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub fn try_get_or_init<E>(&self, key: K, init: impl FnOnce() -> Result<V, E>) -> Result<Ref<'_, K, V>, E> {
        let (hash, mut key) = (self.hash(&key), key);
        let leader = loop {
            match self.get_or_join(hash, key) {
                Ok(found) => {
                    // Not at the end of the function: a destructor that panics there leaks what is returned.
                    drop(init);
                    return Ok(found);
                }
                Err(Joined::Leads(leader)) => break leader,
                Err(Joined::Follows(own, follower)) => {
                    key = own;
                    follower.wait();
                }
            }
        };
        let computing = leader.computing();
        let computed = init();
        drop(computing);
        match computed {
            Ok(value) => Ok(self.land(leader, hash, value)),
            Err(error) => {
                drop(leader);
                Err(error)
            }
        }
    }

    /// [`get_or_init`](Self::get_or_init) for tasks: computes by running `future`, and waits without blocking a thread. Threads and tasks may wait
    /// for the same flight.
    ///
    /// Needs no runtime. Does nothing before it is polled, and runs `future` only if it is its turn. It may be dropped at any time: `future` is dropped
    /// first, and then one of those who waited computes instead. (If it is leaked while it computes, they wait for ever.) It holds
    /// no guard while it is pending, and is `Send` if the map may be shared and key, value and `future` are `Send`.
    ///
    /// The [`Ref`] that it returns is a guard, and not `Send`: a task that moves between threads uses it up before it waits for something else.
    ///
    /// # Panics
    /// As [`get_or_init`](Self::get_or_init), if `future`, while it is polled, asks for its own key. A task that waits for itself in another
    /// way, as two do that wait for each other's keys, waits for ever.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pages = tidymap::HashMap::new();
    /// let length = pages.get_or_init_async("/", async { String::from("index") }).await.len();
    /// assert_eq!(length, 5);
    /// assert_eq!(*pages.get_or_init_async("/", async { unreachable!() }).await, "index");
    /// # });
    /// ```
    pub async fn get_or_init_async(&self, key: K, future: impl Future<Output = V>) -> Ref<'_, K, V> {
        match self.initialize(key, future, Ok::<V, Infallible>).await {
            Ok(found) => found,
            Err(never) => match never {},
        }
    }

    /// [`get_or_init_async`](Self::get_or_init_async) with a future that may fail.
    ///
    /// # Errors
    /// What `future` returned, to the caller whose future that was. The others do not hear of it: one of them computes next.
    ///
    /// # Panics
    /// As [`get_or_init_async`](Self::get_or_init_async).
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let ports = tidymap::HashMap::new();
    /// assert!(ports.try_get_or_init_async("web", async { "eighty".parse::<u16>() }).await.is_err());
    /// assert_eq!(ports.try_get_or_init_async("web", async { "80".parse() }).await.as_deref(), Ok(&80));
    /// # });
    /// ```
    pub async fn try_get_or_init_async<E>(
        &self,
        key: K,
        future: impl Future<Output = Result<V, E>>,
    ) -> Result<Ref<'_, K, V>, E> {
        self.initialize(key, future, |computed| computed).await
    }

    /// How many keys are being computed at this moment, by [`get_or_init`](Self::get_or_init) and the like. Takes their mutex for a moment.
    ///
    /// ```
    /// let map = tidymap::HashMap::new();
    /// map.get_or_init("outer", || *map.get_or_init("inner", || map.in_flight()));
    /// assert_eq!(map.get_cloned("outer"), Some(2));
    /// assert_eq!(map.in_flight(), 0);
    /// ```
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// `result` takes the place of a future around `future`, which would leak what that has computed if its destructor panics.
    async fn initialize<T, E>(
        &self,
        key: K,
        future: impl Future<Output = T>,
        result: impl FnOnce(T) -> Result<V, E>,
    ) -> Result<Ref<'_, K, V>, E> {
        let (hash, mut key) = (self.hash(&key), key);
        let leader = loop {
            // In two steps: what is alive while it waits below must not have the type of a guard.
            let joined = match self.get_or_join(hash, key) {
                Ok(found) => {
                    drop(future);
                    return Ok(found);
                }
                Err(joined) => joined,
            };
            match joined {
                Joined::Leads(leader) => break leader,
                Joined::Follows(own, follower) => {
                    key = own;
                    follower.await;
                }
            }
        };
        // Not the value of the block: what a destructor would leak that panics at its end.
        let computed;
        {
            let mut future = pin!(future);
            computed = poll_fn(|context| {
                let _computing = leader.computing();
                future.as_mut().poll(context)
            })
            .await;
        }
        match result(computed) {
            Ok(value) => Ok(self.land(leader, hash, value)),
            Err(error) => {
                drop(leader);
                Err(error)
            }
        }
    }

    /// The pair of `key`, or what is to be done because it is absent.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn get_or_join(&self, hash: core::Hash, key: K) -> Result<Ref<'_, K, V>, Joined<'_, K>> {
        // An empty map has no guards to take.
        let get = |key: &K| if self.core.is_vacant() { None } else { self.get_hashed(hash, key) };
        if let Some(found) = get(&key) {
            drop(key);
            return Ok(found);
        }
        match self.flights.join(hash, key) {
            // Another flight may have ended since the look above. It had inserted the key before it did.
            Joined::Leads(leader) => match get(leader.key()) {
                Some(found) => {
                    drop(leader);
                    Ok(found)
                }
                None => Err(Joined::Leads(leader)),
            },
            follows => Err(follows),
        }
    }

    /// Inserts what was computed, and ends the flight after that.
    #[cfg_attr(feature = "guard-locations", track_caller)]
    fn land(&self, mut leader: Leader<'_, K>, hash: core::Hash, value: V) -> Ref<'_, K, V> {
        let key = leader.take_key();
        let computing = leader.computing();
        let guard = self.guard();
        let (found, late) = match self.core.try_insert(&guard, hash, key, value) {
            Ok(pair) => (keep!(guard, pair), None),
            Err((pair, key, value)) => (keep!(guard, pair), Some((key, value))),
        };
        drop(computing);
        // Before the user's destructors, which others need not wait for.
        drop(leader);
        drop(late);
        found
    }
}

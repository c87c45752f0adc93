//! The map without its public face: the state, the search, and what the operations are made of.
//!
//! - [`hash`], [`bucket`], [`table`] and [`entry`] are the data, from the inside out;
//! - this file holds the state and the read path;
//! - [`writer`] is what happens under the mutex: linking new entries, unlinking dead ones;
//! - [`rebuild`] makes new tables, in steps: growth, promotion, shrinking; [`next`] is the one in the making, [`shape`] what is
//!   known of the tables under the mutex;
//! - [`ops`] is each operation on a key, [`many`] those on many at once, [`owned`] those that hand a pair over, [`bulk`] those on all
//!   entries, [`exclusive`] those of who has the map to itself, [`parallel`] an iteration for several threads;
//! - [`garbage`] is what all of this hands to [`reclaim`](crate::reclaim).
//!
//! DESIGN.md tells the protocol and numbers its invariants; the `SAFETY` comments name them.

mod bucket;
mod bulk;
mod entry;
pub(crate) mod exclusive;
mod garbage;
mod hash;
mod many;
mod next;
mod ops;
mod owned;
#[cfg(any(all(test, not(loom)), feature = "rayon"))]
pub(crate) mod parallel;
mod rebuild;
mod shape;
mod table;
mod writer;

use equivalent::Equivalent;

pub(crate) use bulk::Iter;
pub use garbage::Reclaimed;
pub(crate) use garbage::{Context, OnReclaim, Unlinked};
pub(crate) use hash::Hash;
pub(crate) use many::{FETCHED, GROUP};
pub(crate) use ops::{Computed, Next};
pub(crate) use owned::Removed;
pub(crate) use table::NoTable;

pub(crate) use crate::reclaim::Limits;
use crate::reclaim::{Domain, Panics};
use crate::sync::{AtomicPtr, Ordering, const_unless_loom};
use entry::{Entry, Word};
use table::Table;
use writer::Writer;

pub(crate) type Guard<'m, K, V> = crate::reclaim::Guard<'m, Unlinked<K, V>>;
pub(crate) type Held<'m, K, V> = crate::reclaim::Held<'m, Unlinked<K, V>>;
pub(crate) type Lease<'m, K, V> = crate::reclaim::Lease<'m, Unlinked<K, V>>;
pub(crate) type Permit<'m, K, V> = crate::reclaim::Permit<'m, Unlinked<K, V>>;
pub(crate) type Drain<'m, K, V> = crate::reclaim::Drain<'m, Unlinked<K, V>>;

/// Young tables: the dirty one, one of which the next read table is made, and a place for one more that hashes have filled
/// too soon.
const YOUNG: usize = 3;

/// The dirty table, if there is one, and those that were dirty before it, the youngest first.
type Young<K> = [Table<K>; YOUNG];

/// What readers see of a map, in one load: the tables in which entries are found. Immutable; replaced under the mutex.
pub(crate) struct State<K> {
    /// Built by a promotion. No key is ever added to it.
    read: Table<K>,
    has_young: bool,
    /// The keys that have come since.
    young: Young<K>,
    #[cfg(loom)]
    _tracked: crate::sync::Tracked,
}

impl<K> State<K> {
    fn new(read: Table<K>, young: Young<K>) -> State<K> {
        State {
            read,
            has_young: young.iter().any(|table| !table.is_empty()),
            young,
            #[cfg(loom)]
            _tracked: crate::sync::Tracked::new(),
        }
    }

    /// The tables there are, from the read table to the oldest young one.
    fn tables(&self) -> impl Iterator<Item = Table<K>> {
        std::iter::once(self.read).chain(self.young).filter(|table| !table.is_empty())
    }
}

pub(crate) struct Core<K, V> {
    /// Null while the map has no tables.
    state: AtomicPtr<State<K>>,
    pub(crate) domain: Domain<Unlinked<K, V>>,
    writer: Writer<K, V>,
}

/// A key and a value, for as long as the guard `'g` protects them.
pub(crate) struct Pair<'g, K, V> {
    pub(crate) key: &'g K,
    pub(crate) value: &'g V,
}

impl<K, V> Clone for Pair<'_, K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Pair<'_, K, V> {}

impl<'g, K, V> Pair<'g, K, V> {
    pub(crate) fn parts(self) -> (&'g K, &'g V) {
        (self.key, self.value)
    }
}

/// An entry, as it was found: with the word that names its value, and where.
struct Found<K, V> {
    entry: Entry<K, V>,
    word: Word,
    table: Table<K>,
    slot: usize,
}

impl<K, V> Found<K, V> {
    /// # Safety
    /// It was found under the guard `'g`.
    #[inline]
    unsafe fn pair<'g>(&self) -> Pair<'g, K, V> {
        // SAFETY: E2, E3: the guard protects the entry, and the value that the word names.
        unsafe { self.entry.pair(self.word) }
    }

    /// The hash under which the entry is linked. Not that of the key it was looked up by, which may be another one if the
    /// user's `Hash` and `Eq` do not agree.
    ///
    /// # Safety
    /// It was found under a guard that is still live.
    unsafe fn hash(&self) -> Hash {
        // SAFETY: T1: the guard keeps the table; E1: the entry was met in the slot.
        unsafe { self.table.hash_of(self.slot) }
    }
}

impl<K, V> Core<K, V> {
    const_unless_loom! {
        pub(crate) fn new(limits: Limits, on_reclaim: Option<OnReclaim<K, V>>) -> Core<K, V> {
            Core {
                state: AtomicPtr::new(std::ptr::null_mut()),
                domain: Domain::new(limits, Context::new(on_reclaim)),
                writer: Writer::new(),
            }
        }
    }

    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn guard(&self) -> Guard<'_, K, V> {
        self.domain.guard()
    }

    /// True if the map has no tables: then it has no entries, and there is nothing to guard.
    #[inline]
    pub(crate) fn is_vacant(&self) -> bool {
        // ORDERING: Acquire, as in `state`: what a null state says of the map is not older than what was seen before.
        self.state.load(Ordering::Acquire).is_null()
    }

    /// The current state. Its tables stay allocated while the guard lives (T1).
    #[inline]
    fn state<'g>(&self, _guard: &'g Held<'_, K, V>) -> Option<&'g State<K>> {
        // ORDERING: Acquire pairs with the Release of `publish`.
        let state = self.state.load(Ordering::Acquire);
        // SAFETY: S1: a state is retired after it was replaced, so the guard protects it if it was read under it.
        unsafe { state.as_ref() }
    }

    /// The live entry of `key`. Lock-free, and with bounded steps but for the length of the chains.
    ///
    /// Linearizes at the load of the entry's word. If there is none: at the load of the state if the key was absent then, else
    /// at the death of the entry that had it then.
    #[inline(always)]
    fn find<Q>(&self, guard: &Held<'_, K, V>, hash: Hash, key: &Q) -> Option<Found<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let state = self.state(guard)?;
        // SAFETY: T1: the guard keeps the tables of the state.
        unsafe { Self::find_in(state.read, hash, key).or_else(|| Self::find_young(state, hash, key)) }
    }

    /// # Safety
    /// As for [`find_in`](Self::find_in).
    unsafe fn find_young<Q>(state: &State<K>, hash: Hash, key: &Q) -> Option<Found<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        // SAFETY: by the caller's promise.
        state.young.iter().find_map(|table| unsafe { Self::find_in(*table, hash, key) })
    }

    /// # Safety
    /// The table belongs to a state that was read under a guard that is still live (T1, E2).
    #[inline(always)]
    unsafe fn find_in<Q>(table: Table<K>, hash: Hash, key: &Q) -> Option<Found<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let matches = |head, slot| {
            let entry = Entry::<K, V>::from_raw(head);
            // SAFETY: E2 by the caller's promise.
            unsafe {
                if !key.equivalent(entry.key()) {
                    return None;
                }
                let word = entry.load();
                // A dead entry is no match: a live one with its key may stand further on.
                (!word.is_dead()).then_some(Found { entry, word, table, slot })
            }
        };
        // SAFETY: T1 by the caller's promise.
        unsafe { table.find(hash, matches) }
    }

    /// The pair of `key`: [`find`](Self::find), which counts a miss if it had to look into young tables.
    #[inline(always)]
    pub(crate) fn get<'g, Q>(&self, guard: &'g Held<'_, K, V>, hash: Hash, key: &Q) -> Option<Pair<'g, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let state = self.state(guard)?;
        // Most keys are the first candidate of their home bucket, or have none there: that much is inlined, without a loop.
        // SAFETY: T1, as in `find`.
        if let Some(home) = unsafe { state.read.home_bucket(hash) } {
            let meta = home.meta();
            if let Some(slot) = meta.matching(hash.tag()).next() {
                let entry = Entry::<K, V>::from_raw(home.entry(slot));
                // SAFETY: E2: found under the guard.
                let pair = unsafe { if key.equivalent(entry.key()) { entry.live_pair() } else { None } };
                if pair.is_some() {
                    return pair;
                }
            } else if !meta.overflows() && !state.has_young {
                return None;
            }
        }
        self.get_on(*guard, state, hash, key)
    }

    /// The rest of [`get`](Self::get).
    #[inline(never)]
    fn get_on<'g, Q>(&self, guard: Held<'g, K, V>, state: &State<K>, hash: Hash, key: &Q) -> Option<Pair<'g, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        // SAFETY: T1, as in `find`.
        let found = unsafe { Self::find_in(state.read, hash, key) }.or_else(|| {
            if !state.has_young {
                return None;
            }
            // SAFETY: T1, as in `find`.
            let found = unsafe { Self::find_young(state, hash, key) };
            self.count_miss(&guard);
            found
        });
        // SAFETY: found under the guard.
        found.map(|found| unsafe { found.pair() })
    }

    pub(crate) fn len(&self) -> usize {
        self.writer.len.load(Ordering::Relaxed)
    }
}

impl<K, V> Drop for Core<K, V> {
    /// Drops all entries and all that is pending (R7).
    fn drop(&mut self) {
        let mut panics = Panics::default();
        let state = self.state.load(Ordering::Relaxed);
        let hook = self.domain.context().hook();
        if !state.is_null() {
            // SAFETY: S1: the current state is a box that nobody else will retire; `&mut self` says that nobody uses it.
            let state = unsafe { Box::from_raw(state) };
            for table in state.tables() {
                // SAFETY: T1: as for the state. Linked entries belong to the table; no dead one is linked when no
                // operation is running (W2).
                unsafe {
                    for (head, _) in table.entries_backwards() {
                        Entry::<K, V>::from_raw(head.as_ptr()).reclaim(hook, &mut panics);
                    }
                    table.free();
                }
            }
        }
        let mut lock = self.lock();
        let spare = lock.spare.take().map(table::Blank::into_table);
        for table in lock.next.take().map(|next| next.into_table()).into_iter().chain(spare) {
            // SAFETY: T1: nobody else's; the entries linked in it were those of the tables above.
            unsafe { table.free() };
        }
        drop(lock);
        self.domain.drop_all(&mut panics);
        panics.resume();
    }
}

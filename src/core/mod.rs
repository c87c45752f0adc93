//! The map without its public face: its tables, the search, and what the operations are made of.
//!
//! - [`hash`], [`bucket`], [`table`] and [`entry`] are the data, from the inside out;
//! - [`state`] is what readers see, and this file holds the read path; [`census`] is how many entries there are;
//! - [`writer`] is what happens under the mutex: linking new entries, unlinking dead ones; [`stripes`] is linking by several threads at once,
//!   [`searched`] what both go by;
//! - [`rebuild`] makes new tables, in steps: growth, promotion, shrinking; [`tend`] is when, [`next`] the one in the making, [`shape`] what is
//!   known of the tables under the mutex;
//! - [`ops`] is each operation on a key ([`open`]: on a map that is never closed), [`many`] those on many at once, [`owned`] those that hand a pair over, [`bulk`] those on all
//!   entries, [`exclusive`] those of who has the map to itself, [`parallel`] an iteration for several threads;
//! - [`nested`] is maps whose values are such tables;
//! - [`reclaiming`] is what a map with a domain of its own does about its garbage; [`garbage`] is what all of this hands to [`reclaim`](crate::reclaim).
//!
//! DESIGN.md tells the protocol and numbers its invariants; the `SAFETY` comments name them.

mod bucket;
mod bulk;
mod census;
mod entry;
pub(crate) mod exclusive;
mod garbage;
mod hash;
mod many;
mod nested;
mod next;
mod open;
mod ops;
mod owned;
#[cfg(any(all(test, not(loom)), feature = "rayon"))]
pub(crate) mod parallel;
mod rebuild;
mod reclaiming;
mod searched;
mod shape;
mod state;
mod stripes;
mod table;
mod tend;
mod writer;

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use equivalent::Equivalent;

pub(crate) use bulk::Iter;
pub use garbage::Reclaimed;
pub(crate) use garbage::{Context, OnReclaim, Unlinked};
pub(crate) use hash::Hash;
pub(crate) use many::GROUP;
pub(crate) use nested::{FoundInner, Nested, NestedGuard, NestedHeld, NestedIter, NestedUnlinked, OuterIter};
pub(crate) use ops::{Computed, Next};
pub(crate) use owned::Removed;
pub(crate) use table::{FETCHED, NoTable};

pub(crate) use crate::reclaim::Limits;
use crate::reclaim::{Domain, Held, Panics};
use crate::sync::{AtomicPtr, AtomicU32, Ordering, const_unless_loom};
use entry::{Entry, Word};
use garbage::{Hook, Host};
use shape::Shape;
pub(crate) use state::State;
use state::{YOUNG, Young};
use table::Table;
use writer::Writer;

pub(crate) type Guard<'m, K, V> = crate::reclaim::Guard<'m, Unlinked<K, V>>;
pub(crate) type Lent<'m, K, V> = crate::reclaim::Lent<'m, Unlinked<K, V>>;
pub(crate) type MapHeld<'m, K, V> = Held<'m, Unlinked<K, V>>;
pub(crate) type Lease<'m, K, V> = crate::reclaim::Lease<'m, Unlinked<K, V>>;
pub(crate) type Permit<'m, K, V> = crate::reclaim::Permit<'m, Unlinked<K, V>>;
pub(crate) type Drain<'m, K, V> = crate::reclaim::Drain<'m, Unlinked<K, V>>;

/// New entries are linked, and a map that closes does when it runs empty.
const OPEN: u32 = 0;
/// As `OPEN`, but it does not close: whoever has made it is about to link its first entry.
const KEPT_OPEN: u32 = 1;
/// Nothing is linked any more, and nothing will be.
const CLOSED: u32 = 2;

/// The tables of a map, and what changes them. What it unlinks it hands to the [`Host`] `G`, under whose guards it is used: the same ones
/// always.
pub(crate) struct Tables<K, V, G> {
    /// [`State::vacant`] while the map has no tables.
    state: AtomicPtr<State<K>>,
    /// What that is in a model, which has none that outlives it.
    #[cfg(loom)]
    vacant: Box<State<K>>,
    /// [`OPEN`] always, but if [`Host::CLOSES`]. Changed under the mutex.
    stage: AtomicU32,
    /// Has a value ever been overwritten? For [`glance`](Self::glance), which is right either way; so it is no primitive of a model.
    is_overwritten: std::sync::atomic::AtomicBool,
    writer: Writer<K, V>,
    _unlinked: PhantomData<fn(G)>,
}

/// A map: its tables, with a domain of their own.
pub(crate) struct Core<K, V> {
    tables: Tables<K, V, Unlinked<K, V>>,
    pub(crate) domain: Domain<Unlinked<K, V>>,
}

impl<K, V> Deref for Core<K, V> {
    type Target = Tables<K, V, Unlinked<K, V>>;

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &self.tables
    }
}

impl<K, V> DerefMut for Core<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tables
    }
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

/// What a first look tells of a key.
pub(crate) enum Glance<'g, K, V> {
    Found(Pair<'g, K, V>),
    Absent,
    Unsure,
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
            Core { tables: Tables::new(), domain: Domain::new(limits, Context::new(on_reclaim)) }
        }
    }

    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn guard(&self) -> Guard<'_, K, V> {
        self.domain.guard()
    }
}

impl<K, V, G> Tables<K, V, G> {
    const_unless_loom! {
        pub(crate) fn new() -> Tables<K, V, G> {
            #[cfg(loom)]
            let vacant = Box::new(State::new(Table::EMPTY, [Table::EMPTY; YOUNG]));
            Tables {
                #[cfg(not(loom))]
                state: AtomicPtr::new(State::vacant()),
                #[cfg(loom)]
                state: AtomicPtr::new(std::ptr::from_ref(&*vacant).cast_mut()),
                #[cfg(loom)]
                vacant,
                stage: AtomicU32::new(OPEN),
                is_overwritten: std::sync::atomic::AtomicBool::new(false),
                writer: Writer::new(),
                _unlinked: PhantomData,
            }
        }
    }

    /// The same, [kept open](KEPT_OPEN).
    fn kept_open() -> Tables<K, V, G> {
        let tables = Tables::new();
        tables.stage.store(KEPT_OPEN, Ordering::Relaxed);
        tables
    }

    /// Has it run empty, so that new keys have to go elsewhere? That does not change any more.
    #[inline]
    fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with the Release of `close_if_empty`: who goes elsewhere comes after the end of the last entry here.
        self.stage.load(Ordering::Acquire) == CLOSED
    }

    /// True if the map has no tables: then it has no entries, and there is nothing to guard.
    #[inline]
    pub(crate) fn is_vacant(&self) -> bool {
        // ORDERING: Acquire, as in `state`: what a vacant state says of the map is not older than what was seen before.
        self.state.load(Ordering::Acquire) == self.vacant()
    }

    #[inline(always)]
    pub(crate) fn is_overwritten(&self) -> bool {
        self.is_overwritten.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn note_overwriting(&self) {
        if !self.is_overwritten() {
            self.is_overwritten.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn vacant(&self) -> *mut State<K> {
        #[cfg(not(loom))]
        return State::vacant();
        #[cfg(loom)]
        return std::ptr::from_ref(&*self.vacant).cast_mut();
    }
}

impl<K, V, G: Host<K, V>> Tables<K, V, G> {
    /// The current state. Its tables stay allocated while the guard lives (T1).
    #[inline]
    fn state<'g>(&self, _guard: &'g Held<'_, G>) -> &'g State<K> {
        // ORDERING: Acquire pairs with the Release of `publish`.
        let state = self.state.load(Ordering::Acquire);
        // SAFETY: S1: a state is retired after it was replaced, so the guard protects it if it was read under it; the vacant one stays.
        unsafe { &*state }
    }

    /// The live entry of `key`. Lock-free, and with bounded steps but for the length of the chains.
    ///
    /// Linearizes at the load of the entry's word. If there is none: at the load of the state if the key was absent then, else
    /// at the death of the entry that had it then.
    #[inline(always)]
    fn find<Q>(&self, guard: &Held<'_, G>, hash: Hash, key: &Q) -> Option<Found<K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let state = self.state(guard);
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
        state
            .young
            .iter()
            .filter(|table| !table.is_empty())
            .find_map(|table| unsafe { Self::find_in(*table, hash, key) })
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
    pub(crate) fn get<'g, Q>(&self, guard: &'g Held<'_, G>, hash: Hash, key: &Q) -> Option<Pair<'g, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        match self.glance(guard, hash, key) {
            Glance::Found(pair) => Some(pair),
            Glance::Absent => None,
            Glance::Unsure => self.get_on(*guard, hash, key),
        }
    }

    /// Most keys are the first candidate of their home bucket, or have none there: so much of [`get`](Self::get), inlined, and
    /// without a loop.
    #[inline(always)]
    pub(crate) fn glance<'g, Q>(&self, guard: &'g Held<'_, G>, hash: Hash, key: &Q) -> Glance<'g, K, V>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let state = self.state(guard);
        // SAFETY: T1, as in `find`.
        if let Some(home) = unsafe { state.read.home_bucket(hash) } {
            let meta = home.meta();
            if let Some(slot) = meta.matching(hash.tag()).next() {
                let entry = Entry::<K, V>::from_raw(home.entry(slot));
                // SAFETY: E2: found under the guard.
                let pair = unsafe {
                    match key.equivalent(entry.key()) {
                        false => None,
                        true if self.is_overwritten() => entry.live_pair(),
                        true => entry.live_pair_guessed(),
                    }
                };
                if let Some(pair) = pair {
                    return Glance::Found(pair);
                }
            } else if !meta.overflows() && !state.has_young {
                return Glance::Absent;
            }
        }
        Glance::Unsure
    }

    /// [`get`](Self::get), if a [`glance`](Self::glance) has not told.
    #[inline(never)]
    pub(crate) fn get_on<'g, Q>(&self, guard: Held<'g, G>, hash: Hash, key: &Q) -> Option<Pair<'g, K, V>>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let state = self.state(&guard);
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
}

impl<K, V, G> Tables<K, V, G> {
    /// Drops all entries, or hands them to the hook, and gives the tables back.
    fn drop_all(&mut self, hook: Hook<'_, K, V>, panics: &mut Panics) {
        let state = self.state.swap(self.vacant(), Ordering::Relaxed);
        if state != self.vacant() {
            // SAFETY: S1: the current state is a box that nobody else will retire; `&mut self` says that nobody uses it.
            let state = unsafe { Box::from_raw(state) };
            for table in state.tables() {
                // SAFETY: T1: as for the state. Linked entries belong to the table; no dead one is linked when no
                // operation is running (W2).
                unsafe {
                    for (head, _) in table.entries_backwards() {
                        Entry::<K, V>::from_raw(head.as_ptr()).reclaim(hook, panics);
                    }
                    table.free();
                }
            }
        }
        let shape = std::mem::replace(self.shape_mut(), Shape::NONE);
        let spare = shape.spare.map(|spare| spare.into_table());
        for table in shape.next.map(|next| next.into_table()).into_iter().chain(spare) {
            // SAFETY: T1: nobody else's; the entries linked in it were those of the tables above.
            unsafe { table.free() };
        }
    }
}

impl<K, V, G> Drop for Tables<K, V, G> {
    fn drop(&mut self) {
        let mut panics = Panics::default();
        self.drop_all(None, &mut panics);
        panics.resume();
    }
}

impl<K, V> Drop for Core<K, V> {
    /// Drops all entries and all that is pending (R7).
    fn drop(&mut self) {
        let mut panics = Panics::default();
        self.tables.drop_all(self.domain.context().hook(), &mut panics);
        self.domain.drop_all(&mut panics);
        panics.resume();
    }
}

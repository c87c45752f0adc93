//! What a map unlinks.

use std::convert::Infallible;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::sync::Arc;

use super::State;
use super::entry::{Entry, OldValue};
use super::shape::{LEAST, PART, goes_in_parts, may_go_in_parts};
use super::table::{GivingBack, Table};
use crate::reclaim::{Amount, Garbage, Panics, Weight};
use crate::sync::{AtomicUsize, Ordering, const_unless_loom};

pub(crate) enum Unlinked<K, V> {
    /// A dead entry: its key and its last value.
    Entry(Entry<K, V>),
    /// A value that has been overwritten.
    Value(OldValue<K, V>),
    /// A table that has been replaced. Its entries live on in others, or are retired by themselves.
    Table(Table<K>),
    /// One that is too large to be given back at once. In a box: it is rare, and there may be many of the others.
    LargeTable(Box<GivingBack<K>>),
    /// A state that has been replaced.
    State(NonNull<State<K>>),
}

// SAFETY: Send: what it points to is its own, and goes along with it.
unsafe impl<K: Send, V: Send> Send for Unlinked<K, V> {}

/// What takes in all that the tables of a map with these keys and values unlink: that map's own [`Unlinked`], or what such tables are a part of.
pub(crate) trait Host<K, V>: Garbage + From<Unlinked<K, V>> {
    /// Is a map that has run empty closed? Then it is of no use any more, and goes with whatever it is a value of.
    const CLOSES: bool;

    /// The least number of entries a table is made for.
    const LEAST: usize = LEAST;

    /// What a new entry becomes that is not linked because the map is closed. Nothing can be of this type where maps are not.
    type Closed<T>;

    fn closed<T>(parts: T) -> Self::Closed<T>;

    /// Bytes of all tables that readers see, of all maps that share the context. Written under the mutex of each.
    fn table_bytes(context: &Self::Context) -> &AtomicUsize;
}

/// What the map gives up, by ownership, when no guard can see it any more: the argument of the function that
/// [`Builder::on_reclaim`](crate::Builder::on_reclaim) sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reclaimed<K, V> {
    /// A removed key, with the value that it had last.
    Removed(K, V),
    /// A value that was overwritten.
    Overwritten(V),
}

/// A function that is given what would be dropped. Shared by the clones of a map.
pub(crate) struct OnReclaim<K, V>(Arc<dyn Fn(Reclaimed<K, V>) + Send + Sync>);

impl<K, V> OnReclaim<K, V> {
    pub(crate) fn new(function: impl Fn(Reclaimed<K, V>) + Send + Sync + 'static) -> Self {
        OnReclaim(Arc::new(function))
    }
}

impl<K, V> Clone for OnReclaim<K, V> {
    fn clone(&self) -> Self {
        OnReclaim(self.0.clone())
    }
}

// What a panic leaves behind in the function is its owner's affair, as with all that threads share.
impl<K, V> UnwindSafe for OnReclaim<K, V> {}
impl<K, V> RefUnwindSafe for OnReclaim<K, V> {}

/// The same, while something is reclaimed.
pub(super) type Hook<'h, K, V> = Option<&'h (dyn Fn(Reclaimed<K, V>) + Send + Sync)>;

/// What the reclaiming of a map's garbage depends on.
pub(crate) struct Context<K, V> {
    pub(crate) on_reclaim: Option<OnReclaim<K, V>>,
    /// Bytes of the tables that readers see. Written under the mutex.
    pub(super) table_bytes: AtomicUsize,
}

impl<K, V> Context<K, V> {
    const_unless_loom! {
        pub(crate) fn new(on_reclaim: Option<OnReclaim<K, V>>) -> Context<K, V> {
            Context { on_reclaim, table_bytes: AtomicUsize::new(0) }
        }
    }

    pub(super) fn hook(&self) -> Hook<'_, K, V> {
        self.on_reclaim.as_ref().map(|OnReclaim(function)| &**function as _)
    }
}

impl<K, V> Unlinked<K, V> {
    /// Reclaims it, or a part of it, beside tables of so many bytes.
    ///
    /// # Safety
    /// As for [`Garbage::reclaim`].
    #[inline(always)]
    pub(super) unsafe fn reclaim_beside(
        self,
        table_bytes: &AtomicUsize,
        hook: Hook<'_, K, V>,
        amount: Amount,
        panics: &mut Panics,
    ) -> Option<Self> {
        // SAFETY: nobody can reach it any more, by the caller's promise; each was retired once (E5).
        unsafe {
            match self {
                Unlinked::Entry(entry) => entry.reclaim(hook, panics),
                Unlinked::Value(value) => value.reclaim(hook, panics),
                Unlinked::State(state) => drop(Box::from_raw(state.as_ptr())),
                Unlinked::Table(table) => return give_back(GivingBack::new(table), table_bytes, amount),
                Unlinked::LargeTable(table) => return give_back(*table, table_bytes, amount),
            }
        }
        None
    }
}

/// Gives a table back, or a part of one that is large; None if nothing of it is left.
///
/// # Safety
/// Nobody uses it any more.
unsafe fn give_back<K, V>(table: GivingBack<K>, table_bytes: &AtomicUsize, amount: Amount) -> Option<Unlinked<K, V>> {
    // ORDERING: Acquire; see `publish`.
    let in_parts = amount == Amount::Bounded && goes_in_parts(table.bytes(), table_bytes.load(Ordering::Acquire));
    // SAFETY: by the caller's promise.
    unsafe { table.give(if in_parts { PART } else { usize::MAX }) }.map(|left| Unlinked::LargeTable(Box::new(left)))
}

// SAFETY: `reclaim` uses nothing of the thread it runs on; `HashMap` is shared between threads only if K and V are Send.
unsafe impl<K, V> Garbage for Unlinked<K, V> {
    type Context = Context<K, V>;

    #[inline(always)]
    fn weight(&self) -> Weight {
        match self {
            // SAFETY: E2: an entry is retired dead, and it is weighed before it is reclaimed.
            Unlinked::Entry(entry) => unsafe { entry.weight_now() },
            Unlinked::Value(value) => value.weight(),
            Unlinked::Table(table) => table_weight(table.bytes()),
            Unlinked::LargeTable(table) => table_weight(table.bytes()),
            Unlinked::State(_) => table_weight(size_of::<State<K>>()),
        }
    }

    #[inline(always)]
    unsafe fn reclaim(self, context: &Context<K, V>, amount: Amount, panics: &mut Panics) -> Option<Self> {
        // SAFETY: by the caller's promise.
        unsafe { self.reclaim_beside(&context.table_bytes, context.hook(), amount, panics) }
    }

    fn is_urgent(context: &Context<K, V>) -> bool {
        is_urgent(&context.table_bytes)
    }
}

impl<K, V> Host<K, V> for Unlinked<K, V> {
    const CLOSES: bool = false;

    type Closed<T> = Infallible;

    fn closed<T>(_: T) -> Infallible {
        unreachable!("only maps that close are closed")
    }

    #[inline]
    fn table_bytes(context: &Context<K, V>) -> &AtomicUsize {
        &context.table_bytes
    }
}

/// Is no part of a table to be left over, beside tables of so many bytes?
pub(super) fn is_urgent(table_bytes: &AtomicUsize) -> bool {
    // ORDERING: see `publish`.
    !may_go_in_parts(table_bytes.load(Ordering::Relaxed))
}

pub(super) fn table_weight(bytes: usize) -> Weight {
    Weight { table_bytes: bytes as u64, ..Weight::default() }
}

//! An entry: a key and its current value, and the word that says which value that is, or that the entry is dead.
//!
//! # The word
//!
//! A pointer to the value, with three flags in its low bits. [`DEAD`] is set once, by the compare-and-swap that removes
//! the entry, and the word's pointer does not change any more: the entry drops that value together with its key. A later
//! insert of the same key makes a new entry. That is hidden, by the same flag, while it is being linked.
//!
//! # Where values live
//!
//! The first value of a key lives in the entry (*inline*), if it is small: a key that is written once and read often then
//! costs two dependent cache misses, the bucket's and the entry's. Later values are boxed. An inline value that has been
//! overwritten is dropped in place when its own stamp has passed, and that may be before or after the entry's: whichever
//! comes second gives the memory back. [`VALUE_GONE`] and [`KEY_GONE`] are how each learns that it is second.

mod reclaim;

use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::NonNull;

pub(super) use reclaim::OldValue;

use super::Pair;
use crate::reclaim::Weight;
use crate::sync::{AtomicPtr, Ordering};

/// The entry has been removed, or is not linked yet.
const DEAD: usize = 1;
/// The overwritten inline value has been dropped.
const VALUE_GONE: usize = 2;
/// The key and the last value have been dropped.
const KEY_GONE: usize = 4;
const FLAGS: usize = DEAD | VALUE_GONE | KEY_GONE;

/// A value, aligned so that a pointer to it has room for the flags.
#[repr(C, align(8))]
pub(crate) struct Aligned<V>(V);

/// What every entry begins with. All pointers to entries are pointers to this.
#[repr(C)]
pub(crate) struct Head<K> {
    /// `*mut Aligned<V>`, which the tables need not know, and flags.
    word: AtomicPtr<()>,
    key: ManuallyDrop<K>,
    #[cfg(loom)]
    tracked: crate::sync::Tracked,
}

/// An entry with room for its first value.
#[repr(C)]
struct WithInline<K, V> {
    head: Head<K>,
    inline: MaybeUninit<Aligned<V>>,
}

/// What was read from an entry's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(*mut ());

impl Word {
    #[inline]
    pub(crate) fn is_dead(self) -> bool {
        self.0.addr() & DEAD != 0
    }

    #[inline]
    fn value<V>(self) -> *mut Aligned<V> {
        self.0.map_addr(|addr| addr & !FLAGS).cast()
    }

    fn with(self, flags: usize) -> Word {
        Word(self.0.map_addr(|addr| addr | flags))
    }
}

/// A boxed value on its way into an entry.
pub(crate) type Boxed<V> = Box<Aligned<V>>;

pub(crate) fn boxed<V>(value: V) -> Boxed<V> {
    Box::new(Aligned(value))
}

#[expect(clippy::boxed_local, reason = "it is how the value travels")]
pub(crate) fn unboxed<V>(value: Boxed<V>) -> V {
    let Aligned(value) = *value;
    value
}

/// Operations on a pointer to an entry. It is a plain pointer: what keeps it valid is said where it is used.
pub(crate) struct Entry<K, V> {
    head: NonNull<Head<K>>,
    _values: std::marker::PhantomData<*mut V>,
}

// SAFETY: Send: a pointer; what may be done with it is said at each use.
unsafe impl<K: Send, V: Send> Send for Entry<K, V> {}

impl<K, V> Clone for Entry<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Entry<K, V> {}

impl<K, V> PartialEq for Entry<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head
    }
}

impl<K, V> Entry<K, V> {
    /// Larger values would cost more memory in entries whose value has been overwritten than they save time.
    const INLINE: bool = size_of::<V>() <= 64 && align_of::<V>() <= 64;

    const BYTES: u64 = if Self::INLINE { size_of::<WithInline<K, V>>() } else { size_of::<Head<K>>() } as u64;
    const VALUE_BYTES: u64 = size_of::<Aligned<V>>() as u64;

    /// A new entry, live, known to nobody.
    pub(crate) fn new(key: K, value: V) -> Entry<K, V> {
        let head = Head {
            word: AtomicPtr::new(std::ptr::null_mut()),
            key: ManuallyDrop::new(key),
            #[cfg(loom)]
            tracked: crate::sync::Tracked::new(),
        };
        let (head, value) = if Self::INLINE {
            let entry = Box::into_raw(Box::new(WithInline { head, inline: MaybeUninit::new(Aligned(value)) }));
            // SAFETY: `entry` is a valid allocation; no reference is made.
            let inline = unsafe { (&raw mut (*entry).inline).cast::<()>() };
            (entry.cast::<Head<K>>(), inline)
        } else {
            (Box::into_raw(Box::new(head)), Box::into_raw(boxed(value)).cast())
        };
        // SAFETY: it came from a box, so it is not null; it is valid and ours alone.
        let head = unsafe {
            (*head).word.store(value, Ordering::Relaxed);
            NonNull::new_unchecked(head)
        };
        Entry { head, _values: std::marker::PhantomData }
    }

    /// Makes it look dead until it is [shown](Self::show).
    ///
    /// # Safety
    /// Nobody else knows the entry yet.
    pub(crate) unsafe fn hide(self) {
        // SAFETY: E6: the caller made it.
        let word = unsafe { self.word() };
        // ORDERING: Relaxed: the Release of `Bucket::link` and `link_again` publishes it.
        word.store(Word(word.load(Ordering::Relaxed)).with(DEAD).0, Ordering::Relaxed);
    }

    /// Shows an entry that was [hidden](Self::hide), and has been linked since. The linearization point of an insert.
    ///
    /// # Safety
    /// The entry has not been reclaimed (E2), and is hidden: nobody else changes its word.
    pub(crate) unsafe fn show(self) {
        // SAFETY: E2, E6: by the caller's promise.
        let word = unsafe { self.word() };
        let live = word.load(Ordering::Relaxed).map_addr(|addr| addr & !DEAD);
        // ORDERING: Release pairs with the Acquire of `load`: who sees it alive has acquired the tag under which it is linked.
        word.store(live, Ordering::Release);
    }

    #[inline]
    pub(crate) fn from_raw(head: *mut Head<K>) -> Entry<K, V> {
        // SAFETY: E1: tables hold pointers that came from `into_raw`, and a slot is read only if its tag was seen.
        Entry { head: unsafe { NonNull::new_unchecked(head) }, _values: std::marker::PhantomData }
    }

    pub(crate) fn into_raw(self) -> *mut Head<K> {
        self.head.as_ptr()
    }

    /// # Safety
    /// The entry has not been reclaimed (E2).
    #[inline]
    pub(crate) unsafe fn key<'e>(self) -> &'e K {
        // SAFETY: valid by the caller's promise, and a key never changes.
        unsafe { &(*self.head.as_ptr()).key }
    }

    /// # Safety
    /// The entry has not been reclaimed (E2).
    #[inline]
    unsafe fn word<'e>(self) -> &'e AtomicPtr<()> {
        // SAFETY: valid by the caller's promise.
        unsafe { &(*self.head.as_ptr()).word }
    }

    /// # Safety
    /// The entry has not been reclaimed (E2).
    #[inline]
    pub(crate) unsafe fn load(self) -> Word {
        // SAFETY: by the caller's promise.
        // ORDERING: Acquire pairs with the Release of `exchange`: the boxed value is seen initialized.
        Word(unsafe { self.word() }.load(Ordering::Acquire))
    }

    /// The value that `word` names.
    ///
    /// # Safety
    /// `word` was read from this entry under a guard that is still live (E2), and is not used after it.
    #[inline]
    pub(crate) unsafe fn value<'e>(self, word: Word) -> &'e V {
        // SAFETY: E3: a value is reclaimed only after the word has named another one, or the entry has died, and the
        // stamp of that has passed. A word is never null.
        unsafe { &NonNull::new_unchecked(word.value::<V>()).as_ref().0 }
    }

    /// The pair, if the entry is live.
    ///
    /// # Safety
    /// The entry has not been reclaimed (E2); the pair is not used after the guard under which it was found.
    #[inline(always)]
    pub(crate) unsafe fn live_pair<'e>(self) -> Option<Pair<'e, K, V>> {
        // SAFETY: E2, E3 by the caller's promise.
        unsafe { self.pair_if_live(self.load()) }
    }

    /// [`live_pair`](Self::live_pair) where no value has been overwritten: an inline value is taken by an address that does not come from the word, so the processor fetches both at once.
    /// Where some values have been and others have not, it could not foretell that branch.
    ///
    /// # Safety
    /// As for [`live_pair`](Self::live_pair).
    #[inline(always)]
    pub(crate) unsafe fn live_pair_guessed<'e>(self) -> Option<Pair<'e, K, V>> {
        // SAFETY: E2, E3 by the caller's promise; a word that is the inline value's address and nothing else names that.
        unsafe {
            let word = self.load();
            if Self::INLINE && word.0.addr() == self.inline().addr() {
                return Some(Pair { key: self.key(), value: &(*self.inline()).0 });
            }
            self.pair_if_live(word)
        }
    }

    /// # Safety
    /// As for [`value`](Self::value).
    #[inline(always)]
    unsafe fn pair_if_live<'e>(self, word: Word) -> Option<Pair<'e, K, V>> {
        // SAFETY: by the caller's promise.
        (!word.is_dead()).then(|| unsafe { self.pair(word) })
    }

    /// The key, and the value that `word` names.
    ///
    /// # Safety
    /// As for [`value`](Self::value).
    #[inline]
    pub(crate) unsafe fn pair<'e>(self, word: Word) -> Pair<'e, K, V> {
        // SAFETY: by the caller's promise.
        unsafe { Pair { key: self.key(), value: self.value(word) } }
    }

    /// The same, for who has the entry to itself.
    ///
    /// # Safety
    /// X1: `word` was read from this entry, and for `'e` nobody else reaches the entry.
    pub(crate) unsafe fn pair_mut<'e>(self, word: Word) -> (&'e K, &'e mut V) {
        // SAFETY: X1 by the caller's promise; a word is never null, and names a value that is there (E3).
        unsafe { (self.key(), &mut NonNull::new_unchecked(word.value::<V>()).as_mut().0) }
    }

    /// Removes the entry if its word is still `word`. The linearization point of a removal.
    ///
    /// # Safety
    /// The entry has not been reclaimed (E2); `word` is not dead.
    pub(crate) unsafe fn kill(self, word: Word) -> bool {
        debug_assert!(!word.is_dead());
        // SAFETY: by the caller's promise.
        unsafe { self.exchange(word, word.with(DEAD)) }
    }

    /// Makes `value` the entry's value if its word is still `word`. The linearization point of an overwrite. Returns what
    /// to retire, and the new word; or the value.
    ///
    /// # Safety
    /// The entry has not been reclaimed (E2); `word` is not dead.
    pub(crate) unsafe fn overwrite(self, word: Word, value: Boxed<V>) -> Result<(OldValue<K, V>, Word), Boxed<V>> {
        debug_assert!(!word.is_dead());
        let raw = Box::into_raw(value);
        let gone = word.0.addr() & VALUE_GONE;
        let new = Word(raw.cast()).with(gone);
        // SAFETY: by the caller's promise.
        if !unsafe { self.exchange(word, new) } {
            // SAFETY: `raw` came from the box above and was not published.
            return Err(unsafe { Box::from_raw(raw) });
        }
        let old = match self.is_inline(word) {
            true => OldValue::Inline(self),
            // SAFETY: it came from a box and is not null.
            false => OldValue::Boxed(unsafe { NonNull::new_unchecked(word.value::<V>()) }),
        };
        Ok((old, new))
    }

    /// Goes from `old` to `new`. A word from which only [`VALUE_GONE`] is missing counts as `old`.
    unsafe fn exchange(self, old: Word, new: Word) -> bool {
        // SAFETY: by the callers' promise.
        let word = unsafe { self.word() };
        // ORDERING: Release publishes a boxed value to the Acquire of `load`, and the death of an entry with all that was
        // done before it; Acquire because the old value goes to our caller.
        match word.compare_exchange(old.0, new.0, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => true,
            Err(now) if now == old.with(VALUE_GONE).0 && now != old.0 => {
                // The inline value was dropped between our load and now; the flag is set once.
                let new = new.with(VALUE_GONE).0;
                word.compare_exchange(now, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            }
            Err(_) => false,
        }
    }

    fn is_inline(self, word: Word) -> bool {
        Self::INLINE && word.value::<V>() == self.inline()
    }

    fn inline(self) -> *mut Aligned<V> {
        debug_assert!(Self::INLINE);
        // SAFETY: E4: with INLINE every entry is the head of a `WithInline`; no reference is made.
        unsafe { (&raw mut (*self.head.as_ptr().cast::<WithInline<K, V>>()).inline).cast() }
    }

    /// What a new entry weighs.
    pub(crate) fn weight() -> Weight {
        let value = if Self::INLINE { 0 } else { Self::VALUE_BYTES };
        Weight { entries: 1, entry_bytes: Self::BYTES + value, table_bytes: 0 }
    }

    /// What a boxed value weighs that overwrites another.
    pub(crate) fn value_weight() -> Weight {
        Weight { entries: 1, entry_bytes: Self::VALUE_BYTES, table_bytes: 0 }
    }

    /// What an entry weighs, with the value it has. That does not change any more if it is dead, or the caller's alone.
    ///
    /// # Safety
    /// The entry has not been reclaimed (E2).
    pub(crate) unsafe fn weight_now(self) -> Weight {
        // SAFETY: by the caller's promise.
        let inline = self.is_inline(unsafe { self.load() });
        let value = if inline { 0 } else { Self::VALUE_BYTES };
        Weight { entries: 1, entry_bytes: Self::BYTES + value, table_bytes: 0 }
    }
}

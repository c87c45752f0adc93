//! The end of entries and values: what becomes of them when nobody can see them any more.

use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::NonNull;

use super::{Aligned, Entry, FLAGS, Head, KEY_GONE, VALUE_GONE, WithInline, Word, unboxed};
use crate::core::garbage::{Hook, Reclaimed};
use crate::reclaim::{Panics, Weight};
use crate::sync::Ordering;

impl<K, V> Entry<K, V> {
    /// Moves key and last value out, and gives the memory back unless an overwritten inline value is still to be dropped.
    ///
    /// # Safety
    /// Nobody can reach the entry any more, but for the reclaimer of its overwritten inline value. Called once, and not
    /// together with [`reclaim`](Self::reclaim).
    pub(crate) unsafe fn take(self) -> (K, V) {
        // SAFETY: by the caller's promise; the word's pointer does not change any more. Key and value are moved out once.
        unsafe {
            let word = self.load();
            let key = ManuallyDrop::take(&mut (*self.head.as_ptr()).key);
            let value = if self.is_inline(word) {
                word.value::<V>().read().0
            } else {
                unboxed(Box::from_raw(word.value::<V>()))
            };
            self.free_without(word);
            (key, value)
        }
    }

    /// Drops key and last value, or hands them to the hook, and gives the memory back as [`take`](Self::take) does.
    ///
    /// # Safety
    /// As for [`take`](Self::take).
    pub(crate) unsafe fn reclaim(self, hook: Hook<'_, K, V>, panics: &mut Panics) {
        // SAFETY: by the caller's promise; the word's pointer does not change any more.
        unsafe {
            if let Some(hook) = hook {
                let (key, value) = self.take();
                return panics.run(|| hook(Reclaimed::Removed(key, value)));
            }
            let word = self.load();
            panics.run(|| ManuallyDrop::drop(&mut (*self.head.as_ptr()).key));
            if self.is_inline(word) {
                panics.run(|| word.value::<V>().drop_in_place());
            } else {
                panics.run(|| drop(Box::from_raw(word.value::<V>())));
            }
            self.free_without(word);
        }
    }

    /// Gives the memory back, unless an overwritten inline value is still to be dropped.
    ///
    /// # Safety
    /// Key and last value, which `word` names, have been dropped or moved out. Called once.
    unsafe fn free_without(self, word: Word) {
        // SAFETY: E4: by the caller's promise we are the first or the second of two reclaimers, or the only one.
        unsafe {
            if self.is_inline(word) || !Self::INLINE || self.set(KEY_GONE) & VALUE_GONE != 0 {
                self.free();
            }
        }
    }

    /// Drops the overwritten inline value or hands it to the hook, and gives the entry's memory back if the entry was
    /// reclaimed before.
    ///
    /// # Safety
    /// Nobody can reach the value any more. Called once.
    unsafe fn reclaim_inline(self, hook: Hook<'_, K, V>, panics: &mut Panics) {
        // SAFETY: E4: the entry's memory is there until both reclaimers have been here.
        unsafe {
            let value = self.inline();
            match hook {
                None => panics.run(|| value.drop_in_place()),
                Some(hook) => panics.run(|| hook(Reclaimed::Overwritten(value.read().0))),
            }
            if self.set(VALUE_GONE) & KEY_GONE != 0 {
                self.free();
            }
        }
    }

    /// Sets a flag and returns the flags from before.
    ///
    /// # Safety
    /// The entry's memory has not been given back.
    unsafe fn set(self, flag: usize) -> usize {
        // SAFETY: by the caller's promise.
        let word = unsafe { self.word() };
        let mut now = word.load(Ordering::Relaxed);
        loop {
            // ORDERING: AcqRel pairs the two reclaimers of an entry: the second one frees after the first one's drop.
            match word.compare_exchange(now, Word(now).with(flag).0, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return now.addr() & FLAGS,
                Err(current) => now = current,
            }
        }
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// Key and values have been dropped or moved out, and nobody uses the entry any more.
    unsafe fn free(self) {
        // SAFETY: `new` made the box with this type; `Head` has no destructor of its own, but for loom's.
        unsafe {
            #[cfg(loom)]
            (&raw mut (*self.head.as_ptr()).tracked).drop_in_place();
            if Self::INLINE {
                drop(Box::from_raw(self.head.as_ptr().cast::<MaybeUninit<WithInline<K, V>>>()));
            } else {
                drop(Box::from_raw(self.head.as_ptr().cast::<MaybeUninit<Head<K>>>()));
            }
        }
    }
}

/// A value that has been overwritten.
pub(crate) enum OldValue<K, V> {
    Boxed(NonNull<Aligned<V>>),
    Inline(Entry<K, V>),
}

impl<K, V> OldValue<K, V> {
    #[inline]
    pub(crate) fn weight(&self) -> Weight {
        match self {
            OldValue::Boxed(_) => Entry::<K, V>::value_weight(),
            // Its memory is the entry's.
            OldValue::Inline(_) => Weight { entries: 1, ..Weight::default() },
        }
    }

    /// Drops the value, or hands it to the hook.
    ///
    /// # Safety
    /// Nobody can reach the value any more. Called once.
    pub(crate) unsafe fn reclaim(self, hook: Hook<'_, K, V>, panics: &mut Panics) {
        match self {
            // SAFETY: `overwrite` took it from a box; by the caller's promise it is ours.
            OldValue::Boxed(value) => panics.run(|| match (unsafe { Box::from_raw(value.as_ptr()) }, hook) {
                (value, None) => drop(value),
                (value, Some(hook)) => hook(Reclaimed::Overwritten(unboxed(value))),
            }),
            // SAFETY: by the caller's promise.
            OldValue::Inline(entry) => unsafe { entry.reclaim_inline(hook, panics) },
        }
    }
}

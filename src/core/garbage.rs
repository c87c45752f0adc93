//! What a map unlinks.

use std::ptr::NonNull;

use super::State;
use super::entry::{Entry, OldValue};
use super::table::Table;
use crate::reclaim::{Garbage, Panics, Weight};

pub(crate) enum Unlinked<K, V> {
    /// A dead entry: its key and its last value.
    Entry(Entry<K, V>),
    /// A value that has been overwritten.
    Value(OldValue<K, V>),
    /// A table that has been replaced. Its entries live on in others, or are retired by themselves.
    Table(Table<K>),
    /// A state that has been replaced.
    State(NonNull<State<K>>),
}

// SAFETY: Send: what it points to is its own, and goes along with it.
unsafe impl<K: Send, V: Send> Send for Unlinked<K, V> {}

// SAFETY: `reclaim` uses nothing of the thread it runs on; `HashMap` is shared between threads only if K and V are Send.
unsafe impl<K, V> Garbage for Unlinked<K, V> {
    fn weight(&self) -> Weight {
        match self {
            // SAFETY: E2: an entry is retired dead, and it is weighed before it is reclaimed.
            Unlinked::Entry(entry) => unsafe { entry.dead_weight() },
            Unlinked::Value(value) => value.weight(),
            Unlinked::Table(table) => table_weight(table.bytes()),
            Unlinked::State(_) => table_weight(size_of::<State<K>>()),
        }
    }

    unsafe fn reclaim(self, panics: &mut Panics) {
        // SAFETY: nobody can reach it any more, by the caller's promise; each was retired once (E5).
        unsafe {
            match self {
                Unlinked::Entry(entry) => entry.reclaim(panics),
                Unlinked::Value(value) => value.reclaim(panics),
                Unlinked::Table(table) => table.free(),
                Unlinked::State(state) => drop(Box::from_raw(state.as_ptr())),
            }
        }
    }
}

pub(super) fn table_weight(bytes: usize) -> Weight {
    Weight { table_bytes: bytes as u64, ..Weight::default() }
}

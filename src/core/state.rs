//! What readers see of a map: the tables in which entries are found.

use super::table::Table;

/// Young tables: the dirty one, one of which the next read table is made, and a place for one more that hashes have filled
/// too soon.
pub(super) const YOUNG: usize = 3;

/// The dirty table, if there is one, and those that were dirty before it, the youngest first.
pub(super) type Young<K> = [Table<K>; YOUNG];

/// What readers see of a map, in one load: the tables in which entries are found. Immutable; replaced under the mutex. The same for all keys.
#[repr(C)]
pub(crate) struct State<K> {
    /// Built by a promotion. No key is ever added to it.
    pub(super) read: Table<K>,
    pub(super) has_young: bool,
    /// The keys that have come since.
    pub(super) young: Young<K>,
    /// Of the tables in which nothing is linked any more.
    pub(super) sealed_slots: usize,
    /// Of all tables.
    pub(super) bytes: usize,
    #[cfg(loom)]
    _tracked: crate::sync::Tracked,
}

impl<K> State<K> {
    pub(super) fn new(read: Table<K>, young: Young<K>) -> State<K> {
        let [_, sealed @ ..] = young;
        let all = std::iter::once(read).chain(young);
        State {
            read,
            has_young: young.iter().any(|table| !table.is_empty()),
            young,
            sealed_slots: std::iter::once(read).chain(sealed).map(Table::slots).sum(),
            bytes: all.map(Table::bytes).sum(),
            #[cfg(loom)]
            _tracked: crate::sync::Tracked::new(),
        }
    }

    /// The state of a map without tables. There is one, which is told from others by where it lies; so it is never retired.
    #[cfg(not(loom))]
    pub(super) const fn vacant() -> *mut State<K> {
        struct Vacant(State<()>);
        // SAFETY: Sync: S1: nobody writes it, and its tables have no buckets but `nothing`, which is all threads'.
        unsafe impl Sync for Vacant {}
        const NONE: State<()> =
            State { read: Table::EMPTY, has_young: false, young: [Table::EMPTY; YOUNG], sealed_slots: 0, bytes: 0 };
        static VACANT: Vacant = Vacant(NONE);
        (&raw const VACANT.0).cast_mut().cast()
    }

    /// The table that comes after so many others, if the youngest comes first.
    #[inline]
    pub(super) fn youngest_first(&self, others: usize) -> Option<Table<K>> {
        if others == YOUNG { Some(self.read) } else { self.young.get(others).copied() }
    }

    /// The tables there are, from the read table to the oldest young one.
    pub(super) fn tables(&self) -> impl Iterator<Item = Table<K>> {
        std::iter::once(self.read).chain(self.young).filter(|table| !table.is_empty())
    }
}

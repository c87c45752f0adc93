//! Maps of two levels: as each kind of map has them.

use foldhash::fast::FixedState;
use tidymap::NestedMap;

use crate::maps::{Dash, Family, Index, Locked, Map, MapOf, Papaya, Tidy};
use crate::values::Small;

/// A user's items, by number.
pub(crate) trait Levels: Default {
    fn insert(&self, user: usize, item: usize, value: Small);

    fn remove(&self, user: usize, item: usize) -> bool;

    fn contains(&self, user: usize, item: usize) -> bool;

    fn count(&self) -> usize;

    /// Asks for memory back in whatever way the map has for that.
    fn own_call(&self);
}

/// A kind of map, with what its users take for two levels.
pub(crate) trait TwoLevels: Family {
    type Levels: Levels;
}

/// A map whose values are maps. Inner maps that run empty stay: to remove them races with those who insert.
pub(crate) struct MapOfMaps<F: Family>(MapOf<F, usize, MapOf<F, usize, Small>>);

impl<F: Family> Default for MapOfMaps<F> {
    fn default() -> Self {
        MapOfMaps(Default::default())
    }
}

impl<F: Family> Levels for MapOfMaps<F> {
    fn insert(&self, user: usize, item: usize, value: Small) {
        self.0.read_or_default(user, |inner| inner.insert(item, value));
    }

    fn remove(&self, user: usize, item: usize) -> bool {
        self.0.read(&user, |inner| inner.remove(&item)) == Some(true)
    }

    fn contains(&self, user: usize, item: usize) -> bool {
        self.0.read(&user, |inner| inner.read(&item, |_| ()).is_some()) == Some(true)
    }

    fn count(&self) -> usize {
        let mut entries = 0;
        self.0.each(|_, inner| entries += inner.count());
        entries
    }

    fn own_call(&self) {
        self.0.each(|_, inner| inner.own_call());
        self.0.own_call();
    }
}

impl Levels for NestedMap<usize, usize, Small, FixedState> {
    fn insert(&self, user: usize, item: usize, value: Small) {
        self.insert(user, item, value);
    }

    fn remove(&self, user: usize, item: usize) -> bool {
        self.remove(&user, &item).is_some()
    }

    fn contains(&self, user: usize, item: usize) -> bool {
        self.contains_key(&user, &item)
    }

    fn count(&self) -> usize {
        self.pin().iter().count()
    }

    fn own_call(&self) {
        self.reclaim().expect("the lab holds no guard");
    }
}

impl TwoLevels for Tidy {
    type Levels = NestedMap<usize, usize, Small, FixedState>;
}

impl TwoLevels for Locked {
    type Levels = MapOfMaps<Self>;
}

impl TwoLevels for Dash {
    type Levels = MapOfMaps<Self>;
}

impl TwoLevels for Papaya {
    type Levels = MapOfMaps<Self>;
}

impl TwoLevels for Index {
    type Levels = MapOfMaps<Self>;
}

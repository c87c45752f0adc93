//! The place in the source where a guard was taken: known under the feature `guard-locations`, and nothing at all without it.
//!
//! Without the feature all types here are empty and all functions do nothing, so that those who call them need not ask.

use std::panic::Location;

#[cfg(feature = "guard-locations")]
use crate::sync::{AtomicPtr, Ordering};

use super::epochs::Epoch;

/// Where a guard was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    #[cfg(feature = "guard-locations")]
    location: &'static Location<'static>,
}

impl Place {
    /// Where the caller was called, and so on, through all functions that are `track_caller`.
    #[inline(always)]
    #[cfg_attr(feature = "guard-locations", track_caller)]
    pub(crate) fn here() -> Place {
        Place {
            #[cfg(feature = "guard-locations")]
            location: Location::caller(),
        }
    }
}

/// The place of a thread's oldest guard, as it tells others. Written by the owner, read by all.
#[derive(Debug, Default)]
pub(super) struct Announced {
    #[cfg(feature = "guard-locations")]
    location: AtomicPtr<Location<'static>>,
}

impl Announced {
    #[inline(always)]
    pub(super) fn store(&self, _place: Place) {
        // ORDERING: Relaxed: what it points to has always been there.
        #[cfg(feature = "guard-locations")]
        self.location.store(std::ptr::from_ref(_place.location).cast_mut(), Ordering::Relaxed);
    }

    /// The last that was stored, if any was.
    pub(super) fn load(&self) -> Option<&'static Location<'static>> {
        #[cfg(not(feature = "guard-locations"))]
        return None;
        #[cfg(feature = "guard-locations")]
        // SAFETY: D3: null, or a place in the source, which is static and never written.
        unsafe {
            self.location.load(Ordering::Relaxed).as_ref()
        }
    }
}

/// The places of a thread's guards, if there are two or more: which one to announce when the oldest ends?
///
/// Beside [`Nested`](super::nested::Nested), which only counts: two guards of one epoch hold back the same, but were taken in
/// two places.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// In a box, so that a record keeps its size.
    #[cfg(feature = "guard-locations")]
    groups: Option<Box<Groups>>,
}

/// By epoch, and among those of one epoch by the first guard of each.
#[cfg(feature = "guard-locations")]
#[derive(Debug, Default)]
struct Groups(Vec<Group>);

/// So many guards of one epoch, taken in one place.
#[cfg(feature = "guard-locations")]
#[derive(Debug)]
struct Group {
    epoch: Epoch,
    location: &'static Location<'static>,
    guards: u64,
}

#[cfg(not(feature = "guard-locations"))]
impl Places {
    #[inline(always)]
    pub(super) fn begin(&mut self, _epoch: Epoch, _announced: &Announced) {}

    #[inline(always)]
    pub(super) fn add(&mut self, _epoch: Epoch, _place: Place) {}

    #[inline(always)]
    pub(super) fn remove(&mut self, _epoch: Epoch, _place: Place, _announced: &Announced) {}

    #[cfg(all(test, not(loom)))]
    pub(super) fn leak(&mut self, _guards: u64) {}
}

#[cfg(feature = "guard-locations")]
impl Places {
    /// The thread holds one guard, of `epoch`; its place is announced.
    pub(super) fn begin(&mut self, epoch: Epoch, announced: &Announced) {
        let groups = &mut self.groups.get_or_insert_default().0;
        groups.clear();
        groups.shrink_to(4);
        groups.extend(announced.load().map(|location| Group { epoch, location, guards: 1 }));
    }

    /// One more guard.
    pub(super) fn add(&mut self, epoch: Epoch, Place { location }: Place) {
        match self.find(epoch, location) {
            Some(group) => self.groups()[group].guards += 1,
            None => {
                let groups = self.groups();
                let end = groups.partition_point(|group| group.epoch <= epoch);
                groups.insert(end, Group { epoch, location, guards: 1 });
            }
        }
    }

    /// One guard less, and not the thread's last one. Announces the place of the oldest of those left.
    pub(super) fn remove(&mut self, epoch: Epoch, Place { location }: Place, announced: &Announced) {
        let group = self.find(epoch, location).expect("a guard's place is recorded");
        let groups = self.groups();
        groups[group].guards -= 1;
        if groups[group].guards == 0 {
            groups.remove(group);
        }
        announced.store(Place { location: groups.first().expect("the thread holds another guard").location });
    }

    /// As if so many more guards had been taken where the oldest was, and forgotten.
    #[cfg(all(test, not(loom)))]
    pub(super) fn leak(&mut self, guards: u64) {
        self.groups()[0].guards += guards;
    }

    fn groups(&mut self) -> &mut Vec<Group> {
        &mut self.groups.as_mut().expect("`begin` comes first").0
    }

    fn find(&mut self, epoch: Epoch, location: &'static Location<'static>) -> Option<usize> {
        let groups = self.groups();
        let first = groups.partition_point(|group| group.epoch < epoch);
        let same = groups[first..].iter().take_while(|group| group.epoch == epoch);
        same.clone().position(|group| std::ptr::eq(group.location, location)).map(|index| first + index)
    }
}

#[cfg(not(feature = "guard-locations"))]
const _: () = assert!(size_of::<(Place, Announced, Places)>() == 0);

#[cfg(all(test, feature = "guard-locations", not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_oldest_guard_of_those_left_is_announced() {
        let (first, second, third) = (Place::here(), Place::here(), Place::here());
        let announced = Announced::default();
        announced.store(first);
        let mut places = Places::default();
        places.begin(5, &announced);
        for (epoch, place) in [(9, third), (5, second), (5, first)] {
            places.add(epoch, place);
        }
        let mut remove = |epoch, place| {
            places.remove(epoch, place, &announced);
            announced.load()
        };
        assert_eq!(remove(5, first), Some(first.location), "another was taken there");
        assert_eq!(remove(5, first), Some(second.location), "of the same epoch");
        assert_eq!(remove(5, second), Some(third.location));
    }
}

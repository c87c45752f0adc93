//! The guards of one thread, when it holds more than one: how many of each epoch, so that they may end in any order.

use std::collections::VecDeque;

use super::epochs::Epoch;

/// Valid while the thread holds two guards or more, from [`begin`](Self::begin) on.
#[derive(Debug, Default)]
pub(super) struct Nested {
    /// How many guards are of the epoch that the thread announces.
    oldest: u64,
    /// The others: (epoch, how many), in the order of their epochs. Some may have ended.
    younger: VecDeque<(Epoch, u64)>,
}

impl Nested {
    /// The thread holds one guard.
    pub(super) fn begin(&mut self) {
        self.oldest = 1;
        // Those that are left have all ended.
        self.younger.clear();
        self.younger.shrink_to(4);
    }

    /// One more guard, of `epoch`; the thread announces `announced`.
    pub(super) fn add(&mut self, epoch: Epoch, announced: Epoch) {
        if epoch == announced {
            self.oldest += 1;
            return;
        }
        match self.younger.binary_search_by_key(&epoch, |(epoch, _)| *epoch) {
            Ok(place) => self.younger[place].1 += 1,
            Err(place) => self.younger.insert(place, (epoch, 1)),
        }
    }

    /// As if so many more guards of the announced epoch had been taken, and forgotten.
    #[cfg(all(test, not(loom)))]
    pub(super) fn leak(&mut self, guards: u64) {
        self.oldest += guards;
    }

    /// How many guards are of the announced epoch, or of another one up to `epoch`.
    pub(super) fn up_to(&self, epoch: Epoch) -> u64 {
        let younger = self.younger.iter().take_while(|(younger, _)| *younger <= epoch);
        self.oldest + younger.map(|(_, guards)| guards).sum::<u64>()
    }

    /// One guard less, of `epoch`, and not the thread's last one. Returns the epoch to announce if that changes.
    pub(super) fn remove(&mut self, epoch: Epoch, announced: Epoch) -> Option<Epoch> {
        if epoch != announced {
            let place = self.younger.binary_search_by_key(&epoch, |(epoch, _)| *epoch);
            self.younger[place.expect("a guard's epoch is recorded")].1 -= 1;
            while self.younger.back().is_some_and(|(_, guards)| *guards == 0) {
                self.younger.pop_back();
            }
            return None;
        }
        self.oldest -= 1;
        if self.oldest > 0 {
            return None;
        }
        let (epoch, guards) = std::iter::from_fn(|| self.younger.pop_front())
            .find(|(_, guards)| *guards > 0)
            .expect("the thread holds another guard");
        self.oldest = guards;
        Some(epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_epoch_of_those_left_is_announced() {
        let mut nested = Nested::default();
        nested.begin();
        for epoch in [5, 7, 9, 9, 12] {
            nested.add(epoch, 5);
        }
        assert_eq!(nested.remove(9, 5), None);
        assert_eq!(nested.remove(7, 5), None);
        assert_eq!(nested.remove(5, 5), None);
        assert_eq!(nested.remove(5, 5), Some(9), "7 has ended before");
        assert_eq!(nested.remove(9, 9), Some(12));
    }
}

//! Torture, in the way of liburcu's `rcutorture`: readers look at what they hold, and it tells how long ago it was removed.
//!
//! - [`item`]: keys and values that are remembered beyond their end. What a lookup finds may be removed while it is held, and never was
//!   before the lookup began; nor is it dropped.
//! - [`grace`]: grace periods of the test's own, after which what was removed has to be dropped.
//! - this file: threads that read, write, clear, move the tables and reclaim.
//!
//! A map that frees too early may crash here instead of failing. Longer:
//!
//! ```text
//! TORTURE_ROUNDS=1000 cargo test --release --test torture -- --nocapture
//! ```

#[path = "../common/mod.rs"]
mod common;
mod grace;
mod item;

use std::hash::BuildHasher;
use std::sync::Mutex;

use common::{GoodHash, LowBitsHash, Random, in_parallel};
use grace::{ENOUGH, Presence, Waiting};
use item::{Age, Id, Item, Since};
use tidymap::{Compute, HashMap, Operation};

type Map<S> = HashMap<Item, Item, S>;

const READERS: usize = 3;
const WRITERS: usize = 2;
/// And one that moves the tables, and one that reclaims.
const THREADS: usize = READERS + WRITERS + 2;

/// What a round, or all of them, has seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Looks at items, by [`Age`].
    ages: [u64; 4],
    /// See [`Waiting`].
    dropped_after: [u64; ENOUGH + 1],
    /// Left over by a `reclaim`.
    left_over: usize,
}

impl Seen {
    fn look(&mut self, id: Id, since: Since) {
        self.ages[id.age(since) as usize] += 1;
    }

    fn look_at(&mut self, (key, value): (&Item, &Item), since: Since) {
        self.look(key.id(), since);
        self.look(value.id(), since);
    }

    fn add(&mut self, other: &Seen) {
        self.ages.iter_mut().zip(other.ages).for_each(|(ours, theirs)| *ours += theirs);
        self.dropped_after.iter_mut().zip(other.dropped_after).for_each(|(ours, theirs)| *ours += theirs);
        self.left_over += other.left_over;
    }

    fn assert_good(&self) {
        assert_eq!(self.ages[Age::RemovedBefore as usize], 0, "found what had been removed before: {self:?}");
        assert_eq!(self.ages[Age::Dropped as usize], 0, "held what had been dropped: {self:?}");
        assert_eq!(self.dropped_after[ENOUGH], 0, "not dropped when all who could see it had left: {self:?}");
        assert_eq!(self.left_over, 0, "not dropped when a `reclaim` had returned: {self:?}");
    }
}

struct Round<'m, S> {
    map: &'m Map<S>,
    presence: &'m Presence,
    keys: u64,
}

impl<S: BuildHasher> Round<'_, S> {
    fn read(&self, random: &mut Random, seen: &mut Seen) {
        let (map, since) = (self.map, Since::now());
        let key = random.below(self.keys);
        let dawdle = |times: u64| (0..times).for_each(|_| std::thread::yield_now());
        match random.below(8) {
            0..3 => {
                if let Some(found) = map.get(&key) {
                    dawdle(random.below(3));
                    seen.look_at((found.key(), &found), since);
                }
            }
            3 => {
                map.read(&key, |key, value| seen.look_at((key, value), since));
            }
            // Guards of one thread, begun at different times, that end in any order.
            4 => {
                let mut held = Vec::new();
                for _ in 0..1 + random.below(8) {
                    let since = Since::now();
                    held.extend(map.get(&random.below(self.keys)).map(|found| (since, found)));
                    dawdle(random.below(2));
                    if random.once_in(2) && !held.is_empty() {
                        let (since, found) = held.swap_remove(random.below(held.len() as u64) as usize);
                        seen.look_at((found.key(), &found), since);
                    }
                }
                held.iter().for_each(|(since, found)| seen.look_at((found.key(), found), *since));
            }
            5 => map.pin().iter().for_each(|pair| seen.look_at(pair, since)),
            _ => {
                let session = map.pin();
                let mut held = Vec::new();
                for _ in 0..1 + random.below(16) {
                    let since = Since::now();
                    held.extend(session.get_key_value(&random.below(self.keys)).map(|pair| (since, pair)));
                    dawdle(random.below(2));
                }
                held.into_iter().for_each(|(since, pair)| seen.look_at(pair, since));
            }
        }
    }

    /// Inserts, overwrites or removes; returns what has left the map by that.
    fn write(&self, random: &mut Random) -> Vec<Id> {
        let map = self.map;
        let key = random.below(self.keys);
        let (new, value) = (|| Item::new(key), Item::new(random.below(1000)));
        let id = value.id();
        let inserted = |gone: Vec<Id>| {
            id.inserted();
            gone
        };
        match random.below(8) {
            0..3 => inserted(map.insert(new(), value).map(|old| old.id()).into_iter().collect()),
            3 => {
                let old = std::cell::Cell::new(None);
                let value = std::cell::Cell::new(Some(value));
                let updated = map.update(&key, |now| {
                    old.set(Some(now.id()));
                    value.take().unwrap_or_else(|| Item::new(0))
                });
                let updated = updated.map(|new| new.id());
                updated.map_or_else(Vec::new, |new| {
                    new.inserted();
                    old.take().into_iter().collect()
                })
            }
            4 => {
                let computed = map.compute(new(), |now| match now {
                    Some(_) => Operation::Remove,
                    None => Operation::Abort(()),
                });
                match computed {
                    Compute::Removed(old) => vec![old.key().id(), old.id()],
                    _ => Vec::new(),
                }
            }
            5 => {
                let Some(removed) = map.remove_entry(&key) else { return Vec::new() };
                match removed.try_into_owned() {
                    Ok((key, value)) => vec![key.id(), value.id()],
                    Err(removed) => vec![removed.key().id(), removed.value().id()],
                }
            }
            6 => {
                let removed = map.remove_owned(&key).expect("this thread holds no guard");
                removed.map_or_else(Vec::new, |(key, value)| vec![key.id(), value.id()])
            }
            _ => map.remove(&key).map_or_else(Vec::new, |old| vec![old.key().id(), old.id()]),
        }
    }

    fn move_tables(&self, random: &mut Random) {
        match random.below(8) {
            0 => item::while_clearing(|| self.map.clear()),
            1 => self.map.retain(|key, _| key.number % 4 != 0),
            2 => self.map.reserve(random.below(100) as usize),
            3 => drop(self.map.try_reclaim()),
            4 => (),
            _ => self.map.shrink_to_fit(),
        }
        std::thread::yield_now();
    }

    fn reclaim(&self) -> usize {
        let since = Since::now();
        self.map.reclaim().expect("this thread holds no guard");
        item::left_over(since)
    }

    /// What a thread does until there are items enough.
    fn run(&self, thread: usize, seed: u64) -> Seen {
        let (mut random, mut seen) = (Random::new(seed * 100 + thread as u64), Seen::default());
        let mut waiting = Waiting::new(self.presence);
        while item::goes_on() {
            match thread {
                0..READERS => self.presence.using(thread, || self.read(&mut random, &mut seen)),
                _ if thread < READERS + WRITERS => {
                    let gone = self.presence.using(thread, || self.write(&mut random));
                    for id in gone {
                        id.removed();
                        waiting.add(id);
                    }
                    waiting.look();
                }
                _ if thread == READERS + WRITERS => self.presence.using(thread, || self.move_tables(&mut random)),
                _ => seen.left_over += self.presence.using(thread, || self.reclaim()),
            }
        }
        seen.dropped_after = waiting.dropped_after;
        seen
    }
}

fn round<S: BuildHasher + Default + Sync>(seed: u64) -> Seen {
    item::begin_round();
    let (map, presence) = (Map::<S>::default(), Presence::new(THREADS));
    let round = Round { map: &map, presence: &presence, keys: [4, 50, 1000][seed as usize % 3] };
    let all = Mutex::new(Seen::default());
    in_parallel(THREADS, |thread| {
        let seen = round.run(thread, seed);
        all.lock().expect("no thread panics with this in its hands").add(&seen);
    });
    // Nobody asks for it (R2).
    assert_eq!(item::alive(), 2 * map.len(), "nobody is there, and something waits");
    drop(map);
    assert_eq!(item::alive(), 0);
    all.into_inner().expect("no thread has panicked")
}

#[test]
#[cfg_attr(miri, ignore = "takes too long")]
fn what_readers_hold_was_not_removed_before_they_looked() {
    let rounds = std::env::var("TORTURE_ROUNDS").map_or(4, |rounds| rounds.parse().expect("a number"));
    let mut all = Seen::default();
    for seed in 0..rounds {
        let seen = if seed % 2 == 0 { round::<GoodHash>(seed) } else { round::<LowBitsHash>(seed) };
        seen.assert_good();
        all.add(&seen);
    }
    println!("{rounds} rounds: {all:?}");
    assert!(all.ages[Age::Live as usize] > 0 && all.ages[Age::RemovedSince as usize] > 0, "shows nothing: {all:?}");
    assert!(all.dropped_after[1..ENOUGH].iter().sum::<u64>() > 0, "nothing had to wait: {all:?}");
}

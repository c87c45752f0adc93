//! What each thread does to a map, step by step, and what has to come of it.

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use crate::maps::Writable;

/// What is done. Numbers are those of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Read(u32),
    /// Of a new key, or over a present one.
    Insert(u32),
    Remove(u32),
    /// Reads and writes what comes of it, if there is something.
    Update(u32),
    /// Visits as many entries.
    Scan(u32),
}

/// Steps for some threads.
#[derive(Clone, Debug)]
pub struct Program {
    /// The keys with numbers below this are there from the beginning.
    pub prefilled: u32,
    /// Room to be asked for in advance.
    pub capacity: Option<usize>,
    /// Does it end with the keys with which it has begun? Then the same map does it again. Others get a new one each time.
    pub repeats: bool,
    pub steps: Vec<Vec<Step>>,
}

/// What one thread has met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Reads that have found something.
    pub hits: u64,
    /// Removals and updates that have found something.
    pub removed: u64,
    pub updated: u64,
    pub scanned: u64,
    /// Bits in which values differ from what belongs to their keys.
    pub wrong: u32,
}

impl AddAssign for Met {
    fn add_assign(&mut self, other: Met) {
        self.hits += other.hits;
        self.removed += other.removed;
        self.updated += other.updated;
        self.scanned += other.scanned;
        self.wrong |= other.wrong;
    }
}

/// Does the steps. A value is its key's number, with something else each time in the high half.
#[inline(always)]
pub fn work<M: Writable>(map: &M::Map<u64, u64>, steps: &[Step], mut read: impl FnMut(&u64) -> Option<u64>) -> Met {
    let mut met = Met::default();
    for (index, step) in steps.iter().enumerate() {
        match *step {
            Step::Read(number) => {
                if let Some(value) = read(&u64::from(number)) {
                    met.hits += 1;
                    met.wrong |= value as u32 ^ number;
                }
            }
            Step::Insert(number) => {
                M::insert::<u64, u64>(map, number.into(), u64::from(number) | (index as u64) << 32);
            }
            Step::Remove(number) => met.removed += u64::from(M::remove::<u64, u64>(map, &number.into())),
            Step::Update(number) => {
                met.updated += u64::from(M::update::<u64, u64>(map, &number.into(), |value| value ^ 1 << 32));
            }
            Step::Scan(count) => met.scanned += M::scan::<u64, u64>(map, count as usize) as u64,
        }
    }
    met
}

/// What has to come out.
pub struct Expected {
    /// Of each thread.
    pub met: Vec<Met>,
    pub reads: Vec<u64>,
    /// That are there from the beginning.
    pub keys: u32,
    /// False if a thread reads what another one inserts or removes: then it depends on who is first.
    pub exact: bool,
}

impl Expected {
    /// Does the program with a set, all threads in turns.
    pub fn of(program: &Program) -> Expected {
        let threads = program.steps.len();
        let mut there: HashSet<u32> = (0..program.prefilled).collect();
        let (mut met, mut reads) = (vec![Met::default(); threads], vec![0; threads]);
        let mut changed_by = HashMap::new();
        for at in 0..program.steps.iter().map(Vec::len).max().unwrap_or(0) {
            for (thread, step) in
                program.steps.iter().enumerate().filter_map(|(thread, of)| Some((thread, of.get(at)?)))
            {
                let met = &mut met[thread];
                let mut changes = |number| {
                    let by = *changed_by.entry(number).or_insert(thread);
                    assert_eq!(by, thread, "two threads would have to agree on who changes {number}");
                };
                match *step {
                    Step::Read(number) => {
                        reads[thread] += 1;
                        met.hits += u64::from(there.contains(&number));
                    }
                    Step::Insert(number) => {
                        if there.insert(number) {
                            changes(number);
                        }
                    }
                    Step::Remove(number) => {
                        changes(number);
                        met.removed += u64::from(there.remove(&number));
                    }
                    Step::Update(number) => met.updated += u64::from(there.contains(&number)),
                    Step::Scan(count) => met.scanned += u64::from(count).min(there.len() as u64),
                }
            }
        }
        if program.repeats {
            let same =
                there.len() == program.prefilled as usize && there.iter().all(|number| *number < program.prefilled);
            assert!(same, "a program that is repeated leaves the keys as they were");
        }
        let depends = |thread: usize, step: &Step| match step {
            Step::Read(number) | Step::Update(number) => changed_by.get(number).is_some_and(|by| *by != thread),
            _ => false,
        };
        let mut steps =
            program.steps.iter().enumerate().flat_map(|(thread, steps)| steps.iter().map(move |step| (thread, step)));
        let exact = !steps.any(|(thread, step)| depends(thread, step));
        Expected { met, reads, keys: program.prefilled, exact }
    }

    /// How many of a hundred reads find something.
    pub fn hit_rate(&self) -> Option<f64> {
        let reads: u64 = self.reads.iter().sum();
        (reads > 0).then(|| self.met.iter().map(|met| met.hits).sum::<u64>() as f64 * 100.0 / reads as f64)
    }

    /// Asserts that it is what a thread has met. Not `exact`: but for a few hits.
    ///
    /// # Panics
    /// If it is not.
    pub fn check(&self, thread: usize, met: Met, exact: bool, who: &str) {
        let Met { hits, wrong, .. } = self.met[thread];
        assert_eq!(met.wrong, wrong, "a wrong value of {who}");
        if exact {
            assert_eq!(met, self.met[thread], "a wrong answer of {who}");
            return;
        }
        // A key that another thread has just removed may be asked for again and again, if that thread has lost the processor: 2 % are enough for one such thread.
        // Of more each may have a key removed, of all there are, and chance may have it asked for twice as often.
        let more = self.reads.len().saturating_sub(2) as u64;
        let slack = self.reads[thread] / 50 + 2 * self.reads[thread] * more / u64::from(self.keys).max(1);
        let plausible = (hits.saturating_sub(slack)..=(hits + slack).min(self.reads[thread])).contains(&met.hits);
        assert!(plausible, "{who}: {} hits, and {hits} were expected", met.hits);
        assert_eq!((met.removed, met.scanned), (self.met[thread].removed, self.met[thread].scanned), "{who}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(steps: Vec<Vec<Step>>) -> Program {
        Program { prefilled: 4, capacity: None, repeats: false, steps }
    }

    #[test]
    fn what_is_expected_is_what_a_map_does() {
        let steps = [Step::Read(3), Step::Read(4), Step::Remove(3), Step::Read(3), Step::Remove(3), Step::Update(3)];
        let more = [Step::Insert(3), Step::Update(3), Step::Read(3), Step::Scan(2), Step::Scan(100)];
        let expected = Expected::of(&program(vec![[&steps[..], &more].concat()]));
        assert_eq!(expected.met, [Met { hits: 2, removed: 1, updated: 1, scanned: 6, wrong: 0 }]);
        assert_eq!((expected.reads[0], expected.exact), (4, true));
        assert_eq!(expected.hit_rate(), Some(50.0));
    }

    #[test]
    fn what_another_thread_removes_is_not_known_exactly() {
        let expected = Expected::of(&program(vec![vec![Step::Read(1), Step::Insert(2)], vec![Step::Remove(1)]]));
        assert!(!expected.exact);
        // Overwriting changes no answer.
        assert!(Expected::of(&program(vec![vec![Step::Read(1)], vec![Step::Insert(1), Step::Remove(2)]])).exact);
    }

    #[test]
    #[should_panic(expected = "a wrong answer")]
    fn one_hit_too_few_is_noticed() {
        let expected = Expected::of(&program(vec![vec![Step::Read(1)]]));
        expected.check(0, Met::default(), true, "a map");
    }

    #[test]
    #[should_panic(expected = "leaves the keys as they were")]
    fn a_program_that_is_repeated_puts_back_what_it_removes() {
        Expected::of(&Program { repeats: true, ..program(vec![vec![Step::Remove(1)]]) });
    }
}

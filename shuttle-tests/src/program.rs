//! What the threads do.

use arbitrary::{Arbitrary, Result, Unstructured};
use tidymap::Reclaim;

use crate::common::Random;
use crate::model::KEYS;

/// A map, and what each thread does to it.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) hashes: Hashes,
    pub(crate) batch: usize,
    pub(crate) max_pending: Option<usize>,
    /// Of the recorded keys, which are there when it begins: a bit for each.
    pub(crate) filled: u8,
    /// Other keys that are there when it begins.
    pub(crate) crowd: u64,
    /// Everything in the read table when it begins.
    pub(crate) promoted: bool,
    pub(crate) threads: Vec<Vec<Step>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hashes {
    AsTheyAre,
    AllTheSame,
}

/// What a recorded call does to its key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Get,
    ContainsKey,
    Insert,
    TryInsert,
    GetOrInsert,
    Update,
    CompareExchange,
    Compute,
    Remove,
    RemoveIf,
    InsertMany,
    RemoveMany,
    Clear,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// In the thread's session if there is one, else under a guard of its own.
    Call(usize, Kind),
    /// Under a guard of its own, session or not.
    OneShot(usize, Kind),
    /// By the thread's reader.
    Read(usize),
    Park,
    Open,
    Close,
    Refresh,
    /// Takes a `Ref` to a key and keeps it.
    Keep(usize),
    LetGo,
    /// Inserts a key that is not recorded, or removes it.
    Crowd(u64),
    Disperse(u64),
    Iterate,
    ShrinkToFit,
    Reserve(usize),
    Reclaim,
    TryReclaim,
    Figures,
}

impl Program {
    /// A program that is the same for the same number.
    pub fn random(seed: u64) -> Program {
        let mut random = Random::new(seed);
        let bytes: Vec<u8> = (0..64).map(|_| random.below(256) as u8).collect();
        Program::arbitrary(&mut Unstructured::new(&bytes)).expect("there are bytes enough")
    }

    pub(crate) fn reclaim(&self) -> Reclaim {
        if self.batch == 0 { Reclaim::Immediate } else { Reclaim::Batched(self.batch) }
    }
}

const MOST_STEPS: u8 = 8;

/// With a byte for each choice.
impl<'a> Arbitrary<'a> for Program {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Program> {
        let [kind, filled, crowd, threads]: [u8; 4] = bytes.arbitrary()?;
        let threads = 2 + threads % 2;
        let some = |bits: u8| (bits & 4 == 0).then_some(usize::from(bits & 3));
        Ok(Program {
            hashes: if kind & 1 == 0 { Hashes::AsTheyAre } else { Hashes::AllTheSame },
            promoted: kind & 2 == 0,
            batch: some(kind >> 2 ^ 4).unwrap_or(0),
            max_pending: some(kind >> 5 ^ 4).map(|entries| entries + 1),
            filled: filled & ((1 << KEYS) - 1),
            crowd: u64::from(crowd % 16),
            threads: (0..threads).map(|_| thread(bytes)).collect::<Result<_>>()?,
        })
    }
}

fn thread(bytes: &mut Unstructured<'_>) -> Result<Vec<Step>> {
    let steps = 1 + u8::arbitrary(bytes)? % MOST_STEPS;
    (0..steps).map(|_| Step::arbitrary(bytes)).collect()
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Step> {
        let [choice, what]: [u8; 2] = bytes.arbitrary()?;
        // Mostly the first two keys, so that threads meet.
        let key = [0, 0, 0, 1, 1, 2, 3, 0][usize::from(what % 8)];
        Ok(match choice {
            240..245 => Step::Call(key, Kind::InsertMany),
            245..250 => Step::Call(key, Kind::RemoveMany),
            250..254 => Step::Read(key),
            254.. => Step::Park,
            choice => Step::of(choice % 32, key, what),
        })
    }
}

impl Step {
    fn of(choice: u8, key: usize, what: u8) -> Step {
        let other = u64::from(what % 16);
        match choice {
            0..12 => Step::Call(key, kind(what / 8)),
            12..16 => Step::OneShot(key, kind(what / 8)),
            16 | 17 => Step::Open,
            18 | 19 => Step::Close,
            20 => Step::Refresh,
            21 => Step::Keep(key),
            22 => Step::LetGo,
            23 | 24 => Step::Crowd(other),
            25 => Step::Disperse(other),
            26 => Step::Iterate,
            27 => Step::ShrinkToFit,
            28 => Step::Reserve(usize::from(what % 32)),
            29 => Step::Reclaim,
            30 => Step::TryReclaim,
            _ => Step::Figures,
        }
    }
}

fn kind(number: u8) -> Kind {
    match number % 16 {
        0..3 => Kind::Insert,
        3..6 => Kind::Remove,
        6 => Kind::Get,
        7 => Kind::ContainsKey,
        8 => Kind::TryInsert,
        9 => Kind::GetOrInsert,
        10 => Kind::Update,
        11 => Kind::CompareExchange,
        12 | 13 => Kind::Compute,
        14 => Kind::RemoveIf,
        _ => Kind::Clear,
    }
}

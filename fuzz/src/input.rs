//! What the bytes of an input say. Choices are weighted as they are in the differential test.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::bytes::{byte, index, key, keys, several};
use crate::common::fuse::Fuse;
use crate::hashes::Hashes;
use crate::steps::{Exclusive, Expected, Init, Next, Op, Step, Taking, Wait};

/// What kind of map it is, and what is done to it.
#[derive(Debug)]
pub struct Input<T> {
    pub hashes: Hashes,
    pub capacity: u8,
    pub batch: Option<u8>,
    pub max_pending: Option<u8>,
    pub hook: bool,
    /// Values that have no room in an entry.
    pub large: bool,
    pub steps: Vec<T>,
}

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for Input<T> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Input<T>> {
        let [hashes, flags, capacity, batch, max_pending]: [u8; 5] = bytes.arbitrary()?;
        let is_set = |bit: u8| flags & (1 << bit) != 0;
        Ok(Input {
            hashes: Hashes::ALL[usize::from(hashes) % Hashes::ALL.len()],
            capacity: if is_set(0) { capacity } else { 0 },
            batch: is_set(1).then_some(batch % 32),
            max_pending: is_set(2).then_some(max_pending % 32),
            hook: is_set(3),
            large: is_set(4),
            // To the last byte.
            steps: std::iter::from_fn(|| (!bytes.is_empty()).then(|| bytes.arbitrary())).collect::<Result<_>>()?,
        })
    }
}

/// A session, or none.
fn session(bytes: &mut Unstructured<'_>) -> Result<Option<usize>> {
    index(bytes).map(|byte| (byte % 2 == 1).then_some(byte / 2))
}

impl<'a> Arbitrary<'a> for Op {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Op> {
        let choice = byte(bytes)?;
        Ok(match choice % 40 {
            0..4 => Op::Get(key(bytes)?),
            4 => Op::ContainsKey(key(bytes)?),
            5..13 => Op::Insert(key(bytes)?),
            13 | 14 => Op::TryInsert(key(bytes)?),
            15 => Op::GetOrInsert(key(bytes)?),
            16 | 17 => Op::GetOrInsertWith(key(bytes)?),
            18 | 19 => Op::Update(key(bytes)?),
            20 => Op::UpdateOrInsert(key(bytes)?),
            21 | 22 => Op::UpdateOrInsertWith(key(bytes)?),
            23 | 24 => Op::Compute(key(bytes)?, Next::Insert),
            25 => Op::Compute(key(bytes)?, Next::Remove),
            26 => Op::Compute(key(bytes)?, Next::Abort),
            27 | 28 => Op::CompareExchange(key(bytes)?, Expected::Current),
            29 => Op::CompareExchange(key(bytes)?, Expected::Wrong),
            30..35 => Op::Remove(key(bytes)?),
            35 => Op::RemoveIf(key(bytes)?, true),
            36 => Op::RemoveIf(key(bytes)?, false),
            37 => Op::Retain(byte(bytes)?),
            38 => Op::Clear,
            _ => Op::Len,
        })
    }
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Step> {
        let choice = byte(bytes)?;
        // The last bytes, so that those before them mean what they meant before there were these steps.
        match choice {
            214..218 => return Ok(Step::OpenOwned),
            218 | 219 => return Ok(Step::HoldInOwned { key: key(bytes)?, meanwhile: several(bytes)? }),
            220 => return Ok(Step::IterateOwned(several(bytes)?)),
            221 => return Ok(Step::Leak(index(bytes)?)),
            222..230 => return Ok(Step::GetOrInit(key(bytes)?, bytes.arbitrary()?)),
            230..244 => return Ok(Step::Exclusive(bytes.arbitrary()?)),
            244..248 => return Ok(Step::InsertMany(session(bytes)?, keys(bytes)?)),
            248..252 => return Ok(Step::RemoveMany(session(bytes)?, keys(bytes)?)),
            252.. => return Ok(Step::GetMany(keys(bytes)?)),
            _ => {}
        }
        Ok(match choice % 90 {
            0..24 => Step::OneShot(bytes.arbitrary()?),
            24..40 => Step::InSession(index(bytes)?, bytes.arbitrary()?),
            40..44 => Step::Open,
            44..48 => Step::Close(index(bytes)?),
            48 | 49 => Step::Refresh(index(bytes)?),
            50 | 51 => Step::HoldInSession { key: key(bytes)?, meanwhile: several(bytes)? },
            52..54 => Step::Keep(key(bytes)?),
            54..58 => Step::KeepRemoved(key(bytes)?),
            58..62 => Step::LetGo(index(bytes)?),
            62..65 => Step::Take(index(bytes)?),
            65 | 66 => Step::Iterate(several(bytes)?),
            67 | 68 => Step::Fill(byte(bytes)?),
            69 => Step::LookUp,
            70..73 => Step::RemoveOwned(key(bytes)?),
            73 | 74 => Step::Guards,
            75 => Step::ReadsOfTheMap(key(bytes)?),
            76 => Step::ReadsOfASession(index(bytes)?, key(bytes)?),
            77 => Step::Reserve(u16::from(byte(bytes)?) * 4),
            78..81 => Step::TryReserve(Some(u16::from(byte(bytes)?) * 4)),
            81 => Step::TryReserve(None),
            82 | 83 => Step::ShrinkToFit,
            84 => Step::Reclaim(Wait::Forever),
            85 => Step::Reclaim(Wait::Timeout),
            86 => Step::Reclaim(Wait::Task),
            87 | 88 => Step::TryReclaim,
            _ => Step::CloneCompareExtend(several(bytes)?),
        })
    }
}

impl<'a> Arbitrary<'a> for Init {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Init> {
        let choice = byte(bytes)?;
        Ok(match choice % 8 {
            0 | 1 => Init::Value,
            2 => Init::Error,
            3 => Init::Panic,
            4 => Init::Overtaken,
            5 => Init::Nested,
            6 => Init::Task,
            _ => Init::Cancelled,
        })
    }
}

impl<'a> Arbitrary<'a> for Exclusive {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Exclusive> {
        let choice = byte(bytes)?;
        Ok(match choice % 12 {
            0..3 => Exclusive::GetMut(key(bytes)?),
            3 => Exclusive::IterMut(byte(bytes)?),
            4..7 => Exclusive::RemoveMut(key(bytes)?),
            7 => Exclusive::Drain(bytes.arbitrary()?),
            8..11 => Exclusive::ExtractIf(byte(bytes)?, bytes.arbitrary()?),
            _ => Exclusive::IntoIter(pairs(byte(bytes)?)),
        })
    }
}

impl<'a> Arbitrary<'a> for Taking {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Taking> {
        let byte = byte(bytes)?;
        Ok(Taking { pairs: pairs(byte / 2), leak: byte % 2 == 1 })
    }
}

/// Mostly a few.
fn pairs(byte: u8) -> usize {
    if byte < 96 { usize::from(byte % 12) } else { usize::MAX }
}

impl<'a> Arbitrary<'a> for Fuse {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Fuse> {
        let (first, again) = (byte(bytes)? % 32, byte(bytes)?);
        Ok(Fuse { first: first.into(), again: (again % 2 == 1).then_some(u32::from(again / 2 % 4)) })
    }
}

//! What the bytes of an input say.
//!
//! By hand, with a byte for each choice: what is derived takes four to choose a variant, of which a mutation changes three in vain.
//! Choices are weighted as they are in the differential test, and most keys are few, so that steps meet.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::common::fuse::Fuse;
use crate::hashes::Hashes;
use crate::steps::{Expected, Next, Op, Step, Wait};

/// What kind of map it is, and what is done to it.
#[derive(Debug)]
pub struct Input<T> {
    pub(crate) hashes: Hashes,
    pub(crate) capacity: u8,
    pub(crate) batch: Option<u8>,
    pub(crate) max_pending: Option<u8>,
    pub(crate) hook: bool,
    /// Values that have no room in an entry.
    pub(crate) large: bool,
    pub(crate) steps: Vec<T>,
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

fn byte(bytes: &mut Unstructured<'_>) -> Result<u8> {
    bytes.arbitrary()
}

fn key(bytes: &mut Unstructured<'_>) -> Result<u8> {
    let byte = byte(bytes)?;
    Ok(if byte < 224 { byte % 12 } else { byte })
}

fn index(bytes: &mut Unstructured<'_>) -> Result<usize> {
    byte(bytes).map(usize::from)
}

/// A few, with their number first.
fn several<'a, T: Arbitrary<'a>>(bytes: &mut Unstructured<'a>) -> Result<Vec<T>> {
    let count = byte(bytes)? % 8;
    (0..count).map(|_| bytes.arbitrary()).collect()
}

/// A session, or none.
fn session(bytes: &mut Unstructured<'_>) -> Result<Option<usize>> {
    index(bytes).map(|byte| (byte % 2 == 1).then_some(byte / 2))
}

/// A few, or so many that they are done in more than one group.
fn keys(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let count = byte(bytes)?;
    if count < 224 {
        return (0..count % 12).map(|_| key(bytes)).collect();
    }
    let [first, stride]: [u8; 2] = bytes.arbitrary()?;
    Ok((0..count - 160).map(|n| first.wrapping_add(n.wrapping_mul(stride))).collect())
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

impl<'a> Arbitrary<'a> for Fuse {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Fuse> {
        let (first, again) = (byte(bytes)? % 32, byte(bytes)?);
        Ok(Fuse { first: first.into(), again: (again % 2 == 1).then_some(u32::from(again / 2 % 4)) })
    }
}

//! What the bytes of an input say.

use arbitrary::{Arbitrary, Result, Unstructured};
use tidymap_fuzz::bytes::{byte, fuse, index, key, keys, several};

use crate::common::fuse::Fuse;
use crate::run::Step;
use crate::twin::Op;

/// A step, and where the user's code panics in its first call.
#[derive(Debug)]
pub(crate) struct Hostile {
    pub(crate) fuse: Option<Fuse>,
    pub(crate) step: Step,
}

impl<'a> Arbitrary<'a> for Hostile {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Hostile> {
        Ok(Hostile { fuse: fuse(bytes)?.map(|(first, again)| Fuse { first, again }), step: bytes.arbitrary()? })
    }
}

impl<'a> Arbitrary<'a> for Op {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Op> {
        let choice = byte(bytes)?;
        Ok(match choice % 32 {
            0 | 1 => Op::Contains(key(bytes)?),
            2 | 3 => Op::Get(key(bytes)?),
            4..12 => Op::Insert(key(bytes)?),
            12..15 => Op::GetOrInsert(key(bytes)?),
            15..19 => Op::Remove(key(bytes)?),
            19..22 => Op::Take(key(bytes)?),
            22..26 => Op::InsertMany(keys(bytes)?),
            26..29 => Op::RemoveMany(keys(bytes)?),
            29 => Op::Retain(byte(bytes)?),
            30 => Op::Clear,
            _ => Op::Len,
        })
    }
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Step> {
        let choice = byte(bytes)?;
        Ok(match choice % 80 {
            0..24 => Step::OneShot(bytes.arbitrary()?),
            24..40 => Step::InSession(index(bytes)?, bytes.arbitrary()?),
            40..44 => Step::Open,
            44..48 => Step::Close(index(bytes)?),
            48 | 49 => Step::Refresh(index(bytes)?),
            50 | 51 => Step::Keep(key(bytes)?),
            52..56 => Step::KeepTaken(key(bytes)?),
            56..60 => Step::LetGo(index(bytes)?),
            60..63 => Step::TakeByValue(index(bytes)?),
            63..66 => Step::TakeOwned(key(bytes)?),
            66 | 67 => Step::Iterate(several(bytes)?),
            68 | 69 => Step::Reads(keys(bytes)?),
            70..74 => Step::WithAnother(keys(bytes)?),
            74 => Step::CloneCompareExtend(several(bytes)?),
            75 => Step::Reserve(Some(u16::from(byte(bytes)?) * 4)),
            76 => Step::Reserve(None),
            77 => Step::ShrinkToFit,
            78 => Step::Reclaim(byte(bytes)? % 2 == 1),
            _ => Step::TryReclaim,
        })
    }
}

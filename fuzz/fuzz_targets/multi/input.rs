//! What the bytes of an input say.

use arbitrary::{Arbitrary, Result, Unstructured};
use tidymap_fuzz::bytes::{byte, fuse, index, key, several};

use crate::common::fuse::Fuse;
use crate::run::Step;
use crate::vectors::Write;

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

fn value(bytes: &mut Unstructured<'_>) -> Result<u8> {
    Ok(byte(bytes)? % 8)
}

impl<'a> Arbitrary<'a> for Write {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Write> {
        let choice = byte(bytes)?;
        Ok(match choice % 18 {
            0..6 => Write::Insert(key(bytes)?, value(bytes)?),
            6..8 => Write::InsertAll(key(bytes)?, several(bytes)?),
            8..10 => Write::Remove(key(bytes)?),
            10..14 => Write::RemoveValue(key(bytes)?, value(bytes)?),
            14..17 => Write::RetainValues(key(bytes)?, byte(bytes)?),
            _ => Write::Clear,
        })
    }
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Step> {
        let choice = byte(bytes)?;
        Ok(match choice % 40 {
            0..20 => Step::Write(bytes.arbitrary()?),
            20..22 => Step::Open,
            22..24 => Step::Close(index(bytes)?),
            24 => Step::Refresh(index(bytes)?),
            25..27 => Step::Keep(key(bytes)?),
            27..30 => Step::KeepRemoved(key(bytes)?),
            30..33 => Step::LetGo(index(bytes)?),
            33 | 34 => Step::Iterate(several(bytes)?),
            35 | 36 => Step::Reads(key(bytes)?, value(bytes)?),
            37 | 38 => Step::CloneExtend(several(bytes)?),
            _ => Step::ShrinkToFit,
        })
    }
}

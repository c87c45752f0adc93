//! What the bytes of an input say.

use arbitrary::{Arbitrary, Result, Unstructured};
use tidymap_fuzz::bytes::byte;

use crate::run::Step;

fn outer(bytes: &mut Unstructured<'_>) -> Result<u8> {
    Ok(byte(bytes)? % 5)
}

fn inner(bytes: &mut Unstructured<'_>) -> Result<u8> {
    Ok(byte(bytes)? % 6)
}

fn value(bytes: &mut Unstructured<'_>) -> Result<u8> {
    Ok(byte(bytes)? % 8)
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Step> {
        let choice = byte(bytes)?;
        Ok(match choice % 36 {
            0..6 => Step::Insert(outer(bytes)?, inner(bytes)?, value(bytes)?),
            6 | 7 => Step::TryInsert(outer(bytes)?, inner(bytes)?, value(bytes)?),
            8 | 9 => Step::GetOrInsert(outer(bytes)?, inner(bytes)?, value(bytes)?),
            10 | 11 => Step::Update(outer(bytes)?, inner(bytes)?),
            12 | 13 => Step::UpdateOrInsert(outer(bytes)?, inner(bytes)?, value(bytes)?),
            14..18 => {
                let (outer, inner) = (outer(bytes)?, inner(bytes)?);
                let answer = byte(bytes)?.checked_sub(64).map(|insert| insert.checked_sub(64).map(|value| value % 8));
                Step::Compute(outer, inner, answer)
            }
            18..26 => Step::Remove(outer(bytes)?, inner(bytes)?),
            26 | 27 => Step::RemoveIf(outer(bytes)?, inner(bytes)?),
            28 | 29 => Step::RemoveOuter(outer(bytes)?),
            30 => Step::Retain(byte(bytes)? % 4 + 1),
            31 => Step::Clear,
            32 => Step::Clone,
            _ => Step::InSession(outer(bytes)?, inner(bytes)?, value(bytes)?),
        })
    }
}

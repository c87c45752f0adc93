//! What is read from the bytes of an input.
//!
//! By hand, with a byte for each choice: what is derived takes four to choose a variant, of which a mutation changes three in vain. Most
//! keys are few, so that steps meet.

use arbitrary::{Arbitrary, Result, Unstructured};

pub fn byte(bytes: &mut Unstructured<'_>) -> Result<u8> {
    bytes.arbitrary()
}

pub fn key(bytes: &mut Unstructured<'_>) -> Result<u8> {
    let byte = byte(bytes)?;
    Ok(if byte < 224 { byte % 12 } else { byte })
}

pub fn index(bytes: &mut Unstructured<'_>) -> Result<usize> {
    byte(bytes).map(usize::from)
}

/// A few, with their number first.
pub fn several<'a, T: Arbitrary<'a>>(bytes: &mut Unstructured<'a>) -> Result<Vec<T>> {
    let count = byte(bytes)? % 8;
    (0..count).map(|_| bytes.arbitrary()).collect()
}

/// A few, or so many that they are done in more than one group.
pub fn keys(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let count = byte(bytes)?;
    if count < 224 {
        return (0..count % 12).map(|_| key(bytes)).collect();
    }
    let [first, stride]: [u8; 2] = bytes.arbitrary()?;
    Ok((0..count - 160).map(|n| first.wrapping_add(n.wrapping_mul(stride))).collect())
}

/// Where panics come: after so many calls of user code, and then after so many others. None in most cases.
pub fn fuse(bytes: &mut Unstructured<'_>) -> Result<Option<(u32, Option<u32>)>> {
    let Some(hostile) = byte(bytes)?.checked_sub(160) else { return Ok(None) };
    let again = u32::from(hostile % 4).checked_sub(1);
    Ok(Some((u32::from(hostile / 4), again)))
}

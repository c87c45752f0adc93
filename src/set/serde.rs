//! To and from whatever formats the crate `serde` knows: as the [map](crate::HashMap) does, in a sequence.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{HashSet, PinnedSet};
use crate::map::serde::{cautious, until_error};

/// What one iteration yields (C2), with the length of exactly that, whoever writes meanwhile: its elements are collected first, as references, 8 bytes each.
impl<T: Serialize, S> Serialize for PinnedSet<'_, T, S> {
    fn serialize<F: Serializer>(&self, format: F) -> Result<F::Ok, F::Error> {
        let mut elements = Vec::with_capacity(self.len());
        elements.extend(self);
        format.collect_seq(elements)
    }
}

/// In a session that lasts until all is written: see there.
///
/// ```
/// let set = tidymap::HashSet::from([String::from("one")]);
/// let text = serde_json::to_string(&set).unwrap();
/// assert_eq!(text, r#"["one"]"#);
/// assert_eq!(serde_json::from_str::<tidymap::HashSet<String>>(&text).unwrap(), set);
/// ```
impl<T: Serialize, S> Serialize for HashSet<T, S> {
    fn serialize<F: Serializer>(&self, format: F) -> Result<F::Ok, F::Error> {
        self.pin().serialize(format)
    }
}

/// Element by element, as they are read. Of equal ones the first stays.
impl<'de, T, S> Deserialize<'de> for HashSet<T, S>
where
    T: Deserialize<'de> + Eq + Hash,
    S: BuildHasher + Default,
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Elements(PhantomData))
    }
}

struct Elements<T, S>(PhantomData<HashSet<T, S>>);

impl<'de, T, S> Visitor<'de> for Elements<T, S>
where
    T: Deserialize<'de> + Eq + Hash,
    S: BuildHasher + Default,
{
    type Value = HashSet<T, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<HashSet<T, S>, A::Error> {
        let set = HashSet::with_capacity_and_hasher(cautious(access.size_hint()), S::default());
        until_error(|| access.next_element(), |elements| set.insert_many(elements))?;
        Ok(set)
    }
}

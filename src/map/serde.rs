//! To and from whatever formats the crate `serde` knows.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{HashMap, Pinned, SessionGuard};

/// A map of what one iteration yields (C2), with the length of exactly that.
///
/// Others may write meanwhile, and many formats put the length first: one that is not that of what follows would be read as something
/// else. Neither [`len`](Pinned::len) nor an iteration that only counts knows it. So the pairs of one iteration are
/// collected before the first is written, as references: 16 bytes each, for as long as this takes. Keys and values are not cloned, and
/// what is removed meanwhile is written as it was.
///
/// ```
/// let map = tidymap::HashMap::from([("one", 1)]);
/// assert_eq!(serde_json::to_string(&map.pin()).unwrap(), r#"{"one":1}"#);
/// ```
impl<K, V, S, G> Serialize for Pinned<'_, K, V, S, G>
where
    K: Serialize,
    V: Serialize,
    G: SessionGuard<K, V>,
{
    fn serialize<F: Serializer>(&self, format: F) -> Result<F::Ok, F::Error> {
        let mut pairs = Vec::with_capacity(self.len());
        pairs.extend(self);
        format.collect_map(pairs)
    }
}

/// In a session that lasts until all is written: see there.
///
/// ```
/// let map = tidymap::HashMap::from([(String::from("one"), 1)]);
/// let text = serde_json::to_string(&map).unwrap();
/// let read: tidymap::HashMap<String, i32> = serde_json::from_str(&text).unwrap();
/// assert_eq!(read, map);
/// ```
impl<K: Serialize, V: Serialize, S> Serialize for HashMap<K, V, S> {
    fn serialize<F: Serializer>(&self, format: F) -> Result<F::Ok, F::Error> {
        self.pin().serialize(format)
    }
}

/// Pair by pair, as they are read. Of a key that comes twice the last value counts, as with std's map.
impl<'de, K, V, S> Deserialize<'de> for HashMap<K, V, S>
where
    K: Deserialize<'de> + Eq + Hash,
    V: Deserialize<'de>,
    S: BuildHasher + Default,
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Pairs(PhantomData))
    }
}

struct Pairs<K, V, S>(PhantomData<HashMap<K, V, S>>);

impl<'de, K, V, S> Visitor<'de> for Pairs<K, V, S>
where
    K: Deserialize<'de> + Eq + Hash,
    V: Deserialize<'de>,
    S: BuildHasher + Default,
{
    type Value = HashMap<K, V, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<HashMap<K, V, S>, A::Error> {
        let map = HashMap::with_capacity_and_hasher(cautious(access.size_hint()), S::default());
        until_error(|| access.next_entry(), |pairs| map.insert_many(pairs))?;
        Ok(map)
    }
}

/// For how many entries a table is made before they are read: what the input says, but no more than what takes a megabyte. An input
/// that lies has to bring what it promises.
pub(crate) fn cautious(told: Option<usize>) -> usize {
    /// More than an entry takes in a table.
    const BYTES: usize = 32;
    told.unwrap_or(0).min((1 << 20) / BYTES)
}

/// Has `consume` take what `next` reads, to the end or to the first error.
pub(crate) fn until_error<T, E>(
    mut next: impl FnMut() -> Result<Option<T>, E>,
    consume: impl FnOnce(&mut dyn Iterator<Item = T>) -> usize,
) -> Result<usize, E> {
    let mut result = Ok(());
    let consumed = consume(&mut std::iter::from_fn(|| {
        next().unwrap_or_else(|error| {
            result = Err(error);
            None
        })
    }));
    result.map(|()| consumed)
}

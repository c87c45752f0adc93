//! What a key can be looked up by: what it borrows as, as in std's map, and whatever says that it is equivalent.

use std::hash::{Hash, Hasher};

use tidymap::{Equivalent, HashMap, Operation, Ref};

/// Looks up by `$key`, by every call that takes one, in a map of some type that has `$value` for it, and not for `$absent`.
macro_rules! every_lookup {
    ($map:expr, $key:expr, $value:expr, $absent:expr) => {{
        let (make, key, value, absent) = (|| $map, $key, $value, $absent);
        every_lookup!(reads, make(), key, value, absent);
        every_lookup!(writes, make, key, value, absent);
    }};
    (reads, $map:expr, $key:ident, $value:ident, $absent:ident) => {
        let map = $map;
        assert_eq!(map.get($key).as_deref(), Some(&$value));
        assert!(map.get($absent).is_none());
        assert_eq!(map.get_cloned($key), Some($value));
        assert_eq!(map.read($key, |_, value| *value), Some($value));
        assert!(map.contains_key($key) && !map.contains_key($absent));
        let session = map.pin();
        assert_eq!((session.get($key), session.get($absent)), (Some(&$value), None));
        assert_eq!(session.get_key_value($key).map(|(_, value)| *value), Some($value));
        assert!(session.contains_key($key) && !session.contains_key($absent));
        assert_eq!(session[$key], $value);
        assert_eq!(session.get_many([$key, $absent]).collect::<Vec<_>>(), [Some(&$value), None]);
        let mut reader = map.reader();
        assert_eq!(reader.get($key), Some(&$value));
        assert!(reader.get_key_value($key).is_some() && reader.get($absent).is_none());
        assert!(reader.contains_key($key) && !reader.contains_key($absent));
    };
    (writes, $make:ident, $key:ident, $value:ident, $absent:ident) => {
        let map = $make();
        assert_eq!(map.update($key, |value| value + 1).as_deref(), Some(&($value + 1)));
        assert!(map.update($absent, |value| value + 1).is_none());
        assert!(map.compare_exchange($key, &($value + 1), $value).is_ok());
        assert!(map.remove_if($key, |_, _| false).is_err());
        assert_eq!(map.remove($key).as_deref(), Some(&$value));
        assert!(map.remove($absent).is_none());
        assert!($make().remove_entry($key).is_some() && $make().remove_entry($absent).is_none());
        assert!($make().remove_owned($key).is_ok_and(|pair| pair.is_some()));
        assert_eq!($make().remove_many([$key, $absent]), 1);

        let map = $make();
        let session = map.pin();
        assert_eq!(session.update($key, |value| value + 1), Some(&($value + 1)));
        assert!(session.compare_exchange($key, &($value + 1), $value).is_ok());
        assert!(session.remove_if($key, |_, _| false).is_err());
        assert_eq!((session.remove($key), session.remove($absent)), (Some(&$value), None));
        let map = $make();
        assert!(map.pin().remove_entry($key).is_some());
        assert_eq!($make().pin().remove_many([$key, $absent]), 1);

        let mut map = $make();
        assert_eq!(map.get_mut($key), Some(&mut { $value }));
        assert_eq!(map.get_mut($absent), None);
        assert_eq!(map.remove_mut($key).map(|(_, value)| value), Some($value));
        assert!(map.remove_mut($absent).is_none());
    };
}

#[test]
fn strings_by_str() {
    every_lookup!(HashMap::from([(String::from("a"), 1), (String::from("b"), 2)]), "a", 1, "c");
    every_lookup!(HashMap::<Box<str>, i32>::from([("a".into(), 1)]), "a", 1, "c");
    every_lookup!(HashMap::<std::rc::Rc<str>, i32>::from([("a".into(), 1)]), "a", 1, "c");
}

#[test]
fn vectors_by_slices() {
    every_lookup!(HashMap::from([(vec![1u8, 2], 12), (vec![], 0)]), &[1u8, 2][..], 12, &[2u8][..]);
}

/// A pair of strings that nobody has to make to look for one.
#[derive(Hash)]
struct Both<'a>(&'a str, &'a str);

impl Equivalent<(String, String)> for Both<'_> {
    fn equivalent(&self, key: &(String, String)) -> bool {
        self.0 == key.0 && self.1 == key.1
    }
}

#[test]
fn tuples_by_their_parts() {
    let pair = |a: &str, b: &str| (String::from(a), String::from(b));
    let map = || HashMap::from([(pair("a", "b"), 1), (pair("ab", ""), 2), (pair("", "ab"), 3)]);
    every_lookup!(map(), &Both("a", "b"), 1, &Both("b", "a"));
    every_lookup!(map(), &Both("", "ab"), 3, &Both("", ""));
}

/// Hash of ASCII letters whatever their case.
struct AnyCase<'a>(&'a str);

impl Hash for AnyCase<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

impl Equivalent<String> for AnyCase<'_> {
    fn equivalent(&self, key: &String) -> bool {
        self.0.eq_ignore_ascii_case(key)
    }
}

#[test]
fn by_whatever_says_that_it_is_equivalent() {
    every_lookup!(HashMap::from([(String::from("host"), 1)]), &AnyCase("HOST"), 1, &AnyCase("GHOST"));
    let map = HashMap::from([(String::from("host"), 1)]);
    let key: Option<Ref<'_, String, i32>> = map.get(&AnyCase("Host"));
    assert_eq!(key.expect("it is there").key(), "host");
    map.compute(String::from("host"), |old| Operation::<_, ()>::Insert(old.map_or(0, |(_, n)| n + 1)));
    assert_eq!(map.get_cloned(&AnyCase("hOST")), Some(2));
}

#[test]
#[should_panic(expected = "no entry found for key")]
fn an_index_that_is_absent_panics() {
    let map = HashMap::from([(String::from("a"), 1)]);
    let _ = map.pin()["b"];
}

//! The same steps on the map that one comes from, and on this one.

use std::sync::RwLock;

use dashmap::DashMap;
use tidymap::HashMap;

#[test]
fn from_dashmap() {
    let theirs: DashMap<_, _> = [("a", 1)].into_iter().collect();
    let ours = HashMap::from([("a", 1)]);

    theirs.alter("a", |_, n| n + 1);
    ours.update("a", |n| n + 1);
    assert_eq!(theirs.view("a", |_, n| *n), ours.read("a", |_, n| *n));

    *theirs.entry("b").or_insert(0) += 1;
    ours.update_or_insert("b", |n| n + 1, 1);

    theirs.retain(|_, n| *n > 1);
    ours.retain(|_, n| *n > 1);
    assert_eq!(theirs.len(), ours.len());

    // theirs says no by `None`, ours by `Err` with what stays, and tells that apart from a key that is not there.
    assert!(theirs.remove_if("a", |_, n| *n > 5).is_none() && ours.remove_if("a", |_, n| *n > 5).is_err());
    assert!(theirs.remove_if("b", |_, _| true).is_none() && ours.remove_if("b", |_, _| true).unwrap().is_none());

    assert_eq!(theirs.remove("a"), ours.remove_owned("a").unwrap());
}

#[test]
fn from_rwlock() {
    let theirs = RwLock::new(std::collections::HashMap::new());
    let ours = HashMap::new();

    for word in ["to", "be", "or", "not", "to", "be"] {
        *theirs.write().unwrap().entry(word).or_insert(0) += 1;
        ours.update_or_insert(word, |n| n + 1, 1);
    }

    let (guard, session) = (theirs.read().unwrap(), ours.pin());
    assert_eq!(guard.values().sum::<u32>(), session.values().sum());
    assert_eq!(guard["to"], session["to"]);
    drop((guard, session));

    assert_eq!(theirs.into_inner().unwrap().remove("be"), ours.remove_owned("be").unwrap().map(|(_, n)| n));
}

#[test]
fn from_go() {
    let map = HashMap::new();
    map.insert("a", 1); // Store
    assert_eq!(map.get("a").as_deref(), Some(&1)); // Load
    let (value, loaded) = match map.try_insert("a", 2) {
        Ok(new) => (*new, false),
        Err(occupied) => (*occupied.entry, true),
    };
    assert_eq!((value, loaded), (1, true)); // LoadOrStore
    assert!(map.compare_exchange("a", &1, 3).is_ok()); // CompareAndSwap

    // CompareAndDelete: deleted, another value, not there.
    let compare_and_delete = |key, old| matches!(map.remove_if(key, |_, value| *value == old), Ok(Some(_)));
    assert!(!compare_and_delete("a", 4));
    assert!(compare_and_delete("a", 3));
    assert!(!compare_and_delete("a", 3));
}

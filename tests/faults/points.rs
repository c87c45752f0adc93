//! One death at every single call of the user's code.

use std::collections::BTreeSet;
use std::thread;

use crate::hostile::{Call, Fault, Ledgers, Map, assert_gone, assert_whole, fill, light_fuse, map, put_out_fuse};
use crate::operations::operations;

/// Runs `work` on a thread that dies at its call number `fuse` of the user's code; tells which that was, or None if there were no
/// more than that.
fn die(fuse: u32, when: &str, work: impl FnOnce() + Send) -> Option<Call> {
    let victim = || {
        light_fuse(fuse);
        work();
        assert!(put_out_fuse(), "{when}: the panic went nowhere");
    };
    let panic = thread::scope(|scope| scope.spawn(victim).join()).err()?;
    let fault = panic.downcast::<Fault>().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Some(fault.0)
}

/// Each operation, on threads that die at its first call of the user's code, at its second, and so on. Which calls were those?
fn die_at_each_call<const WORDS: usize>(hook: bool) -> BTreeSet<Call> {
    let mut calls = BTreeSet::new();
    for (name, operate) in operations::<WORDS>() {
        for fuse in 0.. {
            let when = format!("{name}, call {fuse}");
            let ledgers = Ledgers::leaked();
            let map = map::<WORDS>(hook);
            fill(&map, ledgers, 12);
            let died = die(fuse, &when, || operate(&map, ledgers));
            assert_whole(&map, ledgers, &when);
            drop(map);
            assert_gone(ledgers, &when);
            match died {
                Some(call) => calls.insert(call),
                None => break,
            };
        }
    }
    calls
}

fn all_but_the_hook() -> BTreeSet<Call> {
    use Call::*;
    let calls =
        [BuildHasher, CloneHasher, HashKey, CompareKeys, CompareValues, CloneKey, CloneValue, ShowKey, ShowValue];
    calls.into_iter().chain([Closure, DropClosure, NextOfIterator, DropKey, DropValue]).collect()
}

#[test]
fn f1_a_thread_may_die_at_every_call_with_values_in_their_entries() {
    assert_eq!(die_at_each_call::<0>(false), all_but_the_hook());
}

#[test]
fn f1_a_thread_may_die_at_every_call_with_values_in_boxes() {
    assert_eq!(die_at_each_call::<16>(false), all_but_the_hook());
}

#[test]
fn f1_a_thread_may_die_at_every_call_and_in_the_hook() {
    let mut expected = all_but_the_hook();
    expected.insert(Call::Hook);
    assert_eq!(die_at_each_call::<0>(true), expected);
    assert_eq!(die_at_each_call::<16>(true), expected);
}

/// The last moment: the map goes, and each of the calls in which its content is dropped panics once.
fn die_at_the_end_of_the_map<const WORDS: usize>(hook: bool) -> usize {
    for fuse in 0.. {
        let when = format!("hook {hook}, call {fuse}");
        let ledgers = Ledgers::leaked();
        let map: Map<WORDS> = map(hook);
        fill(&map, ledgers, 12);
        // Garbage, too: of a guard that has been forgotten.
        std::mem::forget(map.pin());
        map.insert(ledgers.key(1), ledgers.value(1));
        map.remove(&ledgers.key(2));
        let died = die(fuse, &when, || drop(map));
        assert_gone(ledgers, &when);
        if died.is_none() {
            return fuse as usize;
        }
    }
    unreachable!("there are not so many calls")
}

#[test]
fn f1_a_thread_may_die_of_dropping_the_map() {
    // Keys and values: of the 11 entries that are left, of the one removed, and the value overwritten.
    assert_eq!(die_at_the_end_of_the_map::<0>(false), 25);
    assert_eq!(die_at_the_end_of_the_map::<16>(false), 25);
    // And the hook for each entry, and for that value.
    assert_eq!(die_at_the_end_of_the_map::<0>(true), 25 + 13);
    assert_eq!(die_at_the_end_of_the_map::<16>(true), 25 + 13);
}

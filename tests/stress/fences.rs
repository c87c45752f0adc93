//! Reads without a fence, on real processors: the announcement of a guard may be on its way for as long as the stores before it, and the removal must
//! see it, or the guard not what was removed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use tidymap::{HashMap, ReadFence};

use crate::common::rounds::rounds;
use crate::common::{GoodHash, RaiseOnDrop, in_parallel};

const ALIVE: u64 = 0x600D_600D_600D_600D;

/// Is no longer what it was when it has been dropped.
struct Canary(AtomicU64);

impl Drop for Canary {
    fn drop(&mut self) {
        self.0.store(0, Relaxed);
    }
}

/// A line that each thread wants to have.
#[repr(align(64))]
struct Line(AtomicU64);

/// A reader whose announcements may come late, because lines that it has stored to before are with the other thread; and one who overwrites what it reads.
fn nothing_is_read_that_has_been_dropped(read_fence: ReadFence, read: fn(&HashMap<u64, Canary, GoodHash>) -> u64) {
    let overwrites = if cfg!(miri) { 20 } else { rounds(100_000) };
    let canary = || Canary(AtomicU64::new(ALIVE));
    let map = HashMap::builder().hasher(GoodHash::default()).read_fence(read_fence).build();
    map.insert(1, canary());
    let lines = [const { Line(AtomicU64::new(0)) }; 16];
    let (done, ready) = (AtomicBool::new(false), AtomicBool::new(false));
    in_parallel(2, |thread| {
        if thread == 0 {
            let _done = RaiseOnDrop(&done);
            while !ready.load(Relaxed) {
                std::thread::yield_now();
            }
            for round in 0..overwrites {
                lines.iter().for_each(|line| line.0.store(round, Relaxed));
                map.insert(1, canary());
            }
        } else {
            while !done.load(Relaxed) {
                lines.iter().for_each(|line| line.0.store(1, Relaxed));
                assert_eq!(read(&map), ALIVE);
                ready.store(true, Relaxed);
            }
        }
    });
    assert_eq!(map.stats().pending.entries, 0);
}

fn by_a_call(map: &HashMap<u64, Canary, GoodHash>) -> u64 {
    map.read(&1, |_, value| value.0.load(Relaxed)).expect("it is never absent")
}

fn in_a_session(map: &HashMap<u64, Canary, GoodHash>) -> u64 {
    map.pin().get(&1).expect("it is never absent").0.load(Relaxed)
}

#[test]
fn what_a_call_reads_is_alive() {
    nothing_is_read_that_has_been_dropped(ReadFence::Never, by_a_call);
}

#[test]
fn what_a_session_reads_is_alive() {
    nothing_is_read_that_has_been_dropped(ReadFence::Never, in_a_session);
}

#[test]
fn what_a_call_reads_is_alive_with_fences() {
    nothing_is_read_that_has_been_dropped(ReadFence::Always, by_a_call);
}

/// A reader that is sent from its processor is made fenced, and makes itself free again.
#[test]
fn what_a_call_reads_of_a_map_that_decides_for_itself_is_alive() {
    nothing_is_read_that_has_been_dropped(ReadFence::Auto, by_a_call);
}

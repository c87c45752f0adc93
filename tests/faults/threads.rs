//! Threads that die beside others that go on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::common::{RaiseOnDrop, Random, in_parallel};
use crate::hostile::{Fault, Ledgers, assert_gone, assert_whole, light_fuse, map, put_out_fuse};
use crate::operations::operations;

/// Ends the process if it is not dropped in time: a thread that waits for ever cannot be told to give up.
pub(crate) struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    pub(crate) fn new() -> Watchdog {
        let (alive, ended) = channel();
        thread::spawn(move || {
            if ended.recv_timeout(Duration::from_secs(300)) == Err(RecvTimeoutError::Timeout) {
                eprintln!("somebody waits for ever");
                std::process::abort();
            }
        });
        Watchdog { _alive: alive }
    }
}

/// Anything, on threads that die at any call of the user's code, and on threads that survive whatever is thrown at them. Some values
/// panic when they are dropped, whichever thread does that.
fn die_beside_others<const WORDS: usize>(hook: bool, deaths: usize) {
    let _watchdog = Watchdog::new();
    let ledgers = Ledgers::leaked();
    let map = map::<WORDS>(hook);
    let operations = operations::<WORDS>();
    let (over, survived, died) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    // Puts back what operations expect to be there, and something that panics when it goes.
    let prepare = |armed| {
        (0..12).for_each(|key| drop(map.try_insert(ledgers.key(key), ledgers.value(key))));
        drop(map.insert(ledgers.key(armed), ledgers.value(5).armed()));
    };
    in_parallel(4, |id| {
        let mut random = Random::new(id as u64);
        if id < 2 {
            let _over = RaiseOnDrop(&over);
            for _ in 0..deaths {
                let operate = operations[random.below(operations.len() as u64) as usize].1;
                let (fuse, armed) = (random.below(30) as u32, random.below(12));
                let _ = catch_unwind(AssertUnwindSafe(|| prepare(armed)));
                let victim = || {
                    light_fuse(fuse);
                    operate(&map, ledgers);
                    put_out_fuse();
                };
                died.fetch_add(thread::scope(|scope| scope.spawn(victim).join()).is_err().into(), Relaxed);
            }
        } else {
            while !over.load(Relaxed) {
                let (_, operate) = operations[random.below(operations.len() as u64) as usize];
                // What it expects to be there may be gone, and what it drops may panic.
                survived.fetch_add(catch_unwind(AssertUnwindSafe(|| operate(&map, ledgers))).is_ok().into(), Relaxed);
            }
        }
    });
    let (died, survived) = (died.into_inner(), survived.into_inner());
    assert!(died > deaths / 4 && survived > 0, "{died} threads died, {survived} calls survived");
    assert_whole(&map, ledgers, "after all of them");
    let last = catch_unwind(AssertUnwindSafe(|| drop(map)));
    assert!(last.err().is_none_or(|panic| panic.is::<Fault>()));
    assert_gone(ledgers, "after all of them");
}

const DEATHS: usize = if cfg!(miri) { 10 } else { 400 };

#[test]
fn f1_threads_die_and_others_go_on() {
    die_beside_others::<0>(false, DEATHS);
    die_beside_others::<16>(false, DEATHS);
}

#[test]
fn f1_threads_die_and_others_go_on_with_a_hook() {
    die_beside_others::<0>(true, DEATHS);
    die_beside_others::<16>(true, DEATHS);
}

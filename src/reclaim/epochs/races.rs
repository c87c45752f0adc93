//! The two races that decide everything, on the processor that runs this: in each round both threads store, and then load what the other stores, as
//! close to each other as they get. The models show what follows from a fence and from a barrier; this shows that the machine has them.

use std::cell::Cell;
use std::hint::{black_box, spin_loop};
use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, PoisonError};

use super::tests::{exit, place};
use super::*;

const ROUNDS: u32 = if cfg!(miri) {
    20
} else if cfg!(debug_assertions) {
    20_000
} else {
    100_000
};

/// One after the other: each needs two processors.
static ALONE: Mutex<()> = Mutex::new(());

/// One of two threads that do something at the same time, again and again.
struct Side<'r> {
    own: &'r AtomicU32,
    other: &'r AtomicU32,
    met: Cell<u32>,
    patience: u32,
}

/// If it panics, the other one does not wait for ever.
impl Drop for Side<'_> {
    fn drop(&mut self) {
        self.own.store(u32::MAX, Ordering::Release);
    }
}

impl Side<'_> {
    /// Returns when the other one is here, too: what it has done before is seen.
    fn meet(&self) {
        let met = self.met.get() + 1;
        self.met.set(met);
        self.own.store(met, Ordering::Release);
        for looks in 0u32.. {
            if self.other.load(Ordering::Acquire) >= met {
                return;
            }
            if looks < self.patience { spin_loop() } else { std::thread::yield_now() }
        }
    }

    /// Meets, and goes on: sometimes before the other one, sometimes after it.
    fn meet_and_wait(&self, steps: u32) {
        self.meet();
        (0..steps).for_each(|step| _ = black_box(step));
    }
}

fn two(one: impl Fn(&Side<'_>) + Sync, other: impl Fn(&Side<'_>)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (first, second) = (AtomicU32::new(0), AtomicU32::new(0));
    // Where there is a single processor, the other one does nothing meanwhile.
    let alone = std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1);
    let patience = if alone || cfg!(miri) { 0 } else { 10_000 };
    std::thread::scope(|scope| {
        scope.spawn(|| one(&Side { own: &first, other: &second, met: Cell::new(0), patience }));
        other(&Side { own: &second, other: &first, met: Cell::new(0), patience });
    });
}

/// *Enter against horizon*: a guard that does not see what has been unlinked is seen by who looks after that.
fn enter_against_horizon(read_fence: ReadFence, horizon: fn(&Epochs<()>, &Record<()>) -> Epoch) {
    let epochs = Epochs::<()>::new(read_fence);
    let (unlinked, freed, wrong) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    two(
        |remover| {
            let own = epochs.enter(place());
            exit(&epochs, own);
            for round in 1..=ROUNDS {
                remover.meet();
                // It takes the cache line from the reader, whose store has to wait for that.
                epochs.glance();
                remover.meet_and_wait(round % 127);
                unlinked.store(round, Ordering::Release);
                let stamp = epochs.stamp();
                if horizon(&epochs, own.0) > stamp {
                    freed.store(round, Ordering::Relaxed);
                }
                remover.meet();
            }
        },
        |reader| {
            for round in 1..=ROUNDS {
                reader.meet();
                reader.meet_and_wait(round % 113);
                let guard = epochs.enter(place());
                let finds_it = unlinked.load(Ordering::Acquire) != round;
                reader.meet();
                if finds_it && freed.load(Ordering::Relaxed) == round {
                    wrong.fetch_add(1, Ordering::Relaxed);
                }
                exit(&epochs, guard);
            }
        },
    );
    assert_eq!(wrong.into_inner(), 0, "{read_fence:?}: freed while a guard could see it, of {ROUNDS} times");
}

/// *Exit against hold back*: if who has something that waits meets a guard, that sees itself awaited when it ends.
fn exit_against_hold_back(read_fence: ReadFence) {
    let epochs = Epochs::<()>::new(read_fence);
    let (left, wrong) = (AtomicU32::new(0), AtomicU32::new(0));
    two(
        |remover| {
            for round in 1..=ROUNDS {
                remover.meet();
                let stamp = epochs.stamp();
                remover.meet_and_wait(round % 127);
                epochs.hold_back(stamp);
                if epochs.glance() <= stamp {
                    left.store(round, Ordering::Relaxed);
                }
                remover.meet();
            }
        },
        |reader| {
            for round in 1..=ROUNDS {
                let guard = epochs.enter(place());
                reader.meet();
                reader.meet_and_wait(round % 113);
                let exit = exit(&epochs, guard);
                reader.meet();
                if exit != Exit::Awaited && left.load(Ordering::Relaxed) == round {
                    wrong.fetch_add(1, Ordering::Relaxed);
                }
            }
        },
    );
    assert_eq!(wrong.into_inner(), 0, "{read_fence:?}: left to a guard that does not know, of {ROUNDS} times");
}

fn exactly(epochs: &Epochs<()>, own: &Record<()>) -> Epoch {
    epochs.horizon(Some(own))
}

#[test]
fn enter_against_horizon_without_a_fence() {
    enter_against_horizon(ReadFence::Never, exactly);
}

#[test]
fn enter_against_horizon_without_a_fence_or_a_barrier() {
    enter_against_horizon(ReadFence::Never, Epochs::horizon_so_far);
}

#[test]
fn enter_against_horizon_with_a_fence() {
    enter_against_horizon(ReadFence::Always, exactly);
}

/// The fence of who looks may be its stamp.
#[test]
fn enter_against_horizon_with_a_fence_and_no_barrier() {
    enter_against_horizon(ReadFence::Always, Epochs::horizon_so_far);
}

#[test]
fn enter_against_horizon_while_the_mode_changes() {
    enter_against_horizon(ReadFence::Auto, exactly);
}

#[test]
fn enter_against_horizon_while_the_mode_changes_and_no_barrier() {
    enter_against_horizon(ReadFence::Auto, Epochs::horizon_so_far);
}

#[test]
fn exit_against_hold_back_whoever_has_fences() {
    exit_against_hold_back(ReadFence::Never);
    exit_against_hold_back(ReadFence::Always);
}

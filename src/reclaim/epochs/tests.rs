use std::sync::OnceLock;

use super::*;

/// The same for all, wherever the compiler puts it.
pub(super) fn place() -> Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    *PLACE.get_or_init(Place::here)
}

pub(super) fn exit(epochs: &Epochs<()>, (record, epoch): (&Record<()>, Epoch)) -> Exit {
    let exit = epochs.exit(record, epoch, place());
    slot::leave();
    exit
}

#[test]
fn a_guard_holds_back_the_stamps_of_its_life_and_no_later_guard_does() {
    let epochs = Epochs::<()>::new(ReadFence::Auto);
    assert_eq!(epochs.horizon(None), Epoch::MAX);
    let early = epochs.enter(place());
    let stamp = epochs.stamp();
    assert!(epochs.horizon(None) <= stamp);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let late = epochs.enter(place());
            assert!(late.1 > stamp);
            assert_eq!(exit(&epochs, late), Exit::Moved);
        });
    });
    epochs.hold_back(stamp);
    assert_eq!(exit(&epochs, early), Exit::Awaited);
    assert_eq!(epochs.horizon(None), Epoch::MAX);
}

#[test]
fn what_is_left_over_is_asked_for_until_somebody_answers_and_what_waits_is_not_forgotten() {
    let epochs = Epochs::<()>::new(ReadFence::Auto);
    let early = epochs.enter(place());
    epochs.ask_leavers();
    assert!(!epochs.is_awaited(early.1), "nothing waits for it");
    let stamp = epochs.stamp();
    epochs.hold_back(stamp);
    std::thread::scope(|scope| {
        // Each guard, whichever epoch it is of.
        scope.spawn(|| assert_eq!(exit(&epochs, epochs.enter(place())), Exit::Awaited)).join().unwrap();
        epochs.answer();
        scope.spawn(|| assert_eq!(exit(&epochs, epochs.enter(place())), Exit::Moved));
    });
    assert_eq!(exit(&epochs, early), Exit::Awaited, "for what waits");
}

#[test]
fn guards_of_one_thread_are_told_apart() {
    let epochs = Epochs::<()>::new(ReadFence::Auto);
    let first = epochs.enter(place());
    let twin = epochs.enter(place());
    let stamp = epochs.stamp();
    epochs.hold_back(stamp);
    let second = epochs.enter(place());
    epochs.stamp();
    let third = epochs.enter(place());
    assert_eq!(epochs.holders().map(|holder| holder.guards).sum::<usize>(), 4);
    assert_eq!(exit(&epochs, first), Exit::Shared);
    assert_eq!(epochs.horizon(None), stamp);
    assert_eq!(exit(&epochs, twin), Exit::Awaited, "the last guard that was live at the stamp");
    assert_eq!(epochs.horizon(None), stamp + 1);
    assert_eq!(exit(&epochs, third), Exit::Shared);
    assert_eq!(exit(&epochs, second), Exit::Moved);
    assert_eq!(epochs.horizon(None), Epoch::MAX);
}

/// Leaked guards add up for as long as a program leaks them. Here as if there had been so many that 32 bits begin anew.
#[test]
fn more_guards_than_32_bits_can_count_go_on_holding_back() {
    const MANY: u64 = 1 << 32;
    let epochs = Epochs::<()>::new(ReadFence::Auto);
    let (record, epoch) = epochs.enter(place());
    let twin = epochs.enter(place());
    let stamp = epochs.stamp();
    epochs.hold_back(stamp);
    record.more.store(MANY - 1, Ordering::Relaxed);
    // SAFETY: D2: our own record.
    unsafe {
        (*record.nested.get()).leak(MANY - 2);
        (*record.places.get()).leak(MANY - 2);
    }
    let late = epochs.enter(place());
    assert!(late.1 > epoch);
    assert_eq!(epochs.horizon(None), epoch, "a guard beside the others does not take their place");
    assert_eq!(epochs.holders().map(|holder| holder.guards as u64).sum::<u64>(), MANY + 1);
    for guard in [late, twin, (record, epoch)] {
        assert_eq!(exit(&epochs, guard), Exit::Shared);
        assert_eq!(epochs.horizon(None), epoch);
    }
    assert_eq!(record.more.load(Ordering::Relaxed), MANY - 3);
}

/// Every retirement moves the counter on.
#[test]
fn epochs_of_more_than_32_bits_are_in_order() {
    let epochs = Epochs::<()>::new(ReadFence::Auto);
    epochs.now.store(u64::from(u32::MAX) - 1, Ordering::Relaxed);
    let early = epochs.enter(place());
    let mut nested = Vec::new();
    for _ in 0..4 {
        let stamp = epochs.stamp();
        epochs.hold_back(stamp);
        assert_eq!(epochs.horizon(None), early.1);
        nested.push((stamp, epochs.enter(place())));
    }
    assert!(nested[3].1.1 > u64::from(u32::MAX));
    assert_eq!(exit(&epochs, early), Exit::Awaited);
    for (stamp, guard) in nested {
        assert!(epochs.horizon(None) > stamp, "what was retired before the oldest that is left has passed");
        assert_eq!(epochs.horizon(None), guard.1);
        exit(&epochs, guard);
    }
    assert_eq!(epochs.horizon(None), Epoch::MAX);
}

/// Guards of another thread, one after the other, each when it is told.
fn with_another(epochs: &Epochs<()>, body: impl FnOnce(&dyn Fn())) {
    let (ask, asked) = std::sync::mpsc::channel::<()>();
    let (answer, answered) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for () in asked {
                exit(epochs, epochs.enter(place()));
                answer.send(()).unwrap();
            }
        });
        body(&|| {
            ask.send(()).unwrap();
            answered.recv().unwrap();
        });
        drop(ask);
    });
}

#[test]
fn a_thread_that_has_come_since_is_not_waited_for_and_one_that_rests_may_be_there() {
    let epochs = Epochs::<()>::new(ReadFence::Never);
    let own = epochs.enter(place());
    exit(&epochs, own);
    assert_eq!(epochs.horizon_so_far(own.0), Epoch::MAX, "nobody else");
    with_another(&epochs, |comes| {
        comes();
        for _ in 0..3 {
            let stamp = epochs.stamp();
            assert_eq!(
                epochs.horizon_so_far(own.0) > stamp,
                !epochs.fences.may_be_free(),
                "it may be there, if it executes no fence"
            );
            assert_eq!(epochs.horizon(Some(own.0)), Epoch::MAX, "it is not");
            comes();
            assert!(epochs.horizon_so_far(own.0) > stamp, "it has come");
        }
    });
}

#[test]
fn a_thread_that_rests_is_made_fenced_by_one_barrier_and_free_again_by_itself() {
    let epochs = Epochs::<()>::new(ReadFence::Auto);
    let own = epochs.enter(place());
    exit(&epochs, own);
    let barriers = || barrier::BARRIERS.with(std::cell::Cell::get);
    with_another(&epochs, |comes| {
        comes();
        let before = barriers();
        for _ in 0..100 {
            let stamp = epochs.stamp();
            assert!(epochs.horizon(Some(own.0)) > stamp);
        }
        assert_eq!(barriers() - before, u32::from(epochs.fences.may_be_free()));
        let other = || {
            epochs
                .records()
                .find(|record| !std::ptr::eq(*record, own.0) && record.epoch.load(Ordering::Relaxed) != UNUSED)
        };
        let is_free = || !other().unwrap().fencing.wants_fence();
        assert!(!is_free());
        let guards = (1..=1000).find(|_| {
            comes();
            is_free()
        });
        assert_eq!(guards, epochs.fences.may_be_free().then_some(256));
    });
    let before = barriers();
    let stamp = epochs.stamp();
    (0..100).for_each(|_| assert!(epochs.horizon(Some(own.0)) > stamp));
    assert_eq!(
        barriers() - before,
        u32::from(epochs.fences.may_be_free()),
        "a thread that has ended is one that rests"
    );
}

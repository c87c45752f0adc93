//! Reads that execute no fence: models of other files, once more, with the barrier for the whole process that these rely on then.
//!
//! It is modelled by what it promises for each thread and no more; see `reclaim/barrier.rs`.

use std::collections::BTreeSet;

use loom_tests::{Ledger, Map, Value, ask, explore, long, number, play, promoted};
use tidymap::simulate;

/// Other tests of the same thread are to have none.
fn with_barrier(explore: impl FnOnce()) {
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            simulate(false);
        }
    }
    let _ends = Ends;
    simulate(true);
    explore();
}

#[test]
fn one_reader_and_a_remover() {
    with_barrier(|| crate::last_one_out::one_reader(3));
}

#[test]
fn two_readers_and_a_remover() {
    with_barrier(|| crate::last_one_out::two_readers(2));
}

#[test]
fn reclaim_against_a_late_reader() {
    with_barrier(|| {
        let expected = [(false, "main"), (false, "reader"), (true, "main"), (true, "reader")];
        let expected = expected.map(|(waited, role)| (waited, BTreeSet::from([role])));
        assert_eq!(crate::barrier::late_reader(), expected.into());
    });
}

#[test]
fn two_reads_against_a_remover() {
    with_barrier(crate::readers::two_reads_against_a_remover);
}

#[test]
fn overwrite_against_remove() {
    with_barrier(crate::writers::overwrite_against_remove);
}

#[test]
fn remove_owned_against_a_reader() {
    with_barrier(crate::waiting::remove_owned_against_a_reader);
}

#[test]
fn a_guard_opened_here_and_ended_there_against_a_remover() {
    with_barrier(crate::owned::opened_here_and_ended_there_against_a_remover);
}

/// A thread's first guard on the map, and its second, against one who removes as the only user of the map.
#[test]
fn a_reader_that_comes_against_a_remover_who_was_alone() {
    with_barrier(|| {
        let outcomes = explore(3, || two_gets_against_a_removal(|_| ()));
        assert_eq!(outcomes, either_drops());
    });
}

/// The map becomes fenced by a reader that has begun before, and has not executed a fence.
#[test]
fn a_reader_that_makes_the_map_fenced_against_a_remover() {
    a_read_against_a_removal(
        |_| (),
        |map| {
            let session = map.pin();
            let found = session.get(&1);
            map.turn_now();
            found.map(Value::number).is_some()
        },
    );
}

/// The map becomes free again by a reader, whose next guard executes no fence, while a remover looks that takes it to be fenced.
#[test]
fn a_reader_that_makes_the_map_free_against_a_remover() {
    a_read_against_a_removal(
        |map| map.turn_now(),
        |map| {
            map.turn_now();
            number(map.get(&1)).is_some()
        },
    );
}

/// Of a map made ready by `before`.
fn a_read_against_a_removal(before: fn(&Map<Value>), read: fn(&Map<Value>) -> bool) {
    with_barrier(|| {
        let outcomes = explore(3, move || {
            let ledger = Ledger::default();
            let map = promoted(&ledger, 1, 1);
            before(&map);
            let remover = play("remover", {
                let map = map.clone();
                move || assert!(map.remove(&1).is_some())
            });
            let found = read(&map);
            remover.join().unwrap();
            assert_eq!(ledger.live(), 0, "nobody needs to call anything");
            (found, ledger.dropped_by())
        });
        let drops = [(false, "main"), (false, "remover"), (true, "main"), (true, "remover")];
        assert_eq!(outcomes, drops.map(|(found, role)| (found, BTreeSet::from([role]))).into());
    });
}

/// The map becomes fenced by the remover, beside a reader that begins before, meanwhile, or after.
#[test]
fn reads_against_a_remover_that_makes_the_map_fenced() {
    with_barrier(|| {
        let outcomes = explore(long(3), || two_gets_against_a_removal(|map| map.turn_now()));
        assert_eq!(outcomes, either_drops());
    });
}

/// How often the value was found, and who dropped it.
fn two_gets_against_a_removal(before: fn(&Map<Value>)) -> (usize, BTreeSet<&'static str>) {
    let ledger = Ledger::default();
    let map = promoted(&ledger, 1, 1);
    let reader = ask("reader", {
        let map = map.clone();
        move || [(); 2].map(|()| number(map.get(&1)).is_some()).into_iter().filter(|found| *found).count()
    });
    before(&map);
    assert!(map.remove(&1).is_some());
    let found = reader();
    assert_eq!(ledger.live(), 0, "nobody needs to call anything");
    (found, ledger.dropped_by())
}

fn either_drops() -> BTreeSet<(usize, BTreeSet<&'static str>)> {
    [(0, "main"), (0, "reader"), (1, "main"), (1, "reader"), (2, "main"), (2, "reader")]
        .map(|(found, role)| (found, BTreeSet::from([role])))
        .into()
}

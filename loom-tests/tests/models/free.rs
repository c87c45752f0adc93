//! Reads that execute no fence: models of other files, once more, with the barrier for the whole process that these rely on then, and some of how records are made fenced by it.
//!
//! It is modelled by what it promises for each thread and no more; see `reclaim/barrier.rs`.

use std::collections::BTreeSet;

use loom_tests::{Ledger, Map, Value, ask, explore, long, number, play, promoted};
use tidymap::{Simulated, simulate};

/// Other tests of the same thread are to have none.
fn with_barrier(explore: impl FnOnce()) {
    with(Simulated::Barrier, explore);
}

fn with(simulated: Simulated, explore: impl FnOnce()) {
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            simulate(Simulated::Nothing);
        }
    }
    let _ends = Ends;
    simulate(simulated);
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

/// A thread's first guard on the map, which is fenced, and its second, which is free, against one who removes and has never met another.
#[test]
fn a_reader_that_comes_against_a_remover_who_was_alone() {
    with_barrier(|| {
        let outcomes = explore(3, two_gets_against_a_removal);
        assert_eq!(outcomes, either_drops(2, ["main", "reader"]));
    });
}

/// A reader that is free, and made fenced by the remover.
#[test]
fn a_free_reader_against_a_remover_that_makes_it_fenced() {
    reads_against_a_removal::<2>(long(3), |_| (), &[|map| map.turn_now()]);
}

/// A reader that is free, and made fenced by a third, while the remover looks.
#[test]
fn a_free_reader_against_a_remover_and_one_that_makes_it_fenced() {
    reads_against_a_removal::<1>(long(2), |_| (), &[|_| (), |map| map.turn_now()]);
}

/// A reader that is fenced, and makes itself free, while a remover looks that takes it to be fenced.
#[test]
fn a_reader_that_makes_itself_free_against_a_remover() {
    reads_against_a_removal::<2>(long(3), |map| map.turn_now(), &[|_| ()]);
}

/// Some reads by the main thread, which has read before, of a map made ready by `before`; against a thread that does the first of `others`, and removes, and one that does the second.
fn reads_against_a_removal<const READS: usize>(
    preemptions: usize,
    before: fn(&Map<Value>),
    others: &'static [fn(&Map<Value>)],
) {
    with(Simulated::BarrierAndTurns, || {
        let outcomes = explore(preemptions, move || {
            let ledger = Ledger::default();
            let map = promoted(&ledger, 1, 1);
            assert!(map.get(&1).is_some());
            before(&map);
            let [first, further @ ..] = others else { panic!("one removes") };
            let remover = play("remover", {
                let map = map.clone();
                move || {
                    first(&map);
                    assert!(map.remove(&1).is_some());
                }
            });
            let third = further.first().map(|third| {
                let map = map.clone();
                play("third", move || third(&map))
            });
            let found = [(); READS].map(|()| number(map.get(&1)).is_some()).into_iter().filter(|found| *found).count();
            remover.join().unwrap();
            third.into_iter().for_each(|third| third.join().unwrap());
            assert_eq!(ledger.live(), 0, "nobody needs to call anything");
            (found, ledger.dropped_by())
        });
        assert_eq!(outcomes, either_drops(READS, ["main", "remover"]));
    });
}

/// How often the value was found, and who dropped it.
fn two_gets_against_a_removal() -> (usize, BTreeSet<&'static str>) {
    let ledger = Ledger::default();
    let map = promoted(&ledger, 1, 1);
    let reader = ask("reader", {
        let map = map.clone();
        move || [(); 2].map(|()| number(map.get(&1)).is_some()).into_iter().filter(|found| *found).count()
    });
    assert!(map.remove(&1).is_some());
    let found = reader();
    assert_eq!(ledger.live(), 0, "nobody needs to call anything");
    (found, ledger.dropped_by())
}

/// Whatever is found of so many reads, the one or the other drops the value.
fn either_drops(reads: usize, roles: [&'static str; 2]) -> BTreeSet<(usize, BTreeSet<&'static str>)> {
    (0..=reads).flat_map(|found| roles.map(|role| (found, BTreeSet::from([role])))).collect()
}

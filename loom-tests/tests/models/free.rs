//! Reads that execute no fence: models of other files, once more, with the barrier for the whole process that these rely on then.
//!
//! It is modelled by what it promises for each thread and no more; see `reclaim/barrier.rs`.

use std::collections::BTreeSet;

use loom_tests::{Ledger, explore, number, play, promoted};
use tidymap::{Simulated, simulate};

/// Explores with the barrier. Other tests of the same thread are to have none.
fn with(barrier: Simulated, explore: impl FnOnce()) {
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            simulate(Simulated::Absent);
        }
    }
    let _ends = Ends;
    simulate(barrier);
    explore();
}

#[test]
fn one_reader_and_a_remover() {
    with(Simulated::Present, || crate::last_one_out::one_reader(3));
}

#[test]
fn two_readers_and_a_remover() {
    with(Simulated::Present, || crate::last_one_out::two_readers(2));
}

#[test]
fn reclaim_against_a_late_reader() {
    with(Simulated::Present, || {
        let expected = [(false, "main"), (false, "reader"), (true, "main"), (true, "reader")];
        let expected = expected.map(|(waited, role)| (waited, BTreeSet::from([role])));
        assert_eq!(crate::barrier::late_reader(), expected.into());
    });
}

#[test]
fn two_reads_against_a_remover() {
    with(Simulated::Present, crate::readers::two_reads_against_a_remover);
}

#[test]
fn overwrite_against_remove() {
    with(Simulated::Present, crate::writers::overwrite_against_remove);
}

#[test]
fn remove_owned_against_a_reader() {
    with(Simulated::Present, crate::waiting::remove_owned_against_a_reader);
}

#[test]
fn a_guard_opened_here_and_ended_there_against_a_remover() {
    with(Simulated::Present, crate::owned::opened_here_and_ended_there_against_a_remover);
}

/// A thread's first guard on the map, and its second, against one who removes as the only user of the map.
#[test]
fn a_reader_that_comes_against_a_remover_who_was_alone() {
    with(Simulated::Present, || {
        let outcomes = explore(3, two_gets_against_a_removal);
        assert_eq!(outcomes, either_drops());
    });
}

/// The map turns from free to fenced while the remover looks, with a reader that enters before, meanwhile, or after.
#[test]
fn reads_against_a_remover_that_turns_the_map() {
    with(Simulated::Turning, || {
        let outcomes = explore(3, two_gets_against_a_removal);
        assert_eq!(outcomes, either_drops());
    });
}

/// And back: of two removals, the second finds it fenced.
#[test]
fn reads_against_two_removals_that_turn_the_map() {
    with(Simulated::Turning, || {
        let outcomes = explore(2, || {
            let ledger = Ledger::default();
            let map = promoted(&ledger, 1, 1);
            map.insert(2, ledger.value(2));
            map.shrink_to_fit();
            let reader = play("reader", {
                let map = map.clone();
                move || {
                    for key in [1, 2] {
                        assert!(number(map.get(&key)).is_none_or(|number| number == key));
                    }
                }
            });
            assert!(map.remove(&2).is_some() && map.remove(&1).is_some());
            reader.join().unwrap();
            assert_eq!(ledger.live(), 0, "nobody needs to call anything");
            ledger.dropped_by()
        });
        let sets = [vec!["main"], vec!["main", "reader"], vec!["reader"]];
        assert_eq!(outcomes, sets.map(BTreeSet::from_iter).into());
    });
}

/// Of two removers one turns the map, and the other finds it in any mode.
#[test]
fn a_read_against_a_remover_beside_one_that_turns_the_map() {
    with(Simulated::Turning, || {
        let outcomes = explore(2, || {
            let ledger = Ledger::default();
            let map = promoted(&ledger, 1, 1);
            map.insert(2, ledger.value(2));
            map.shrink_to_fit();
            let reader = play("reader", {
                let map = map.clone();
                move || assert!(number(map.get(&1)).is_none_or(|number| number == 1))
            });
            let remover = play("remover", {
                let map = map.clone();
                move || assert!(map.remove(&1).is_some())
            });
            assert!(map.remove(&2).is_some());
            reader.join().unwrap();
            remover.join().unwrap();
            assert_eq!(ledger.live(), 0, "nobody needs to call anything");
        });
        assert_eq!(outcomes, BTreeSet::from([()]));
    });
}

/// How often the value was found, and who dropped it.
fn two_gets_against_a_removal() -> (usize, BTreeSet<&'static str>) {
    let ledger = Ledger::default();
    let map = promoted(&ledger, 1, 1);
    let reader = loom_tests::ask("reader", {
        let map = map.clone();
        move || [(); 2].map(|()| number(map.get(&1)).is_some()).into_iter().filter(|found| *found).count()
    });
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

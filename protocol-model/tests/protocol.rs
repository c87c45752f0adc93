//! The protocol keeps its invariants, and each bug breaks the one that is named beside it.
//!
//! By default: all programs of two calls against one, and one in twelve of two against two. All of these:
//!
//! ```text
//! ONE_IN=1 cargo test --release -p protocol-model -- --nocapture
//! ```

use std::time::Instant;

use protocol_model::bug::Bug;
use protocol_model::invariants::{INVARIANTS, REACHED};
use protocol_model::state::State;
use protocol_model::{Program, Protocol};
use stateright::{Checker, HasDiscoveries, Model, Path};

/// A counterexample, for people.
fn told(path: &Path<State, usize>) -> String {
    let (last, steps) = (path.last_state(), path.clone().into_vec());
    let step = |(state, thread): &(State, Option<usize>)| {
        let thread = (*thread)?;
        Some(format!("thread {thread}: {:?} on {:?}", state.threads[thread].step, state.current_tables()))
    };
    let steps: Vec<String> = steps.iter().filter_map(step).collect();
    let threads =
        last.threads.iter().map(|it| format!("{:?} returned {:?}, after {:?}", it.program, it.results, it.after));
    format!("{}\n{}\nat first {:?}", threads.collect::<Vec<_>>().join("\n"), steps.join("\n"), last.first)
}

/// Explores all orders; returns how many states there are.
fn explore(programs: Vec<Program>) -> usize {
    let (begun, number) = (Instant::now(), programs.len());
    let checker = Protocol { bug: Bug::None, programs }.checker().threads(2).spawn_dfs().join();
    let states = checker.unique_state_count();
    println!("{number} programs: {states} states, {:.1} s", begun.elapsed().as_secs_f32());
    let discoveries = checker.discoveries();
    for (name, _) in INVARIANTS {
        assert!(!discoveries.contains_key(name), "{name} is broken:\n{}", told(&discoveries[name]));
    }
    for (name, _) in REACHED {
        assert!(discoveries.contains_key(name), "never reached: {name}");
    }
    states
}

#[test]
fn two_calls_against_one_keep_the_invariants() {
    assert!(explore(Protocol::two_and_one()) > 1_000_000);
}

#[test]
fn two_calls_against_two_keep_the_invariants() {
    let one_in = std::env::var("ONE_IN").map_or(12, |number| number.parse().expect("a number"));
    assert!(explore(Protocol::two_and_two().into_iter().step_by(one_in).collect()) > 1_000_000);
}

#[test]
fn each_bug_breaks_its_invariant() {
    for (bug, invariant) in Bug::ALL {
        let mut programs = Protocol::two_and_one();
        if bug == Bug::ShowsBeforeLinking {
            // It takes two calls of each thread, on the key that is in the dirty table.
            programs = Protocol::two_and_two();
            programs.retain(|program| program.iter().flatten().all(|call| call.key() == 1));
        }
        let until = HasDiscoveries::AllOf([invariant].into());
        let checker = Protocol { bug, programs }.checker().threads(2).finish_when(until).spawn_dfs().join();
        let found = checker.discovery(invariant).map(|path| path.into_actions().len());
        println!("{bug:?}: {invariant} in {found:?} steps, after {} states", checker.unique_state_count());
        assert!(found.is_some(), "{bug:?} was not caught");
    }
}

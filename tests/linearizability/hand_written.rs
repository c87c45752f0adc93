//! The checker on small histories: some whose verdict is plain, and many of which all orders are tried.

use crate::checker::{check_each_key, check_whole};
use crate::common::Random;
use crate::model::{Call, Operation, Outcome, State, Value};

const A: Value = Value { thread: 0, number: 1 };
const B: Value = Value { thread: 1, number: 2 };

/// A thread's call on a key: when it began and returned, and what it did.
fn call(thread: usize, (invoked, returned): (u64, u64), key: usize, call: Call, outcome: Outcome) -> Operation {
    Operation { thread, invoked, returned, key, call, outcome }
}

fn insert(thread: usize, time: (u64, u64), key: usize, new: Value, old: Option<Value>) -> Operation {
    call(thread, time, key, Call::Insert(new), Outcome::Old(old))
}

fn get(thread: usize, time: (u64, u64), key: usize, found: Option<Value>) -> Operation {
    call(thread, time, key, Call::Get, Outcome::Found(found))
}

fn remove(thread: usize, time: (u64, u64), key: usize, old: Option<Value>) -> Operation {
    call(thread, time, key, Call::Remove, Outcome::Old(old))
}

fn clear(thread: usize, time: (u64, u64)) -> Operation {
    call(thread, time, 0, Call::Clear, Outcome::Done)
}

#[track_caller]
fn assert_accepted(history: &[Operation]) {
    check_each_key(history).unwrap();
    check_whole(history).unwrap();
}

/// Fails unless this call is found to be one that nothing explains.
#[track_caller]
fn assert_rejected_at(invoked: u64, history: &[Operation]) {
    assert_eq!(check_each_key(history).unwrap_err().culprit.invoked, invoked);
    assert_eq!(check_whole(history).unwrap_err().culprit.invoked, invoked);
}

#[test]
fn a_read_during_a_write_may_see_it_or_not() {
    for found in [None, Some(A)] {
        assert_accepted(&[insert(0, (1, 4), 0, A, None), get(1, (2, 3), 0, found)]);
    }
}

#[test]
fn a_read_after_a_write_must_see_it() {
    assert_accepted(&[insert(0, (1, 2), 0, A, None), get(1, (3, 4), 0, Some(A))]);
    assert_rejected_at(3, &[insert(0, (1, 2), 0, A, None), get(1, (3, 4), 0, None)]);
}

#[test]
fn a_stale_read() {
    let written = [insert(0, (1, 2), 0, A, None), insert(0, (3, 4), 0, B, Some(A))];
    assert_rejected_at(5, &[written[0], written[1], get(1, (5, 6), 0, Some(A))]);
}

#[test]
fn two_reads_during_a_write_do_not_go_back() {
    let reads = |first, second| [insert(0, (1, 6), 0, A, None), get(1, (2, 3), 0, first), get(2, (4, 5), 0, second)];
    assert_accepted(&reads(None, Some(A)));
    assert_rejected_at(4, &reads(Some(A), None));
}

#[test]
fn a_value_out_of_nowhere() {
    assert_rejected_at(3, &[insert(0, (1, 2), 0, A, None), get(1, (3, 4), 0, Some(B))]);
}

#[test]
fn a_value_of_another_key() {
    assert_rejected_at(3, &[insert(0, (1, 2), 0, A, None), get(1, (3, 4), 1, Some(A))]);
}

#[test]
fn a_value_from_the_future() {
    assert_rejected_at(1, &[get(1, (1, 2), 0, Some(A)), insert(0, (3, 4), 0, A, None)]);
}

#[test]
fn a_lost_update() {
    let c = Value { thread: 2, number: 3 };
    let update = |thread, time, old, new| call(thread, time, 0, Call::Update(new), Outcome::Updated { old, new });
    assert_accepted(&[insert(0, (1, 2), 0, A, None), update(1, (3, 5), A, B), update(2, (4, 6), B, c)]);
    assert_rejected_at(4, &[insert(0, (1, 2), 0, A, None), update(1, (3, 5), A, B), update(2, (4, 6), A, c)]);
}

#[test]
fn two_threads_that_remove_the_same() {
    let removed = |second| [insert(0, (1, 2), 0, A, None), remove(1, (3, 5), 0, Some(A)), remove(2, (4, 6), 0, second)];
    assert_accepted(&removed(None));
    assert_rejected_at(4, &removed(Some(A)));
}

#[test]
fn two_threads_that_insert_the_same() {
    let try_insert = |thread, time, new, outcome| call(thread, time, 0, Call::TryInsert(new), outcome);
    let first = try_insert(0, (1, 3), A, Outcome::Inserted(A));
    assert_accepted(&[first, try_insert(1, (2, 4), B, Outcome::Kept(Some(A)))]);
    assert_rejected_at(2, &[first, try_insert(1, (2, 4), B, Outcome::Inserted(B))]);
}

#[test]
fn a_clear_during_a_write_comes_before_or_after_it() {
    for found in [None, Some(A)] {
        assert_accepted(&[clear(1, (1, 4)), insert(0, (2, 3), 0, A, None), get(0, (5, 6), 0, found)]);
    }
    assert_rejected_at(5, &[insert(0, (1, 2), 0, A, None), clear(1, (3, 4)), get(0, (5, 6), 0, Some(A))]);
}

/// What one key shows and what another shows can be explained, but not both: only the check of the whole map sees it.
#[test]
fn a_clear_of_one_key_after_the_other() {
    let history = [
        insert(0, (1, 2), 0, A, None),
        insert(0, (3, 4), 1, B, None),
        clear(0, (5, 10)),
        get(1, (6, 7), 0, None),
        get(1, (8, 9), 1, Some(B)),
    ];
    check_each_key(&history).unwrap();
    assert_eq!(check_whole(&history).unwrap_err().culprit.invoked, 8);
}

#[test]
fn a_counterexample_can_be_read() {
    let mut history = vec![insert(0, (1, 2), 0, A, None), insert(0, (3, 4), 0, B, Some(A))];
    history.extend((0..20).map(|n| get(1, (5 + 2 * n, 6 + 2 * n), 0, Some(B))));
    history.extend([get(2, (51, 54), 0, Some(A)), get(1, (52, 53), 0, Some(B))]);
    let text = check_whole(&history).unwrap_err().to_string();
    assert!(text.contains("key 0 has 1.2"), "what was there: {text}");
    assert!(text.contains("thread 0  key 0: Insert(0.1)"), "where the stale value comes from: {text}");
    assert!(text.contains(">     51 to 54     thread 2  key 0: Get -> Found(Some(0.1))"), "what is wrong: {text}");
    assert!(text.lines().count() < 25, "no more than a person can read: {text}");
}

/// All orders, one after the other.
fn has_an_order(history: &[Operation], state: State) -> bool {
    let may_be_next = |next: &Operation| history.iter().all(|other| other.returned > next.invoked);
    history.is_empty()
        || history.iter().enumerate().filter(|(_, next)| may_be_next(next)).any(|(place, next)| {
            let others = [&history[..place], &history[place + 1..]].concat();
            next.on(state).is_some_and(|state| has_an_order(&others, state))
        })
}

/// Histories of a few threads whose results are guesses: about half of them have an order.
#[test]
fn the_checker_agrees_with_trying_all_orders() {
    let rounds = if cfg!(miri) { 20 } else { 3000 };
    let mut accepted = 0;
    for seed in 0..rounds {
        let history = guessed_history(&mut Random::new(seed));
        let expected = has_an_order(&history, State::default());
        assert_eq!(check_whole(&history).is_ok(), expected, "seed {seed}");
        accepted += u64::from(expected);
    }
    assert!((rounds / 10..rounds * 9 / 10).contains(&accepted), "{accepted} of {rounds} were accepted");
}

fn guessed_history(random: &mut Random) -> Vec<Operation> {
    const CALLS: usize = 7;
    let mut state = State::default();
    let mut open: [Option<Operation>; 3] = [None; 3];
    let (mut history, mut begun) = (Vec::new(), 0);
    for time in 0.. {
        let thread = random.below(open.len() as u64) as usize;
        match open[thread].take() {
            None if begun < CALLS => {
                begun += 1;
                let new = Value { thread: thread as u16, number: begun as u16 };
                let key = random.below(2) as usize;
                let guess = call(thread, (time, u64::MAX), key, choose(random, new, state[key]), Outcome::Done);
                open[thread] = Some(guess);
            }
            None if history.len() == CALLS => return history,
            None => (),
            Some(mut operation) => {
                guess_outcome(random, &mut operation, &mut state);
                history.push(Operation { returned: time, ..operation });
            }
        }
    }
    history
}

fn choose(random: &mut Random, new: Value, now: Option<Value>) -> Call {
    match random.below(8) {
        0 | 1 => Call::Insert(new),
        2 => Call::TryInsert(new),
        3 => Call::Compute(new),
        4 => now.map_or(Call::ContainsKey, |expected| Call::CompareExchange { expected, new }),
        5 => Call::Remove,
        6 if random.once_in(2) => Call::Clear,
        _ => Call::Get,
    }
}

/// What the call returns if it is done now, or, once in a while, if the key had another value. And it is done, or not.
fn guess_outcome(random: &mut Random, operation: &mut Operation, state: &mut State) {
    let mut seen = *state;
    if random.once_in(6) {
        let number = random.below(8) as u16;
        seen[operation.key] = (number > 0).then_some(Value { thread: random.below(3) as u16, number });
    }
    operation.outcome = operation.call.on(seen[operation.key]).0;
    if let Some(after) = operation.on(seen) {
        state[operation.key] = after[operation.key];
        if operation.call == Call::Clear {
            *state = after;
        }
    }
}

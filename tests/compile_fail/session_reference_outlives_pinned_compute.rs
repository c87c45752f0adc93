//! What a session's `compute` returns cannot outlive the session, nor a refresh.

use tidymap::{Compute, Operation};

fn main() {
    let map = tidymap::HashMap::<u64, String>::new();
    let mut session = map.pin();
    let outcome: Compute<_, ()> = session.compute(1, |_| Operation::Remove);
    session.refresh();
    println!("{outcome:?}");
}

//! Work on several threads that begins at the same time.

use std::cell::Cell;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Runs `work` on so many threads, and tells the time from the first one's beginning to the last one's end.
///
/// `work` is given the thread's number and a function that waits for all; what comes before that is not timed.
pub fn together(threads: usize, work: impl Fn(usize, &dyn Fn()) + Sync) -> Duration {
    let (barrier, work) = (Barrier::new(threads), &work);
    let timed = &|number: usize| {
        let begin = Cell::new(None);
        work(number, &|| {
            barrier.wait();
            begin.set(Some(Instant::now()));
        });
        (begin.get().expect("the work waits for the others"), Instant::now())
    };
    let times = std::thread::scope(|scope| {
        // The caller is one of them: a case of one thread needs no other.
        let others: Vec<_> = (1..threads).map(|number| scope.spawn(move || timed(number))).collect();
        let mut times = vec![timed(0)];
        times.extend(others.into_iter().map(|other| other.join().expect("no thread panics")));
        times
    });
    let begin = times.iter().map(|(begin, _)| *begin).min().expect("there is a thread");
    let end = times.iter().map(|(_, end)| *end).max().expect("there is a thread");
    end - begin
}

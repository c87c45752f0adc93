//! What the models in `tests/` share. They run the map's own code with loom's primitives:
//!
//! ```text
//! loom-tests/run
//! ```
#![cfg(loom)]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::Write;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// A hasher that takes numbers as they are, so that a model chooses its buckets.
#[derive(Default)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("models use u64 keys");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// The map that models use.
pub type Map<V> = tidymap::HashMap<u64, V, BuildHasherDefault<AsIs>>;

/// Counts the values of one execution. Not loom's: it takes no part in the interleavings.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    live: i64,
    dropped_by: BTreeSet<&'static str>,
}

impl Ledger {
    /// A value whose drop is counted, and must not race with a read.
    pub fn value(&self, number: u64) -> Value {
        self.0.lock().unwrap().live += 1;
        Value { number, content: loom::cell::UnsafeCell::new(number), ledger: self.clone() }
    }

    /// Values that have been made and not dropped.
    pub fn live(&self) -> i64 {
        self.0.lock().unwrap().live
    }

    /// The roles of the threads that have dropped values.
    pub fn dropped_by(&self) -> BTreeSet<&'static str> {
        self.0.lock().unwrap().dropped_by.clone()
    }
}

/// See [`Ledger::value`].
pub struct Value {
    number: u64,
    content: loom::cell::UnsafeCell<u64>,
    ledger: Ledger,
}

impl Value {
    /// Reads it: loom reports a read that is not ordered before the drop.
    pub fn number(&self) -> u64 {
        // SAFETY: values are not written before they are dropped; that this read comes before the drop is what loom checks.
        let content = self.content.with(|content| unsafe { *content });
        assert_eq!(content, self.number, "a value is what it was made as");
        content
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: as above, the other way round.
        self.content.with_mut(|content| unsafe { *content = u64::MAX });
        let mut counts = self.ledger.0.lock().unwrap();
        counts.live -= 1;
        assert!(counts.live >= 0, "a value is dropped once");
        counts.dropped_by.insert(role());
    }
}

/// The number of a pair's value, read.
pub fn number(pair: Option<tidymap::Ref<'_, u64, Value>>) -> Option<u64> {
    pair.map(|value| value.number())
}

/// A map with one entry, promoted to the read table.
pub fn promoted(ledger: &Ledger, key: u64, value: u64) -> loom::sync::Arc<Map<Value>> {
    let map = Map::default();
    map.insert(key, ledger.value(value));
    map.shrink_to_fit();
    loom::sync::Arc::new(map)
}

/// A map of such settings with these keys, each with itself as its value, promoted to the read table.
pub fn filled(settings: tidymap::Builder<u64, Value>, ledger: &Ledger, keys: &[u64]) -> loom::sync::Arc<Map<Value>> {
    let map = settings.hasher(BuildHasherDefault::default()).build();
    keys.iter().for_each(|key| drop(map.insert(*key, ledger.value(*key))));
    map.shrink_to_fit();
    loom::sync::Arc::new(map)
}

/// Runs a future to its end, asleep while it is pending: loom reports it if nobody wakes it. Tells how often it was pending.
pub fn wait_for<T>(future: impl Future<Output = T>) -> (T, usize) {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut future = pin!(future);
    let mut pending = 0;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return (output, pending);
        }
        pending += 1;
        let mut rung = bell.rung.lock().unwrap();
        while !std::mem::take(&mut *rung) {
            rung = bell.condvar.wait(rung).unwrap();
        }
    }
}

#[derive(Default)]
struct Bell {
    rung: loom::sync::Mutex<bool>,
    condvar: loom::sync::Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap() = true;
        self.condvar.notify_one();
    }
}

loom::thread_local! {
    static ROLE: Cell<&'static str> = Cell::new("main");
}

fn role() -> &'static str {
    ROLE.with(Cell::get)
}

/// Starts a thread of the model that plays `role`.
pub fn play(role: &'static str, part: impl FnOnce() + 'static) -> loom::thread::JoinHandle<()> {
    // Boxed, here and below, so that loom's code is compiled once, not for each model.
    fn spawn(part: Box<dyn FnOnce()>) -> loom::thread::JoinHandle<()> {
        loom::thread::spawn(part)
    }
    spawn(Box::new(move || {
        ROLE.with(|own| own.set(role));
        part();
    }))
}

/// Starts a thread of the model that plays `role`, and ends with a result, which the function that is returned waits for.
pub fn ask<T: 'static>(role: &'static str, part: impl FnOnce() -> T + 'static) -> Box<dyn FnOnce() -> T> {
    let result = Rc::new(Cell::new(None));
    let tell = result.clone();
    // The Rc stays on one thread: loom's are coroutines.
    let thread = play(role, move || tell.set(Some(part())));
    Box::new(move || {
        thread.join().unwrap();
        result.take().expect("it has run")
    })
}

/// The bound of a model that takes long: one preemption less if `MODELS` is `short`, as it is where each change is tested.
pub fn long(preemptions: usize) -> usize {
    preemptions - usize::from(std::env::var("MODELS").is_ok_and(|which| which == "short"))
}

/// Explores `model` with at most so many preemptions, and returns the outcomes that it reported.
///
/// A model that explores too little would pass: so each asserts the set of outcomes that it reached.
pub fn explore<O: Ord + Send + 'static>(
    preemptions: usize,
    model: impl Fn() -> O + Send + Sync + 'static,
) -> BTreeSet<O> {
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let reported = outcomes.clone();
    check(
        preemptions,
        Box::new(move || {
            let outcome = model();
            reported.lock().unwrap().insert(outcome);
        }),
    );
    Arc::into_inner(outcomes).map_or_else(BTreeSet::new, |outcomes| outcomes.into_inner().unwrap())
}

fn check(preemptions: usize, model: Box<dyn Fn() + Send + Sync>) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = executions.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 20_000;
    // Nothing but this ends it early, whatever the environment says.
    (builder.max_permutations, builder.max_duration, builder.checkpoint_file) = (None, None, None);
    let begun = processor_seconds();
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    // Past the harness, which keeps to itself what is printed.
    let _ = writeln!(
        std::io::stderr(),
        "{}: {preemptions} preemptions, {} executions, {:.1} s",
        std::thread::current().name().unwrap_or("a model"),
        executions.load(Ordering::Relaxed),
        processor_seconds() - begun
    );
}

/// What the calling thread has had of a processor, where that is known.
fn processor_seconds() -> f64 {
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    figures.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).map_or(0.0, |some| some / 1e9)
}

//! R8 under the feature `tracing`: a guard that has been live for too long is warned about.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use tidymap::{Builder, HashMap};
use tracing::subscriber::with_default;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::{Counted, Counter, OnDrop, key, leak};

/// What was written to a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Runs `part` with this log as the thread's.
    fn during<R>(&self, part: impl FnOnce() -> R) -> R {
        let log = self.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || log.clone()).with_ansi(false).without_time().finish();
        with_default(subscriber, part)
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Calls a closure at each event.
struct Hostile<F>(F);

impl<S: tracing::Subscriber, F: Fn() + 'static> Layer<S> for Hostile<F> {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        assert_eq!((event.metadata().target(), *event.metadata().level()), ("tidymap", tracing::Level::WARN));
        (self.0)();
    }
}

const AGE: Duration = Duration::from_millis(100);

fn old_enough() {
    thread::sleep(AGE + Duration::from_millis(20));
}

fn map(counter: &Counter, settings: Builder<Counted, Counted>) -> HashMap<Counted, Counted> {
    let map = settings.build();
    for number in 0..100 {
        map.insert(counter.value(number), counter.value(number));
    }
    map.shrink_to_fit();
    map
}

fn watched(counter: &Counter) -> HashMap<Counted, Counted> {
    map(counter, HashMap::builder().warn_guard_age(AGE))
}

/// Runs `part` on a thread of this name.
fn on_thread<R: Send>(name: &str, part: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name(name.to_owned());
        builder.spawn_scoped(scope, part).unwrap().join().unwrap()
    })
}

#[test]
fn r8_a_guard_that_is_too_old_is_warned_about_once_when_garbage_waits() {
    let (counter, log) = (Counter::default(), Log::default());
    let map = watched(&counter);
    let (session, line) = (map.pin(), line!());
    let remove = |number| on_thread("remover", || log.during(|| drop(map.remove(&key(number)))));
    remove(0);
    assert_eq!(log.lines(), [""; 0], "it is young");
    old_enough();
    log.during(|| map.is_empty());
    assert_eq!(log.lines(), [""; 0]);
    remove(1);
    let lines = log.lines();
    let [warning] = &lines[..] else { panic!("{lines:?}") };
    assert!(warning.contains("WARN tidymap"), "{warning}");
    let me = format!("thread={:?}", thread::current().name().unwrap());
    let bytes = format!("bytes={}", map.stats().pending.bytes);
    for part in [&me, "age=1", "entries=2", &bytes] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    let location = format!("location={}:{line}:", file!());
    assert_eq!(warning.contains(&location), cfg!(feature = "guard-locations"), "{warning}");
    for number in 2..10 {
        remove(number);
    }
    log.during(|| assert_eq!((map.stats().live_guards, map.guards().len(), map.try_reclaim().entries), (1, 1, 10)));
    assert_eq!(log.lines().len(), 1, "once");
    drop(session);
    assert_eq!(counter.live(), 2 * map.len());

    // The next guard is another one.
    let session = map.pin();
    old_enough();
    log.during(|| map.stats());
    assert_eq!(log.lines().len(), 1, "nothing waits for it");
    remove(10);
    assert_eq!(log.lines().len(), 2);
    drop(session);
}

#[test]
fn r8_the_next_oldest_guard_is_warned_about_when_it_is_the_oldest() {
    let (counter, log) = (Counter::default(), Log::default());
    let map = watched(&counter);
    let first = map.pin();
    on_thread("remover", || drop(map.remove(&key(0))));
    let second = map.pin();
    on_thread("remover", || drop(map.remove(&key(1))));
    old_enough();
    log.during(|| map.stats());
    assert_eq!(log.lines().len(), 1);
    drop(first);
    // Its age counts from when it is first asked: now.
    log.during(|| map.stats());
    assert_eq!(log.lines().len(), 1);
    old_enough();
    log.during(|| map.stats());
    assert_eq!(log.lines().len(), 2);
    drop(second);
}

/// The age of a `Ref` counts from the first time that anybody asked: removals do.
#[test]
fn r8_removals_make_a_ref_old() {
    let (counter, log) = (Counter::default(), Log::default());
    let map = watched(&counter);
    // Not of this one.
    drop(map.pin());
    let value = map.get(&key(99));
    old_enough();
    let remove = |number| on_thread("remover", || log.during(|| drop(map.remove(&key(number)))));
    remove(0);
    assert_eq!(log.lines().len(), 0);
    old_enough();
    remove(1);
    assert_eq!(log.lines().len(), 1);
    drop(value);
}

/// Whoever asks or waits looks, too: garbage may wait for long after the last removal.
#[test]
fn r8_whoever_asks_or_reclaims_warns() {
    type Call = fn(&HashMap<Counted, Counted>);
    let calls: [Call; 4] = [
        |map| drop(map.stats()),
        |map| drop(map.guards()),
        |map| assert_eq!(map.try_reclaim().entries, 1),
        // Warns before it returns, while it waits.
        |map| assert!(map.reclaim_timeout(AGE * 2).is_err()),
    ];
    for call in calls {
        let (counter, log) = (Counter::default(), Log::default());
        let map = watched(&counter);
        let session = map.pin();
        on_thread("remover", || drop(map.remove(&key(0))));
        if !std::ptr::fn_addr_eq(call, calls[3]) {
            on_thread("asker", || log.during(|| call(&map)));
            assert_eq!(log.lines().len(), 0, "it is young");
            old_enough();
        }
        on_thread("asker", || log.during(|| call(&map)));
        assert_eq!(log.lines().len(), 1);
        drop(session);
    }
}

/// What a session itself has unlinked waits for it, too.
#[test]
fn r8_a_session_is_warned_about_for_its_own_garbage() {
    let (counter, log) = (Counter::default(), Log::default());
    let map = watched(&counter);
    let session = map.pin();
    session.remove(&key(0));
    old_enough();
    log.during(|| map.stats());
    assert!(matches!(&log.lines()[..], [line] if line.contains("entries=1")), "{:?}", log.lines());
}

#[test]
fn r8_the_age_is_a_setting_that_clones_take_along() {
    let (counter, log) = (Counter::default(), Log::default());
    let by_default = map(&counter, HashMap::builder());
    let never = map(&counter, HashMap::builder().warn_guard_age(Duration::MAX));
    let rehashed = HashMap::<u32, u32>::builder().warn_guard_age(AGE).hasher(std::hash::RandomState::new()).build();
    rehashed.insert(1, 1);
    let clone = rehashed.clone();
    let sessions = (by_default.pin(), never.pin(), rehashed.pin(), clone.pin());
    on_thread("remover", || {
        by_default.remove(&key(1));
        never.remove(&key(1));
        rehashed.remove(&1);
        clone.remove(&1);
    });
    old_enough();
    let mut warnings = Vec::new();
    log.during(|| {
        let mut count = || warnings.push(log.lines().len());
        drop(by_default.stats());
        count();
        drop(never.stats());
        count();
        drop(rehashed.stats());
        count();
        drop(clone.stats());
        count();
    });
    assert_eq!(warnings, [0, 0, 1, 2]);
    drop(sessions);
}

/// A subscriber that does with the map what it can, in every call that warns, and is called no more often for it.
#[test]
fn r8_a_subscriber_may_use_the_map() {
    let counter = Counter::default();
    let map: &'static HashMap<_, _> = leak(watched(&counter));
    let calls = Arc::new(AtomicUsize::new(0));
    let hostile = {
        let (counter, calls) = (counter.clone(), calls.clone());
        move || {
            calls.fetch_add(1, Ordering::SeqCst);
            let session = map.pin();
            session.remove(&key(50));
            session.insert(counter.value(50), counter.value(50));
            drop(map.remove(&key(51)));
            drop(map.insert(counter.value(51), counter.value(51)));
            assert!(!map.guards().is_empty() && map.stats().oldest_guard.is_some());
            map.try_reclaim();
            map.shrink_to_fit();
            drop(session);
            let timed_out = Err(tidymap::ReclaimError::TimedOut);
            assert_eq!(map.reclaim_timeout(Duration::from_millis(1)), timed_out, "not in a drop, and without a guard");
        }
    };
    let session = map.pin();
    on_thread("remover", || drop(map.remove(&key(0))));
    old_enough();
    on_thread("remover", || {
        let subscriber = tracing_subscriber::registry().with(Hostile(hostile));
        with_default(subscriber, || drop(map.remove(&key(1))));
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    drop(session);
    assert_eq!((map.stats().pending.entries, counter.live()), (0, 2 * map.len()));
}

/// The panic of a subscriber goes on in the call, which has done its work.
#[test]
fn r8_a_subscriber_may_panic() {
    let counter = Counter::default();
    let map = watched(&counter);
    let calls: [&(dyn Fn() + Sync); 4] =
        [&|| drop(map.remove(&key(1))), &|| drop(map.stats()), &|| drop(map.guards()), &|| {
            assert!(map.reclaim_timeout(AGE).is_err())
        }];
    for (round, call) in calls.into_iter().enumerate() {
        let session = map.pin();
        on_thread("remover", || drop(map.remove(&key(10 + round as u64))));
        old_enough();
        on_thread("asker", || {
            let subscriber = tracing_subscriber::registry().with(Hostile(|| panic!("by the subscriber")));
            let panicked = with_default(subscriber, || catch_unwind(AssertUnwindSafe(call)));
            assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"by the subscriber"));
        });
        assert!(map.stats().pending.entries > 0);
        drop(session);
        assert_eq!((map.stats().live_guards, map.stats().pending.entries), (0, 0));
        assert_eq!(counter.live(), 2 * map.len());
    }
}

/// What the call has to drop it drops first, and the first panic of all goes on.
#[test]
fn r8_a_subscriber_that_panics_keeps_no_destructor_from_running() {
    let drops = AtomicUsize::new(0);
    let value = || OnDrop(|| assert!(drops.fetch_add(1, Ordering::SeqCst) != 0, "by the first drop"));
    let map: HashMap<u32, OnDrop<_>> = HashMap::builder().warn_guard_age(AGE).build();
    for number in 0..3 {
        map.insert(number, value());
    }
    let (own, (pinned, leave)) = (map.pin(), (Barrier::new(2), Barrier::new(2)));
    own.remove(&0);
    own.remove(&1);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _younger = map.pin();
            pinned.wait();
            leave.wait();
        });
        pinned.wait();
        own.remove(&2);
        map.stats();
        old_enough();
        let subscriber = tracing_subscriber::registry().with(Hostile(|| panic!("by the subscriber")));
        let panicked = with_default(subscriber, || catch_unwind(AssertUnwindSafe(|| drop(own))));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"by the first drop"));
        assert_eq!((drops.load(Ordering::SeqCst), map.stats().pending.entries), (2, 1));
        leave.wait();
    });
    assert_eq!((drops.load(Ordering::SeqCst), map.stats().pending.entries), (3, 0));
}

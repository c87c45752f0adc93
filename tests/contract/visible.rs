//! R8: who holds garbage back.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use tidymap::{GuardInfo, Guards, HashMap, Pinned, Reclaim};

use crate::support::{Counted, Counter, OnDrop, allocations, filled, key};

type Map = HashMap<Counted, Counted>;

/// What a [`Reader`] is told to do.
enum Step {
    /// Open a session.
    Pin,
    /// Remove a key, in the newest session.
    Remove(u64),
    /// End the oldest session that is open.
    EndOldest,
    /// End the newest.
    EndNewest,
}

/// A thread with sessions on a map, that takes one step at a time.
struct Reader {
    steps: Sender<Step>,
    done: Receiver<()>,
}

impl Reader {
    fn start<'scope>(scope: &'scope thread::Scope<'scope, '_>, map: &'scope Map, name: Option<&str>) -> Reader {
        let ((steps, to_do), (did, done)) = (channel(), channel());
        let mut builder = thread::Builder::new();
        if let Some(name) = name {
            builder = builder.name(name.to_owned());
        }
        let play = move || {
            let mut sessions: Vec<Pinned<'_, _, _, _>> = Vec::new();
            for step in to_do {
                match step {
                    Step::Pin => sessions.push(map.pin()),
                    Step::Remove(number) => assert!(sessions.last().unwrap().remove(&key(number)).is_some()),
                    Step::EndOldest => drop(sessions.remove(0)),
                    Step::EndNewest => drop(sessions.pop().unwrap()),
                }
                did.send(()).unwrap();
            }
        };
        builder.spawn_scoped(scope, play).unwrap();
        Reader { steps, done }
    }

    /// Returns when it is done.
    fn does(&self, step: Step) {
        self.steps.send(step).unwrap();
        self.done.recv().unwrap();
    }
}

/// A map of which removals make no other garbage than entries.
fn settled(counter: &Counter) -> Map {
    let map = filled(counter, 100);
    map.shrink_to_fit();
    map
}

fn names(guards: &Guards) -> Vec<&str> {
    guards.iter().map(|guard| guard.thread.as_deref().unwrap_or("?")).collect()
}

/// The entries that wait for each. Their bytes must be those of so many entries.
fn waiting(guards: &Guards, bytes: u64) -> Vec<u64> {
    let count = |guard: &GuardInfo| {
        assert_eq!(guard.pending.bytes, guard.pending.entries * bytes);
        guard.pending.entries
    };
    guards.iter().map(count).collect()
}

#[test]
fn r8_each_guard_is_told_what_waits_for_it_and_no_more() {
    let counter = Counter::default();
    let map = settled(&counter);
    thread::scope(|scope| {
        let [first, second, third, fourth] =
            ["first", "second", "third", "fourth"].map(|name| Reader::start(scope, &map, Some(name)));
        let mut next = 0..100;
        let mut remove = |count| next.by_ref().take(count).for_each(|number| drop(map.remove(&key(number))));

        first.does(Step::Pin);
        remove(1);
        let bytes = map.stats().pending.bytes;
        assert!(bytes >= 2 * size_of::<Counted>() as u64);
        remove(2);
        second.does(Step::Pin);
        remove(2);
        third.does(Step::Pin);
        let guards = map.guards();
        assert_eq!(names(&guards), ["first", "second", "third"]);
        assert_eq!(waiting(&guards, bytes), [5, 2, 0]);

        // In open sessions: what is known to be younger than a guard waits for it.
        (50..54).for_each(|number| third.does(Step::Remove(number)));
        assert_eq!(waiting(&map.guards(), bytes), [9, 6, 4]);
        first.does(Step::Remove(60));
        assert_eq!(waiting(&map.guards(), bytes), [10, 7, 5]);
        fourth.does(Step::Pin);
        first.does(Step::Remove(61));
        assert_eq!(waiting(&map.guards(), bytes), [11, 8, 6, 0], "known of the fourth when the first has ended");
        let oldest = map.stats().oldest_guard.unwrap();
        assert_eq!((oldest.thread.as_deref(), oldest.pending), (Some("first"), map.stats().pending));
        assert_eq!(oldest.pending.entries, 11);

        first.does(Step::EndOldest);
        assert_eq!(names(&map.guards()), ["second", "third", "fourth"]);
        assert_eq!(waiting(&map.guards(), bytes), [8, 6, 1]);
        assert_eq!(counter.live(), 2 * (100 - 3), "three were dropped with the first");
        third.does(Step::EndOldest);
        assert_eq!(waiting(&map.guards(), bytes), [8, 1]);
        second.does(Step::EndOldest);
        assert_eq!(waiting(&map.guards(), bytes), [1]);
        fourth.does(Step::EndOldest);
        assert!(map.guards().is_empty());
        assert_eq!(counter.live(), 2 * map.len());
    });
}

#[test]
fn r8_a_thread_with_several_guards_is_told_once_with_its_oldest() {
    let counter = Counter::default();
    let map = settled(&counter);
    thread::scope(|scope| {
        let reader = Reader::start(scope, &map, Some("nested"));
        for number in 0..3 {
            reader.does(Step::Pin);
            drop(map.remove(&key(number)));
        }
        let told = |expected: &[(usize, u64)]| {
            let guards = map.guards();
            let told: Vec<_> = guards.iter().map(|guard| (guard.guards, guard.pending.entries)).collect();
            assert_eq!(told, expected);
        };
        told(&[(3, 3)]);
        reader.does(Step::EndOldest);
        told(&[(2, 2)]);
        reader.does(Step::EndNewest);
        told(&[(1, 2)]);
        reader.does(Step::EndOldest);
        told(&[]);
    });
}

#[test]
fn r8_the_report_has_a_line_for_each_thread() {
    let counter = Counter::default();
    let map = settled(&counter);
    assert_eq!(map.guards().to_string(), "no guard is live");
    assert_eq!(format!("{:?}", map.guards()), "[]");
    thread::scope(|scope| {
        let [slow, unnamed] = [Some("slow \"reader\""), None].map(|name| Reader::start(scope, &map, name));
        slow.does(Step::Pin);
        slow.does(Step::Pin);
        thread::sleep(Duration::from_millis(300));
        (0..40).for_each(|number| drop(map.remove(&key(number))));
        unnamed.does(Step::Pin);
        drop(map.remove(&key(40)));
        let own = map.get(&key(99));

        let guards = map.guards();
        let [first, second, third] = guards.clone().into_iter().collect::<Vec<_>>().try_into().unwrap();
        assert!(first.age >= Duration::from_millis(280) && first.age > second.age, "{first:?}, {second:?}");
        assert_eq!((guards.len(), first.guards, second.guards, third.guards), (3, 2, 1, 1));
        assert_eq!((second.thread, third.thread.as_deref()), (None, thread::current().name()));

        let age = |age: Duration| format!("{:.1} s", age.as_secs_f64());
        let at = |guard: &GuardInfo| guard.location.map_or(String::new(), |location| format!(" ({location})"));
        let each = map.stats().pending.bytes / 41;
        let kib = format!("{:.1} KiB", 41.0 * each as f64 / 1024.0);
        let lines: Vec<_> = guards.iter().map(GuardInfo::to_string).collect();
        let expected = [
            format!(
                r#"thread "slow \"reader\"": 2 guards, oldest {}{}, 41 entries / {kib} wait for it"#,
                age(first.age),
                at(&first)
            ),
            format!(
                "unnamed thread: 1 guard, {}{}, 1 entry / {each} B wait for it",
                age(second.age),
                at(guards.iter().nth(1).unwrap())
            ),
            format!(
                "thread {:?}: 1 guard, {}{}, nothing waits for it",
                thread::current().name().unwrap(),
                age(third.age),
                at(&third)
            ),
        ];
        assert_eq!(lines, expected);
        assert_eq!(guards.to_string(), expected.join("\n"));
        let debug = format!("{guards:?}");
        assert!(debug.contains("unnamed") || debug.contains("thread: None"), "{debug}");
        drop(own);
        slow.does(Step::EndNewest);
        slow.does(Step::EndNewest);
        unnamed.does(Step::EndNewest);
    });
    assert_eq!(counter.live(), 2 * map.len());
}

/// To ask costs no memory where there is nothing to tell, and may be done from anywhere.
#[test]
fn r8_who_asks_needs_no_record_and_may_run_in_a_destructor() {
    let before = allocations();
    let untouched = HashMap::<u64, u64>::new();
    assert!(untouched.guards().is_empty());
    assert_eq!((allocations(), untouched.stats().heap.total()), (before, 0));

    static MAP: std::sync::OnceLock<HashMap<u32, OnDrop<Box<dyn FnMut() + Send + Sync>>>> = std::sync::OnceLock::new();
    static TOLD: std::sync::Mutex<Vec<(usize, u64)>> = std::sync::Mutex::new(Vec::new());
    let map = MAP.get_or_init(HashMap::new);
    for number in 0..3 {
        map.insert(
            number,
            OnDrop(Box::new(|| {
                let told = MAP.get().unwrap().guards().into_iter().map(|guard| (guard.guards, guard.pending.entries));
                TOLD.lock().unwrap().extend(told);
            })),
        );
    }
    let session = map.pin();
    map.remove(&0);
    let younger = map.get(&2);
    map.remove(&1);
    drop(session);
    assert_eq!(*TOLD.lock().unwrap(), [(1, 1)], "the first is dropped while the second waits for the `Ref`");
    drop(younger);
    assert_eq!(*TOLD.lock().unwrap(), [(1, 1)], "no guard is left when the second is dropped");
}

/// What is saved up waits for its batch, not for a guard.
#[test]
fn r8_what_is_saved_up_counts_for_no_guard() {
    let counter = Counter::default();
    let map: Map = HashMap::builder().reclaim(Reclaim::Batched(100)).build();
    for number in 0..50 {
        map.insert(counter.value(number), counter.value(number));
    }
    map.shrink_to_fit();
    assert_eq!(map.reclaim(), Ok(()));
    thread::scope(|scope| {
        let reader = Reader::start(scope, &map, None);
        drop(map.remove(&key(0)));
        reader.does(Step::Pin);
        drop(map.remove(&key(1)));
        let told = || map.guards().iter().map(|guard| guard.pending.entries).collect::<Vec<_>>();
        assert_eq!((told(), map.stats().pending.entries), (vec![0], 2));
        assert_eq!(map.try_reclaim().entries, 1);
        assert_eq!(told(), [1]);
        reader.does(Step::EndNewest);
    });
}

/// Reports beside removals and leaving guards: none is lost, and none is told too much.
#[test]
fn r8_reports_disturb_nobody() {
    let counter = Counter::default();
    let map: Map = HashMap::new();
    thread::scope(|scope| {
        for thread in 0..3 {
            let (map, counter) = (&map, &counter);
            scope.spawn(move || {
                for round in 0..3000 {
                    let session = map.pin();
                    let number = thread * 10 + round % 10;
                    map.insert(counter.value(number), counter.value(round));
                    drop(map.remove(&key(number)));
                    if round % 3 == 0 {
                        drop(session);
                        let most = map.guards().into_iter().map(|guard| guard.pending.entries).max();
                        let retired = map.stats().retired;
                        assert!(most.unwrap_or(0) <= retired, "{most:?} of {retired}");
                    }
                }
            });
        }
    });
    assert_eq!((map.stats().pending.entries, counter.live()), (0, 0));
}

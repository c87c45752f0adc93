//! What the server promises, and what the maps promise to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, Barrier, mpsc};

use newcomer::blocklist::BlockList;
use newcomer::pages::Pages;
use newcomer::routes::{Route, Routes};
use newcomer::sessions::Sessions;
use newcomer::topics::Topics;
use tidymap::ReclaimError;

fn route(target: &str, weight: u32) -> Route {
    Route { target: target.to_owned(), weight }
}

fn two_routes() -> Routes {
    let routes = Routes::default();
    assert_eq!(routes.set([("/".to_owned(), route("web", 3)), ("/api".to_owned(), route("api", 5))]), 2);
    routes
}

#[test]
fn closed_when_the_call_returns() {
    let (closed, closings) = mpsc::channel();
    let sessions = Sessions::new(closed);
    assert!(sessions.open(7, "alice"));
    assert!(!sessions.open(7, "bob"), "the number is taken");
    assert_eq!(closings.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(sessions.user(7).as_deref(), Some("alice"));

    assert!(sessions.close(7));
    assert_eq!(closings.try_recv(), Ok(7));
    assert!(!sessions.close(7));
    assert_eq!(sessions.stats().pending.entries, 0);
}

#[test]
fn taken_out_and_closed_by_the_caller() {
    let (closed, closings) = mpsc::channel();
    let sessions = Sessions::new(closed);
    sessions.open(7, "alice");
    let alice = sessions.take(7).unwrap().unwrap();
    assert_eq!((alice.user.as_str(), closings.try_recv()), ("alice", Err(TryRecvError::Empty)));
    drop(alice);
    assert_eq!(closings.try_recv(), Ok(7));
    assert!(sessions.take(7).unwrap().is_none());
}

#[test]
fn banned_while_others_read() {
    let (closed, closings) = mpsc::channel();
    let sessions = Sessions::new(closed);
    for id in 0..100 {
        sessions.open(id, if id % 4 == 0 { "eve" } else { "alice" });
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert!(sessions.users().iter().filter(|user| *user == "alice").count() == 75);
                }
            });
        }
        let banned = sessions.ban("eve");
        let closed = closings.try_iter().count();
        done.store(true, Ordering::Relaxed);
        assert_eq!((banned, closed), (Ok(()), 25), "all of them, before the call returned");
    });
    assert_eq!(sessions.users().len(), 75);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_looks_across_an_await() {
    let (closed, closings) = mpsc::channel();
    let sessions = Arc::new(Sessions::new(closed));
    sessions.open(7, "alice");

    let (looking, looks) = tokio::sync::oneshot::channel();
    let (go, wait) = tokio::sync::oneshot::channel();
    let greeting = tokio::spawn(sessions.clone().greet(7, async {
        looking.send(()).unwrap();
        wait.await.unwrap();
    }));
    looks.await.unwrap();

    sessions.close(7);
    assert_eq!(closings.try_recv(), Err(TryRecvError::Empty), "the task still looks at it");
    let stats = sessions.stats();
    assert_eq!((stats.len, stats.pending.entries, stats.live_guards), (0, 1, 1));
    assert!(sessions.guards().contains("1 guard,"), "{}", sessions.guards());

    go.send(()).unwrap();
    assert_eq!(greeting.await.unwrap().as_deref(), Some("hello, alice"));
    assert_eq!(closings.try_recv(), Ok(7), "by the task's session, when it ended");
    assert_eq!(sessions.guards(), "no guard is live");
}

#[test]
fn reloaded() {
    let list = BlockList::default();
    assert!(list.is_empty());
    list.reload("spam.example\nscam.example").unwrap();
    let change = list.reload("scam.example\nphish.example").unwrap();
    assert_eq!(change.added, ["phish.example".to_owned()].into());
    assert_eq!(change.removed, ["spam.example".to_owned()].into());
    assert_eq!((change.kept, list.len()), (1, 2));
    assert!(list.blocks("win@phish.example") && !list.blocks("win@spam.example") && !list.blocks("nobody"));
}

#[test]
fn in_both_versions_never_missed() {
    let list = BlockList::default();
    list.reload("scam.example").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..1000).for_each(|_| assert!(list.blocks("win@scam.example"))));
        for n in 0..100 {
            list.reload(&format!("scam.example\n{n}.example")).unwrap();
        }
    });
    assert_eq!(list.len(), 2);
}

#[test]
fn rendered_once_for_all() {
    let pages = Pages::default();
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                together.wait();
                assert_eq!(*pages.get("/"), "<h1>/</h1>");
            });
        }
    });
    assert_eq!(pages.rendered(), 1);

    pages.forget("/");
    let page = pages.get("/");
    assert_eq!((page.key().as_str(), page.value().as_str()), ("/", "<h1>/</h1>"));
    assert_eq!(pages.rendered(), 2);
}

#[test]
fn workers_see_what_is_published() {
    let routes = two_routes();
    let mut worker = routes.worker();
    assert_eq!(worker.route("/").map(|route| route.weight), Some(3));

    assert_eq!(routes.set([("/".to_owned(), route("web", 4)), ("/new".to_owned(), route("new", 1))]), 1);
    assert_eq!(worker.pair("/", "/new"), (Some(&route("web", 3)), None));
    assert_eq!(routes.publish(), 3);
    assert_eq!(worker.pair("/", "/new"), (Some(&route("web", 4)), Some(&route("new", 1))));

    drop(routes);
    assert_eq!(worker.route("/api"), Some(&route("api", 5)), "a view may outlive its map");
}

#[test]
fn saved_and_read_again() {
    let routes = two_routes();
    let mut read = Routes::from_json(&routes.to_json().unwrap()).unwrap();
    assert_eq!(read.take_all(), [("/".to_owned(), route("web", 3)), ("/api".to_owned(), route("api", 5))]);
    assert_eq!(read.to_json().unwrap(), "{}");
    assert!(Routes::from_json(r#"{"/": 3}"#).is_err());
}

#[test]
fn added_up_and_scaled() {
    let mut routes = two_routes();
    assert_eq!(routes.total_weight(), 8);
    routes.scale(10);
    assert_eq!(routes.total_weight(), 80);
    assert_eq!(routes.target("/api"), "api");
}

#[test]
#[should_panic(expected = "no entry")]
fn a_path_that_is_not_there() {
    two_routes().target("/nowhere");
}

#[test]
fn topics_come_and_go_with_their_subscribers() {
    let topics = Topics::default();
    assert_eq!(topics.subscribe("news", 1), 1);
    assert_eq!(topics.subscribe("news", 2), 2);
    assert_eq!(topics.subscribe_all("sports", [2, 3]), 2);
    assert_eq!(topics.size(), (2, 4));

    let mut got = Vec::new();
    topics.publish("news", |id| {
        // Of those that were subscribed when it began; who leaves meanwhile gets this one.
        topics.unsubscribe("news", 2);
        got.push(id);
    });
    assert_eq!(got, [1, 2]);
    assert_eq!(topics.pending(), 0);

    assert!(topics.unsubscribe("news", 1));
    assert!(!topics.unsubscribe("news", 1));
    topics.publish("news", |_| unreachable!("nobody is left"));
    assert_eq!(topics.size(), (1, 2));
}

#[test]
fn who_looks_cannot_wait_for_himself() {
    let map = tidymap::HashMap::from([(1, "one")]);
    let one = map.get(&1);
    assert_eq!(map.remove_owned(&1), Err(ReclaimError::GuardHeld));
    assert!(map.remove(&1).is_some());
    assert_eq!(map.reclaim(), Err(ReclaimError::GuardHeld));
    assert_eq!(one.as_deref(), Some(&"one"), "still there to be seen");
    drop(one);
    assert_eq!(map.reclaim(), Ok(()));
}

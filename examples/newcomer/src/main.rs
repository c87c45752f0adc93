//! A few minutes in the life of a small chat server, on a few threads.

use std::sync::{Arc, mpsc};

use newcomer::blocklist::BlockList;
use newcomer::pages::Pages;
use newcomer::routes::{Route, Routes};
use newcomer::sessions::Sessions;
use newcomer::topics::Topics;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let list = BlockList::default();
    list.reload("spam.example\nscam.example")?;
    let change = list.reload("scam.example\nphish.example")?;
    println!("block list: {change:?}");

    let (closed, closings) = mpsc::channel();
    let sessions = Arc::new(Sessions::new(closed));
    for (id, user) in (1..).zip(["alice@tidy.example", "bob@tidy.example", "eve@phish.example"]) {
        if !list.blocks(user) {
            sessions.open(id, user);
        }
    }
    println!("connected: {:?}", sessions.users());

    let topics = Topics::default();
    topics.subscribe_all("news", [1, 2]);
    topics.publish("news", |id| println!("news for {:?}", sessions.user(id)));

    // The task looks at the connection for as long as it waits for `go`; what is closed meanwhile waits for it.
    let (go, wait) = tokio::sync::oneshot::channel();
    let (looking, looks) = tokio::sync::oneshot::channel();
    let greeting = tokio::spawn(sessions.clone().greet(1, async {
        _ = looking.send(());
        _ = wait.await;
    }));
    looks.await?;
    sessions.close(1);
    println!("closed so far: {:?}", closings.try_recv());
    println!("{}", sessions.guards());
    _ = go.send(());
    println!("{:?}; then closed: {:?}", greeting.await?, closings.try_recv());

    let pages = Pages::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(*pages.get("/"), "<h1>/</h1>"));
        }
    });
    println!("rendered {} time", pages.rendered());

    let routes = Routes::default();
    routes.set([("/".to_owned(), Route { target: "web-1".to_owned(), weight: 3 })]);
    let mut worker = routes.worker();
    routes.set([("/api".to_owned(), Route { target: "api-1".to_owned(), weight: 5 })]);
    println!("before it is published: {:?}", worker.route("/api"));
    routes.publish();
    println!("and after: {:?}", worker.route("/api"));
    println!("saved: {}", routes.to_json()?);
    Ok(())
}

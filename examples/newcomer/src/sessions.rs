//! Who is connected.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use tidymap::{Compute, HashMap, Operation, ReclaimError, Stats};

/// A connection. Dropping it closes it, and tells so.
#[derive(Debug)]
pub struct Session {
    pub user: String,
    id: u64,
    closed: Sender<u64>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Nobody has to listen.
        _ = self.closed.send(self.id);
    }
}

/// All connections, shared by the server's threads and tasks.
#[derive(Debug)]
pub struct Sessions {
    map: HashMap<u64, Session>,
    closed: Sender<u64>,
}

impl Sessions {
    /// `closed` is told the number of each connection when it is closed.
    pub fn new(closed: Sender<u64>) -> Self {
        Self { map: HashMap::new(), closed }
    }

    /// False if the number is taken: then the connection that has it stays.
    pub fn open(&self, id: u64, user: &str) -> bool {
        let opened = self.map.compute(id, |taken| match taken {
            Some(_) => Operation::Abort(()),
            None => Operation::Insert(Session { user: user.to_owned(), id, closed: self.closed.clone() }),
        });
        matches!(opened, Compute::Inserted(_))
    }

    /// One-shot: the guard is gone when this returns, and so the name is a copy.
    pub fn user(&self, id: u64) -> Option<String> {
        self.map.read(&id, |_, session| session.user.clone())
    }

    /// When this returns the connection is closed, if nobody is looking at it, and else when the last of those is done.
    pub fn close(&self, id: u64) -> bool {
        self.map.remove(&id).is_some()
    }

    /// Takes a connection out, to be closed by the caller. Waits for whoever looks at it.
    pub fn take(&self, id: u64) -> Result<Option<Session>, ReclaimError> {
        Ok(self.map.remove_owned(&id)?.map(|(_, session)| session))
    }

    /// Closes the connections of a user, and waits until they are closed.
    pub fn ban(&self, user: &str) -> Result<(), ReclaimError> {
        self.map.retain(|_, session| session.user != user);
        self.map.reclaim()
    }

    /// The users, in order. One session on the map for all of them.
    pub fn users(&self) -> Vec<String> {
        let session = self.map.pin();
        let mut users: Vec<_> = session.values().map(|session| session.user.clone()).collect();
        users.sort();
        users
    }

    /// Greets a user from a task. The session on the map goes with the task, across the await.
    pub async fn greet(self: Arc<Self>, id: u64, wait: impl Future<Output = ()> + Send) -> Option<String> {
        let session = self.map.pin_owned();
        let found = session.get(&id)?;
        wait.await;
        Some(format!("hello, {}", found.user))
    }

    /// What is held back, and by how many guards.
    pub fn stats(&self) -> Stats {
        self.map.stats()
    }

    /// A line for each thread that holds a guard.
    pub fn guards(&self) -> String {
        self.map.guards().to_string()
    }
}

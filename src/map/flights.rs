//! Who computes the value of an absent key, and who waits for that: the flights of
//! [`HashMap::get_or_init`](super::HashMap::get_or_init).
//!
//! A *flight* is the computation of one key's value. Who enters it on the board is its [`Leader`]; whoever comes with an equal key
//! meanwhile is a [`Follower`], and waits until the flight has [`Ended`], however that comes about, to look into the map again.
//! So nothing is handed from the one to the others but the word that something has changed, and a leader that fails
//! leaves nothing that could be in a wrong state: the first of those who look again is the next leader.
//!
//! *No user code runs under a mutex of this file.* A comparison borrows the flight's key through an `Arc` and is counted, so that the
//! leader, who needs the key by value for the map, waits for those that have begun; none begins after that.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::core::Hash;
use crate::reclaim::{Panics, thread_mark};
use crate::sync::{AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, const_unless_loom};

/// The flights of a map. Has no memory while there are none.
pub(super) struct Flights<K> {
    board: Mutex<Board<K>>,
    /// Rung when the last comparison with a key has ended that its leader has taken back.
    compared: Condvar,
}

struct Board<K> {
    next: u64,
    flights: BTreeMap<Id, Flight<K>>,
    /// Threads that wait, and for what.
    waiting: Vec<(usize, Id)>,
}

/// Flights of one hash are told apart by the order in which they were entered.
type Id = (Hash, u64);

struct Flight<K> {
    /// None when the leader has taken it back, to insert it.
    key: Option<Arc<K>>,
    /// Comparisons with the key that have not ended.
    comparisons: usize,
    ended: Arc<Ended>,
}

/// What became of a caller.
pub(super) enum Joined<'f, K> {
    /// It is to compute. Not before a look into the map: another flight may have ended before this one began.
    Leads(Leader<'f, K>),
    /// It is to wait, and to come again, with its key.
    Follows(K, Follower<'f, K>),
}

impl<K> Flights<K> {
    const_unless_loom! {
        pub(super) fn new() -> Flights<K> {
            let board = Board { next: 0, flights: BTreeMap::new(), waiting: Vec::new() };
            Flights { board: Mutex::new(board), compared: Condvar::new() }
        }
    }

    fn board(&self) -> MutexGuard<'_, Board<K>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.board().flights.len()
    }

    /// Joins the flight of `key`, or begins it. O(log n) in the flights that there are.
    pub(super) fn join(&self, hash: Hash, key: K) -> Joined<'_, K>
    where
        K: Eq,
    {
        // Flights with smaller numbers have been looked at.
        let mut from = 0;
        loop {
            let mut board = self.board();
            let candidate = board.flights.range_mut((hash, from)..=(hash, u64::MAX)).next();
            let Some((&id, flight)) = candidate else { return Joined::Leads(self.enter(&mut board, hash, key)) };
            from = id.1 + 1;
            let follower = Follower { flights: self, id, ended: flight.ended.clone(), entered: None };
            let Some(candidate) = flight.key.clone() else {
                // It is being inserted, and is probably ours. What its leader's own user code asks for meanwhile must not wait.
                if board.would_wait_for_itself(id) {
                    continue;
                }
                return Joined::Follows(key, follower);
            };
            flight.comparisons += 1;
            drop(board);
            if (Comparison { flights: self, id, key: Some(candidate) }).with(&key) {
                return Joined::Follows(key, follower);
            }
        }
    }

    fn enter(&self, board: &mut Board<K>, hash: Hash, key: K) -> Leader<'_, K> {
        let (id, key, ended) = ((hash, board.next), Arc::new(key), Arc::new(Ended::new()));
        board.next += 1;
        board.flights.insert(id, Flight { key: Some(key.clone()), comparisons: 0, ended: ended.clone() });
        Leader { flights: self, id, key: Some(key), ended }
    }
}

impl<K> Board<K> {
    /// Does this flight wait for the calling thread? Its leader's thread is this one, or waits for a flight of which that is true. All
    /// threads of such a chain are inside of their flights, so it stays as it is.
    fn would_wait_for_itself(&self, mut id: Id) -> bool {
        let me = thread_mark();
        loop {
            let Some(flight) = self.flights.get(&id) else { return false };
            // ORDERING: Relaxed: who waits has said under the mutex that it does, after it had written its mark.
            let leader = flight.ended.leader.load(Ordering::Relaxed);
            if leader == me {
                return true;
            }
            let Some((_, next)) = self.waiting.iter().find(|(thread, _)| *thread == leader) else { return false };
            id = *next;
        }
    }

    #[track_caller]
    fn fail_if_it_would_wait_for_itself(board: MutexGuard<'_, Self>, id: Id) -> MutexGuard<'_, Self> {
        if board.would_wait_for_itself(id) {
            drop(board);
            panic!(
                "the initialization of a key asks for that key, or for one whose initialization waits for it: it would wait for itself"
            );
        }
        board
    }
}

/// A comparison with a flight's key.
struct Comparison<'f, K> {
    flights: &'f Flights<K>,
    id: Id,
    key: Option<Arc<K>>,
}

impl<K> Comparison<'_, K> {
    fn with(&self, key: &K) -> bool
    where
        K: Eq,
    {
        self.key.as_deref() == Some(key)
    }
}

impl<K> Drop for Comparison<'_, K> {
    fn drop(&mut self) {
        // Not the last one, unless the leader has given up.
        let mut panics = Panics::default();
        panics.run(|| drop(self.key.take()));
        if let Some(flight) = self.flights.board().flights.get_mut(&self.id) {
            flight.comparisons -= 1;
            if flight.comparisons == 0 && flight.key.is_none() {
                self.flights.compared.notify_all();
            }
        }
        panics.resume();
    }
}

/// Who computes. When it goes, for whatever reason, the flight has ended.
pub(super) struct Leader<'f, K> {
    flights: &'f Flights<K>,
    id: Id,
    key: Option<Arc<K>>,
    ended: Arc<Ended>,
}

impl<K> Leader<'_, K> {
    pub(super) fn key(&self) -> &K {
        self.key.as_deref().expect("a leader has the key until it takes it back")
    }

    /// Says that this thread computes now, so that it does not wait for itself.
    pub(super) fn computing(&self) -> Computing<'_> {
        self.ended.leader.store(thread_mark(), Ordering::Relaxed);
        Computing(&self.ended)
    }

    /// The key, to be inserted. Waits for comparisons with it that have begun.
    pub(super) fn take_key(&mut self) -> K {
        let mut board = self.flights.board();
        let flight = |board: &mut Board<K>| {
            board.flights.get_mut(&self.id).map(|flight| (flight.key.take(), flight.comparisons))
        };
        let (shared, mut comparisons) = flight(&mut board).expect("a flight is on the board until its leader goes");
        drop(shared);
        while comparisons > 0 {
            board = self.flights.compared.wait(board).unwrap_or_else(PoisonError::into_inner);
            comparisons = flight(&mut board).map_or(0, |(_, comparisons)| comparisons);
        }
        drop(board);
        self.key.take().and_then(Arc::into_inner).expect("nobody else has it any more")
    }
}

impl<K> Drop for Leader<'_, K> {
    fn drop(&mut self) {
        let mut board = self.flights.board();
        let flight = board.flights.remove(&self.id);
        if board.flights.is_empty() {
            board.flights = BTreeMap::new();
        }
        drop(board);
        self.ended.set();
        // The user's destructor, if it was not inserted: after those who wait have been told.
        let mut panics = Panics::default();
        panics.run(|| drop((flight, self.key.take())));
        panics.resume();
    }
}

/// See [`Leader::computing`].
pub(super) struct Computing<'l>(&'l Ended);

impl Drop for Computing<'_> {
    fn drop(&mut self) {
        self.0.leader.store(0, Ordering::Relaxed);
    }
}

/// Happens once, and those who wait for it are told.
struct Ended {
    /// The mark of the thread that computes at this moment, or 0.
    leader: AtomicUsize,
    waiters: Mutex<Waiters>,
    rung: Condvar,
}

struct Waiters {
    ended: bool,
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Ended {
    fn new() -> Ended {
        let waiters = Waiters { ended: false, next: 0, wakers: BTreeMap::new() };
        Ended { leader: AtomicUsize::new(0), waiters: Mutex::new(waiters), rung: Condvar::new() }
    }

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self) {
        let mut waiters = self.waiters();
        waiters.ended = true;
        let wakers = std::mem::take(&mut waiters.wakers);
        drop(waiters);
        self.rung.notify_all();
        // A waker is the user's code, but not that of whoever computes: a panic in it ends with it.
        let mut panics = Panics::default();
        for (_, waker) in wakers {
            panics.run(|| waker.wake());
        }
        panics.ignore();
    }

    fn wait(&self) {
        let mut waiters = self.waiters();
        while !waiters.ended {
            waiters = self.rung.wait(waiters).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Who waits: a thread by [`wait`](Self::wait), a task as a future.
pub(super) struct Follower<'f, K> {
    flights: &'f Flights<K>,
    id: Id,
    ended: Arc<Ended>,
    /// The number of the task's waker.
    entered: Option<u64>,
}

impl<K> Follower<'_, K> {
    /// Has the thread wait until the flight has ended.
    ///
    /// # Panics
    /// If it would wait for itself.
    pub(super) fn wait(self) {
        let waiting = (thread_mark(), self.id);
        let mut board = Board::fail_if_it_would_wait_for_itself(self.flights.board(), self.id);
        board.waiting.push(waiting);
        drop(board);
        self.ended.wait();
        let mut board = self.flights.board();
        board.waiting.retain(|other| *other != waiting);
        if board.waiting.is_empty() {
            board.waiting = Vec::new();
        }
    }
}

impl<K> Future for Follower<'_, K> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        drop(Board::fail_if_it_would_wait_for_itself(this.flights.board(), this.id));
        // The user's code, before and after the mutex.
        let waker = context.waker().clone();
        let mut waiters = this.ended.waiters();
        if waiters.ended {
            return Poll::Ready(());
        }
        let number = this.entered.unwrap_or(waiters.next);
        waiters.next = waiters.next.max(number + 1);
        this.entered = Some(number);
        let last = waiters.wakers.insert(number, waker);
        drop(waiters);
        drop(last);
        Poll::Pending
    }
}

impl<K> Drop for Follower<'_, K> {
    fn drop(&mut self) {
        let Some(number) = self.entered else { return };
        let mut waiters = self.ended.waiters();
        let waker = waiters.wakers.remove(&number);
        drop(waiters);
        drop(waker);
    }
}

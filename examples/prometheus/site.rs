//! The sessions of a site: each request asks whose it is, people log in and out, and now and then all sessions are exported.

use std::f64::consts::TAU;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use tidymap::HashMap;

/// How many are logged in, on average and beyond that.
const PEOPLE: f64 = 50_000.0;
const TIDE: f64 = 20_000.0;
/// From one high tide to the next.
const DAY: Duration = Duration::from_secs(30);
/// So many log in at each tick.
const LOGINS: u64 = 100;
const TICK: Duration = Duration::from_millis(10);
/// A request worker opens a session on the map for so many requests.
const REQUESTS: u64 = 1000;
/// The pause between two exports, and what one does at a time.
const EXPORT_AFTER: Duration = Duration::from_secs(12);
const PACKET: usize = 500;
const PACKET_TAKES: Duration = Duration::from_millis(50);

/// What a person has while logged in.
struct Session {
    user: u64,
    /// What the site remembers of them.
    cart: [u64; 16],
}

impl Session {
    fn new(token: u64) -> Session {
        Session { user: user(token), cart: [token; 16] }
    }

    fn is_of(&self, token: u64) -> bool {
        self.user == user(token) && self.cart[token as usize % 16] == token
    }
}

fn user(token: u64) -> u64 {
    token.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The site, and its map.
pub(crate) struct Site {
    /// By token. Tokens are numbers in a row: who logged in first, logs out first.
    sessions: HashMap<u64, Session>,
    /// The tokens that are logged in: from this one,
    first: AtomicU64,
    /// and before this one.
    next: AtomicU64,
    lookups: AtomicU64,
    wrong_answers: AtomicU64,
    is_open: AtomicBool,
}

/// Closes the site when it goes: also when its owner panics, so that nobody is waited for forever.
pub(crate) struct Closes<'a>(&'a Site);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.is_open.store(false, Relaxed);
    }
}

impl Site {
    /// A site that people are logged in to. It is open, and nothing happens yet.
    pub(crate) fn new() -> Site {
        let people = people(Duration::ZERO);
        Site {
            sessions: (0..people).map(|token| (token, Session::new(token))).collect(),
            first: AtomicU64::new(0),
            next: AtomicU64::new(people),
            lookups: AtomicU64::new(0),
            wrong_answers: AtomicU64::new(0),
            is_open: AtomicBool::new(true),
        }
    }

    /// Lets things happen until what it returns is dropped.
    pub(crate) fn open<'a>(&'a self, scope: &'a Scope<'a, '_>, workers: usize) -> Closes<'a> {
        for n in 1..=workers {
            let name = format!("worker {n}");
            spawn(scope, name, move || self.answer_requests(n as u64));
        }
        spawn(scope, "logins".to_owned(), || self.log_in_and_out());
        spawn(scope, "export".to_owned(), || self.export_now_and_then());
        Closes(self)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Relaxed)
    }

    /// For a site that is closed: a large table that was replaced goes back in parts, by calls that come, and none comes any more.
    pub(crate) fn settle(&self) {
        self.sessions.try_reclaim();
    }

    /// The figures of the map.
    pub(crate) fn stats(&self) -> tidymap::Stats {
        self.sessions.stats()
    }

    /// How many have been done.
    pub(crate) fn lookups(&self) -> u64 {
        self.lookups.load(Relaxed)
    }

    /// How many lookups found the session of another.
    pub(crate) fn wrong_answers(&self) -> u64 {
        self.wrong_answers.load(Relaxed)
    }

    /// How many people are logged in, by the tokens that were given out.
    pub(crate) fn logged_in(&self) -> u64 {
        self.next.load(Relaxed) - self.first.load(Relaxed)
    }

    fn answer_requests(&self, seed: u64) {
        let mut random = seed;
        while self.is_open() {
            let (first, people) = (self.first.load(Relaxed), self.logged_in());
            let sessions = self.sessions.pin();
            let mut wrong = 0;
            for _ in 0..REQUESTS {
                // Knuth's generator; its high half is random enough.
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let token = first + (random >> 32) % people;
                // Who is not there has logged out.
                wrong += u64::from(sessions.get(&token).is_some_and(|session| !session.is_of(token)));
            }
            drop(sessions);
            self.lookups.fetch_add(REQUESTS, Relaxed);
            self.wrong_answers.fetch_add(wrong, Relaxed);
        }
    }

    fn log_in_and_out(&self) {
        let start = Instant::now();
        while self.is_open() {
            for _ in 0..LOGINS {
                let token = self.next.load(Relaxed);
                self.sessions.insert(token, Session::new(token));
                self.next.store(token + 1, Relaxed);
            }
            let people = people(start.elapsed());
            while self.logged_in() > people {
                let token = self.first.load(Relaxed);
                self.first.store(token + 1, Relaxed);
                self.sessions.remove(&token);
            }
            thread::sleep(TICK);
        }
    }

    fn export_now_and_then(&self) {
        let mut last = Instant::now();
        while self.is_open() {
            thread::sleep(PACKET_TAKES);
            if last.elapsed() < EXPORT_AFTER {
                continue;
            }
            // This is what one should not do. The dashboard shows what it costs.
            let sessions = self.sessions.pin();
            for (n, (&token, session)) in sessions.iter().enumerate() {
                self.wrong_answers.fetch_add(u64::from(!session.is_of(token)), Relaxed);
                if n % PACKET == 0 {
                    thread::sleep(PACKET_TAKES);
                    if !self.is_open() {
                        break;
                    }
                }
            }
            drop(sessions);
            last = Instant::now();
        }
    }
}

/// How many are logged in, so long after the start.
fn people(after: Duration) -> u64 {
    (PEOPLE - TIDE * (TAU * after.as_secs_f64() / DAY.as_secs_f64()).cos()) as u64
}

fn spawn<'a>(scope: &'a Scope<'a, '_>, name: String, work: impl FnOnce() + Send + 'a) {
    thread::Builder::new().name(name).spawn_scoped(scope, work).expect("a thread");
}

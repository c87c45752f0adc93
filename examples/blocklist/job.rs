//! The job, with one map: fill it, start the readers, and reload it back and forth until the time is up.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::addresses::Address;
use crate::block_list::BlockList;
use crate::heap::{self, Level};
use crate::listing::Ledger;
use crate::lists::{Lists, Reload};
use crate::readers::{Board, Phase, Shared, TIMED_ONE_IN, read};
use crate::report::{Lookups, MapReport, ReloadReport};

/// How long the readers are left alone between two reloads.
const PAUSE: Duration = Duration::from_millis(50);

/// What is to be done, the same for every map.
pub(crate) struct Job<'a> {
    pub(crate) lists: &'a Lists,
    pub(crate) stream: &'a [Address],
    pub(crate) readers: usize,
    /// For one map. The last way back may take a little longer.
    pub(crate) time: Duration,
}

/// Does the job with an empty `B`. Calls `progress` at the end of the pause after each reload, with the time since the
/// first began.
pub(crate) fn run<B: BlockList>(job: &Job<'_>, mut progress: impl FnMut(&ReloadReport, Duration)) -> MapReport {
    let ledger = Arc::new(Ledger::default());
    let shared = Shared::new();
    let mut total = Totals { board: Board::new(), reloading: Duration::ZERO, paused: Duration::ZERO, wrong: 0 };
    // Room for all reports now, so that they do not grow the heap that is measured: each reload has a pause.
    let mut reloads = Vec::with_capacity((job.time.as_millis() / PAUSE.as_millis()) as usize + 2);
    let heap_base = Level::now();

    let map = B::default();
    let at_first = &job.lists.back;
    for domain in &at_first.listed {
        map.insert((*domain).into(), ledger.listing());
    }

    let switches: Vec<_> = thread::scope(|scope| {
        let over = Over(&shared);
        let chunks = job.stream.len() / TIMED_ONE_IN;
        let start_reader = |n| {
            let (map, shared) = (&map, &shared);
            scope.spawn(move || read(map, shared, job.stream, n * chunks / job.readers))
        };
        let readers: Vec<_> = (0..job.readers).map(start_reader).collect();

        let mut writer = Writer { map: &map, ledger: &ledger, shared: &shared, total: &mut total, heap_base };
        let mut last_pause = writer.pause(at_first);
        let start = Instant::now();
        while start.elapsed() < job.time {
            // There and back, so that the job ends with the list that it began with.
            for reload in [&job.lists.forward, &job.lists.back] {
                let report = writer.reload(reload, &mut last_pause);
                progress(&report, start.elapsed());
                reloads.push(report);
            }
        }
        drop(over);
        readers.into_iter().map(|reader| reader.join().expect("readers do not panic")).collect()
    });

    total.board.take_from(&mut shared.board());
    let undropped_at_the_end = ledger.alive().saturating_sub(at_first.listed.len() as u64);
    drop(map);
    let heap_after_the_map = held_since(heap_base);
    let removed = reloads.iter().map(|reload: &ReloadReport| reload.removed).sum::<u64>();
    let mut report = MapReport {
        map: B::NAME,
        wrong_answers: total.wrong + total.board.during.wrong + total.board.between.wrong,
        during: Lookups::new(&total.board.during, total.reloading),
        between: Lookups::new(&total.board.between, total.paused),
        reader_waits: None,
        reader_preemptions: None,
        removed,
        dropped: removed - reloads.last().map_or(0, |reload| reload.undropped_flushed),
        undropped_at_the_end,
        undropped_after_the_map: ledger.alive(),
        heap_after_the_map,
        reloads,
    };
    report.count_switches(switches);
    report
}

/// What adds up over the job.
struct Totals {
    board: Board,
    reloading: Duration,
    paused: Duration,
    /// Domains that the writer did not find as they should be when it removed them, or looked them up after a reload.
    wrong: u64,
}

/// The one thread that changes the list.
struct Writer<'a, B> {
    map: &'a B,
    ledger: &'a Arc<Ledger>,
    shared: &'a Shared,
    total: &'a mut Totals,
    heap_base: Level,
}

impl<B: BlockList> Writer<'_, B> {
    /// Reloads the list while the readers go on, and pauses. `last_pause` is how long the pause before was; this one's
    /// length takes its place.
    fn reload(&mut self, reload: &Reload, last_pause: &mut Duration) -> ReloadReport {
        heap::reset_peak();
        let heap_before = held_since(self.heap_base);
        let dropped_before = self.ledger.dropped();

        self.shared.enter(Phase::Reload);
        let start = Instant::now();
        for domain in &reload.add {
            self.map.insert((*domain).into(), self.ledger.listing());
        }
        let removed = reload.remove.iter().filter(|domain| self.map.remove(domain)).count() as u64;
        let time = start.elapsed();
        self.shared.enter(Phase::Between);
        self.total.reloading += time;
        self.total.wrong += reload.remove.len() as u64 - removed;

        let undropped = self.undropped(reload);
        let start = Instant::now();
        self.map.flush();
        let flush_time = start.elapsed();
        let dropped = self.ledger.dropped() - dropped_before;
        let undropped_flushed = self.undropped(reload);
        let own = self.map.own_figures();
        let pause_before = std::mem::replace(last_pause, self.pause(reload));

        let heap_after = held_since(self.heap_base);
        let heap_peak = self.heap_base.peak_since().max(0) as u64;

        // By now the readers have told what they found during the reload, and in the pause before it.
        let mut board = Board::new();
        board.take_from(&mut self.shared.board());
        let report = ReloadReport {
            to: reload.version,
            added: reload.add.len() as u64,
            removed,
            time_ms: millis(time),
            pause_ms: millis(pause_before),
            undropped,
            flush_ms: millis(flush_time),
            dropped,
            undropped_flushed,
            pending: own.map(|own| own.pending),
            promotions: own.map(|own| own.promotions),
            during: Lookups::new(&board.during, time),
            between: Lookups::new(&board.between, pause_before),
            heap_before,
            heap_after,
            heap_peak,
        };
        self.total.board.take_from(&mut board);
        report
    }

    /// Leaves the readers alone with the list as `reload` left it, after looking whether it is as it should be.
    fn pause(&mut self, reload: &Reload) -> Duration {
        let start = Instant::now();
        let missing = reload.listed.iter().filter(|domain| !self.map.contains(domain)).count();
        let left_over = reload.remove.iter().filter(|domain| self.map.contains(domain)).count();
        self.total.wrong += (missing + left_over) as u64;
        thread::sleep(PAUSE.saturating_sub(start.elapsed()));
        let paused = start.elapsed();
        self.total.paused += paused;
        paused
    }

    /// Listings that exist and are not on the list as `reload` leaves it.
    fn undropped(&self, reload: &Reload) -> u64 {
        self.ledger.alive().saturating_sub(reload.listed.len() as u64)
    }
}

/// Bytes in use beyond `base`.
fn held_since(base: Level) -> u64 {
    base.bytes_since().max(0) as u64
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Ends the job when dropped: the readers must not go on for ever if the writer panics.
struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.enter(Phase::Over);
    }
}

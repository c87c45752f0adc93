//! The readers: they classify addresses without stopping, check the answers, and time some of the lookups.
//!
//! What they find they keep to themselves until the phase changes, and then add it to a board that they share, unless
//! that is taken just then: a reader that waited for the board would spoil the figures it brings.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hdrhistogram::Histogram;

use crate::addresses::{Address, Truth, is_listed};
use crate::block_list::BlockList;

/// Of so many addresses, one has its lookups timed, for reading the clock takes as long as a lookup. All of them together
/// are timed as a whole: a stall that the sample misses is seen there.
pub(crate) const TIMED_ONE_IN: usize = 64;

/// What the writer is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Between,
    Reload,
    Over,
}

/// What readers found in a phase.
pub(crate) struct Figures {
    pub(crate) lookups: u64,
    /// Addresses that were called listed and are not, or the other way round.
    pub(crate) wrong: u64,
    /// Nanoseconds that single lookups took.
    pub(crate) latency: Histogram<u64>,
    /// The most nanoseconds that a chunk of addresses took: no lookup, timed or not, took longer.
    pub(crate) longest_chunk: u64,
}

/// What readers found in both phases.
pub(crate) struct Board {
    pub(crate) during: Figures,
    pub(crate) between: Figures,
}

/// What the writer and its readers share, beside the list.
pub(crate) struct Shared {
    phase: AtomicU8,
    board: Mutex<Board>,
}

/// How often the system took the processor from a thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches {
    /// Because it waited for something.
    pub(crate) waits: u64,
    /// Because it was another thread's turn.
    pub(crate) preemptions: u64,
}

impl Figures {
    fn new() -> Self {
        // Made for the longest wait that one could see, so that nothing is allocated while the job runs.
        let latency = Histogram::new_with_bounds(1, 60_000_000_000, 2).expect("these bounds are valid");
        Figures { lookups: 0, wrong: 0, latency, longest_chunk: 0 }
    }

    /// Moves what `other` has here.
    fn take_from(&mut self, other: &mut Figures) {
        self.lookups += std::mem::take(&mut other.lookups);
        self.wrong += std::mem::take(&mut other.wrong);
        self.latency.add(&other.latency).expect("all have the same bounds");
        other.latency.reset();
        self.longest_chunk = self.longest_chunk.max(std::mem::take(&mut other.longest_chunk));
    }
}

impl Board {
    pub(crate) fn new() -> Self {
        Board { during: Figures::new(), between: Figures::new() }
    }

    /// Moves what `other` has here.
    pub(crate) fn take_from(&mut self, other: &mut Board) {
        self.during.take_from(&mut other.during);
        self.between.take_from(&mut other.between);
    }
}

impl Shared {
    pub(crate) fn new() -> Self {
        Shared { phase: AtomicU8::new(Phase::Between as u8), board: Mutex::new(Board::new()) }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            phase if phase == Phase::Between as u8 => Phase::Between,
            phase if phase == Phase::Reload as u8 => Phase::Reload,
            _ => Phase::Over,
        }
    }

    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Classifies the stream, beginning in chunk `start`, until the job is over. Tells how often this thread lost the processor
/// meanwhile, if the system tells.
pub(crate) fn read<B: BlockList>(list: &B, shared: &Shared, stream: &[Address], start: usize) -> Option<Switches> {
    let mut own = Board::new();
    let mut told = shared.phase();
    let before = Switches::so_far();
    for chunk in stream.chunks_exact(TIMED_ONE_IN).cycle().skip(start) {
        let phase = shared.phase();
        if phase != told {
            if let Ok(mut board) = shared.board.try_lock() {
                board.take_from(&mut own);
                told = phase;
            }
        }
        let figures = match phase {
            Phase::Between => &mut own.between,
            Phase::Reload => &mut own.during,
            Phase::Over => break,
        };
        classify_chunk(list, chunk, figures);
    }
    let after = Switches::so_far();
    shared.board().take_from(&mut own);
    Some(after?.since(before?))
}

fn classify_chunk<B: BlockList>(list: &B, chunk: &[Address], figures: &mut Figures) {
    let Figures { lookups, wrong, latency, longest_chunk } = figures;
    let chunk_start = Instant::now();
    let (timed, others) = chunk.split_first().expect("chunks are not empty");
    let answer = is_listed(timed.domain(), |domain| {
        *lookups += 1;
        let start = Instant::now();
        let listed = list.contains(domain);
        latency.saturating_record(nanos_since(start));
        listed
    });
    *wrong += u64::from(!timed.truth.allows(answer));
    for address in others {
        let answer = is_listed(address.domain(), |domain| {
            *lookups += 1;
            list.contains(domain)
        });
        *wrong += u64::from(!address.truth.allows(answer));
    }
    *longest_chunk = nanos_since(chunk_start).max(*longest_chunk);
}

fn nanos_since(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}

impl Truth {
    fn allows(self, answer: bool) -> bool {
        match self {
            Truth::Always => answer,
            Truth::Never => !answer,
            Truth::Depends => true,
        }
    }
}

impl Switches {
    /// Of the calling thread, since it began. Linux tells; elsewhere nothing is known.
    fn so_far() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
        let count = |name| status.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok();
        Some(Switches { waits: count("voluntary_ctxt_switches:")?, preemptions: count("nonvoluntary_ctxt_switches:")? })
    }

    fn since(self, before: Self) -> Self {
        Switches { waits: self.waits - before.waits, preemptions: self.preemptions - before.preemptions }
    }
}

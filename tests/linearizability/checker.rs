//! Is there an order of the calls that respects time (what had returned before another began comes first) and in which a plain map
//! would have returned the same?
//!
//! The search is Wing and Gong's, with Lowe's memory of where it has been, and his "just in time": it goes through
//! the history by time, and puts calls in order only when one returns that has no place yet. So a *configuration*,
//! what the map may hold and which calls have been placed, needs a bit for each open call and no more, and all of them
//! that are possible are kept side by side. (Wing, Gong: Testing and verifying concurrent objects, 1993. Lowe: Testing for
//! linearizability, 2017.)

use std::collections::HashSet;
use std::fmt;

use crate::model::{KEYS, Operation, State};

/// How many calls a counterexample shows.
const SHOWN: usize = 12;

/// A history that no order of its calls explains.
pub(crate) struct Violation {
    /// The call that cannot have returned what it did.
    pub(crate) culprit: Operation,
    /// All that began before the culprit returned.
    history: Vec<Operation>,
}

/// A way to explain the history so far.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Configuration {
    state: State,
    /// The open calls that have been placed already: a bit for each thread and key, which have one call at a time.
    placed: u64,
}

impl Configuration {
    fn has_placed(&self, operation: &Operation) -> bool {
        self.placed & bit(operation) != 0
    }

    /// The configuration with this call placed next, if it could return what it did.
    fn place(self, operation: &Operation) -> Option<Configuration> {
        let state = operation.on(self.state)?;
        Some(Configuration { state, placed: self.placed | bit(operation) })
    }

    /// Places the calls that fit here and change nothing. What can be explained with one of them later can be explained with
    /// it here, so there is no need to keep both: that leaves few configurations.
    fn place_reads(self, open: &[&Operation]) -> Configuration {
        let fits =
            |operation: &&Operation| operation.is_settled_by_fitting() && operation.on(self.state) == Some(self.state);
        let reads = open.iter().copied().filter(fits).map(bit);
        Configuration { placed: reads.fold(self.placed, |placed, read| placed | read), ..self }
    }
}

fn bit(operation: &Operation) -> u64 {
    1 << (operation.thread * KEYS + operation.key)
}

/// Checks each key for itself: small searches, and counterexamples about one key. Calls on one key are explained by an
/// order of their own, and these orders always fit together (Herlihy and Wing), unless there are calls on many keys.
pub(crate) fn check_each_key(history: &[Operation]) -> Result<(), Violation> {
    (0..KEYS).try_for_each(|key| {
        let of_key: Vec<Operation> = history.iter().filter(|operation| operation.concerns(key)).copied().collect();
        check_whole(&of_key)
    })
}

/// Checks all keys together: `clear` must remove all at one moment.
pub(crate) fn check_whole(history: &[Operation]) -> Result<(), Violation> {
    let mut search = Search::new(history);
    while let Some(returned) = search.next_return() {
        if search.configurations.is_empty() {
            let begun = history.iter().filter(|operation| operation.invoked < returned.returned);
            return Err(Violation { culprit: *returned, history: begun.copied().collect() });
        }
    }
    Ok(())
}

struct Search<'h> {
    /// When a call began (first) or returned, by time.
    moments: std::vec::IntoIter<(u64, &'h Operation)>,
    open: Vec<&'h Operation>,
    configurations: HashSet<Configuration>,
}

impl<'h> Search<'h> {
    fn new(history: &'h [Operation]) -> Search<'h> {
        let mut moments: Vec<(u64, &Operation)> = Vec::with_capacity(2 * history.len());
        for operation in history {
            moments.extend([(operation.invoked, operation), (operation.returned, operation)]);
        }
        moments.sort_by_key(|(time, _)| *time);
        let empty = Configuration { state: State::default(), placed: 0 };
        Search { moments: moments.into_iter(), open: Vec::new(), configurations: HashSet::from([empty]) }
    }

    /// Goes on until after the next return, and tells whose it was.
    fn next_return(&mut self) -> Option<&'h Operation> {
        loop {
            let (time, operation) = self.moments.next()?;
            if time == operation.invoked {
                self.open.push(operation);
                let before = std::mem::take(&mut self.configurations);
                self.configurations = before.into_iter().map(|next| next.place_reads(&[operation])).collect();
            } else {
                self.place(operation);
                self.open.retain(|open| open.returned != time);
                return Some(operation);
            }
        }
    }

    /// Keeps the configurations in which `returning` has its place, or can get it after any of the open calls.
    fn place(&mut self, returning: &Operation) {
        let mut met = std::mem::take(&mut self.configurations);
        let mut todo: Vec<Configuration> = met.iter().copied().collect();
        while let Some(configuration) = todo.pop() {
            if configuration.has_placed(returning) {
                let placed = configuration.placed & !bit(returning);
                self.configurations.insert(Configuration { placed, ..configuration });
                continue;
            }
            let unplaced = self.open.iter().filter(|open| !configuration.has_placed(open));
            let next = unplaced.filter_map(|open| configuration.place(open));
            todo.extend(next.map(|next| next.place_reads(&self.open)).filter(|next| met.insert(*next)));
        }
    }
}

impl Violation {
    /// The calls to show: the last ones that returned, and those that were open when the culprit did, by their beginning. And
    /// what the map can have held before the first of them returned.
    fn shown(&self) -> (Vec<Operation>, HashSet<Configuration>) {
        let mut shown = self.history.clone();
        shown.sort_by_key(|operation| operation.returned);
        let returned = shown.partition_point(|operation| operation.returned <= self.culprit.returned);
        let left_out = returned.saturating_sub(SHOWN);
        let mut search = Search::new(&self.history);
        for _ in 0..left_out {
            search.next_return();
        }
        let configurations = search.configurations;
        shown.drain(..left_out);
        shown.sort_by_key(|operation| operation.invoked);
        (shown, configurations)
    }

    /// The call that wrote what the culprit saw.
    fn origin(&self) -> Option<&Operation> {
        let seen = self.culprit.outcome.seen()?;
        self.history.iter().find(|operation| operation.wrote(seen))
    }

    fn write_configuration(&self, f: &mut fmt::Formatter<'_>, configuration: &Configuration) -> fmt::Result {
        let concerned = |key: &usize| self.history.iter().any(|operation| operation.key == *key);
        write!(f, "   ")?;
        for key in (0..KEYS).filter(concerned) {
            match configuration.state[key] {
                Some(value) => write!(f, " key {key} has {value:?};")?,
                None => write!(f, " key {key} is absent;")?,
            }
        }
        for bit in (0..u64::BITS as usize).filter(|bit| configuration.placed & (1 << bit) != 0) {
            write!(f, " the open call of thread {} on key {} is done;", bit / KEYS, bit % KEYS)?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, configurations) = self.shown();
        writeln!(f, "the calls have no order: nothing explains what the one marked > returned")?;
        writeln!(f, "  possible before the first of them returned:")?;
        for configuration in configurations.iter().take(SHOWN) {
            self.write_configuration(f, configuration)?;
        }
        if configurations.len() > SHOWN {
            writeln!(f, "    and {} more", configurations.len() - SHOWN)?;
        }
        if let Some(origin) = self.origin().filter(|origin| shown.iter().all(|shown| shown.invoked != origin.invoked)) {
            writeln!(f, "  what it saw was written long before:\n    {origin}")?;
        }
        for operation in &shown {
            let mark = if operation.invoked == self.culprit.invoked { '>' } else { ' ' };
            writeln!(f, "  {mark} {operation}")?;
        }
        Ok(())
    }
}

// For `unwrap_err` and the like; the text is what a person wants to read.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

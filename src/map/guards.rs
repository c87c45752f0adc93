//! Who holds garbage back.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::Pending;
use crate::reclaim::{Waited, Weight};

/// A thread that holds guards on a map, and the oldest of them: in [`Guards`] and in [`Stats`](super::Stats).
///
/// Prints as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardInfo {
    /// The name of the thread, if it has one.
    pub thread: Option<String>,
    /// How many guards it holds: sessions, [`Ref`](super::Ref)s, and calls that are running.
    pub guards: usize,
    /// How long the oldest has been live. Exact to some milliseconds for sessions; for a `Ref`, since it was first asked.
    pub age: Duration,
    /// Where the oldest was taken: the call of [`pin`](super::HashMap::pin), [`get`](super::HashMap::get) and so on. Only with the
    /// feature `guard-locations`; of guards that hold back the same, the place of one.
    pub location: Option<&'static Location<'static>>,
    /// What cannot be dropped before the oldest has ended.
    ///
    /// In [`Guards`]: what has been unlinked since it was taken, by calls and by sessions that are over, and in sessions of its own
    /// thread. Of another session that is still open, all it has unlinked if the first of that came after the guard, else
    /// nothing until it is over. Not what [`Reclaim::Batched`](super::Reclaim) saves up.
    ///
    /// In [`Stats`](super::Stats): all that is pending, which is the same when no call runs, nothing is saved up, and no large table is
    /// on its way back.
    pub pending: Pending,
}

impl GuardInfo {
    pub(crate) fn new(waited: Waited) -> GuardInfo {
        let Waited { thread, age, guards, location, pending, .. } = waited;
        GuardInfo { thread, guards, age, location, pending: Pending::new(pending) }
    }
}

impl Pending {
    pub(crate) fn new(weight: Weight) -> Pending {
        Pending { entries: weight.entries, bytes: weight.entry_bytes + weight.table_bytes }
    }
}

/// As in `thread "worker-3": 2 guards, oldest 12.3 s (src/handler.rs:41:22), 1204 entries / 96 KiB wait for it`.
impl fmt::Display for GuardInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.thread {
            Some(name) => write!(f, "thread {name:?}: ")?,
            None => f.write_str("unnamed thread: ")?,
        }
        match self.guards {
            1 => f.write_str("1 guard, ")?,
            guards => write!(f, "{guards} guards, oldest ")?,
        }
        write!(f, "{:.1} s", self.age.as_secs_f64())?;
        if let Some(location) = self.location {
            write!(f, " ({location})")?;
        }
        match self.pending {
            Pending { entries: 0, bytes: 0 } => f.write_str(", nothing waits for it"),
            Pending { entries: 1, bytes } => write!(f, ", 1 entry / {} wait for it", Bytes(bytes)),
            Pending { entries, bytes } => write!(f, ", {entries} entries / {} wait for it", Bytes(bytes)),
        }
    }
}

/// A number of bytes in the largest unit of which it has one.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.into_iter().find(|(shift, _)| self.0 >> shift > 0) {
            None => write!(f, "{} B", self.0),
            // Ten of them or more are told without a fraction.
            Some((shift, unit)) if self.0 >> shift >= 10 => write!(f, "{} {unit}", self.0 >> shift),
            Some((shift, unit)) => write!(f, "{:.1} {unit}", self.0 as f64 / (1u64 << shift) as f64),
        }
    }
}

/// All threads that held guards on a map when it was asked, the one with the oldest guard first: [`HashMap::guards`].
///
/// Prints as a line for each, or one line that says that there are none.
///
/// [`HashMap::guards`]: super::HashMap::guards
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Guards {
    threads: Vec<GuardInfo>,
}

impl Guards {
    pub(crate) fn new(waited: Vec<Waited>) -> Guards {
        Guards { threads: waited.into_iter().map(GuardInfo::new).collect() }
    }

    /// The threads, the one with the oldest guard first.
    pub fn iter(&self) -> std::slice::Iter<'_, GuardInfo> {
        self.threads.iter()
    }

    /// How many threads hold guards. (Each tells how many guards: [`GuardInfo::guards`].)
    pub fn len(&self) -> usize {
        self.threads.len()
    }

    /// True if no guard is live.
    pub fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }
}

impl IntoIterator for Guards {
    type Item = GuardInfo;
    type IntoIter = std::vec::IntoIter<GuardInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.threads.into_iter()
    }
}

impl<'g> IntoIterator for &'g Guards {
    type Item = &'g GuardInfo;
    type IntoIter = std::slice::Iter<'g, GuardInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.threads).finish()
    }
}

impl fmt::Display for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.threads.split_first() else { return f.write_str("no guard is live") };
        write!(f, "{first}")?;
        others.iter().try_for_each(|thread| write!(f, "\n{thread}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_their_unit() {
        let told =
            [0, 1023, 1024, 1536, 10 << 10, (1 << 20) - 1, 5 << 29, u64::MAX].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(told, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "10 KiB", "1023 KiB", "2.5 GiB", "17179869183 GiB"]);
    }
}

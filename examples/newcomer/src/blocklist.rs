//! Which domains may not write.

use std::collections::BTreeSet;

use tidymap::{HashSet, ReclaimError};

/// A list of domains that is reloaded under its readers.
#[derive(Debug, Default)]
pub struct BlockList {
    domains: HashSet<String>,
}

/// What a reload has changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub added: BTreeSet<String>,
    pub removed: BTreeSet<String>,
    pub kept: usize,
}

impl BlockList {
    /// Is the domain of this address on the list?
    pub fn blocks(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(_, domain)| self.domains.contains(domain))
    }

    /// What another version, of a domain a line, would change.
    pub fn compare(&self, file: &str) -> Change {
        let version: HashSet<String> = file.lines().map(str::to_owned).collect();
        let (old, new) = (self.domains.pin(), version.pin());
        Change {
            added: new.difference(&old).cloned().collect(),
            removed: old.difference(&new).cloned().collect(),
            kept: old.intersection(&new).count(),
        }
    }

    /// Takes over another version. New domains come first, so that one in both versions is never missed; when this returns the
    /// old ones have been dropped. Calls at the same time know nothing of each other, so let one thread reload.
    pub fn reload(&self, file: &str) -> Result<Change, ReclaimError> {
        let change = self.compare(file);
        self.domains.insert_many(change.added.iter().cloned());
        self.domains.remove_many(&change.removed);
        self.domains.reclaim()?;
        Ok(change)
    }

    /// How many domains there are.
    pub fn len(&self) -> usize {
        self.domains.len()
    }

    /// Is everybody welcome?
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }
}

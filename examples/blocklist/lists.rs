//! The real block lists: disposable domains as two published versions of the crate `mailchecker` have them, and what a
//! reload from one to the other changes.

use std::collections::HashSet;

/// Domains, for questions of membership while the job is being prepared.
pub(crate) type Domains = HashSet<&'static str>;

/// Both versions of the list, and the way from each to the other.
pub(crate) struct Lists {
    pub(crate) old: Domains,
    pub(crate) new: Domains,
    pub(crate) forward: Reload,
    pub(crate) back: Reload,
}

/// What one hot reload does to the list in use.
pub(crate) struct Reload {
    /// The version that is in use afterwards.
    pub(crate) version: &'static str,
    pub(crate) add: Vec<&'static str>,
    pub(crate) remove: Vec<&'static str>,
    /// All that is listed afterwards.
    pub(crate) listed: Vec<&'static str>,
}

impl Lists {
    /// The versions, as `mailchecker` numbers them.
    pub(crate) const OLD: &'static str = "4.0.0";
    pub(crate) const NEW: &'static str = "6.0.21";

    pub(crate) fn load() -> Self {
        let old: Domains = mailchecker_4::blacklist().into_iter().collect();
        let new: Domains = mailchecker_6::blacklist().into_iter().collect();
        let (forward, back) = (Reload::new(Self::NEW, &old, &new), Reload::new(Self::OLD, &new, &old));
        Lists { old, new, forward, back }
    }
}

impl Reload {
    fn new(version: &'static str, from: &Domains, to: &Domains) -> Self {
        Reload {
            version,
            add: to.difference(from).copied().collect(),
            remove: from.difference(to).copied().collect(),
            listed: to.iter().copied().collect(),
        }
    }
}

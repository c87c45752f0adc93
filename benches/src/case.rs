//! A case: one workload, and who takes part in it.

use std::time::Duration;

use crate::maps::Protection;

/// Does so many operations in all, and tells how long they took by the clock on the wall. Asserts what it has read.
pub type Round = Box<dyn FnMut(u64) -> Duration>;

/// Somebody who does a workload.
pub struct Contender {
    pub map: &'static str,
    /// The call that is measured, or the policy under which.
    pub call: &'static str,
    pub protection: Protection,
    /// Fills a map; what it gives is measured.
    pub prepare: Box<dyn Fn() -> Round>,
}

/// One workload.
pub struct Case {
    pub suite: &'static str,
    /// What is done.
    pub name: String,
    /// With how many keys, of what kind, by how many threads.
    pub labels: Vec<(&'static str, String)>,
    /// Operations of a round. About 5 to 20 milliseconds of them, but in a smoke test, whose figures mean nothing.
    pub operations: u64,
    /// This map's first.
    pub ours: Vec<Contender>,
    pub theirs: Vec<Contender>,
    /// Anything that the page should say of it.
    pub remark: Option<String>,
}

impl Case {
    /// The name with the labels.
    pub fn id(&self) -> String {
        let labels = self.labels.iter().map(|(label, value)| format!("{label}={value}"));
        std::iter::once(self.name.clone()).chain(labels).collect::<Vec<_>>().join(", ")
    }

    /// Who is to be compared with whom: each peer with what this map has of the same protection, and what has none with all.
    pub fn pairs(&self) -> Vec<(&Contender, &Contender)> {
        let comparable = |ours: &Contender, theirs: &Contender| {
            ours.protection == theirs.protection || theirs.protection.is_compared_with_all()
        };
        let pairs = self.theirs.iter().flat_map(|theirs| self.ours.iter().map(move |ours| (ours, theirs)));
        pairs.filter(|(ours, theirs)| comparable(ours, theirs)).collect()
    }
}

/// Has each contender do so many rounds. A peer may try three times: some lose a key, or panic, now and then. HashIndex does each time on some days, if several
/// threads overwrite; that what it has to do is right is seen with one.
#[cfg(test)]
pub(crate) fn run_each(case: &Case, rounds: usize) {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let run = |contender: &Contender| {
        let mut round = (contender.prepare)();
        (0..rounds).for_each(|_| _ = round(case.operations));
    };
    case.ours.iter().for_each(run);
    for theirs in &case.theirs {
        let succeeds = |_| catch_unwind(AssertUnwindSafe(|| run(theirs))).is_ok();
        let alone = case.labels.contains(&("threads", "1".to_owned()));
        let may_fail = theirs.map == "scc::HashIndex" && !alone;
        assert!((0..3).any(succeeds) || may_fail, "{} fails each time: {}", theirs.map, case.id());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shot_calls_are_compared_with_one_shot_calls_and_all_with_the_limit() {
        let contender = |map, call, protection| Contender {
            map,
            call,
            protection,
            prepare: Box::new(|| unreachable!("nothing is measured")),
        };
        let case = Case {
            suite: "read",
            name: "get".to_owned(),
            labels: vec![("keys", "8".to_owned())],
            operations: 1,
            ours: vec![
                contender("tidymap", "get", Protection::OneShot),
                contender("tidymap", "pin", Protection::Session),
            ],
            theirs: vec![
                contender("other", "get", Protection::OneShot),
                contender("other", "handle", Protection::Handle),
                contender("limit", "get", Protection::Unshared),
            ],
            remark: None,
        };
        let pairs: Vec<_> = case.pairs().iter().map(|(ours, theirs)| (ours.call, theirs.map)).collect();
        assert_eq!(pairs, [("get", "other"), ("get", "limit"), ("pin", "limit")]);
        assert_eq!(case.id(), "get, keys=8");
    }
}

//! A set under test beside one of the standard library, step by step.
//!
//! One thread, so that after every step everything is known: what it answered, what the set holds, and which elements are alive. With no
//! guard live these are the elements of the set, and no other (R1); with some, those and what was removed since the oldest of the guards
//! was taken that are still live (R2), and the figures say so (R8).

use std::collections::{BTreeSet, HashSet as StdSet};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidymap::{ElementRef, HashMap, HashSet, PinnedSet, Reclaim, ReclaimError, Reclaimed, Taken};

use crate::common::Ledger;
use crate::common::fuse::{Fuse, burn, lit};
use crate::model::{Model, Unlinked};
use crate::twin::{Answer, Element, Op, Twin, answer, perform, sorted};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    OneShot(Op),
    /// In one of the sessions that are open, or on the set if none is.
    InSession(usize, Op),
    Open,
    Close(usize),
    Refresh(usize),
    /// Takes an `ElementRef`, and keeps it.
    Keep(u8),
    /// Takes an element out, and keeps it.
    KeepTaken(u8),
    /// Drops one of those that are kept.
    LetGo(usize),
    /// Takes one that was taken out by value, if nobody else can see it.
    TakeByValue(usize),
    TakeOwned(u8),
    /// Iterates, and does one of these at each element, as far as they go.
    Iterate(Vec<Op>),
    /// The other ways to read.
    Reads(Vec<u8>),
    /// The operations of two sets.
    WithAnother(Vec<u8>),
    CloneCompareExtend(Vec<u8>),
    /// `try_reserve(usize::MAX)` if there is no number.
    Reserve(Option<u16>),
    ShrinkToFit,
    /// With a timeout, or without.
    Reclaim(bool),
    TryReclaim,
}

/// What set it is, and where user code panics.
pub(crate) struct Settings<S> {
    pub(crate) hasher: S,
    pub(crate) reclaim: Reclaim,
    pub(crate) max_pending: Option<usize>,
    /// One after the other for the calls of the set, until there are none left.
    pub(crate) fuses: Vec<Option<Fuse>>,
}

pub(crate) type Set<'l, S> = HashSet<Element<'l>, S>;

/// A reference that is held on to, with its guard.
struct Kept<'m, 'l> {
    taken: u64,
    twin: Twin,
    reference: Reference<'m, 'l>,
}

enum Reference<'m, 'l> {
    Found(ElementRef<'m, Element<'l>>),
    /// And when it was removed.
    Taken(u64, Taken<'m, Element<'l>>),
}

impl Kept<'_, '_> {
    fn look(&self) {
        let seen = match &self.reference {
            Reference::Found(found) => Twin::of(found),
            Reference::Taken(_, taken) => Twin::of(taken),
        };
        assert_eq!((seen.value, seen.id), (self.twin.value, self.twin.id), "a reference that was kept");
    }
}

pub(crate) struct Run<'m, 'l, S> {
    pub(crate) ledger: &'l Ledger,
    pub(crate) set: &'m Set<'l, S>,
    pub(crate) twins: StdSet<Twin>,
    /// Of guards and garbage.
    pub(crate) model: Model,
    batch: u64,
    /// What the hook has been given but for what came from clones, and elements that have been handed over.
    pub(crate) hooked: Arc<AtomicU64>,
    by_value: u64,
    /// For the calls to come, the next one last.
    pub(crate) fuses: Vec<Option<Fuse>>,
    sessions: Vec<(u64, PinnedSet<'m, Element<'l>, S>)>,
    kept: Vec<Kept<'m, 'l>>,
}

/// Has each of the steps done to a new set, and drops it.
pub(crate) fn run_with<S: BuildHasher + Clone + Default, T>(
    settings: Settings<S>,
    steps: &[T],
    each: impl Fn(&mut Run<'_, '_, S>, &T),
) {
    let Settings { hasher, reclaim, max_pending, mut fuses } = settings;
    let ledger = Ledger::new();
    let hooked = Arc::<AtomicU64>::default();
    let mut builder = HashMap::<Element<'_>, ()>::builder().hasher(hasher).reclaim(reclaim);
    if let Some(elements) = max_pending {
        builder = builder.max_pending(elements);
    }
    let count = hooked.clone();
    let builder = builder.on_reclaim(move |reclaimed| {
        assert!(matches!(reclaimed, Reclaimed::Removed(_, ())), "sets overwrite nothing");
        count.fetch_add(1, Ordering::Relaxed);
        burn();
    });
    let set = HashSet::from(builder.build());
    let batch = match reclaim {
        Reclaim::Batched(items) => items as u64,
        _ => 0,
    };
    fuses.reverse();
    let mut run = Run {
        ledger: &ledger,
        set: &set,
        twins: StdSet::new(),
        model: Model::default(),
        batch,
        hooked,
        by_value: 0,
        fuses,
        sessions: Vec::new(),
        kept: Vec::new(),
    };
    for step in steps {
        each(&mut run, step);
        run.check();
    }
    while !run.sessions.is_empty() {
        run.step(&Step::Close(0));
    }
    while !run.kept.is_empty() {
        run.step(&Step::LetGo(0));
    }
    run.check();
    let last = run.fuses.pop().flatten();
    drop(run);
    set.try_reclaim();
    ledger.assert_alive(&set.pin());
    lit(last, || drop(set));
    assert_eq!(ledger.live(), 0, "left after the set is gone");
}

impl<S: BuildHasher + Clone + Default> Run<'_, '_, S> {
    pub(crate) fn fuse(&mut self) -> Option<Fuse> {
        self.fuses.pop().flatten()
    }

    /// Does an operation here and there, and compares the answers.
    fn perform(&mut self, session: Option<usize>, op: &Op) {
        let fuse = self.fuse();
        let before = self.twins.clone();
        let expected = answer(&mut self.twins, self.ledger.made(), op);
        let answer = lit(fuse, || match session {
            Some(session) => perform!(self.ledger, &self.sessions[session].1, op),
            None => perform!(self.ledger, self.set, op),
        });
        if let Some(answer) = answer {
            assert_eq!(answer, expected, "the answer to {op:?}");
            let removed = before.difference(&self.twins).count();
            self.removed(removed);
        } else {
            self.half_done(before);
        }
    }

    fn removed(&mut self, elements: usize) {
        for _ in 0..elements {
            let when = self.model.now();
            self.model.pending.push(Unlinked { when, entry: true });
        }
    }

    /// After a panic in a call. With each element it has done what it was to do, which the twins have done already, or nothing.
    fn half_done(&mut self, before: StdSet<Twin>) {
        let found: Vec<Twin> = self.set.pin().iter().map(Twin::of).collect();
        let now: StdSet<Twin> = found.iter().copied().collect();
        assert_eq!(now.len(), found.len(), "an element was visited twice");
        let done = std::mem::replace(&mut self.twins, now);
        for twin in before.iter().chain(&done).chain(&self.twins) {
            let [was, will_be, is] = [&before, &done, &self.twins].map(|set| set.get(twin).map(|twin| twin.id));
            assert!(is == was || is == will_be, "{was:?} was to be {will_be:?}, and is {is:?}, after a panic");
        }
        let removed = before.difference(&self.twins).count();
        self.removed(removed);
    }

    fn session(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.sessions.len())
    }

    /// Fails unless what is alive is what should be, and the figures agree.
    fn check(&mut self) {
        self.model.settle();
        let (len, held_back) = (self.twins.len(), self.model.pending.len());
        // First without the set's help: figures take a guard, and whoever takes one cleans up.
        let live = self.ledger.live();
        let saved_up = live.checked_sub(len + held_back).expect("what a guard has seen must be kept");
        assert!(saved_up as u64 <= self.batch, "{saved_up} elements are alive that no guard has seen");

        let stats = self.set.stats();
        assert_eq!((self.set.len(), stats.len), (len, len));
        assert!(stats.capacity >= len);
        assert_eq!(stats.live_guards, self.model.guards.len(), "live guards");
        assert_eq!(stats.pending.entries as usize, live - len, "elements that are alive and not in the set");
        assert_eq!(stats.retired - stats.freed, stats.pending.entries);
        assert_eq!(
            self.hooked.load(Ordering::Relaxed) + self.by_value,
            stats.freed,
            "given to the hook, or handed over"
        );
        assert_eq!(sorted(self.set.pin().iter().map(Twin::of)), sorted(self.twins.iter().copied()));
    }

    pub(crate) fn step(&mut self, step: &Step) {
        match step {
            Step::OneShot(op) => self.perform(None, op),
            Step::InSession(number, op) => self.perform(self.session(*number), op),
            Step::Open => self.sessions.push((self.model.take_guard(), self.set.pin())),
            Step::Close(number) => {
                let Some(session) = self.session(*number) else { return };
                let (opened, session) = self.sessions.swap_remove(session);
                lit(self.fuse(), || drop(session));
                self.model.drop_guard(opened);
            }
            Step::Refresh(number) => {
                let Some(session) = self.session(*number) else { return };
                let fuse = self.fuse();
                let (opened, session) = &mut self.sessions[session];
                lit(fuse, || session.refresh());
                self.model.drop_guard(*opened);
                *opened = self.model.take_guard();
            }
            Step::Keep(value) => {
                let taken = self.model.take_guard();
                let fuse = self.fuse();
                match lit(fuse, || self.set.get(value)).flatten() {
                    Some(found) => {
                        let twin = *self.twins.get(value).expect("what is found is there");
                        self.kept.push(Kept { taken, twin, reference: Reference::Found(found) });
                    }
                    None => {
                        assert!(fuse.is_some() || !self.twins.contains(value));
                        self.model.drop_guard(taken);
                    }
                }
            }
            Step::KeepTaken(value) => self.keep_taken(*value),
            Step::LetGo(number) => {
                let Some(index) = number.checked_rem(self.kept.len()) else { return };
                let kept = self.kept.swap_remove(index);
                kept.look();
                let taken = kept.taken;
                lit(self.fuse(), || drop(kept));
                self.model.drop_guard(taken);
            }
            Step::TakeByValue(number) => self.take_by_value(*number),
            Step::TakeOwned(value) => self.take_owned(*value),
            Step::Iterate(ops) => self.iterate(ops),
            Step::Reads(values) => self.reads(values),
            Step::WithAnother(values) => {
                let guard = self.model.take_guard();
                lit(self.fuse(), || self.with_another(values));
                self.model.drop_guard(guard);
            }
            Step::CloneCompareExtend(values) => self.clone_compare_extend(values),
            Step::Reserve(Some(additional)) => {
                let additional = usize::from(*additional);
                if lit(self.fuse(), || self.set.reserve(additional)).is_some() {
                    assert!(self.set.capacity() >= self.set.len() + additional);
                }
            }
            Step::Reserve(None) => assert!(self.set.try_reserve(usize::MAX).is_err()),
            Step::ShrinkToFit => {
                if lit(self.fuse(), || self.set.shrink_to_fit()).is_some() {
                    assert_eq!(self.set.stats().dirty_len, 0);
                }
            }
            Step::Reclaim(with_timeout) => {
                let may_wait = self.model.guards.is_empty();
                let reclaimed = lit(self.fuse(), || {
                    if *with_timeout { self.set.reclaim_timeout(Duration::MAX) } else { self.set.reclaim() }
                });
                let expected = if may_wait { Ok(()) } else { Err(ReclaimError::GuardHeld) };
                assert_eq!(reclaimed.unwrap_or(expected), expected);
            }
            Step::TryReclaim => {
                if let Some(pending) = lit(self.fuse(), || self.set.try_reclaim()) {
                    assert_eq!(pending.entries as usize, self.model.pending.len());
                }
            }
        }
    }

    fn keep_taken(&mut self, value: u8) {
        let before = self.twins.clone();
        let taken = self.model.take_guard();
        let expected = self.twins.take(&value);
        match lit(self.fuse(), || self.set.take(&value)) {
            Some(Some(element)) => {
                self.removed(1);
                let reference = Reference::Taken(self.model.clock, element);
                self.kept.push(Kept { taken, twin: expected.expect("it was there"), reference });
            }
            Some(None) => {
                assert!(expected.is_none());
                self.model.drop_guard(taken);
            }
            None => {
                self.half_done(before);
                self.model.drop_guard(taken);
            }
        }
        self.kept.iter().for_each(Kept::look);
    }

    fn take_by_value(&mut self, number: usize) {
        let Some(index) = number.checked_rem(self.kept.len()) else { return };
        if matches!(self.kept[index].reference, Reference::Found(_)) {
            return;
        }
        let Kept { taken, twin, reference } = self.kept.swap_remove(index);
        let Reference::Taken(when, element) = reference else { unreachable!("it was just seen") };
        let is_alone = self.model.guards.iter().filter(|guard| **guard < when).count() == 1;
        match lit(self.fuse(), || element.try_into_owned()) {
            Some(Err(element)) => {
                assert!(!is_alone, "nobody else looks");
                self.kept.push(Kept { taken, twin, reference: Reference::Taken(when, element) });
            }
            taken_out => {
                assert!(is_alone, "another guard was live at the removal");
                self.by_value += 1;
                if let Some(Ok(element)) = taken_out {
                    assert_eq!((*element, element.id()), (twin.value, twin.id));
                }
                self.model.drop_guard(taken);
            }
        }
    }

    fn take_owned(&mut self, value: u8) {
        let may_wait = self.model.guards.is_empty();
        match lit(self.fuse(), || self.set.take_owned(&value)) {
            Some(taken) if may_wait => {
                let expected = self.twins.take(&value);
                self.by_value += u64::from(expected.is_some());
                assert_eq!(taken.unwrap().map(|element| element.id()), expected.map(|twin| twin.id));
            }
            Some(refused) => assert_eq!(refused.unwrap_err(), ReclaimError::GuardHeld),
            // After a panic it is there, or has been dropped.
            None => {
                if !self.set.contains(&value) && self.twins.remove(&value) {
                    self.by_value += 1;
                }
            }
        }
    }

    /// C2: whatever comes and goes meanwhile, each element that is there throughout is met once, and none twice.
    fn iterate(&mut self, ops: &[Op]) {
        let guard = self.model.take_guard();
        let session = self.set.pin();
        let mut throughout: BTreeSet<u64> = self.twins.iter().map(|twin| twin.id).collect();
        let (mut met, mut ops) = (BTreeSet::new(), ops.iter());
        for element in &session {
            assert_eq!(self.twins.get(&**element).map(|twin| twin.id), Some(element.id()), "what is met is there");
            assert!(met.insert(element.id()), "{element:?} was met twice");
            if let Some(op) = ops.next() {
                self.perform(None, op);
                throughout.retain(|id| self.twins.iter().any(|twin| twin.id == *id));
            }
        }
        assert!(met.is_superset(&throughout), "met {met:?}, and {throughout:?} were there throughout");
        lit(self.fuse(), || drop(session));
        self.model.drop_guard(guard);
    }
}

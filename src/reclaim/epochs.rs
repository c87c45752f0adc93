//! The engine: who may still see what was unlinked?
//!
//! This is the whole of what the rest of the crate needs to know about grace periods:
//!
//! - [`enter`](Epochs::enter) and [`exit`](Epochs::exit) bracket a guard, and [`advance`](Epochs::advance) is both in one,
//! - [`stamp`](Epochs::stamp) marks the moment of an unlinking,
//! - [`horizon`](Epochs::horizon) tells whose stamps have passed: everything stamped below it is unreachable for all,
//! - [`hold_back`](Epochs::hold_back) makes guards that leave look whether something waits for them,
//! - [`ask_leavers`](Epochs::ask_leavers) makes any guard that ends look for work that is left over,
//!   [`answer`](Epochs::answer) ends that,
//! - [`holders`](Epochs::holders) names the guards that are live.
//!
//! Those of them that look at all records, `horizon` and `holders`, are in [`look`].
//!
//! # How it works
//!
//! One counter, *now*, moves on by one with each stamp. A guard announces in its thread's record the epoch at which it
//! was taken. Something stamped `s` can be in use only by guards of epoch `s` or older: a guard that read a larger number
//! from the counter has thereby acquired the unlinking. So the least announced epoch is the horizon. This is epoch-based
//! reclamation (Fraser 2004) with one epoch for each retirement instead of three in all: guards that come after a removal
//! never hold it back, however long they stay, and it is known exactly who does.
//!
//! # Orderings
//!
//! Two store-load races decide everything:
//!
//! - *enter against horizon*: the guard stores its epoch, and reads the map's pointers; the reclaimer unlinks, and reads the epochs.
//!   Either the reclaimer sees the guard's epoch, or the guard does not see what was unlinked: by [`fences`](super::fences), which tells who of
//!   the two pays for it.
//! - *exit against hold_back*: the guard announces that it rests, and reads `awaited`; the reclaimer raises `awaited`, and reads
//!   the epochs. Either the reclaimer sees the guard gone and frees, or the guard sees that it is awaited and frees; a
//!   [`barrier`] lets not both miss. Its dear side is the reclaimer's, who is there only if it has seen a guard live.

pub(crate) use look::Holder;

use super::directory::{Directory, Record, UNUSED, at_rest, is_at_rest};
use super::fences::{Fences, ReadFence};
use super::place::Place;
use super::slot::{self, Slot};
use super::{age, barrier};
use crate::sync::{AtomicU64, Ordering, const_unless_loom, fence};

/// A moment on the engine's counter, from 1 on.
pub(crate) type Epoch = u64;

/// Set in [`Epochs::awaited`] while something is left over that any guard can go on with: above all epochs, so every guard that
/// ends sees itself awaited.
const LEFT_OVER: Epoch = 1 << 63;

/// Set in [`Epochs::awaited`], above all epochs, unless it is known that there is a barrier for the whole process: who ends a guard has to execute a fence, and to
/// look once more.
const LOOK_TWICE: Epoch = 1 << 62;

/// The stamp, without the flags.
fn stamp_of(awaited: Epoch) -> Epoch {
    awaited & !(LEFT_OVER | LOOK_TWICE)
}

/// In this order, what each guard reads lies together, behind the pointer to its records.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Epochs<L> {
    records: Directory<L>,
    /// The current epoch. Starts at 1.
    now: AtomicU64,
    /// The highest stamp that ever had to wait for a guard, and [`LEFT_OVER`] and [`LOOK_TWICE`].
    awaited: AtomicU64,
    fences: Fences,
}

/// What [`Epochs::exit`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Another guard of the same thread and the same epoch goes on: nothing has changed for anyone.
    Shared,
    /// The thread's announced epoch has moved, and nobody waits for that.
    Moved,
    /// It has moved, and something may have waited for it.
    Awaited,
}

impl<L: Default> Epochs<L> {
    const_unless_loom! {
        pub(crate) fn new(read_fence: ReadFence) -> Epochs<L> {
            Epochs {
                now: AtomicU64::new(1),
                awaited: AtomicU64::new(LOOK_TWICE),
                fences: Fences::new(read_fence),
                records: Directory::new(),
            }
        }
    }

    /// Takes a guard for the calling thread: until the matching [`exit`](Self::exit), nothing that was reachable when
    /// this returned, or becomes reachable later, gets below the horizon.
    ///
    /// Returns the thread's record and the guard's epoch. Never waits.
    #[inline(always)]
    pub(crate) fn enter(&self, place: Place) -> (&Record<L>, Epoch) {
        let slot = slot::enter();
        let record = match self.records.get(slot) {
            Some(record) => record,
            None => self.first_record(),
        };
        self.enter_at(record, place)
    }

    /// The calling thread's record, if there was none yet.
    #[cold]
    fn first_record(&self) -> &Record<L> {
        self.records.record(slot::current().unwrap_or_else(slot::assign))
    }

    /// [`enter`](Self::enter) for a guard that belongs to no thread, but has leased `slot`. Whichever thread uses it does so after
    /// this has returned: what has been unlinked before a barrier that this thread has met, that thread does not see either.
    pub(crate) fn enter_leased(&self, slot: Slot, place: Place) -> (&Record<L>, Epoch) {
        self.enter_at(self.records.record(slot), place)
    }

    #[inline(always)]
    fn enter_at<'e>(&self, record: &'e Record<L>, place: Place) -> (&'e Record<L>, Epoch) {
        // ORDERING: Acquire pairs with the Release of `stamp`: who reads an epoch has seen the unlinkings before it.
        let now = self.now.load(Ordering::Acquire);
        if !is_at_rest(record.epoch.load(Ordering::Relaxed)) {
            Self::count(record, now, place);
            return (record, now);
        }
        record.since.store(0, Ordering::Relaxed);
        record.place.store(place);
        // ORDERING: Release, so that a horizon that reads this epoch and passes it over has acquired the thread's earlier
        // reads, too.
        record.epoch.store(now, Ordering::Release);
        // The guard's side of *enter against horizon*. It is asked after the announcement: who finds no fence wanted has announced itself before the barrier of
        // whoever wants one meanwhile.
        barrier::light_if_present();
        if record.fencing.wants_fence() {
            self.fence_guard(record);
        }
        (record, now)
    }

    /// Between a guard's announcement and its first look at the map.
    #[inline(always)]
    fn fence_guard(&self, record: &Record<L>) {
        if record.fencing.is_last_fence() {
            self.set_free(record);
        }
        fence(Ordering::SeqCst);
    }

    /// Lets the record's guards go without a fence from the next one on, and makes known that there is a barrier, if that is so. Before the fence of this one: whoever has executed a
    /// fence after that does not take the record to be fenced any more.
    #[cold]
    fn set_free(&self, record: &Record<L>) {
        self.fences.set_free(&record.fencing);
        // B3.
        if barrier::is_present() {
            self.awaited.fetch_and(!LOOK_TWICE, Ordering::Relaxed);
        }
    }

    /// Counts a guard beside others of the same thread. They already announce an epoch that is as old or older, so this
    /// needs no fence; the guard keeps its own epoch for the time when it is the oldest.
    #[cold]
    fn count(record: &Record<L>, epoch: Epoch, place: Place) {
        let more = record.more.load(Ordering::Relaxed);
        record.more.store(more + 1, Ordering::Relaxed);
        record.is_laden.set(true);
        // SAFETY: D2: only the owner thread touches `nested` and `places`, and no user code runs meanwhile.
        let (nested, places) = unsafe { (&mut *record.nested.get(), &mut *record.places.get()) };
        let announced = record.epoch.load(Ordering::Relaxed);
        if more == 0 {
            nested.begin();
            places.begin(announced, &record.place);
        }
        nested.add(epoch, announced);
        places.add(epoch, place);
    }

    /// Takes one more guard of `epoch`, beside one that the calling thread holds: it protects the same.
    pub(crate) fn enter_again(&self, record: &Record<L>, epoch: Epoch, place: Place) {
        slot::enter();
        Self::count(record, epoch, place);
    }

    /// [`exit`](Self::exit) of the [only](Self::is_only) guard of the calling thread.
    #[inline(always)]
    pub(crate) fn exit_only(&self, record: &Record<L>, epoch: Epoch) -> Exit {
        debug_assert!(self.is_only(record), "G5");
        debug_assert_eq!(record.epoch.load(Ordering::Relaxed), epoch, "G4: a guard ends once");
        self.announce(record, epoch, at_rest(epoch))
    }

    /// Ends a guard of `epoch`, taken at `place`, on the calling thread's `record`. Never waits. If it is the last one, the caller takes
    /// what the thread has unlinked before another begins: the record is not laden any more.
    #[inline(always)]
    pub(crate) fn exit(&self, record: &Record<L>, epoch: Epoch, place: Place) -> Exit {
        if self.is_only(record) {
            record.is_laden.set(false);
            // Who has unlinked something waits for others to see that. They do not have to wait for this thread.
            // ORDERING: Acquire pairs with the Release of `stamp`: what rests announces what it has seen (B2).
            return self.announce(record, epoch, at_rest(self.now.load(Ordering::Acquire)));
        }
        let more = record.more.load(Ordering::Relaxed);
        record.more.store(more - 1, Ordering::Relaxed);
        let Some(next) = Self::discount(record, epoch, place) else { return Exit::Shared };
        // The age of the next one is counted from when it is asked for.
        record.since.store(0, Ordering::Relaxed);
        self.announce(record, epoch, next)
    }

    /// Has nothing been stamped since the guard of `epoch` was taken? Then another one could see no less.
    #[inline(always)]
    pub(crate) fn is_current(&self, epoch: Epoch) -> bool {
        // ORDERING: Relaxed: a guard of an older epoch protects more, and a stamp that the caller knows of is seen.
        self.now.load(Ordering::Relaxed) == epoch
    }

    /// Makes the guard of `epoch`, the only one of the calling thread, one that is taken now. Never waits.
    ///
    /// Unlike [`enter`](Self::enter) this needs neither a fence nor a barrier: the thread announces an epoch all the time, an old one until it
    /// announces the new one, and whichever of the two a reclaimer sees is as old as all that the guard may still find.
    #[inline]
    pub(crate) fn advance(&self, record: &Record<L>, epoch: Epoch) -> (Epoch, Exit) {
        // ORDERING: Acquire pairs with the Release of `stamp`, as in `enter`: from here on the guard finds nothing that was
        // stamped below `now`.
        let now = self.now.load(Ordering::Acquire);
        (now, self.announce(record, epoch, now))
    }

    /// Announces `next` after the guard of `epoch`, and tells whether something may have waited for that.
    #[inline(always)]
    fn announce(&self, record: &Record<L>, epoch: Epoch, next: Epoch) -> Exit {
        // ORDERING: Release pairs with the Acquire of `look_again`: what is freed because this guard is gone is freed after
        // its last read. The barrier is the guard's side of *exit against hold_back*, whose dear side is the other one's to pay, however guards begin.
        record.epoch.store(next, Ordering::Release);
        barrier::light_if_present();
        // Mostly nothing is there. Where there is no barrier, `LOOK_TWICE` is.
        if self.awaited.load(Ordering::Relaxed) < epoch {
            return Exit::Moved;
        }
        if self.is_awaited_now(epoch) { Exit::Awaited } else { Exit::Moved }
    }

    /// For who has ended a guard of `epoch`, and has seen a mark or a later stamp in `awaited`.
    #[inline(never)]
    fn is_awaited_now(&self, epoch: Epoch) -> bool {
        if !barrier::is_present() {
            // Its side of *exit against hold_back*.
            fence(Ordering::SeqCst);
        }
        // ORDERING: Acquire pairs with the Release of `hold_back`: what waits is seen in its list.
        self.awaited.load(Ordering::Acquire) & !LOOK_TWICE >= epoch
    }

    /// Ends one of several guards of a thread. Returns the epoch to announce, if that changes: all reads of the oldest are
    /// over then, and those of the next one began after it had acquired the epoch it was given, so that nothing stamped
    /// below can be in its hands.
    #[cold]
    fn discount(record: &Record<L>, epoch: Epoch, place: Place) -> Option<Epoch> {
        // SAFETY: D2, as in `count`.
        let (nested, places) = unsafe { (&mut *record.nested.get(), &mut *record.places.get()) };
        places.remove(epoch, place, &record.place);
        nested.remove(epoch, record.epoch.load(Ordering::Relaxed))
    }

    /// Stamps what the caller has unlinked up to now. On x86 this is the fence between the unlinking and the looks at others' records
    /// ([`horizon_so_far`](Self::horizon_so_far)): a read-modify-write, after the unlinking.
    #[inline]
    pub(crate) fn stamp(&self) -> Epoch {
        // ORDERING: Release pairs with the Acquire of `enter_at`, `advance` and `exit`. An increment, so that later stamps continue the release
        // sequence of earlier ones.
        self.now.fetch_add(1, Ordering::AcqRel)
    }

    /// The last stamp that was given.
    pub(crate) fn last_stamp(&self) -> Epoch {
        // ORDERING: Acquire, as in `enter`: what was stamped before is seen unlinked.
        self.now.load(Ordering::Acquire) - 1
    }

    /// Announces that something stamped `stamp` waits. Whoever calls this must look at the [`horizon`](Self::horizon)
    /// once more afterwards: guards that leave from then on will see that they are awaited.
    pub(crate) fn hold_back(&self, stamp: Epoch) {
        let raise = |awaited: Epoch| Some(stamp_of(awaited).max(stamp) | (awaited - stamp_of(awaited)));
        // ORDERING: Release pairs with the Acquire of `is_awaited_now`; the barrier is our side of *exit against hold_back*.
        let _ = self.awaited.fetch_update(Ordering::Release, Ordering::Relaxed, raise);
        barrier::heavy();
    }

    /// Has guards that end look for something to do, until one of them [answers](Self::answer).
    pub(crate) fn ask_leavers(&self) {
        // ORDERING: Release pairs with the Acquire of `answer`: who answers finds what was left over before. No barrier: who
        // misses it leaves the work to others.
        self.awaited.fetch_or(LEFT_OVER, Ordering::Release);
    }

    /// Whoever calls this looks for what is left over afterwards, and asks anew if it leaves something over itself. So guards
    /// look only while there is something to find.
    #[inline]
    pub(crate) fn answer(&self) {
        if self.awaited.load(Ordering::Relaxed) & LEFT_OVER != 0 {
            // ORDERING: Acquire, see `ask_leavers`. If this is before the asking, that stands.
            self.awaited.fetch_and(!LEFT_OVER, Ordering::AcqRel);
        }
    }

    /// Has anything had to wait for the guards of `epoch`, while they were live? If so it waits for them still.
    pub(crate) fn is_awaited(&self, epoch: Epoch) -> bool {
        // ORDERING: Acquire, as in `exit`.
        stamp_of(self.awaited.load(Ordering::Acquire)) >= epoch
    }

    /// Notes the time at which the calling thread's guard was taken, if it is its first.
    pub(crate) fn note_time(&self, record: &Record<L>) {
        if self.is_only(record) {
            record.since.store(age::now(), Ordering::Relaxed);
        }
    }

    /// The calling thread's record, if it has one here.
    pub(crate) fn own_record(&self) -> Option<&Record<L>> {
        slot::current().and_then(|slot| self.records.get(slot))
    }

    /// Does the owner of `record` hold a guard?
    pub(crate) fn is_held(&self, record: &Record<L>) -> bool {
        !is_at_rest(record.epoch.load(Ordering::Relaxed))
    }

    /// The epoch of the oldest guard of the calling thread, whose record this is.
    pub(crate) fn announced(&self, own: &Record<L>) -> Option<Epoch> {
        Some(own.epoch.load(Ordering::Relaxed)).filter(|epoch| !is_at_rest(*epoch))
    }

    /// Is there no guard of the owner of `record` beside the one that it holds?
    #[inline(always)]
    pub(crate) fn is_only(&self, record: &Record<L>) -> bool {
        record.more.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &Record<L>> {
        self.records.iter().map(|(_, record)| record)
    }

    /// What was chosen.
    pub(crate) fn read_fence(&self) -> ReadFence {
        self.fences.chosen()
    }

    /// Does each thread that has used the map execute a fence when it takes a guard? Of a map that nobody has used: will they?
    pub(crate) fn is_read_fenced(&self) -> bool {
        let mut used = self.records().filter(|record| record.epoch.load(Ordering::Relaxed) != UNUSED).peekable();
        if used.peek().is_none() { !self.fences.may_be_free() } else { used.all(|record| record.fencing.wants_fence()) }
    }

    pub(crate) fn record_bytes(&self) -> usize {
        self.records.bytes()
    }
}

mod look;
#[cfg(all(test, not(any(loom, shuttle))))]
mod races;
#[cfg(all(test, not(loom)))]
mod tests;

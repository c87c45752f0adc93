//! Small numbers for threads, so that a thread finds its record in any map by indexing.
//!
//! Every live thread that has used some map owns one [`Slot`], the smallest that was free when it asked; when the thread
//! ends the slot returns to the pool. A map keeps one record for each slot (see [`directory`](super::directory)). So no
//! map is known to a thread and no thread to a map: dropping either leaves nothing behind in the other.
//!
//! A thread may use maps even in its last breath, from the destructor of a thread-local value that runs after ours. It
//! then gets a slot for as long as it holds a guard, and gives it back with its last one. A thread that ends with guards
//! leaked by `mem::forget` never gives its slot back, because those guards go on protecting what they see.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

use super::directory::STRIDE;

/// The place of a thread's record in every map: chunk `chunk` of the directory, `at` so many bytes from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) chunk: usize,
    pub(crate) at: usize,
}

/// Records in the first chunk; each later chunk has twice as many as the one before. Few in models, so that their
/// threads are in several chunks.
pub(crate) const FIRST_CHUNK: usize = if crate::sync::IN_MODEL { 1 } else { 4 };

/// Chunks of 4, 8, 16, ... records: enough for 33 million threads. One more, the last, is never there.
pub(crate) const CHUNKS: usize = if cfg!(loom) { 3 } else { 23 };

/// The records of all of them.
const SLOTS: usize = FIRST_CHUNK * ((1 << CHUNKS) - 1);

impl Slot {
    /// Of a thread that has none. Its chunk is the one that is never there, so that who looks for a record finds out in any case.
    pub(crate) const NONE: Slot = Slot { chunk: CHUNKS, at: 0 };

    fn of(id: u32) -> Slot {
        let chunk = (id as usize / FIRST_CHUNK + 1).ilog2() as usize;
        Slot::in_chunk(chunk, (id - Slot { chunk, at: 0 }.id()) as usize)
    }

    /// That of the record number `index` of a chunk.
    pub(crate) fn in_chunk(chunk: usize, index: usize) -> Slot {
        Slot { chunk, at: index * STRIDE }
    }

    /// The number from which the slot was made.
    pub(crate) fn id(self) -> u32 {
        (FIRST_CHUNK * ((1 << self.chunk) - 1) + self.at / STRIDE) as u32
    }
}

/// What a thread knows of itself. It has no destructor, so it can be used until the thread is gone.
struct Local {
    slot: Cell<Slot>,
    /// Guards that this thread has taken, on all maps together.
    taken: Cell<u64>,
    /// Guards that have ended. Once the thread's destructor has run, 0 less as many (modulo 2^64) as have to end before somebody looks again whether
    /// the slot can be given back: so a guard's end asks no more than whether this is 0 now.
    ///
    /// Two counts, because a processor waits for a number that it has just written, and calls that come one after the other wait for this one half
    /// as long. 64 bits: they must not overflow.
    ended: Cell<u64>,
}

impl Local {
    const fn new() -> Local {
        Local { slot: Cell::new(Slot::NONE), taken: Cell::new(0), ended: Cell::new(0) }
    }

    /// The thread's destructor has run. Gives the slot back, now or when as many guards have ended as are `held`.
    #[cold]
    fn give_back_after(&self, held: u64) {
        self.taken.set(0);
        self.ended.set(held.wrapping_neg());
        if held == 0 {
            give_back(self);
        }
    }
}

#[cfg(not(any(loom, shuttle)))]
mod local {
    use super::Local;

    thread_local! {
        pub(super) static LOCAL: Local = const { Local::new() };
        static ON_EXIT: OnExit = const { OnExit };
    }

    struct OnExit;

    impl Drop for OnExit {
        fn drop(&mut self) {
            LOCAL.with(|local| local.give_back_after(local.taken.get().wrapping_sub(local.ended.get())));
        }
    }

    /// Has the slot given back when this thread ends. False if it has ended already.
    pub(super) fn at_exit() -> bool {
        ON_EXIT.try_with(|_| ()).is_ok()
    }
}

/// In a model threads keep their slots: an execution has few, and the pool is not part of the model.
#[cfg(any(loom, shuttle))]
mod local {
    use super::Local;

    crate::sync::thread_local! {
        pub(super) static LOCAL: Local = Local::new();
    }

    pub(super) fn at_exit() -> bool {
        true
    }
}

use local::LOCAL;

/// Counts one more guard of this thread and tells the thread's slot, if it has one: else it is to be [assigned](assign).
#[inline(always)]
pub(crate) fn enter() -> Slot {
    LOCAL.with(|local| {
        local.taken.set(local.taken.get() + 1);
        local.slot.get()
    })
}

/// Counts one guard less. The last act of a guard, after everything that uses the thread's record.
#[inline(always)]
pub(crate) fn leave() {
    LOCAL.with(|local| {
        let ended = local.ended.get().wrapping_add(1);
        local.ended.set(ended);
        if ended == 0 {
            // Of those that were held then all have ended; what has been taken since may be held.
            local.give_back_after(local.taken.get());
        }
    });
}

/// A slot that belongs to no thread, until [`end_lease`].
pub(crate) fn lease() -> Slot {
    // A thread that is ending may have no name any more.
    let opener = local::at_exit().then(std::thread::current);
    pool().take(opener)
}

/// Gives a slot back whose guard has ended, on whichever thread.
pub(crate) fn end_lease(slot: Slot) {
    if cfg!(loom) {
        // As threads keep theirs: the next holder has to acquire what the last one wrote, and loom does not know this mutex.
        return;
    }
    // Dropped after the lock, as in `give_back`.
    let _opener = pool().release(slot);
}

/// The slot of this thread, if it has one.
pub(crate) fn current() -> Option<Slot> {
    LOCAL.with(|local| Some(local.slot.get()).filter(|slot| *slot != Slot::NONE))
}

/// What tells this thread from the others that are alive. Never 0.
pub(crate) fn thread_mark() -> usize {
    LOCAL.with(|local| std::ptr::from_ref(local).addr())
}

/// The name of the thread that owns `slot`, or has leased it.
pub(crate) fn thread_name(slot: Slot) -> Option<String> {
    let pool = pool();
    let thread = pool.owners.get(slot.id() as usize)?.as_ref()?;
    thread.name().map(str::to_owned)
}

/// Gives a slot to the calling thread, which has none and has [entered](enter) once. If this panics, that guard stays counted, and a slot that the thread gets later stays its own.
#[cold]
pub(crate) fn assign() -> Slot {
    // A thread that is ending may have no handle and no name any more.
    let thread = local::at_exit().then(std::thread::current);
    let is_ending = thread.is_none();
    let slot = pool().take(thread);
    LOCAL.with(|local| {
        local.slot.set(slot);
        if is_ending {
            local.give_back_after(1);
        }
    });
    slot
}

#[cold]
fn give_back(local: &Local) {
    let slot = local.slot.replace(Slot::NONE);
    if slot != Slot::NONE {
        // Dropped after the lock: it may be the last handle of its thread.
        let _owner = pool().release(slot);
    }
}

/// The slots of the whole process. Touched when a thread first uses a map and when it ends.
struct Pool {
    free: BinaryHeap<Reverse<u32>>,
    owners: Vec<Option<Thread>>,
}

// Not a primitive of the protocol, and never held across one: always the standard library's mutex.
#[cfg(not(any(loom, shuttle)))]
static POOL: Mutex<Pool> = Mutex::new(Pool::new());

#[cfg(any(loom, shuttle))]
crate::sync::lazy_static! {
    // A new one for each execution.
    static ref POOL: Mutex<Pool> = Mutex::new(Pool::new());
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    const fn new() -> Pool {
        Pool { free: BinaryHeap::new(), owners: Vec::new() }
    }

    fn take(&mut self, owner: Option<Thread>) -> Slot {
        let id = match self.free.pop() {
            Some(Reverse(id)) => id,
            None => {
                let id = self.owners.len();
                // D1. Before anything has changed.
                assert!(id < SLOTS, "more than 33 million threads and owned sessions use maps");
                self.owners.push(None);
                id as u32
            }
        };
        self.owners[id as usize] = owner;
        Slot::of(id)
    }

    fn release(&mut self, slot: Slot) -> Option<Thread> {
        self.free.push(Reverse(slot.id()));
        self.owners[slot.id() as usize].take()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    /// The slot of this thread, which has taken a guard.
    fn entered() -> Slot {
        let slot = enter();
        if slot == Slot::NONE { assign() } else { slot }
    }

    #[test]
    fn slots_number_the_records_without_gaps() {
        let (mut chunk, mut index) = (0, 0);
        for id in 0..if cfg!(miri) { 300 } else { 10_000 } {
            let slot = Slot::of(id);
            assert_eq!((slot, slot.id()), (Slot::in_chunk(chunk, index), id));
            index += 1;
            if index == FIRST_CHUNK << chunk {
                (chunk, index) = (chunk + 1, 0);
            }
        }
    }

    #[test]
    fn a_slot_is_reused_when_its_thread_has_ended_and_not_while_it_holds_a_guard() {
        let in_thread = |leak: bool| {
            std::thread::spawn(move || {
                let slot = entered();
                if !leak {
                    leave();
                }
                slot
            })
            .join()
            .unwrap()
        };
        // Other tests take slots at the same time, so look only at what must never be handed out again.
        let leaked = in_thread(true);
        for _ in 0..100 {
            assert_ne!(in_thread(false), leaked);
        }
    }

    /// As if a thread had leaked so many guards that 32 bits begin anew: its slot is not another's even so.
    #[test]
    fn more_leaked_guards_than_32_bits_can_count_keep_their_slot() {
        let leaking = || {
            let slot = entered();
            LOCAL.with(|local| local.taken.set(1 << 32));
            slot
        };
        let leaked = std::thread::spawn(leaking).join().unwrap();
        for _ in 0..100 {
            let other = || {
                let slot = entered();
                leave();
                slot
            };
            assert_ne!(std::thread::spawn(other).join().unwrap(), leaked);
        }
    }

    #[test]
    fn a_thread_that_is_ending_still_gets_a_slot_and_gives_it_back() {
        struct Late;
        impl Drop for Late {
            fn drop(&mut self) {
                let slot = entered();
                assert_ne!(slot, Slot::NONE);
                assert_eq!(entered(), slot, "another guard beside the first");
                leave();
                assert_eq!(current(), Some(slot), "the first is still held");
                leave();
                // At once, if this thread's own destructor has run.
                assert_eq!(current().is_some(), local::at_exit());
            }
        }
        thread_local!(static LATE: Late = const { Late });
        for _ in 0..100 {
            std::thread::spawn(|| {
                // Registered before ours, so destroyed after it on the platforms that run them in reverse; in either
                // order the thread must end without a panic.
                LATE.with(|_| ());
                entered();
                leave();
            })
            .join()
            .unwrap();
        }
        assert!(pool().owners.len() < 100, "slots of ended threads are used again");
    }
}

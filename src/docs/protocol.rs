//! How the map works: a short walk, in five pictures. [DESIGN.md] tells all of it, with the invariants by their numbers, and where each promise is tested.
//!
//! The colours mean the same everywhere: blue is what readers see, and their guards; amber is done with the mutex; grey and dashed is not to be seen yet;
//! red is unlinked and waits for guards; green is dropped.
//!
//! # What a reader sees
//!
//! A map is one atomic pointer. It names a state that never changes: the read table, which no key is ever added to, and young tables, which hold only keys
//! that the read table lacks. Whoever writes puts another state in its place. So a reader, who loads the pointer once, has tables that belong together, and
//! a key cannot slip through between them. Tables hold pointers to entries, and when a table is replaced by another one the entries stay where they are.
//!
#![doc = include_str!("../../docs/pictures/state.svg")]
//!
//! # How tables grow
//!
//! New keys go to the dirty table. If that were all, every reader would soon have to look into two tables; so when it is full, or when reads that had to look into
//! it have paid for that, it is sealed and made into the next read table, together with the present one. No call does that work alone: each that has the mutex anyway
//! copies what it finds in a few slots. Nobody searches a table that is half done, and nobody has to, for the old ones are there until the exchange.
//!
#![doc = include_str!("../../docs/pictures/promotion.svg")]
//!
//! # The life of an entry
//!
//! An entry has one word, which names its value and says whether it is alive. Overwriting and removing change that word, and nothing else, by one compare-and-swap:
//! from then on all readers agree. That the entry still stands in a table does not matter to anybody who looks, and taking it out there is a
//! matter of tidiness, for which the mutex is tried, not waited for. Its memory has to wait for those who had found it before.
//!
#![doc = include_str!("../../docs/pictures/entry.svg")]
//!
//! # Who holds back what
//!
//! One counter moves on with whatever is unlinked, which is stamped with the count. A guard announces the count at which it was taken. So it is known of each thing
//! exactly which guards can still see it: those of its stamp and older. Mostly there are none, and a removed pair is dropped before the
//! call returns ([R1](crate#the-contract-line-by-line)). If there are, the last of them drops it when it ends (R2). A reader that comes later, and
//! stays for an hour, holds back none of it; [`guards`](crate::HashMap::guards) tells what each does hold back.
//!
#![doc = include_str!("../../docs/pictures/epochs.svg")]
//!
//! # Two races
//!
//! All of this rests on two places at which two threads each store something and then load what the other has stored. Processors may do the load
//! first, on both sides, and then both miss. A fence between store and load forbids that. But guards are taken and ended all the time, and removals are rare: so it is the remover who pays, and
//! has the system execute a fence in every running thread of the process (Linux's `membarrier`). In the first of the two places mostly nobody has to: a thread that goes on reading takes another guard soon, and by the number
//! that this has read it tells that it knows of the removal. The remover looks for that for a moment before it makes the call, and a thread that it has met at rest executes a fence in its next guards instead. So does every thread where there is no such
//! call, or the processor is neither an x86 nor an aarch64: see [`ReadFence`](crate::ReadFence).
//!
#![doc = include_str!("../../docs/pictures/races.svg")]
//!
//! If the remover and the guard both see each other, both look, and one of them drops what was waiting: it lies in one heap, which one
//! thread at a time takes from.
//!
//! [DESIGN.md]: https://docs.rs/crate/tidymap/latest/source/DESIGN.md

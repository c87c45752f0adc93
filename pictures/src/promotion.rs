//! How the dirty table becomes a part of the next read table.

use crate::drawing::{Area, HEAD, Picture, SMALL, Tone};

/// When a call has the mutex. Not all at the same distance: calls come when they come.
const fn call(number: i32) -> i32 {
    144 + number * 24 + number * number % 5
}

const CALLS: i32 = 31;
/// The calls that find the spare table due, seal, have cleared the next table, and promote.
const DUE: i32 = 4;
const FULL: i32 = 9;
const CLEARED: i32 = 13;
const COPIED: i32 = 22;
const BEGIN: i32 = 132;
const SEAL: i32 = call(FULL);
const SWAP: i32 = call(COPIED);
const END: i32 = 876;

pub(crate) fn draw() -> Picture {
    let mut picture = Picture::new(
        "promotion",
        (900, 492),
        "The next read table is made 64 slots a call, and met by readers in one exchange",
        "Tables over time. A dirty table fills up, is sealed when it is full, and stays where readers find it. Calls that have the mutex copy \
         read table and sealed table to the next one, 64 slots each. One exchange of the state shows it; the tables it was made from are retired.",
    );
    let p = &mut picture;

    p.line(&[(SEAL, 80), (SEAL, 408)], Tone::Mutex);
    p.line(&[(SWAP, 80), (SWAP, 408)], Tone::Mutex);
    p.label(SEAL, 72, SMALL.middle().tone(Tone::Mutex), "it is full: `seal`, `open`");
    p.label(SWAP, 72, SMALL.middle().tone(Tone::Mutex), "all is copied: `promote`");

    p.lines(24, 94, SMALL, &["calls that have", "the mutex"]);
    p.line(&[(BEGIN, 99), (END, 99)], Tone::Quiet);
    for number in 0..CALLS {
        p.area(Area(call(number) - 4, 92, 8, 14), Tone::Mutex);
    }

    lane(p, 128, "table R", &["read table"]);
    bar(p, 128, BEGIN, SWAP, Tone::Seen, "read table: searched first, gets no new key");
    bar(p, 128, SWAP, 800, Tone::Garbage, "waits for guards");
    bar(p, 128, 800, END, Tone::Dropped, "freed");

    lane(p, 178, "table D", &["the dirty one"]);
    bar(p, 178, BEGIN, SEAL, Tone::Seen, "dirty: takes the new keys");
    bar(p, 178, SEAL, SWAP, Tone::Seen, "sealed: no new keys, searched as before");
    bar(p, 178, SWAP, 800, Tone::Garbage, "waits for guards");
    bar(p, 178, 800, END, Tone::Dropped, "freed");

    lane(p, 228, "table E", &["its successor"]);
    steps(p, 228, DUE, FULL);
    p.label(call(DUE) - 8, 249, SMALL.end(), "`spare`: cleared");
    bar(p, 228, SEAL, END, Tone::Seen, "dirty: takes the new keys");

    lane(p, 278, "table N", &["made of R and D"]);
    p.label(SEAL - 8, 299, SMALL.end().halo(), "`next`, a step a call");
    steps(p, 278, FULL, CLEARED);
    steps(p, 278, CLEARED, COPIED);
    p.label((SEAL + call(CLEARED)) / 2, 328, SMALL.middle(), "cleared");
    p.line(&[(call(CLEARED), 314), (call(CLEARED), 332)], Tone::Quiet);
    p.label((call(CLEARED) + SWAP) / 2, 328, SMALL.middle(), "pointers copied, of 64 slots");
    bar(p, 278, SWAP, END, Tone::Seen, "read table");

    p.line(&[(24, 346), (END, 346)], Tone::Quiet);
    lane(p, 362, "`State`", &["what readers see"]);
    bar(p, 362, BEGIN, SEAL, Tone::Seen, "`read` R, `young` D");
    bar(p, 362, SEAL, SWAP, Tone::Seen, "`read` R, `young` E, D");
    bar(p, 362, SWAP, END, Tone::Seen, "`read` N, `young` E");

    let notes = [
        "A live entry is in one of the tables that a reader sees, at every moment; the entries themselves are not touched.",
        "An entry that is unlinked meanwhile is unlinked in `next`, too, if it has been copied; if not, it is not met any more (T2).",
        "Large tables go back to the system in parts of 64 KiB. Where no writer comes, reads that miss go on with the copying.",
    ];
    p.lines(24, 436, SMALL.tone(Tone::Plain), &notes);
    picture
}

fn lane(p: &mut Picture, y: i32, name: &str, notes: &[&str]) {
    p.label(24, y + 14, HEAD, name);
    p.lines(24, y + 30, SMALL, notes);
}

/// What these calls do for a table that nobody sees yet, each its share.
fn steps(p: &mut Picture, y: i32, from: i32, to: i32) {
    for number in from..to {
        p.area(Area(call(number) + 1, y, call(number + 1) - call(number) - 2, 34), Tone::Making);
    }
}

/// What a table is from one moment to another.
fn bar(p: &mut Picture, y: i32, from: i32, to: i32, tone: Tone, text: &str) {
    p.boxed(Area(from, y, to - from, 34), tone, SMALL, &[text]);
}

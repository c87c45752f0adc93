//! The life of an entry.

use crate::drawing::{Area, HEAD, Picture, SMALL, Tone};

/// Flags of the word.
const DEAD: u32 = 1;
const VALUE_GONE: u32 = 2;
const KEY_GONE: u32 = 4;

struct Step {
    name: &'static str,
    by: &'static str,
    points_to: &'static str,
    flags: u32,
    /// Who finds it then.
    found: [&'static str; 2],
    who: [&'static str; 2],
}

const STEPS: [Step; 9] = [
    Step {
        name: "made",
        by: "`Entry::new`",
        points_to: "its own value",
        flags: 0,
        found: ["nobody", ""],
        who: ["the call that inserts", ""],
    },
    Step {
        name: "hidden",
        by: "`hide`",
        points_to: "its own value",
        flags: DEAD,
        found: ["nobody", ""],
        who: ["the same call, with the mutex", ""],
    },
    Step {
        name: "linked",
        by: "`Table::link`",
        points_to: "its own value",
        flags: DEAD,
        found: ["nobody: who meets it passes by", ""],
        who: ["the same: the pointer, then the tag", ""],
    },
    Step {
        name: "shown",
        by: "`show`",
        points_to: "its own value",
        flags: 0,
        found: ["all", ""],
        who: ["the same, by one store:", "the moment of the insert"],
    },
    Step {
        name: "overwritten",
        by: "`overwrite`",
        points_to: "a value in a box",
        flags: 0,
        found: ["all, with the new value", ""],
        who: ["any thread, by a compare-and-swap:", "the moment of the overwrite"],
    },
    Step {
        name: "dead",
        by: "`kill`",
        points_to: "a value in a box",
        flags: DEAD | VALUE_GONE,
        found: ["nobody who looks from now on;", "who has found it goes on reading"],
        who: ["any thread, by a compare-and-swap:", "the moment of the removal"],
    },
    Step {
        name: "unlinked",
        by: "`bury`",
        points_to: "a value in a box",
        flags: DEAD | VALUE_GONE,
        found: ["nobody; guards that met it", "before can still use it"],
        who: ["its killer, with the mutex; if that", "is taken, whoever has it"],
    },
    Step {
        name: "stamped",
        by: "`seal`",
        points_to: "a value in a box",
        flags: DEAD | VALUE_GONE,
        found: ["guards taken from now on", "cannot have met it"],
        who: ["the same, before it lets go of", "the mutex"],
    },
    Step {
        name: "dropped",
        by: "`Entry::reclaim`",
        points_to: "nothing",
        flags: DEAD | VALUE_GONE | KEY_GONE,
        found: ["nobody, in any way", ""],
        who: ["who unlinked it (R1) or the last", "guard (R2), outside guards and locks"],
    },
];

const TOP: i32 = 84;
const ROW: i32 = 44;

pub(crate) fn draw() -> Picture {
    let mut picture = Picture::new(
        "entry",
        (900, 556),
        "Removed, unlinked, dropped: three moments, and only one needs the mutex",
        "The nine steps in the life of an entry: made, hidden, linked, shown, overwritten, dead, unlinked, stamped, dropped. For each: the \
         entry's word with its flags, who finds the entry, and who does the step. From hidden to shown, and from unlinked to stamped, the mutex is held.",
    );
    let p = &mut picture;
    for (first, last) in [(1, 3), (6, 7)] {
        p.area(Area(16, TOP + first * ROW, 868, (last - first + 1) * ROW), Tone::Mutex);
    }
    for (x, head) in [(64, "step"), (222, "its word"), (404, "found by"), (640, "done by")] {
        p.label(x, TOP - 12, HEAD, head);
    }
    for (row, step) in (0..).zip(&STEPS) {
        let y = TOP + row * ROW;
        if row > 0 {
            p.arrow(&[(40, y - ROW / 2 + 9), (40, y + ROW / 2 - 9)], Tone::Plain);
        }
        p.badge(40, y + ROW / 2, row as u32 + 1);
        p.label(64, y + 19, HEAD, step.name);
        p.label(64, y + 35, SMALL, step.by);
        word(p, 222, y + 10, step);
        texts(p, 404, y, step.found);
        texts(p, 640, y, step.who);
    }
    let y = TOP + 9 * ROW + 24;
    p.area(Area(24, y - 12, 18, 14), Tone::Mutex);
    p.label(
        50,
        y,
        SMALL.tone(Tone::Plain),
        "with the mutex.  Flags of the word: D `DEAD`, V `VALUE_GONE`, K `KEY_GONE`.",
    );
    let note = [
        "The first value, if it is small, lies in the entry. Overwritten in step 5, it is garbage by itself, with a stamp of its own; its drop sets V.",
        "Whichever is dropped second, that value or the key with the last value, gives the entry's memory back (E4).",
    ];
    p.lines(24, y + 20, SMALL.tone(Tone::Plain), &note);
    picture
}

fn word(p: &mut Picture, x: i32, y: i32, step: &Step) {
    p.boxed(Area(x, y, 112, 24), Tone::Plain, SMALL, &[step.points_to]);
    for (place, (flag, letter)) in (0..).zip([(KEY_GONE, "K"), (VALUE_GONE, "V"), (DEAD, "D")]) {
        let at = Area(x + 112 + place * 18, y, 18, 24);
        if step.flags & flag != 0 {
            p.boxed(at, Tone::Garbage, SMALL, &[letter]);
        } else {
            p.area(at, Tone::Plain);
        }
    }
}

/// One line or two, in a row that begins at `y`.
fn texts(p: &mut Picture, x: i32, y: i32, texts: [&str; 2]) {
    if texts[1].is_empty() {
        p.label(x, y + 27, SMALL.tone(Tone::Plain), texts[0]);
    } else {
        p.lines(x, y + 18, SMALL.tone(Tone::Plain), &texts);
    }
}

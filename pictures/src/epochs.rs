//! Guards, stamps, and what holds back what.

use crate::drawing::{Area, HEAD, Picture, SMALL, Tone};

/// Where a moment lies.
const fn at(tenths: i32) -> i32 {
    136 + tenths * 74 / 10
}

const END: i32 = 100;

pub(crate) fn draw() -> Picture {
    let mut picture = Picture::new(
        "epochs",
        (900, 526),
        "A guard holds back what is stamped from its epoch on, and nothing from before",
        "A timeline. Thread B removes three keys, which are stamped 4, 5 and 6. The first is dropped when the call returns, because no guard is live. \
         The second waits for the guard of epoch 5, the third for those of epochs 5 and 6; each is dropped when the last of them ends. \
         A guard of epoch 7, taken later, holds nothing back.",
    );
    let p = &mut picture;

    for (stamp, name, y) in [(8, "stamp 4", 308), (26, "stamp 5", 350), (44, "stamp 6", 392)] {
        p.line(&[(at(stamp), 74), (at(stamp), y)], Tone::Quiet);
        p.label(at(stamp), 69, SMALL.middle(), name);
    }
    lane(p, 80, "`now`", "the counter");
    for (from, to, now) in [(0, 8, "4"), (8, 26, "5"), (26, 44, "6"), (44, END, "7")] {
        bar(p, 80, from, to, Tone::Plain, now);
    }

    lane(p, 124, "thread B", "calls: short guards");
    for (stamp, call) in [(8, "`remove(x)`"), (26, "`remove(y)`"), (44, "`remove(z)`")] {
        bar(p, 124, stamp - 6, stamp + 6, Tone::Seen, call);
    }
    lane(p, 168, "thread A", "a session");
    bar(p, 168, 16, 62, Tone::Seen, "guard of epoch 5");
    lane(p, 212, "thread C", "a session");
    bar(p, 212, 35, 80, Tone::Seen, "guard of epoch 6");
    lane(p, 256, "thread D", "a session");
    bar(p, 256, 52, END, Tone::Seen, "guard of epoch 7: neither y nor z waits for it");

    lane(p, 308, "x", "stamped 4");
    bar(p, 308, 8, 14, Tone::Garbage, "");
    dropped(p, 308, 14, "R1: no other guard was live, dropped at return");
    lane(p, 350, "y", "stamped 5");
    bar(p, 350, 26, 62, Tone::Garbage, "waits for A (epoch 5)");
    dropped(p, 350, 62, "R2: dropped as A's guard ends");
    lane(p, 392, "z", "stamped 6");
    bar(p, 392, 44, 80, Tone::Garbage, "waits for A (5) and C (6)");
    dropped(p, 392, 80, "R2: as C's ends");

    lane(p, 448, "horizon", "least live epoch");
    for (from, to, text) in [(2, 14, "4"), (16, 62, "5"), (62, 80, "6"), (80, END, "7")] {
        bar(p, 448, from, to, Tone::Quiet, text);
    }
    let note = "What is stamped below the horizon is dropped. Each stamp moves `now` on by one, so a guard taken after it is of a later epoch.";
    p.label(24, 506, SMALL.tone(Tone::Plain), note);
    picture
}

fn lane(p: &mut Picture, y: i32, name: &str, note: &str) {
    p.label(24, y + 13, HEAD, name);
    p.label(24, y + 28, SMALL, note);
}

fn bar(p: &mut Picture, y: i32, from: i32, to: i32, tone: Tone, text: &str) {
    let area = Area(at(from), y, at(to) - at(from), 28);
    if text.is_empty() { p.area(area, tone) } else { p.boxed(area, tone, SMALL.tone(Tone::Plain), &[text]) }
}

fn dropped(p: &mut Picture, y: i32, when: i32, text: &str) {
    p.dot(at(when), y + 14, Tone::Dropped);
    p.label(at(when) + 10, y + 18, SMALL.tone(Tone::Dropped).halo(), text);
}

//! What readers see of a map, in one load.

use crate::drawing::{Area, BODY, HEAD, Picture, SMALL, Tone};

pub(crate) fn draw() -> Picture {
    let mut picture = Picture::new(
        "state",
        (900, 488),
        "One load gives a reader all its tables, and the tables share the entries",
        "An atomic pointer names an immutable state. The state names a read table and young tables, the dirty one and a sealed one, whose \
         slots point to entries. The next table is in the making: it points to the same entries, and only the holder of the mutex knows it.",
    );
    let p = &mut picture;

    p.label(24, 72, HEAD.tone(Tone::Seen), "what readers see");
    p.label(655, 72, HEAD.middle(), "entries");
    p.label(876, 72, HEAD.end().tone(Tone::Mutex), "only with the mutex");

    p.boxed(Area(24, 108, 112, 46), Tone::Seen, BODY, &["`Core::state`", "atomic pointer"]);
    p.arrow(&[(136, 131), (176, 131)], Tone::Seen);
    p.badge(153, 131, 1);

    p.area(Area(176, 96, 138, 212), Tone::Seen);
    p.label(245, 118, HEAD.middle().tone(Tone::Seen), "`State`");
    p.label(245, 135, SMALL.middle(), "never changes");
    for (y, field) in [(150, "`read`"), (190, "`young[0]`"), (230, "`young[1]`")] {
        p.boxed(Area(186, y, 118, 28), Tone::Plain, BODY, &[field]);
    }
    p.boxed(Area(186, 270, 118, 28), Tone::Quiet, BODY, &["`young[2]` none"]);

    table(p, (366, 90), Tone::Seen, "read table", "gets no new key", 0b1011011);
    table(p, (366, 192), Tone::Seen, "dirty table", "takes the new keys", 0b0000011);
    table(p, (366, 294), Tone::Seen, "sealed table", "was dirty, is full", 0b0111111);
    p.swing((304, 164), (366, 124), Tone::Seen);
    p.badge(335, 144, 2);
    p.swing((304, 204), (366, 226), Tone::Seen);
    p.badge(335, 215, 4);
    p.swing((304, 244), (366, 328), Tone::Seen);

    let entries = [(84, "a"), (122, "b"), (160, "c"), (213, "d"), (296, "e"), (334, "f")];
    for (y, key) in entries {
        entry(p, (600, y), key);
    }
    for y in [97, 135, 173] {
        p.swing((546, 124), (600, y), Tone::Seen);
    }
    p.swing((546, 226), (600, 226), Tone::Seen);
    p.swing((546, 328), (600, 309), Tone::Seen);
    p.swing((546, 328), (600, 347), Tone::Seen);
    p.badge(572, 111, 3);

    table(p, (764, 150), Tone::Making, "next table", "in the making", 0b0000011);
    p.swing((764, 184), (710, 135), Tone::Making);
    p.swing((764, 184), (710, 173), Tone::Making);
    p.boxed(Area(764, 262, 112, 46), Tone::Mutex, BODY, &["`Shape::next`", "in the mutex"]);
    p.arrow(&[(820, 262), (820, 222)], Tone::Mutex);
    p.lines(876, 328, SMALL.end(), &["Copied so far: b, c.", "Nobody searches it."]);

    p.line(&[(24, 378), (876, 378)], Tone::Quiet);
    p.badge(34, 403, 1);
    p.lines(
        52,
        408,
        SMALL.tone(Tone::Plain),
        &["A `get` loads the pointer, once: its tables", "belong together, whoever writes meanwhile."],
    );
    p.badge(34, 445, 2);
    p.lines(52, 450, SMALL.tone(Tone::Plain), &["The bucket of its hash: seven tags, compared at once."]);
    p.badge(464, 403, 3);
    p.lines(
        482,
        408,
        SMALL.tone(Tone::Plain),
        &["A tag matches: is the key equal,", "and does the word say that it is alive?"],
    );
    p.badge(464, 445, 4);
    p.lines(
        482,
        450,
        SMALL.tone(Tone::Plain),
        &["Not found: the young tables, the youngest first.", "No lock anywhere on the way."],
    );
    picture
}

/// A table, by one of its buckets: the slots of `used` are linked.
fn table(p: &mut Picture, (x, y): (i32, i32), tone: Tone, name: &str, note: &str, used: u32) {
    let width = if tone == Tone::Making { 112 } else { 180 };
    p.area(Area(x, y, width, 68), tone);
    p.label(x + 10, y + 19, HEAD.tone(tone), name);
    p.label(x + 10, y + 35, SMALL, note);
    let cell = (width - 20) / 7;
    for slot in 0..7 {
        let at = Area(x + 10 + slot * cell, y + 44, cell - 2, 16);
        p.area(at, Tone::Plain);
        if used >> slot & 1 != 0 {
            p.dot(at.0 + at.2 / 2, at.1 + 8, tone);
        }
    }
}

fn entry(p: &mut Picture, (x, y): (i32, i32), key: &str) {
    p.area(Area(x, y, 110, 26), Tone::Plain);
    p.line(&[(x + 44, y), (x + 44, y + 26)], Tone::Plain);
    p.line(&[(x + 66, y), (x + 66, y + 26)], Tone::Plain);
    p.label(x + 22, y + 17, SMALL.middle(), "word");
    p.label(x + 55, y + 17, SMALL.middle().tone(Tone::Plain), &format!("`{key}`"));
    p.label(x + 88, y + 17, SMALL.middle(), "value");
}

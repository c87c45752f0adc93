//! The two store-load races, in both orders.

use crate::drawing::{Area, HEAD, Picture, SMALL, Style, Tone};

const ROW: i32 = 34;
const WIDTH: i32 = 192;
const NOTE: Style = SMALL.tone(Tone::Plain);

/// Who does a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Guard,
    Remover,
    /// All running threads, by the remover's word.
    All,
}

use Who::{All, Guard, Remover};

/// One order in which a race may go: which row, who, what; and what comes of it.
struct Order {
    name: &'static str,
    steps: &'static [(i32, Who, &'static str)],
    end: (Tone, [&'static str; 2]),
}

const ENTER: [Order; 2] = [
    Order {
        name: "the guard is faster",
        steps: &[
            (0, Guard, "store the epoch"),
            (1, Guard, FREE),
            (2, Guard, "read the map's pointers"),
            (2, Remover, "unlink"),
            (3, All, BARRIER),
            (4, Remover, "`horizon`: read epochs"),
        ],
        end: (Tone::Garbage, ["The remover sees the epoch:", "what it has unlinked has to wait."]),
    },
    Order {
        name: "the barrier is faster",
        steps: &[
            (0, Remover, "unlink"),
            (1, All, BARRIER),
            (2, Guard, "store the epoch"),
            (3, Guard, FREE),
            (4, Guard, "read the map's pointers"),
            (2, Remover, "`horizon`: read epochs"),
        ],
        end: (Tone::Dropped, ["The guard does not find what was unlinked:", "the remover may drop it."]),
    },
];

const EXIT: [Order; 2] = [
    Order {
        name: "the guard is faster",
        steps: &[
            (0, Guard, "announce rest"),
            (1, Guard, FREE),
            (2, Guard, "load `awaited`"),
            (2, Remover, "raise `awaited`"),
            (3, All, BARRIER),
            (4, Remover, "`horizon`, once more"),
        ],
        end: (Tone::Dropped, ["The remover sees the guard gone:", "it drops what was waiting."]),
    },
    Order {
        name: "the barrier is faster",
        steps: &[
            (0, Remover, "raise `awaited`"),
            (1, All, BARRIER),
            (2, Guard, "announce rest"),
            (3, Guard, FREE),
            (4, Guard, "load `awaited`"),
            (2, Remover, "`horizon`, once more"),
        ],
        end: (Tone::Dropped, ["The guard sees that it is awaited:", "it drops what was waiting."]),
    },
];

const FREE: &str = "`compiler_fence`: free";
const BARRIER: &str = "`membarrier`: a fence in every running thread";

pub(crate) fn draw() -> Picture {
    let mut picture = Picture::new(
        "races",
        (900, 774),
        "Each stores, then loads, with a barrier between: one sees what the other stored",
        "Two races, each in both orders. Enter against horizon: the guard stores its epoch and reads pointers; the remover unlinks, has all threads \
         execute a fence, and reads epochs. Exit against hold back: the guard announces that it rests and loads awaited; the remover raises awaited, has all threads \
         execute a fence, and takes the horizon once more.",
    );
    let p = &mut picture;
    p.label(24, 72, HEAD, "enter against horizon");
    p.label(24, 90, NOTE, "May what was unlinked be dropped at once? A guard that is being taken might find it. If need be, the remover makes its fence.");
    race(p, 102, &ENTER);
    p.label(24, 408, HEAD, "exit against hold back");
    let question =
        "The remover has seen a guard, and has put what it unlinked where it waits. Who drops it? The same again.";
    p.label(24, 426, NOTE, question);
    race(p, 438, &EXIT);
    let notes = [
        "Without the fences each load may be done before the store above it, and both sides miss. Acquire and Release do not forbid that.",
        "Where there is no `membarrier`, both sides have a fence of their own; in the first race so has a thread that was met at rest (`fences.rs`).",
    ];
    p.lines(24, 738, NOTE, &notes);
    picture
}

fn race(p: &mut Picture, y: i32, orders: &[Order; 2]) {
    let rows = orders.iter().flat_map(|order| order.steps).map(|step| step.0 + 1).max().unwrap_or(0);
    for (x, order) in [24, 462].into_iter().zip(orders) {
        p.area(Area(x, y, 414, 102 + rows * ROW), Tone::Quiet);
        p.label(x + 207, y + 20, HEAD.middle(), order.name);
        p.label(x + 10 + WIDTH / 2, y + 40, SMALL.middle().tone(Tone::Seen), "guard");
        p.label(x + 404 - WIDTH / 2, y + 40, SMALL.middle(), "remover");
        for (row, who, what) in order.steps {
            let (x, width, tone) = match who {
                Guard => (x + 10, WIDTH, Tone::Seen),
                Remover => (x + 404 - WIDTH, WIDTH, Tone::Plain),
                All => (x + 10, 394, Tone::Plain),
            };
            let tone = match *what {
                BARRIER => Tone::Fence,
                FREE => Tone::Making,
                _ => tone,
            };
            p.boxed(Area(x, y + 48 + row * ROW, width, 26), tone, NOTE, &[what]);
        }
        let (tone, texts) = order.end;
        p.boxed(Area(x + 10, y + 50 + rows * ROW, 394, 42), tone, NOTE, &texts);
    }
}

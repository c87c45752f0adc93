//! What colours say, and which they are.

pub(crate) const PAPER: &str = "#fcfcfa";
pub(crate) const INK: &str = "#20252b";

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    Plain,
    /// Less than the rest.
    Quiet,
    /// Readers and their guards, and what they see.
    Seen,
    /// Done under the mutex.
    Mutex,
    /// Not to be seen by anybody yet.
    Making,
    /// Unlinked, waiting for guards.
    Garbage,
    /// Dropped.
    Dropped,
    /// A fence: nothing passes.
    Fence,
}

impl Tone {
    pub(crate) fn fill(self) -> &'static str {
        match self {
            Tone::Plain => "#ffffff",
            Tone::Quiet => "#f3f3f0",
            Tone::Seen => "#e2edfa",
            Tone::Mutex => "#fdeccd",
            Tone::Making => "#f6f6f3",
            Tone::Garbage => "#fbe2de",
            Tone::Dropped => "#dff1e2",
            Tone::Fence => "#3d4651",
        }
    }

    pub(crate) fn stroke(self) -> &'static str {
        match self {
            Tone::Plain => "#5b636c",
            Tone::Quiet => "#b9bcbb",
            Tone::Seen => "#2f6bb0",
            Tone::Mutex => "#b06f06",
            Tone::Making => "#80868c",
            Tone::Garbage => "#b3402f",
            Tone::Dropped => "#2f8244",
            Tone::Fence => "#3d4651",
        }
    }

    pub(crate) fn ink(self) -> &'static str {
        match self {
            Tone::Plain => INK,
            Tone::Quiet | Tone::Making => "#555d66",
            Tone::Seen => "#1f5391",
            Tone::Mutex => "#8a5500",
            Tone::Garbage => "#9c3324",
            Tone::Dropped => "#226b35",
            Tone::Fence => PAPER,
        }
    }

    pub(crate) fn dashes(self) -> &'static str {
        if self == Tone::Making { " stroke-dasharray=\"5 4\"" } else { "" }
    }
}

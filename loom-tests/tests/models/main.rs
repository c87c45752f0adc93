//! The models, each by itself: `loom-tests/run writers::insert_against_insert`. One program, so that they run beside each other.
#![cfg(loom)]

mod barrier;
mod batched;
mod chunks;
mod free;
mod iteration;
mod last_one_out;
mod loom_itself;
mod many;
mod misses;
mod multi;
mod nested;
mod owned;
mod parts;
mod promotion;
mod readers;
mod reports;
mod single_flight;
mod stripes;
mod two_keys;
mod waiting;
mod writers;

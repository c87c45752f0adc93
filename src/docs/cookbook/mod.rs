//! Programs that people write with such a map, each small and whole. All of this is compiled and run by the tests.

pub mod cache;
pub mod context;
pub mod counters;
pub mod handlers;
pub mod registry;
pub mod reload;
pub mod tenants;
pub mod weak;

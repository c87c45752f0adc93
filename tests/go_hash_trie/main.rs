//! The tests of Go's `internal/sync/hashtriemap_test.go` (Go 1.24), under their own names.
//!
//! As there, the whole suite runs three times: with a good hash, with one that is the same for all keys, and with one of
//! which only the low 4 bits differ.

#[path = "../common/mod.rs"]
mod common;
mod compare_and_delete;
mod frames;
mod load;
mod load_and_delete;
mod swap;
mod trie;

use common::{ConstantHash, GoodHash, LowBitsHash};
use compare_and_delete::*;
use load::*;
use load_and_delete::*;
use swap::*;

/// Makes tests of the functions above, with each of the three hashers.
macro_rules! suite {
    ($($test:ident)*) => {
        suite!(@with good_hash, GoodHash, $($test)*);
        suite!(@with constant_hash, ConstantHash, $($test)*);
        suite!(@with low_bits_hash, LowBitsHash, $($test)*);
    };
    (@with $module:ident, $hash:ty, $($test:ident)*) => {
        mod $module {
            use super::*;

            $(
                #[test]
                fn $test() {
                    super::$test::<$hash>();
                }
            )*
        }
    };
}

suite! {
    load_empty
    load_or_store
    all
    clear_simple
    clear_concurrent
    compare_and_delete_all
    compare_and_delete_one
    compare_and_delete_multiple
    compare_and_delete_iterate
    compare_and_delete_concurrent_unshared_keys
    compare_and_delete_concurrent_shared_keys
    compare_and_swap_all
    compare_and_swap_one
    compare_and_swap_multiple
    compare_and_swap_concurrent_unshared_keys
    compare_and_swap_concurrent_unshared_keys_with_delete
    compare_and_swap_concurrent_shared_keys
    swap_all
    swap_one
    swap_multiple
    swap_concurrent_unshared_keys
    swap_concurrent_unshared_keys_with_delete
    swap_concurrent_shared_keys
    load_and_delete_all
    load_and_delete_one
    load_and_delete_multiple
    load_and_delete_iterate
    load_and_delete_concurrent_unshared_keys
    load_and_delete_concurrent_shared_keys
}

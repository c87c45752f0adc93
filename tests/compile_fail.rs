//! What the compiler must refuse: programs that would use what may have been dropped, or drop it on a thread where it does
//! not belong.

use std::env;

#[test]
fn the_compiler_refuses() {
    // trybuild builds anew all that the programs' package depends on, and its tests: so it is a package of its own, with four
    // crates instead of two hundred.
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compile_fail");
    env::set_current_dir(package).unwrap();
    // SAFETY: there is no other test here, and the thread that waits for this one does not look at the environment.
    unsafe { env::set_var("CARGO_MANIFEST_DIR", package) };
    trybuild::TestCases::new().compile_fail("*.rs");
}

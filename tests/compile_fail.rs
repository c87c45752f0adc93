//! What the compiler must refuse: programs that would use what may have been dropped, or drop it on a thread where it does
//! not belong.

#[test]
fn the_compiler_refuses() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}

//! Nothing. What is beside `src` is built by `tests/compile_fail.rs`.

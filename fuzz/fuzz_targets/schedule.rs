//! A program of two or three threads, and who goes on at each access to shared memory: linearizability, and what is alive.
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo +nightly fuzz run schedule --target-dir target/shuttle-fuzz -- -max_total_time=60 -max_len=256
//! ```
#![cfg_attr(shuttle, no_main)]

#[cfg(shuttle)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    use arbitrary::{Arbitrary, Unstructured};
    use shuttle::Runner;
    use shuttle_tests::{Program, Told, config, execute};

    let mut bytes = Unstructured::new(bytes);
    // Where bytes are missing there are zeros, so there is always a program.
    if let Ok(program) = Program::arbitrary(&mut bytes) {
        let schedule = Told::new(bytes.take_rest().to_vec());
        Runner::new(schedule, config()).run(move || _ = execute(&program));
    }
});

#[cfg(not(shuttle))]
fn main() {
    panic!("to be built with RUSTFLAGS=\"--cfg shuttle\"");
}

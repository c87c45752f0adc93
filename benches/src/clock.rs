//! Clocks, and the state of the allocator.

/// What this thread has used of a processor, in nanoseconds: what others do on it in the meantime does not count.
#[cfg(target_os = "linux")]
pub fn thread_time() -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to `time`, which is ours.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    (failed == 0).then_some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

#[cfg(not(target_os = "linux"))]
pub fn thread_time() -> Option<u64> {
    None
}

/// Has the allocator tidy up, and give back what is free, before the next one is measured.
///
/// With glibc, whoever asks for a large block pays for all small ones that were freed before, which may take tens of
/// milliseconds.
pub fn settle_the_allocator() {
    for bytes in [64 << 10, 1 << 20, 64 << 10, 1 << 20] {
        std::hint::black_box(vec![1_u8; bytes]);
    }
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: gives free memory back, and touches no other.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// From now on each large block comes from the system and goes back to it at once. glibc begins so, too, and keeps more and more
/// for itself as large blocks are freed.
pub fn large_blocks_are_the_systems() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets a number.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 << 10);
    }
}

//! How often what goes by chance is repeated.

/// So many rounds; a fifth of them with `TESTS=short`, for where each takes long, as under a sanitizer.
pub(crate) fn rounds(all: u64) -> u64 {
    if std::env::var_os("TESTS").is_some_and(|tests| tests == "short") { all.div_ceil(5) } else { all }
}

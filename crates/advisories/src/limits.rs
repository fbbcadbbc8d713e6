//! How much of a database is read before it is called broken.

/// Limits on reading a database.
///
/// They protect against a directory that is not what it claims to be, and leave more than an order of magnitude
/// to the RustSec database of August 2026: 908 crates, at most 42 advisories each, 10 KiB the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of one advisory file in bytes; a longer one is a [`Problem`](crate::Problem).
    pub advisory_bytes: u64,
    /// Directory entries per collection; more are an [`OpenError`](crate::OpenError).
    pub crates: usize,
    /// Directory entries per crate; more are a [`Problem`](crate::Problem) of that crate.
    pub advisories_per_crate: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { advisory_bytes: 1 << 20, crates: 100_000, advisories_per_crate: 2_000 }
    }
}

//! Small helpers.

/// Adds two numbers.
pub fn sum(left: u64, right: u64) -> u64 {
    left + right
}

//! Ledgers as comma-separated values.

/// The fields of one line.
pub fn fields(line: &str) -> Vec<&str> {
    line.split(',').map(str::trim).collect()
}

//! Amounts and accounts.

/// Something that can be put into a row of a ledger.
pub trait Entry {
    fn account(&self) -> &str;
    fn cents(&self) -> i64;
}

/// Whether the entries of a booking add up to nothing.
pub fn balanced<'a>(entries: impl IntoIterator<Item = &'a dyn Entry>) -> bool {
    entries.into_iter().map(Entry::cents).sum::<i64>() == 0
}

/// Writes cents with a point.
pub fn display(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

//! Double-entry bookkeeping.

pub use ledgerly_core::{balanced, display, Entry};
pub use ledgerly_derive::Entry;
pub use ledgerly_macros::{assert_balanced, booking};

/// An account and its balance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub cents: i64,
}

/// Books entries into accounts, which are made as needed.
pub fn book(accounts: &mut Vec<Account>, entries: &[&dyn Entry]) -> bool {
    if !balanced(entries.iter().copied()) {
        return false;
    }
    for entry in entries {
        match accounts.iter_mut().find(|it| it.name == entry.account()) {
            Some(account) => account.cents += entry.cents(),
            None => accounts.push(Account { name: entry.account().to_owned(), cents: entry.cents() }),
        }
    }
    true
}

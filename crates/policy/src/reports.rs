//! What people report about a version, in numbers that a condition may name.
//!
//! An address costs nothing, so reports without an account are only counted beside one with an account: alone they are no ground for anything, whatever a
//! condition says. Advertising and anything else are no variables at all. How somebody comes to be trusted is for whoever runs a registry.

/// Distinct people who reported a version for one reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reporters {
    /// Accounts whose earlier reports were right.
    pub trusted: u64,
    /// Other accounts.
    pub known: u64,
    /// Addresses without an account.
    pub anonymous: u64,
}

impl Reporters {
    /// How many without an account count.
    pub(crate) fn counted_anonymous(self) -> u64 {
        if self.trusted + self.known > 0 { self.anonymous } else { 0 }
    }
}

/// Who reports a version, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reports {
    /// That it does harm to whoever builds or runs it.
    pub malware: Reporters,
    /// That its name is meant to be taken for another.
    pub impersonation: Reporters,
}

//! States and kinds as enums that are words in the database and in JSON, and the numbers of rows as types.
//!
//! A word that this program does not know is an error of the row that has it, never a default: a state that
//! is misread is a version that is served.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{StoreError, StoreErrorKind};

/// An enum whose variants are words.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The word in the database and in documents.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// The one with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|it| it.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::words::Word for $name {
            fn of(word: &str) -> Option<$name> {
                $name::from_word(word)
            }
        }
    };
}
pub(crate) use words;

/// What can be read from a word in the database.
pub(crate) trait Word: Sized {
    /// The one with this word.
    fn of(word: &str) -> Option<Self>;
}

impl Word for cratekeeper_model::Verdict {
    fn of(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

impl Word for cratekeeper_model::Level {
    fn of(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

impl Word for cratekeeper_model::PublishMethod {
    fn of(word: &str) -> Option<Self> {
        [Self::Token, Self::TrustedPublishing].into_iter().find(|it| method_word(*it) == word)
    }
}

impl Word for cratekeeper_model::Checksum {
    fn of(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

impl Word for semver::Version {
    fn of(word: &str) -> Option<Self> {
        semver::Version::parse(word).ok()
    }
}

/// The word of a method of publishing.
pub(crate) fn method_word(method: cratekeeper_model::PublishMethod) -> &'static str {
    match method {
        cratekeeper_model::PublishMethod::Token => "token",
        cratekeeper_model::PublishMethod::TrustedPublishing => "trusted-publishing",
    }
}

/// Reads a word out of a row.
pub(crate) fn read_word<W: Word>(
    word: &str,
    column: &'static str,
    row: impl fmt::Display,
) -> Result<W, StoreError> {
    W::of(word).ok_or_else(|| {
        let reason = format!("`{}` in {column}", word.chars().take(80).collect::<String>());
        StoreError::new("read", row, StoreErrorKind::Damaged(reason))
    })
}

/// Reads a word that may be missing.
pub(crate) fn read_optional<W: Word>(
    word: Option<&str>,
    column: &'static str,
    row: impl fmt::Display,
) -> Result<Option<W>, StoreError> {
    word.map(|word| read_word(word, column, row)).transpose()
}

/// Reads JSON out of a row.
pub(crate) fn read_json<T: for<'de> Deserialize<'de>>(
    text: &str,
    column: &'static str,
    row: impl fmt::Display,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        StoreError::new(
            "read",
            row,
            StoreErrorKind::Damaged(format!("JSON that cannot be read in {column}: {error}")),
        )
    })
}

/// Writes JSON for a row.
pub(crate) fn write_json<T: Serialize>(value: &T, column: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| {
        StoreError::new("write", column, StoreErrorKind::Invalid(format!("it is not JSON: {error}")))
    })
}

/// Text as both databases keep it: PostgreSQL refuses the character NUL.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// Text that may be missing, cleaned.
pub(crate) fn clean_optional(text: Option<&str>) -> Option<String> {
    text.map(clean)
}

/// A login as it is compared: two that differ in case alone are the same.
pub(crate) fn fold(login: &str) -> String {
    clean(login).to_lowercase()
}

/// A crate's name as it is compared: lower case, `-` as `_`.
#[must_use]
pub fn canonical_name(name: &str) -> String {
    clean(name).to_lowercase().replace('-', "_")
}

/// The number of a row, as a type.
macro_rules! numbers {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub i64);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

numbers! {
    /// Number of a registry.
    RegistryId,
    /// Number of a crate of a registry.
    CrateId,
    /// Number of a version of a crate of a registry.
    VersionId,
    /// Number of a user.
    UserId,
    /// Number of a token.
    TokenId,
    /// Number of an invitation to own a crate.
    InvitationId,
    /// Number of a person's decision.
    DecisionId,
    /// Number of a job.
    JobId,
    /// Number of a webhook.
    WebhookId,
    /// Number of a delivery to a webhook.
    DeliveryId,
    /// Number of a session.
    SessionId,
    /// Number of an identity that is linked to an account.
    IdentityId,
    /// Number of a case.
    CaseId,
    /// Number of an act that waits for a second person.
    RequestId,
    /// Number of a lock of a crate.
    LockId,
    /// Number of a waiver.
    WaiverId,
    /// Number of a report.
    ReportId,
    /// Number of what stands in the place of a version that was taken down.
    TombstoneId,
    /// Number of a freeze of an account.
    FreezeId,
    /// Number of a mail.
    MailId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_kind_of_dash() {
        assert_eq!(canonical_name("Serde-JSON"), canonical_name("serde_json"));
        assert_ne!(canonical_name("serde-json"), canonical_name("serdejson"));
    }
}

//! What is kept of a version.

use cratekeeper_model::facts::Fingerprint;
use cratekeeper_model::{Checksum, Facts, repository_key};
use serde::{Deserialize, Serialize};

/// Functions of a version that are remembered. What has more is mostly generated.
const FUNCTIONS: usize = 20_000;

/// A version in an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Name of the crate.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the archive: an index holds each archive once.
    pub checksum: Checksum,
    /// `package.repository`, as written.
    pub repository: Option<String>,
    /// `package.authors`, as written.
    pub authors: Vec<String>,
    /// Who may publish, as the registry says; `None` when that is not known.
    pub owners: Option<Vec<String>>,
    /// When the *crate* was first published, in seconds since 1970; `None` when that is not known.
    pub first_published: Option<i64>,
    /// Sketches; the functions sorted and without those that have no hash.
    pub fingerprint: Fingerprint,
}

impl Entry {
    /// What is kept of a version with these facts. Owners and the time of publication are for whoever knows them to add.
    #[must_use]
    pub fn new(name: &str, version: &str, checksum: Checksum, facts: &Facts) -> Entry {
        let mut fingerprint = facts.files.fingerprint.clone();
        fingerprint.functions.retain(|hash| *hash != 0);
        fingerprint.functions.sort_unstable();
        fingerprint.functions.dedup();
        fingerprint.functions.truncate(FUNCTIONS);
        Entry {
            name: name.to_owned(),
            version: version.to_owned(),
            checksum,
            repository: facts.manifest.repository.clone(),
            authors: facts.manifest.authors.clone(),
            owners: None,
            first_published: None,
            fingerprint,
        }
    }

    /// Whether the repositories of both are the same one; false when either names none.
    pub(crate) fn has_repository_of(&self, other: &Entry) -> bool {
        match (&self.repository, &other.repository) {
            (Some(own), Some(theirs)) => repository_key(own) == repository_key(theirs),
            _ => false,
        }
    }

    /// Whether an author is named by both; `None` when either names none.
    pub(crate) fn has_author_of(&self, other: &Entry) -> Option<bool> {
        in_common(&self.authors, &other.authors)
    }

    /// Whether an owner is the same; `None` when that is not known.
    pub(crate) fn has_owner_of(&self, other: &Entry) -> Option<bool> {
        in_common(self.owners.as_ref()?, other.owners.as_ref()?)
    }
}

fn in_common(own: &[String], theirs: &[String]) -> Option<bool> {
    let known = !own.is_empty() && !theirs.is_empty();
    known.then(|| {
        own.iter().any(|one| theirs.iter().any(|other| one.trim().eq_ignore_ascii_case(other.trim())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_in_common() {
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(in_common(&list(&["A"]), &list(&["b", "a "])), Some(true));
        assert_eq!(in_common(&list(&["a"]), &list(&["b"])), Some(false));
        assert_eq!(in_common(&list(&[]), &list(&["b"])), None);
    }
}

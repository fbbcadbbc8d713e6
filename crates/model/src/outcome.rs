//! Outcomes: what a check or an inspection says, before anyone renders it.

use serde::{Deserialize, Serialize};

use crate::{Case, Facts, Known, Package, PackageStatus, PolicyAnswer, Severity, UnresolvedDependency};

/// What was found out about one package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which package.
    pub package: Package,
    /// How far it was looked at.
    pub status: PackageStatus,
    /// Why the status is `partial` or `could_not_check`, as a sentence fragment.
    pub reason: Option<String>,
    /// Findings and score; empty for local packages.
    pub case: Case,
    /// Line of the package in its lockfile, counted from 1; `None` outside lockfiles.
    pub lockfile_line: Option<u32>,
    /// What policy makes of it; `None` where no policy was asked, as for local packages.
    pub policy: Option<PolicyAnswer>,
}

/// The advisory database that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvisoryDatabase {
    /// Where it is.
    pub path: String,
    /// Commit, if it is a git clone.
    pub revision: Option<String>,
    /// Seconds since it was last brought up to date; `None` when that is not known.
    pub age: Option<u64>,
}

/// What a check of a whole dependency tree says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// Path of the lockfile, as the user named or cargo found it.
    pub lockfile: String,
    /// One for each package, in the lockfile's order.
    pub packages: Vec<Outcome>,
    /// The advisory database, or why there is none.
    pub advisories: Known<AdvisoryDatabase>,
    /// Things that concern the run as a whole and made it less than complete, one sentence each.
    pub notes: Vec<String>,
    /// Dependencies that the workspace's manifests name and the lockfile lacks, by manifest and line: nothing was checked
    /// for them. Or why manifests were not compared with the lockfile.
    pub unresolved: Known<Vec<UnresolvedDependency>>,
    /// Why some manifests were not compared with the lockfile, one sentence each; also among the notes. What those name was
    /// not checked.
    pub unread_manifests: Vec<String>,
}

/// What an inspection of one package says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InspectOutcome {
    /// The package and its case.
    pub outcome: Outcome,
    /// All facts, if they were asked for and there are any.
    pub facts: Option<Facts>,
    /// The advisory database, or why there is none.
    pub advisories: Known<AdvisoryDatabase>,
    /// Things that made the inspection less than complete, one sentence each.
    pub notes: Vec<String>,
}

impl CheckOutcome {
    /// Number of packages with this status.
    #[must_use]
    pub fn count(&self, status: PackageStatus) -> usize {
        self.packages.iter().filter(|outcome| outcome.status == status).count()
    }

    /// Number of findings of this severity over all packages.
    #[must_use]
    pub fn findings(&self, severity: Severity) -> usize {
        let findings = self.packages.iter().flat_map(|outcome| &outcome.case.findings);
        findings.filter(|finding| finding.severity == severity).count()
    }

    /// Dependencies that manifests name and the lockfile lacks; none when that is not known.
    #[must_use]
    pub fn unresolved_dependencies(&self) -> &[UnresolvedDependency] {
        self.unresolved.value().map_or(&[], Vec::as_slice)
    }
}

//! Advisories, as rules see them: already matched against one version.

use serde::{Deserialize, Serialize};

use crate::Severity;

/// What kind of statement an advisory makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvisoryClass {
    /// The version can be exploited.
    Vulnerability,
    /// The version was published to do harm.
    Malicious,
    /// Safe code can reach undefined behaviour (`informational = "unsound"`).
    Unsound,
    /// Nobody looks after the crate (`informational = "unmaintained"`).
    Unmaintained,
    /// Anything else worth knowing (`informational = "notice"`, or a kind newer than this program).
    Notice,
}

/// A function that an advisory names as the vulnerable one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AffectedFunction {
    /// Path as the advisory writes it, for example `smallvec::SmallVec::insert_many`.
    pub path: String,
    /// Versions in which the path is affected, as semver requirements; any of them.
    pub versions: Vec<String>,
}

/// One advisory that affects one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// For example `RUSTSEC-2021-0003`.
    pub id: String,
    /// CVE and GHSA ids.
    pub aliases: Vec<String>,
    /// Day of publication, `YYYY-MM-DD`.
    pub date: String,
    /// One line.
    pub title: String,
    /// What kind of statement it is.
    pub class: AdvisoryClass,
    /// From the CVSS vector; `None` when the advisory carries none.
    pub severity: Option<Severity>,
    /// CVSS vector as text.
    pub cvss: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
    /// Requirements that patched versions meet; empty when there is no fix.
    pub patched: Vec<String>,
    /// Affected functions, if named.
    pub functions: Vec<AffectedFunction>,
    /// Operating systems that alone are affected; empty for all.
    pub os: Vec<String>,
    /// Processor architectures that alone are affected; empty for all.
    pub arch: Vec<String>,
}

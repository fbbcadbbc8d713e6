//! JSON documents, a contract: `docs/json.md` explains every field, `docs/schema/` holds the schemas.
//!
//! The shapes are written here by hand and do not follow from the model's own serialisation, which is
//! for storage: renaming something there must not rename it in documents. A field keeps its meaning for
//! good; a new meaning is a new field.
//!
//! Everything is written straight from borrowed values, because the facts of one crate may hold a million
//! calls. A document is one line, so that several make JSON Lines.

mod detection;
mod difference;
mod escape;
mod facts;
mod flow;
mod names;
mod object;
mod policy;
mod reachability;
mod replay;
mod similar;
mod source;
mod words;

use std::io::{self, Write};

use cratekeeper_model::facts::Phase;
use cratekeeper_model::{
    AdvisoryDatabase, Case, ChainStep, CheckOutcome, Contribution, DiffOutcome, Evidence, Finding,
    InspectOutcome, Known, Level, NotEvaluated, Outcome, PackageStatus, Severity, Suggestion,
    UnresolvedDependency,
};
use serde::{Serialize, Serializer};

pub use self::detection::{EVALUATION_SCHEMA, detection};
pub(crate) use self::escape::{write, write_line};
pub use self::names::{
    NAMES_EVALUATION_SCHEMA, NAMES_INDEX_SCHEMA, NAMES_SCHEMA, evaluation, names, names_index,
};
pub(crate) use self::object::object;
use self::object::{Displayed, Each};
pub use self::policy::{POLICY_SCHEMA, policy};
pub use self::replay::{REPLAY_SCHEMA, replay};
pub use self::similar::{SIMILAR_INDEX_SCHEMA, SIMILAR_SCHEMA, similar, similar_index};
use self::words::Word as _;
use crate::Tool;

/// The `schema` of [`check`]'s documents.
pub const CHECK_SCHEMA: &str = "cratekeeper.check/1";

/// The `schema` of [`inspect`]'s documents.
pub const INSPECT_SCHEMA: &str = "cratekeeper.inspect/1";

/// The `schema` of [`diff`]'s documents.
pub const DIFF_SCHEMA: &str = "cratekeeper.diff/1";

/// Writes what a check found out.
///
/// # Errors
///
/// Fails if `out` does.
pub fn check(tool: Tool<'_>, outcome: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    write(&CheckDocument(tool, outcome), out)
}

/// Writes what an inspection found out; `facts` is there if the outcome has them.
///
/// # Errors
///
/// Fails if `out` does.
pub fn inspect(tool: Tool<'_>, outcome: &InspectOutcome, out: &mut dyn Write) -> io::Result<()> {
    write(&InspectDocument(tool, outcome), out)
}

/// Writes what a comparison of two versions found out; `facts` are those of the newer one, if the outcome has them.
///
/// # Errors
///
/// Fails if `out` does.
pub fn diff(tool: Tool<'_>, outcome: &DiffOutcome, out: &mut dyn Write) -> io::Result<()> {
    write(&difference::DiffDocument(tool, outcome), out)
}

struct CheckDocument<'a>(Tool<'a>, &'a CheckOutcome);

impl Serialize for CheckDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CheckDocument(tool, outcome) = self;
        object!(serializer, {
            "schema": CHECK_SCHEMA,
            "tool": tool,
            "lockfile": outcome.lockfile,
            "summary": Summary(outcome),
            "advisories": Advisories(&outcome.advisories),
            "notes": outcome.notes,
            "unresolved_dependencies": outcome.unresolved.value().map(|it| Each(it, UnresolvedObject)),
            "unread_manifests": outcome.unread_manifests,
            "packages": Each(&outcome.packages, CheckedPackage),
        })
    }
}

struct InspectDocument<'a>(Tool<'a>, &'a InspectOutcome);

impl Serialize for InspectDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let InspectDocument(tool, inspected) = self;
        object!(serializer, {
            "schema": INSPECT_SCHEMA,
            "tool": tool,
            "package": PackageObject(&inspected.outcome),
            "case": CaseObject(&inspected.outcome.case),
            "advisories": Advisories(&inspected.advisories),
            "notes": inspected.notes,
        } if let Some(facts) = &inspected.facts => {
            "facts": facts::FactsObject(facts),
        })
    }
}

struct Summary<'a>(&'a CheckOutcome);

impl Serialize for Summary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outcome = self.0;
        object!(serializer, {
            "packages": outcome.packages.len(),
            "checked": outcome.count(PackageStatus::Checked),
            "partial": outcome.count(PackageStatus::Partial),
            "could_not_check": outcome.count(PackageStatus::CouldNotCheck),
            "local": outcome.count(PackageStatus::Local),
            "findings": FindingCounts(outcome),
            "levels": LevelCounts(outcome),
        })
    }
}

struct FindingCounts<'a>(&'a CheckOutcome);

impl Serialize for FindingCounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Severity::ALL.map(|severity| (severity.as_str(), self.0.findings(severity))))
    }
}

struct LevelCounts<'a>(&'a CheckOutcome);

impl Serialize for LevelCounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let count = |level| self.0.packages.iter().filter(|it| it.case.level == level).count();
        serializer.collect_map(Level::ALL.map(|level| (level.as_str(), count(level))))
    }
}

struct Advisories<'a>(&'a Known<AdvisoryDatabase>);

impl Serialize for Advisories<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Known::Known(database) => object!(serializer, {
                "path": database.path,
                "revision": database.revision,
                "age_seconds": database.age,
            }),
            Known::Unknown(reason) => object!(serializer, { "unknown": reason }),
        }
    }
}

struct UnresolvedObject<'a>(&'a UnresolvedDependency);

impl Serialize for UnresolvedObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let UnresolvedDependency { manifest, line, key, name, suggestions } = self.0;
        object!(serializer, {
            "manifest": manifest,
            "line": line,
            "key": key,
            "name": name,
            "severity": self.0.severity().map(Severity::as_str),
            "suggestions": Each(suggestions, SuggestionObject),
        })
    }
}

struct SuggestionObject<'a>(&'a Suggestion);

impl Serialize for SuggestionObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Suggestion { name, in_lockfile, explanation } = self.0;
        object!(serializer, { "name": name, "in_lockfile": in_lockfile, "explanation": explanation })
    }
}

/// A package as `check` lists it: its own fields and its case.
struct CheckedPackage<'a>(&'a Outcome);

impl Serialize for CheckedPackage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct WithCase<'a> {
            #[serde(flatten)]
            package: PackageObject<'a>,
            case: CaseObject<'a>,
            verdict: Option<&'static str>,
            policy: Option<policy::AnswerObject<'a>>,
        }
        let answer = self.0.policy.as_ref();
        WithCase {
            package: PackageObject(self.0),
            case: CaseObject(&self.0.case),
            verdict: answer.map(|it| it.verdict.as_str()),
            policy: answer.map(policy::AnswerObject),
        }
        .serialize(serializer)
    }
}

/// The fields of a package that `check` and `inspect` share.
struct PackageObject<'a>(&'a Outcome);

impl Serialize for PackageObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Outcome { package, status, reason, lockfile_line, case: _, policy: _ } = self.0;
        object!(serializer, {
            "id": package.id.as_str(),
            "name": package.name,
            "version": Displayed(&package.version),
            "checksum": package.checksum.as_ref().map(Displayed),
            "source": Displayed(&package.source),
            "kinds": Each(&package.kinds, Displayed),
            "platforms": package.platforms,
            "features": package.features,
            "status": status.word(),
            "reason": reason,
            "lockfile_line": lockfile_line,
        })
    }
}

struct CaseObject<'a>(&'a Case);

impl Serialize for CaseObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Case { score, level, techniques, chain, findings, not_evaluated, contributions, harmless_if } =
            self.0;
        object!(serializer, {
            "score": score,
            "level": level.as_str(),
            "techniques": techniques,
            "chain": Each(chain, ChainStepObject),
            "findings": Each(findings, FindingObject),
            "not_evaluated": Each(not_evaluated, NotEvaluatedObject),
            "contributions": Each(contributions, ContributionObject),
            "harmless_if": harmless_if,
        })
    }
}

/// Also the shape of `properties.chain` in SARIF.
pub(crate) struct ChainStepObject<'a>(pub(crate) &'a ChainStep);

impl Serialize for ChainStepObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ChainStep { kind, phase, text, evidence } = self.0;
        object!(serializer, {
            "step": kind.as_str(),
            "phase": phase.map(Phase::as_str),
            "text": text,
            "evidence": evidence.as_ref().map(EvidenceObject),
        })
    }
}

/// Also the shape of `properties.contributions` in SARIF.
pub(crate) struct ContributionObject<'a>(pub(crate) &'a Contribution);

impl Serialize for ContributionObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Contribution { rule, points, reason } = self.0;
        object!(serializer, { "rule": rule, "points": points, "reason": reason })
    }
}

struct FindingObject<'a>(&'a Finding);

impl Serialize for FindingObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Finding {
            rule,
            severity,
            confidence,
            message,
            evidence,
            help,
            advisory,
            reachability,
            techniques,
        } = self.0;
        object!(serializer, {
            "rule": rule,
            "severity": severity.as_str(),
            "confidence": Displayed(confidence),
            "message": message,
            "evidence": Each(evidence, EvidenceObject),
            "help": help,
            "advisory": advisory.as_ref().map(|it| &it.id),
            "techniques": techniques,
        } if let Some(reachability) = reachability => {
            "reachability": reachability::ReachabilityObject(reachability),
        })
    }
}

/// Also the shape of `properties.evidence` in SARIF.
pub(crate) struct EvidenceObject<'a>(pub(crate) &'a Evidence);

impl Serialize for EvidenceObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Evidence { file, line, excerpt } = self.0;
        object!(serializer, { "file": file, "line": line, "excerpt": excerpt })
    }
}

struct NotEvaluatedObject<'a>(&'a NotEvaluated);

impl Serialize for NotEvaluatedObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let NotEvaluated { rule, reason } = self.0;
        object!(serializer, { "rule": rule, "reason": reason })
    }
}

//! What changed between two versions, as a document.

use cratekeeper_model::facts::{Capability, Phase};
use cratekeeper_model::{Change, DiffOutcome, Difference, Known};
use serde::{Serialize, Serializer};

use super::object::{Each, object};
use super::{Advisories, CaseObject, CheckedPackage, DIFF_SCHEMA, EvidenceObject, PackageObject, facts};
use crate::Tool;

pub(super) struct DiffDocument<'a>(pub(super) Tool<'a>, pub(super) &'a DiffOutcome);

impl Serialize for DiffDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let DiffDocument(tool, DiffOutcome { older, difference, newer }) = self;
        object!(serializer, {
            "schema": DIFF_SCHEMA,
            "tool": tool,
            "older": CheckedPackage(older),
            "package": PackageObject(&newer.outcome),
            "difference": KnownDifference(difference),
            "case": CaseObject(&newer.outcome.case),
            "advisories": Advisories(&newer.advisories),
            "notes": newer.notes,
        } if let Some(facts) = &newer.facts => {
            "facts": facts::FactsObject(facts),
        })
    }
}

struct KnownDifference<'a>(&'a Known<Difference>);

impl Serialize for KnownDifference<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Known::Known(difference) => DifferenceObject(difference).serialize(serializer),
            Known::Unknown(reason) => object!(serializer, { "unknown": reason }),
        }
    }
}

struct DifferenceObject<'a>(&'a Difference);

impl Serialize for DifferenceObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Difference { changes, rust_lines, files, left_out } = self.0;
        let (added, removed, changed) = files;
        object!(serializer, {
            "changes": Each(changes, ChangeObject),
            "left_out": left_out,
            "rust_lines_before": rust_lines.0,
            "rust_lines_after": rust_lines.1,
            "files_added": added,
            "files_removed": removed,
            "files_changed": changed,
        })
    }
}

struct ChangeObject<'a>(&'a Change);

impl Serialize for ChangeObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Change { kind, direction, subject, before, after, capability, evidence } = self.0;
        object!(serializer, {
            "kind": kind.as_str(),
            "direction": direction.as_str(),
            "subject": subject,
            "before": before,
            "after": after,
            "capability": capability.map(|(capability, _)| Capability::as_str(capability)),
            "phase": capability.map(|(_, phase)| Phase::as_str(phase)),
            "evidence": Each(evidence, EvidenceObject),
        })
    }
}

//! What rules about updates share: the difference to the version before, and how much users expect of it.

use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Difference, Evidence, Known, RuleInput};
use semver::Version;

use crate::rule::{Evaluation, place};
use crate::text::{EXCERPT, printable};

/// An update, seen from its newer version.
#[derive(Clone, Copy)]
pub(crate) struct Update<'i> {
    pub(crate) difference: &'i Difference,
    pub(crate) step: Step,
    /// The older version.
    pub(crate) since: &'i Version,
}

/// What the numbers promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Repairs: taken without a look.
    Patch,
    /// New features; taken without a look too, as cargo takes it.
    Minor,
    /// Something else, for which users change their manifests. Or no step forward at all.
    Major,
}

impl Step {
    /// As cargo reads numbers: in `0.x.y`, `x` is what `x` is in `x.y.z`.
    fn between(older: &Version, newer: &Version) -> Step {
        if newer <= older || newer.major != older.major {
            return Step::Major;
        }
        match (newer.major, newer.minor == older.minor) {
            (0, false) => Step::Major,
            (0, true) if newer.minor == 0 => Step::Major,
            (_, true) => Step::Patch,
            (_, false) => Step::Minor,
        }
    }

    /// Whether cargo takes the update by itself.
    pub(crate) fn is_compatible(self) -> bool {
        self != Step::Major
    }
}

impl<'i> Update<'i> {
    /// Changes of a kind in a direction.
    pub(crate) fn of(
        &self,
        kind: ChangeKind,
        direction: ChangeDirection,
    ) -> impl Iterator<Item = &'i Change> + use<'i> {
        self.difference.changes.iter().filter(move |it| it.kind == kind && it.direction == direction)
    }

    pub(crate) fn added(&self, kind: ChangeKind) -> impl Iterator<Item = &'i Change> + use<'i> {
        self.of(kind, ChangeDirection::Added)
    }
}

/// Runs `look` over the difference to the version before.
pub(crate) fn with_update(
    input: &RuleInput,
    look: impl FnOnce(Update<'_>) -> Vec<cratekeeper_model::Finding>,
) -> Evaluation {
    match &input.previous {
        Known::Known(previous) => Evaluation::Findings(look(Update {
            difference: &previous.difference,
            step: Step::between(&previous.version, &input.package.version),
            since: &previous.version,
        })),
        Known::Unknown(reason) => Evaluation::NotEvaluated(format!("the version before it: {reason}")),
    }
}

/// The places of changes, once more made fit for a message: a difference may come out of a store.
pub(crate) fn places<'i>(changes: impl IntoIterator<Item = &'i Change>) -> impl Iterator<Item = Evidence> {
    let evidence = changes.into_iter().flat_map(|change| &change.evidence);
    evidence.map(|it| place(&it.file, it.line, it.excerpt.as_ref().map(|text| printable(text, EXCERPT))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_that_cargo_takes() {
        let step = |older: &str, newer: &str| Step::between(&older.parse().unwrap(), &newer.parse().unwrap());
        for (older, newer, expected) in [
            ("1.2.3", "1.2.4", Step::Patch),
            ("1.2.3", "1.3.0", Step::Minor),
            ("1.2.3", "2.0.0", Step::Major),
            ("0.2.3", "0.2.4", Step::Patch),
            ("0.2.3", "0.3.0", Step::Major),
            ("0.0.3", "0.0.4", Step::Major),
            ("1.2.4", "1.2.3", Step::Major),
            ("1.2.3", "1.2.3", Step::Major),
        ] {
            assert_eq!(step(older, newer), expected, "{older} {newer}");
        }
    }
}

//! What a rule is, how it answers, and what rules share when they put an answer together.

use std::collections::BTreeMap;

use cratekeeper_model::{Advisory, Confidence, Evidence, Facts, Finding, Known, RuleInput, Severity};

use crate::text::{PATH, printable};

/// A pure function from what is known about one version to findings, with its documentation.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable name, in findings, policies, file names and links: `bundled-executable`.
    pub id: &'static str,
    /// What it looks at: families are switched off one by one to measure what each contributes.
    pub family: Family,
    /// What a hit means, as one line.
    pub title: &'static str,
    /// Markdown: what it looks at, why that matters and how we know, what a harmless hit looks like, what to do.
    pub explanation: &'static str,
    /// Severities that its findings may have, mildest first.
    pub severities: &'static [Severity],
    /// Attack techniques that its findings may point to, by number, sorted (see [`TECHNIQUES`](crate::TECHNIQUES)).
    pub techniques: &'static [u8],
    /// Looks.
    pub evaluate: fn(&RuleInput) -> Evaluation,
}

/// What a [`Rule`] looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The advisory database.
    Advisories,
    /// How the archive is packed.
    Archive,
    /// The crate's name.
    Names,
    /// The manifest and the files, whatever the code does.
    Package,
    /// What the code does.
    Behaviour,
    /// The registry's memory.
    History,
    /// What changed since the previous version.
    Difference,
    /// Likeness to other crates.
    Similarity,
    /// What findings and facts of several kinds add up to.
    Correlation,
}

impl Family {
    /// All families.
    pub const ALL: [Family; 9] = [
        Family::Advisories,
        Family::Archive,
        Family::Names,
        Family::Package,
        Family::Behaviour,
        Family::History,
        Family::Difference,
        Family::Similarity,
        Family::Correlation,
    ];

    /// The word in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Advisories => "advisories",
            Family::Archive => "archive",
            Family::Names => "names",
            Family::Package => "package",
            Family::Behaviour => "behaviour",
            Family::History => "history",
            Family::Difference => "difference",
            Family::Similarity => "similarity",
            Family::Correlation => "correlation",
        }
    }
}

/// Answer of a [`Rule`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evaluation {
    /// It looked at everything it looks at, and found this.
    Findings(Vec<Finding>),
    /// It found this, but could not look at everything, for this reason.
    Partial(Vec<Finding>, String),
    /// It could not look at all, for this reason.
    NotEvaluated(String),
}

impl Evaluation {
    /// Nothing found.
    #[must_use]
    pub fn silent() -> Evaluation {
        Evaluation::Findings(Vec::new())
    }
}

/// Runs `look` over the facts, if there are any.
pub(crate) fn with_facts(input: &RuleInput, look: impl FnOnce(&Facts) -> Vec<Finding>) -> Evaluation {
    when_known(&input.facts, look)
}

/// Runs `look` over the advisories, if there are any to look at.
pub(crate) fn with_advisories(
    input: &RuleInput,
    look: impl FnOnce(&Vec<Advisory>) -> Vec<Finding>,
) -> Evaluation {
    when_known(&input.advisories, look)
}

/// Runs `look` over a value that is known.
pub(crate) fn when_known<T>(value: &Known<T>, look: impl FnOnce(&T) -> Vec<Finding>) -> Evaluation {
    match value {
        Known::Known(value) => Evaluation::Findings(look(value)),
        Known::Unknown(reason) => Evaluation::NotEvaluated(reason.clone()),
    }
}

/// A finding without evidence and help, to be completed by the methods of [`Complete`].
pub(crate) fn finding(
    rule: &Rule,
    severity: Severity,
    confidence: Confidence,
    message: impl Into<String>,
) -> Finding {
    Finding {
        rule: rule.id.to_owned(),
        severity,
        confidence,
        message: message.into(),
        evidence: Vec::new(),
        help: None,
        advisory: None,
        reachability: None,
        techniques: Vec::new(),
    }
}

/// Most places that one finding shows. The message tells how many there are; a hostile package has any number.
pub(crate) const EVIDENCE: usize = 10;

/// Completes a [`finding`].
pub(crate) trait Complete {
    /// Adds at most [`EVIDENCE`] places.
    fn with_evidence(self, evidence: impl IntoIterator<Item = Evidence>) -> Self;
    /// Adds the next thing to do.
    fn with_help(self, help: impl Into<String>) -> Self;
    /// Names the techniques that it points to, each one of its rule's.
    fn pointing_to(self, techniques: impl IntoIterator<Item = u8>) -> Self;
}

impl Complete for Finding {
    fn with_evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Finding {
        self.evidence.extend(evidence.into_iter().take(EVIDENCE));
        self
    }

    fn with_help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(help.into());
        self
    }

    fn pointing_to(mut self, techniques: impl IntoIterator<Item = u8>) -> Finding {
        self.techniques.extend(techniques);
        self.techniques.sort_unstable();
        self.techniques.dedup();
        self
    }
}

/// Sorts things by what they weigh; those without weight are left out. Rules that look at many files give one
/// finding per weight instead of one per file.
pub(crate) fn by_weight<T>(
    things: impl IntoIterator<Item = T>,
    weight: impl Fn(&T) -> Option<(Severity, Confidence)>,
) -> BTreeMap<(Severity, Confidence), Vec<T>> {
    let mut groups: BTreeMap<_, Vec<T>> = BTreeMap::new();
    for thing in things {
        if let Some(weight) = weight(&thing) {
            groups.entry(weight).or_default().push(thing);
        }
    }
    groups
}

/// Evidence at a path that a publisher chose.
pub(crate) fn place(path: &str, line: Option<u32>, excerpt: Option<String>) -> Evidence {
    Evidence { file: printable(path, PATH), line: line.filter(|line| *line > 0), excerpt }
}

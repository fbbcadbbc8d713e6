//! Documents about names.

use std::io::{self, Write};

use cratekeeper_names::{
    Check, Kind, Level, Levels, Match, Miss, MutantGroup, PairGroup, Point, Share, StaleAllowance, Staleness,
    UnjudgedName,
};
use serde::{Serialize, Serializer};

use super::object::{Displayed, Each, object};
use super::words::Word;
use super::write;
use crate::Tool;
use crate::names::{
    ComparedWith, EvaluationOutcome, IndexOutcome, JudgedName, NamesOutcome, has_curve, is_measured, kind,
    precision,
};

/// The `schema` of [`names`]' documents.
pub const NAMES_SCHEMA: &str = "cratekeeper.names/1";

/// The `schema` of [`names_index`]' documents.
pub const NAMES_INDEX_SCHEMA: &str = "cratekeeper.names-index/1";

/// The `schema` of [`evaluation`]'s documents.
pub const NAMES_EVALUATION_SCHEMA: &str = "cratekeeper.names-evaluation/1";

/// Writes what names can be taken for.
///
/// # Errors
///
/// Fails if `out` does.
pub fn names(tool: Tool<'_>, outcome: &NamesOutcome, out: &mut dyn Write) -> io::Result<()> {
    write(&NamesDocument(tool, outcome), out)
}

/// Writes what was made of a corpus.
///
/// # Errors
///
/// Fails if `out` does.
pub fn names_index(tool: Tool<'_>, outcome: &IndexOutcome, out: &mut dyn Write) -> io::Result<()> {
    write(&IndexDocument(tool, outcome), out)
}

/// Writes what an evaluation found out.
///
/// # Errors
///
/// Fails if `out` does.
pub fn evaluation(tool: Tool<'_>, outcome: &EvaluationOutcome, out: &mut dyn Write) -> io::Result<()> {
    write(&EvaluationDocument(tool, outcome), out)
}

impl Word for Kind {
    fn word(self) -> &'static str {
        kind(self)
    }
}

impl Word for Staleness {
    fn word(self) -> &'static str {
        match self {
            Staleness::Expired => "expired",
            Staleness::NothingToAllow => "nothing_to_allow",
        }
    }
}

struct NamesDocument<'a>(Tool<'a>, &'a NamesOutcome);

impl Serialize for NamesDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let NamesDocument(tool, outcome) = self;
        object!(serializer, {
            "schema": NAMES_SCHEMA,
            "tool": tool,
            "corpus": Corpus(&outcome.corpus),
            "summary": Summary(outcome),
            "results": Results(outcome),
            "not_judged": Each(&outcome.not_judged, NotJudged),
            "stale_allowances": Each(&outcome.stale, Stale),
        })
    }
}

struct Corpus<'a>(&'a ComparedWith);

impl Serialize for Corpus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ComparedWith { path, kind, names } = self.0;
        object!(serializer, { "path": path, "kind": kind.word(), "names": names })
    }
}

struct Summary<'a>(&'a NamesOutcome);

impl Serialize for Summary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outcome = self.0;
        object!(serializer, {
            "names": outcome.judged.len() + outcome.not_judged.len(),
            "alert": outcome.count(Level::Alert),
            "review": outcome.count(Level::Review),
            "none": outcome.count(Level::None),
            "not_judged": outcome.not_judged.len(),
        })
    }
}

struct Results<'a>(&'a NamesOutcome);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.shown().map(ResultObject))
    }
}

struct ResultObject<'a>(&'a JudgedName);

impl Serialize for ResultObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let JudgedName { name, judgement } = self.0;
        object!(serializer, {
            "name": name,
            "level": judgement.level.as_str(),
            "score": judgement.score,
            "in_corpus": judgement.in_corpus,
            "matches": Each(&judgement.matches, MatchObject),
        })
    }
}

struct MatchObject<'a>(&'a Match);

impl Serialize for MatchObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, {
            "target": self.0.target,
            "check": self.0.check.id(),
            "score": self.0.score,
            "explanation": self.0.explanation(),
        })
    }
}

struct NotJudged<'a>(&'a UnjudgedName);

impl Serialize for NotJudged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, { "name": self.0.name, "reason": Displayed(&self.0.cause) })
    }
}

struct Stale<'a>(&'a StaleAllowance);

impl Serialize for Stale<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let StaleAllowance { allowance, why } = self.0;
        object!(serializer, {
            "name": allowance.name,
            "target": allowance.target,
            "reason": allowance.reason,
            "expires": Displayed(&allowance.expires),
            "why": why.word(),
        })
    }
}

struct IndexDocument<'a>(Tool<'a>, &'a IndexOutcome);

impl Serialize for IndexDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let IndexDocument(tool, outcome) = self;
        object!(serializer, {
            "schema": NAMES_INDEX_SCHEMA,
            "tool": tool,
            "corpus": Corpus(&outcome.corpus),
            "snapshot": outcome.snapshot,
            "bytes": outcome.bytes,
            "seconds": rounded(outcome.time.as_secs_f64(), 3),
        })
    }
}

struct EvaluationDocument<'a>(Tool<'a>, &'a EvaluationOutcome);

impl Serialize for EvaluationDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let EvaluationDocument(tool, outcome) = self;
        let measured = &outcome.evaluation;
        object!(serializer, {
            "schema": NAMES_EVALUATION_SCHEMA,
            "tool": tool,
            "corpus": Corpus(&outcome.corpus),
            "attacks": outcome.all_attacks().map(|all| Attacks(all, outcome)),
            "harmless_pairs": LevelsObject::of(&measured.harmless_pairs),
            "benign": LevelsObject::of(&measured.benign),
            "curve": has_curve(measured).then(|| Each(&measured.curve, PointObject)),
            "mutants": (!measured.mutants.is_empty()).then_some(Mutants(outcome)),
        })
    }
}

struct Attacks<'a>(PairGroup, &'a EvaluationOutcome);

impl Serialize for Attacks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let measured = &self.1.evaluation;
        object!(serializer, {
            "all": Group(&self.0),
            "ecosystems": Each(&measured.attacks, Group),
            "classes": Each(&measured.attack_classes, Group),
        })
    }
}

struct Group<'a>(&'a PairGroup);

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PairGroup { name, levels, first } = self.0;
        object!(serializer, {
            "name": name,
            "alert": ShareObject(levels.alert),
            "review": ShareObject(levels.review),
            "first": ShareObject(*first),
            "not_judged": levels.unjudged,
        })
    }
}

struct LevelsObject<'a>(&'a Levels);

impl<'a> LevelsObject<'a> {
    fn of(levels: &'a Levels) -> Option<LevelsObject<'a>> {
        is_measured(levels).then_some(LevelsObject(levels))
    }
}

impl Serialize for LevelsObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Levels { alert, review, unjudged } = self.0;
        object!(serializer, {
            "alert": ShareObject(*alert),
            "review": ShareObject(*review),
            "not_judged": unjudged,
        })
    }
}

struct PointObject<'a>(&'a Point);

impl Serialize for PointObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, {
            "threshold": self.0.threshold,
            "recall": ShareObject(self.0.recall),
            "flagged": ShareObject(self.0.flagged),
            "precision": ShareObject(precision(self.0)),
        })
    }
}

struct Mutants<'a>(&'a EvaluationOutcome);

impl Serialize for Mutants<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, {
            "wanted": self.0.mutants,
            "seed": self.0.seed,
            "classes": Each(&self.0.evaluation.mutants, MutantObject),
        })
    }
}

struct MutantObject<'a>(&'a MutantGroup);

impl Serialize for MutantObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let MutantGroup { class, first, in_corpus, ambiguous, wrong } = self.0;
        object!(serializer, {
            "class": class.id,
            "check": class.check.id(),
            "first": ShareObject(*first),
            "in_corpus": in_corpus,
            "ambiguous": ambiguous,
            "wrong": Each(wrong, MissObject),
        })
    }
}

struct MissObject<'a>(&'a Miss);

impl Serialize for MissObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Miss { mutant, target, first } = self.0;
        object!(serializer, {
            "mutant": mutant,
            "target": target,
            "first": first.as_ref().map(|(target, check)| FirstObject(target, *check)),
        })
    }
}

struct FirstObject<'a>(&'a str, Check);

impl Serialize for FirstObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, { "target": self.0, "check": self.1.id() })
    }
}

struct ShareObject(Share);

impl Serialize for ShareObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let interval = self.0.interval();
        object!(serializer, {
            "part": self.0.part,
            "of": self.0.of,
            "share": self.0.value().map(|it| rounded(it, 4)),
            "low": interval.map(|(low, _)| rounded(low, 4)),
            "high": interval.map(|(_, high)| rounded(high, 4)),
        })
    }
}

/// More digits would only tell how floating-point numbers are added.
fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

//! The document of `evaluate`: sums, and everything that was measured.

use std::io::{self, Write};

use cratekeeper_model::{BenignCounts, DetectionEvaluation, DetectionTotals, Measured, Share};
use serde::{Serialize, Serializer};

use super::object::{Each, object};
use crate::Tool;

/// The `schema` of [`detection`]'s documents.
pub const EVALUATION_SCHEMA: &str = "cratekeeper.evaluation/1";

/// Writes how right detection was.
///
/// # Errors
///
/// Fails if `out` does.
pub fn detection(tool: Tool<'_>, evaluation: &DetectionEvaluation, out: &mut dyn Write) -> io::Result<()> {
    super::write(&Document(tool, evaluation), out)
}

struct Document<'a>(Tool<'a>, &'a DetectionEvaluation);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document(tool, evaluation) = self;
        let techniques: Vec<_> = evaluation.techniques.iter().collect();
        object!(serializer, {
            "schema": EVALUATION_SCHEMA,
            "tool": tool,
            "totals": Totals(&evaluation.totals),
            "techniques": Each(&techniques, Technique),
            "fixtures": Each(&evaluation.fixtures, MeasuredObject),
            "incidents": Each(&evaluation.incidents, MeasuredObject),
            "benign": Each(&evaluation.benign, MeasuredObject),
            "without": Each(&evaluation.without, Without),
        })
    }
}

struct ShareObject(Share);

impl Serialize for ShareObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Share { hits, of } = self.0;
        object!(serializer, { "hits": hits, "of": of })
    }
}

struct Totals<'a>(&'a DetectionTotals);

impl Serialize for Totals<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let DetectionTotals { positives, chains, twins, incidents, harmless, benign } = self.0;
        object!(serializer, {
            "positives_named": ShareObject(positives[0]),
            "positives_named_held_out": ShareObject(positives[1]),
            "chains_at_alert": ShareObject(*chains),
            "twins_at_alert": ShareObject(twins[0]),
            "twins_at_alert_held_out": ShareObject(twins[1]),
            "incidents_caught": ShareObject(*incidents),
            "harmless_at_alert": ShareObject(*harmless),
            "benign": Benign(&benign[0]),
            "benign_held_out": Benign(&benign[1]),
        })
    }
}

struct Benign<'a>(&'a BenignCounts);

impl Serialize for Benign<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let BenignCounts { review, alert, unchecked } = self.0;
        object!(serializer, {
            "at_review": ShareObject(*review),
            "at_alert": ShareObject(*alert),
            "unchecked": unchecked,
        })
    }
}

struct Technique<'a>(&'a (&'a u8, &'a [Share; 3]));

impl Serialize for Technique<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (number, [positives, twins, chains]) = self.0;
        object!(serializer, {
            "technique": number,
            "positives_named": ShareObject(*positives),
            "twins_below_alert": ShareObject(*twins),
            "chains_at_alert": ShareObject(*chains),
        })
    }
}

struct MeasuredObject<'a>(&'a Measured);

impl Serialize for MeasuredObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Measured { name, right, held_out, score, level, techniques, rules, problem } = self.0;
        object!(serializer, {
            "name": name,
            "right": right,
            "held_out": held_out,
            "score": score,
            "level": level.as_str(),
            "techniques": techniques,
            "rules": rules,
            "problem": problem,
        })
    }
}

struct Without<'a>(&'a (String, DetectionTotals));

impl Serialize for Without<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (family, totals) = self.0;
        object!(serializer, { "family": family, "totals": Totals(totals) })
    }
}

//! Answers about names, as every format shows them.
//!
//! What the library of names says is taken over as it is; here stands only what belongs to one run of the program.

use std::time::Duration;

use cratekeeper_names::{
    Evaluation, Judgement, Kind, Level, Levels, PairGroup, Point, Share, StaleAllowance, UnjudgedName,
};

/// The corpus that names were compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedWith {
    /// File that it came from; `None` for one that comes with the program.
    pub path: Option<String>,
    /// What its names are names of.
    pub kind: Kind,
    /// How many it has.
    pub names: usize,
}

/// A name and what it can be taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedName {
    /// The name, as it was given.
    pub name: String,
    /// The answer about it.
    pub judgement: Judgement,
}

/// What a check of names found out.
#[derive(Debug, Clone)]
pub struct NamesOutcome {
    /// What they were compared with.
    pub corpus: ComparedWith,
    /// Names that were judged, in the order in which they were given.
    pub judged: Vec<JudgedName>,
    /// Names that could not be.
    pub not_judged: Vec<UnjudgedName>,
    /// Entries of the allow-list that do nothing.
    pub stale: Vec<StaleAllowance>,
    /// Names below it are counted and not shown.
    pub min_level: Level,
}

impl NamesOutcome {
    /// How many names have this level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.judged.iter().filter(|it| it.judgement.level == level).count()
    }

    /// Names that are shown.
    pub fn shown(&self) -> impl Iterator<Item = &JudgedName> {
        self.judged.iter().filter(|it| it.judgement.level >= self.min_level)
    }
}

/// What was made of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexOutcome {
    /// The corpus.
    pub corpus: ComparedWith,
    /// The file that was written.
    pub snapshot: String,
    /// Its size.
    pub bytes: u64,
    /// How long reading, indexing and writing took.
    pub time: Duration,
}

/// What an evaluation found out.
///
/// Of what nothing was asked, there are no groups and nothing but empty shares: that is *not measured*, never zero.
#[derive(Debug, Clone)]
pub struct EvaluationOutcome {
    /// What names were compared with.
    pub corpus: ComparedWith,
    /// Mutants that were wanted of each class.
    pub mutants: usize,
    /// Where their random choice started.
    pub seed: u64,
    /// What was measured.
    pub evaluation: Evaluation,
}

impl EvaluationOutcome {
    /// All attacks as one group; nothing without any.
    #[must_use]
    pub fn all_attacks(&self) -> Option<PairGroup> {
        let groups = &self.evaluation.attacks;
        let share = |of: fn(&PairGroup) -> Share| {
            groups.iter().map(of).fold(Share::default(), |sum, share| Share {
                part: sum.part + share.part,
                of: sum.of + share.of,
            })
        };
        let levels = Levels {
            alert: share(|it| it.levels.alert),
            review: share(|it| it.levels.review),
            unjudged: groups.iter().map(|it| it.levels.unjudged).sum(),
        };
        let first = share(|it| it.first);
        (!groups.is_empty()).then(|| PairGroup { name: "all".to_owned(), levels, first })
    }
}

/// Whether any name was asked about.
pub(crate) fn is_measured(levels: &Levels) -> bool {
    levels.review.of + levels.unjudged > 0
}

/// Whether there are names that could have reached a threshold.
pub(crate) fn has_curve(evaluation: &Evaluation) -> bool {
    evaluation.curve.iter().any(|point| point.recall.of + point.flagged.of > 0)
}

/// The precision at a point; of attacks alone, or of harmless names alone, there is none.
pub(crate) fn precision(point: &Point) -> Share {
    if point.recall.of > 0 && point.flagged.of > 0 { point.precision } else { Share::default() }
}

/// As in documents: `crates`, `publishers`.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Crates => "crates",
        Kind::Publishers => "publishers",
    }
}

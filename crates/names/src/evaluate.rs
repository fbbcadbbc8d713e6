//! How good the answers are: measured on known attacks, harmless names, and mutants.

use std::collections::{BTreeMap, HashSet};

use fastrand::Rng;

use crate::check::Check;
use crate::corpus::{Corpus, Entry};
use crate::edit::{self, Edits};
use crate::judgement::{Candidate, Judgement, Level};
use crate::mutants::{MUTANT_CLASSES, MutantClass};
use crate::name::OwnedName;
use crate::reserved;
use crate::share::Share;
use crate::table::{Rows, TableError};

/// The rank at which the target of a known attack joins a corpus that lacks it: what attackers chose was known to its users.
pub const MISSING_TARGET_RANK: u32 = 2_000;

/// A known pair of a name and what it can be taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name that was taken for another one, or only looks like it.
    pub name: String,
    /// The other one.
    pub target: String,
    /// Where that was.
    pub ecosystem: String,
    /// The kind of confusion, as the source calls it.
    pub class: String,
    /// Whether it was an attack.
    pub malicious: bool,
}

/// Reads pairs: a CSV table with the columns `typo` or `name`, `target` or `lookalike_of`, and `ecosystem`, `label`
/// (`malicious` or `benign`) and `class` where they are known. A pair without a label is malicious.
///
/// # Errors
///
/// A table that cannot be read, lacks a column, or has a name that cannot be one.
pub fn pairs(text: &str) -> Result<Vec<Pair>, TableError> {
    let rows = Rows::parse(text)?;
    let pair = |row: crate::table::Row<'_>| {
        let target = row.get(&["target", "lookalike_of"]).ok_or(TableError::NoTarget { line: row.line })?;
        Ok(Pair {
            name: row.name().to_owned(),
            target: target.to_owned(),
            ecosystem: row.get(&["ecosystem"]).unwrap_or("any").to_owned(),
            class: row.get(&["class"]).unwrap_or("any").to_owned(),
            malicious: row.get(&["label"]).is_none_or(|label| label == "malicious"),
        })
    };
    if rows.column(&["target", "lookalike_of"]).is_none() {
        return Err(TableError::NoTargets);
    }
    rows.iter().map(pair).collect()
}

/// How many of a group reached which level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels {
    /// Those at [`Level::Alert`].
    pub alert: Share,
    /// Those at [`Level::Review`] or above.
    pub review: Share,
    /// Those that could not be judged, which no share counts.
    pub unjudged: usize,
}

impl Levels {
    fn of(answers: &[Answer]) -> Levels {
        let judged = || answers.iter().filter_map(|answer| answer.judgement.as_ref());
        Levels {
            alert: Share::count(judged(), |it| it.level >= Level::Alert),
            review: Share::count(judged(), |it| it.level >= Level::Review),
            unjudged: answers.len() - judged().count(),
        }
    }
}

/// What came out for one name.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The name.
    pub name: String,
    /// What it should have been taken for, if anything.
    pub target: Option<String>,
    /// What was answered; nothing for a name that cannot be judged.
    pub judgement: Option<Judgement>,
}

impl Answer {
    fn score(&self) -> Option<u8> {
        self.judgement.as_ref().map(|it| it.score)
    }

    /// Whether the first match is the true target.
    fn is_right(&self) -> bool {
        let first = self.judgement.as_ref().and_then(|it| it.matches.first());
        first.is_some_and(|first| Some(&first.target) == self.target.as_ref())
    }
}

/// Answers about one ecosystem's pairs.
#[derive(Debug, Clone)]
pub struct PairGroup {
    /// The ecosystem, or the ecosystem and the class.
    pub name: String,
    /// Their levels: recall, of attacks.
    pub levels: Levels,
    /// How many had the true target for their first match.
    pub first: Share,
}

/// How mutants of one class did.
#[derive(Debug, Clone)]
pub struct MutantGroup {
    /// The class.
    pub class: MutantClass,
    /// How many had the true target for their first match.
    pub first: Share,
    /// Left out: they are names of the corpus themselves, or reserved ones.
    pub in_corpus: usize,
    /// Left out: another target is as near by the same check.
    pub ambiguous: usize,
    /// Those that were wrong, at most ten.
    pub wrong: Vec<Miss>,
}

/// A mutant for which another target came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The mutant.
    pub mutant: String,
    /// What it was made of.
    pub target: String,
    /// What came first, and by which check; nothing when nothing was found.
    pub first: Option<(String, Check)>,
}

/// One point of the trade-off between what is caught and what is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Scores from here on count.
    pub threshold: u8,
    /// Attacks with such a score.
    pub recall: Share,
    /// Harmless names with such a score.
    pub flagged: Share,
    /// Attacks among everything with such a score, in the mixture at hand: far above what a registry sees, where attacks
    /// are a handful among tens of thousands of names.
    pub precision: Share,
}

/// Thresholds of the trade-off curve.
pub const THRESHOLDS: [u8; 17] = [10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90];

/// The names that a corpus is evaluated with.
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// Known pairs.
    pub pairs: Vec<Pair>,
    /// Harmless names: text of a table or list.
    pub benign: Vec<String>,
    /// Mutants to make of each class.
    pub mutants: usize,
    /// Where the random choice of mutants starts.
    pub seed: u64,
}

/// All answers, summed up.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Names in the corpus.
    pub corpus: usize,
    /// Attacks, by ecosystem.
    pub attacks: Vec<PairGroup>,
    /// Attacks, by ecosystem and class.
    pub attack_classes: Vec<PairGroup>,
    /// Pairs that are labelled as harmless.
    pub harmless_pairs: Levels,
    /// Harmless names.
    pub benign: Levels,
    /// Mutants by class.
    pub mutants: Vec<MutantGroup>,
    /// The trade-off curve.
    pub curve: Vec<Point>,
    /// Every answer about a pair: for looking at what went wrong.
    pub pair_answers: Vec<(Pair, Answer)>,
    /// Every answer about a harmless name.
    pub benign_answers: Vec<Answer>,
}

/// Judges everything. Each name is judged as if it were not in the corpus, and nothing but the name is known of it.
pub fn evaluate(corpus: &mut Corpus, questions: &Questions, mut progress: impl FnMut(usize)) -> Evaluation {
    let pair_answers: Vec<(Pair, Answer)> = questions
        .pairs
        .iter()
        .map(|pair| {
            progress(1);
            (pair.clone(), answer_pair(corpus, pair))
        })
        .collect();
    let benign_answers: Vec<Answer> = questions
        .benign
        .iter()
        .map(|name| {
            progress(1);
            answer(corpus, name, None)
        })
        .collect();
    let mut random = Rng::with_seed(questions.seed);
    let mutants = if questions.mutants == 0 {
        Vec::new()
    } else {
        let group = |class: &MutantClass| {
            progress(questions.mutants);
            mutants(corpus, *class, questions.mutants, &mut random)
        };
        MUTANT_CLASSES.iter().map(group).collect()
    };
    let malicious = || pair_answers.iter().filter(|(pair, _)| pair.malicious);
    let harmless: Vec<Answer> =
        pair_answers.iter().filter(|(pair, _)| !pair.malicious).map(|(_, answer)| answer.clone()).collect();
    Evaluation {
        corpus: corpus.len(),
        attacks: groups(malicious(), |pair| pair.ecosystem.clone()),
        attack_classes: groups(malicious(), |pair| format!("{} {}", pair.ecosystem, pair.class)),
        harmless_pairs: Levels::of(&harmless),
        benign: Levels::of(&benign_answers),
        mutants,
        curve: curve(malicious().map(|(_, answer)| answer), &benign_answers),
        pair_answers,
        benign_answers,
    }
}

fn answer(corpus: &Corpus, name: &str, target: Option<&str>) -> Answer {
    let judgement = Candidate::new(name).ok().map(|candidate| corpus.judge(&candidate.left_out()));
    Answer { name: name.to_owned(), target: target.map(str::to_owned), judgement }
}

/// The answer about a pair, with its target in the corpus for the time being.
fn answer_pair(corpus: &mut Corpus, pair: &Pair) -> Answer {
    let missing = !corpus.contains(&pair.target) && Candidate::new(pair.target.as_str()).is_ok();
    if missing {
        corpus.add(Entry { rank: Some(MISSING_TARGET_RANK), ..Entry::new(pair.target.as_str()) });
    }
    let answer = answer(corpus, &pair.name, Some(&pair.target));
    if missing {
        corpus.remove(&pair.target);
    }
    answer
}

fn groups<'a>(
    answers: impl Iterator<Item = &'a (Pair, Answer)>,
    name: impl Fn(&Pair) -> String,
) -> Vec<PairGroup> {
    let mut by_name = BTreeMap::<String, Vec<Answer>>::new();
    for (pair, answer) in answers {
        by_name.entry(name(pair)).or_default().push(answer.clone());
    }
    let group = |(name, answers): (String, Vec<Answer>)| PairGroup {
        name,
        levels: Levels::of(&answers),
        first: Share::count(&answers, Answer::is_right),
    };
    by_name.into_iter().map(group).collect()
}

fn curve<'a>(attacks: impl Iterator<Item = &'a Answer>, benign: &[Answer]) -> Vec<Point> {
    let attacks: Vec<u8> = attacks.filter_map(Answer::score).collect();
    let benign: Vec<u8> = benign.iter().filter_map(Answer::score).collect();
    let point = |threshold: u8| {
        let recall = Share::count(&attacks, |score| *score >= threshold);
        let flagged = Share::count(&benign, |score| *score >= threshold);
        let precision = Share { part: recall.part, of: recall.part + flagged.part };
        Point { threshold, recall, flagged, precision }
    };
    THRESHOLDS.iter().map(|threshold| point(*threshold)).collect()
}

fn mutants(corpus: &Corpus, class: MutantClass, count: usize, random: &mut Rng) -> MutantGroup {
    const MOST_WRONG: usize = 10;
    let names: Vec<&str> = corpus.entries().map(|entry| entry.name.as_str()).collect();
    let mut group =
        MutantGroup { class, first: Share::default(), in_corpus: 0, ambiguous: 0, wrong: Vec::new() };
    let mut seen = HashSet::new();
    // Classes that hardly any name has a mutant of would otherwise never end.
    for _ in 0..count.saturating_mul(200).min(names.len().saturating_mul(200)) {
        if group.first.of >= count {
            break;
        }
        let Some(target) = random.choice(names.iter().copied()) else { break };
        let Some(mutant) = class.make(target, random) else { continue };
        if !seen.insert(mutant.clone()) {
            continue;
        }
        if corpus.contains(&mutant) || reserved::find(OwnedName::new(&mutant).as_name()).is_some() {
            group.in_corpus += 1;
            continue;
        }
        let answer = answer(corpus, &mutant, Some(target));
        let right = answer.is_right();
        if !right && is_ambiguous(class, &answer) {
            group.ambiguous += 1;
            continue;
        }
        group.first.of += 1;
        group.first.part += usize::from(right);
        if !right && group.wrong.len() < MOST_WRONG {
            let first = answer.judgement.and_then(|it| it.matches.into_iter().next());
            let first = first.map(|it| (it.target, it.check));
            group.wrong.push(Miss { mutant, target: target.to_owned(), first });
        }
    }
    group
}

/// Whether nobody can say which target was meant: the first match is another one that the class's own check found too, or
/// one that is nearer. Adding, removing and replacing an affix are one check here, as are leaving out an affix and a word:
/// `foo-api` may come from `foo` as well as from `foo-api-client`.
fn is_ambiguous(class: MutantClass, answer: &Answer) -> bool {
    let (Some(first), Some(truth)) =
        (answer.judgement.as_ref().and_then(|it| it.matches.first()), answer.target.as_deref())
    else {
        return false;
    };
    let is_affix = |check| matches!(check, Check::AffixAdded | Check::AffixRemoved | Check::AffixReplaced);
    let is_removal = |check| matches!(check, Check::AffixRemoved | Check::MissingWord);
    first.check == class.check
        || is_affix(first.check) && is_affix(class.check)
        || is_removal(first.check) && is_removal(class.check)
        || distance(&answer.name, &first.target) < distance(&answer.name, truth)
}

/// How far two names are apart: by edits, where they are no more than two, else by the share of letters that the longer
/// one has more (of two names that only differ in words, the rest).
fn distance(name: &str, other: &str) -> (usize, usize) {
    let (name, other) = (OwnedName::new(name), OwnedName::new(other));
    let (own, other) = (name.as_name().letters, other.as_name().letters);
    let longer = own.len().max(other.len()).max(1);
    let share = own.len().abs_diff(other.len()) * 1_000 / longer;
    match edit::between(own, other, 2) {
        Some(Edits::One(_)) => (1, 0),
        Some(Edits::Two(..)) => (2, 0),
        None if own == other => (0, 0),
        None => (3, share),
    }
}

#[cfg(test)]
mod tests;

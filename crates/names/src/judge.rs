//! From what a search found to scores, levels and sentences.

use std::sync::Arc;

use crate::affixes::AffixKind;
use crate::check::Check;
use crate::corpus::{Corpus, Entry, Kind};
use crate::edit::Edits;
use crate::explain::Reason;
use crate::judgement::{Candidate, Explanation, Judgement, Level, Match};
use crate::name::{Name, OwnedName};
use crate::reserved;
use crate::search::{Found, Search, What};
use crate::weights;

/// Most matches of an answer.
const MOST_MATCHES: usize = 10;

/// A match without its sentence.
#[derive(Debug, Clone, Copy)]
struct Scored {
    found: Found,
    /// From 0 to 100.
    score: u8,
    /// The share of the letters in which the two names differ, roughly.
    distance: f32,
}

impl Scored {
    /// Whether the whole target is there, but for what [`distance`] counts.
    fn is_near(&self) -> bool {
        let inexact = matches!(self.found.what, What::Words { exact: false, .. });
        !inexact && self.found.check != Check::AffixReplaced
    }
}

impl Corpus {
    /// What the candidate can be taken for.
    #[must_use]
    pub fn judge(&self, candidate: &Candidate) -> Judgement {
        let name = OwnedName::new(candidate.name());
        let name = name.as_name();
        let own = self.id_of(name);
        let in_corpus = own.is_some();
        if in_corpus && !candidate.leave_one_out {
            return Judgement { level: Level::None, score: 0, in_corpus, matches: Vec::new() };
        }
        let mut scored: Vec<Scored> = Search::run(self, name, own)
            .into_iter()
            .filter_map(|found| self.score(found, candidate, name, own))
            .collect();
        best_per_target(&mut scored);
        self.inherit(&mut scored, candidate);
        scored.truncate(MOST_MATCHES);
        let text: Arc<str> = candidate.name().into();
        let mut matches: Vec<Match> =
            scored.into_iter().filter_map(|scored| self.to_match(scored, candidate, &text)).collect();
        if self.kind() == Kind::Crates
            && let Some(reserved) = reserved::find(name)
        {
            let score = weights::weight(Check::ReservedName, What::Plain).base as u8;
            let target = reserved.name.to_owned();
            let reason = Explanation::Text(reserved.explanation(candidate.name()));
            matches.push(Match { target, check: Check::ReservedName, score, reason });
            matches.sort_by_key(|it| std::cmp::Reverse(it.score));
        }
        let score = matches.first().map_or(0, |it| it.score);
        Judgement { level: Level::of(score), score, in_corpus, matches }
    }

    fn score(&self, found: Found, candidate: &Candidate, name: Name<'_>, own: Option<u32>) -> Option<Scored> {
        let target = self.name(found.id)?;
        let rank = self.rank(found.id);
        let letters = match found.check {
            // What is added says nothing about how telling the target's name is.
            Check::ExtraWords | Check::AffixAdded | Check::AffixAndTypo => target.letters.len(),
            Check::Number => target.without_numbers().count(),
            _ => telling_letters(name, target),
        };
        let mut score = weights::weight(found.check, found.what).base
            * weights::length_factor(found.check, letters)
            * weights::popularity_factor(found.check, found.what, rank);
        match found.what {
            What::Edits(edits) => score *= weights::edit_factor(edits),
            What::Number { long: true, .. } => score *= weights::LONG_NUMBER,
            What::Affix { glued: true, .. } => score *= weights::GLUED,
            What::Words { exact, glued, leads, .. } => {
                if !leads {
                    score *= weights::TRAILS;
                }
                if glued {
                    score *= weights::GLUED;
                }
                if !exact {
                    score *= weights::INEXACT;
                }
            }
            _ => {}
        }
        let misspelt =
            matches!(found.what, What::Edits(_)) || matches!(found.check, Check::WordForm | Check::Phonetic);
        // Looked for only where it can change the level: it costs as much as everything else.
        if misspelt && score >= weights::REVIEW && self.is_own_word(name, target, own) {
            score *= weights::OWN_WORD;
        }
        if let Some(calmed) = self.calmed(found.id, candidate) {
            score = score.min(calmed.most);
        }
        let distance = distance(found, name, target);
        // Rounded; a cast to an integer saturates.
        let score = (score + 0.5) as u8;
        Some(Scored { found, score: score.min(100), distance })
    }

    /// Whether the word in which the candidate differs is one that other names use too.
    fn is_own_word(&self, name: Name<'_>, target: Name<'_>, own: Option<u32>) -> bool {
        let strange: Vec<&[char]> =
            name.words().filter(|word| !target.words().any(|other| other == *word)).collect();
        !strange.is_empty()
            && strange
                .iter()
                .all(|word| self.words_in(word, own, weights::WORD_IN_NAMES) >= weights::WORD_IN_NAMES)
    }

    fn to_match(&self, scored: Scored, candidate: &Candidate, text: &Arc<str>) -> Option<Match> {
        let Scored { found, score, .. } = scored;
        let target = self.name(found.id)?.text().to_owned();
        let reason = Reason {
            found,
            candidate: Arc::clone(text),
            calmed: self.calmed(found.id, candidate).map(|it| it.why),
        };
        Some(Match { target, check: found.check, score, reason: Explanation::Reason(reason) })
    }

    /// Why a match is no squat, if what is known beside the names says so.
    fn calmed(&self, id: u32, candidate: &Candidate) -> Option<Calmed> {
        if candidate.is_bare() { None } else { calm(candidate, self.entry(id)?) }
    }

    /// Lets a target take over the score of another one whose words it has and which is farther away: if `actix-bew` is
    /// worth a look because it extends `actix`, it is no less so because it is all but `actix-web`, and that one tells more.
    fn inherit(&self, scored: &mut [Scored], candidate: &Candidate) {
        // An affix that says nothing explains the candidate whole: `serde-rs` is `serde` with `rs`. Any other may as well be
        // one of the target's own words (`glutin-sys`, `glutin_wgl_sys`), but is no misspelling of one (`serde_qs`).
        let is_empty = |it: &Scored| matches!(it.found.what, What::Affix { kind: AffixKind::Empty, .. });
        let lends = |it: &&Scored| match it.found.check {
            Check::ExtraWords => true,
            Check::AffixAdded => !is_empty(it),
            _ => false,
        };
        let lenders: Vec<(Name<'_>, Scored)> =
            scored.iter().filter(lends).filter_map(|it| Some((self.name(it.found.id)?, *it))).collect();
        if lenders.is_empty() {
            return;
        }
        for near in scored.iter_mut().filter(|it| it.is_near()) {
            let Some(name) = self.name(near.found.id) else { continue };
            for (far, lender) in &lenders {
                let is_kin =
                    lender.found.check == Check::ExtraWords || near.found.check == Check::MissingWord;
                let takes = is_kin
                    && near.distance < lender.distance
                    && near.score <= lender.score
                    && name.has_words_of(*far)
                    && self.calmed(near.found.id, candidate).is_none();
                if takes {
                    near.score = lender.score;
                }
            }
        }
        scored.sort_by(|a, b| b.score.cmp(&a.score).then(a.distance.total_cmp(&b.distance)));
    }
}

/// How many letters the likeness rests on. Where two names differ in one of several words, that is the word (and a bit,
/// since the others are no chance): `cargo-web` and `cargo-deb` are not as alike as two words of 8 letters would be.
fn telling_letters(name: Name<'_>, target: Name<'_>) -> usize {
    const OTHER_WORDS: usize = 2;
    let shorter = name.letters.len().min(target.letters.len());
    if name.count() != target.count() || name.count() < 2 {
        return shorter;
    }
    let mut differing = name.words().zip(target.words()).filter(|(own, other)| own != other);
    match (differing.next(), differing.next()) {
        (Some((own, other)), None) => shorter.min(own.len().min(other.len()) + OTHER_WORDS),
        _ => shorter,
    }
}

/// The share of letters in which two names differ, roughly: what was added to or is missing from one of them, or edited.
fn distance(found: Found, name: Name<'_>, target: Name<'_>) -> f32 {
    let (own, other) = (name.letters.len(), target.letters.len());
    let differing = match found.what {
        What::Edits(Edits::One(_)) if found.check == Check::AffixAndTypo => own.abs_diff(other) + 1,
        What::Edits(Edits::One(_)) => 1,
        What::Edits(Edits::Two(..)) => 2,
        _ => own.abs_diff(other),
    };
    differing as f32 / own.max(other).max(1) as f32
}

/// Each target once, with its best check; the best target first.
fn best_per_target(scored: &mut Vec<Scored>) {
    scored.sort_by_key(|it| (it.found.id, std::cmp::Reverse(it.score), it.found.check));
    scored.dedup_by_key(|it| it.found.id);
    // Ids follow popularity, so that of two equal matches the more popular one comes first.
    scored.sort_by(|a, b| {
        let order = |it: &Scored| (std::cmp::Reverse(it.score), it.found.check, it.found.id);
        order(a).cmp(&order(b))
    });
}

/// Why a match is no squat, or less of one.
struct Calmed {
    /// Its highest score.
    most: f32,
    why: String,
}

/// What is known about two crates beside their names.
fn calm(candidate: &Candidate, target: &Entry) -> Option<Calmed> {
    if let (Some(own), Some(other)) = (candidate.created, target.created)
        && own < other
    {
        let why = format!("but it is the older one ({own}, {other}), so it is no squat of it");
        return Some(Calmed { most: weights::NO_SQUAT, why });
    }
    if let Some(owner) =
        candidate.owners.iter().find(|owner| target.owners.iter().any(|it| it.eq_ignore_ascii_case(owner)))
    {
        let why = format!("but `{owner}` owns both, so it is no squat of it");
        return Some(Calmed { most: weights::NO_SQUAT, why });
    }
    let (Some(own), Some(other)) = (&candidate.repository, &target.repository) else { return None };
    if repository_key(own) != repository_key(other) {
        return None;
    }
    Some(if candidate.owners.is_empty() || target.owners.is_empty() {
        let why = "it names the same repository, which anyone can claim".to_owned();
        Calmed { most: weights::SAME_REPOSITORY, why }
    } else {
        let why = "it names the same repository, and has none of its owners".to_owned();
        Calmed { most: 100.0, why }
    })
}

/// What two addresses of one repository have in common.
fn repository_key(address: &str) -> String {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.trim_end_matches('/');
    address.strip_suffix(".git").unwrap_or(address).to_ascii_lowercase()
}

#[cfg(test)]
mod tests;

//! Finds the names of a corpus that a name can be confused with, by lookups alone: nothing here walks the corpus.

use crate::affixes::{AffixKind, Place, affixes};
use crate::check::Check;
use crate::corpus::{Corpus, core, repository_names};
use crate::edit::{self, Edit, Edits};
use crate::form::{self, Form, MOST_WORDS, TWO_EDITS_FROM};
use crate::name::{self, Name};
use crate::postings::Hash;

/// Most names that one lookup gives. Lists of popular corpora are shorter but for those of short forms, where the most
/// popular names are the ones worth confusing: they come first.
const MOST_PER_LOOKUP: usize = 16;

/// Most names that are compared letter by letter. With it, no name takes long, whatever the corpus.
const MOST_COMPARED: usize = 4_000;

/// Shortest rest, in letters, that is a name of its own when something is left out of a name.
const SHORTEST_REST: usize = 2;

/// Shortest rest when what is left out is not separated from it.
const SHORTEST_GLUED_REST: usize = 3;

/// A name of the corpus that the candidate can be confused with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub(crate) id: u32,
    pub(crate) check: Check,
    pub(crate) what: What,
}

/// What a check saw, as far as it changes what the match is worth or how it is explained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum What {
    /// The check says it all.
    Plain,
    /// These letters.
    Edits(Edits),
    /// Whether both have numbers at the same places, and whether a number that they do not share has three digits or more.
    Number { changed: bool, long: bool },
    /// An affix of this kind; whether a separator sets it apart.
    Affix { kind: AffixKind, glued: bool },
    /// So many words more than the target has; whether the rest is exactly the target, and whether it leads.
    Words { count: u8, exact: bool, glued: bool, leads: bool },
    /// The target's words are all there but this many.
    Missing { left: u8 },
}

/// A search over one corpus for one name.
pub(crate) struct Search<'a> {
    corpus: &'a Corpus,
    name: Name<'a>,
    /// The name itself in the corpus, which is not to be found.
    own: Option<u32>,
    found: Vec<Found>,
    /// Lookups and comparisons so far.
    #[cfg(test)]
    work: std::cell::Cell<usize>,
}

impl<'a> Search<'a> {
    /// Everything that `name` can be confused with, in no particular order; a name of the corpus is there once for each check
    /// that found it. `own` is the name itself, which is none of them.
    pub(crate) fn run(corpus: &'a Corpus, name: Name<'a>, own: Option<u32>) -> Vec<Found> {
        let mut search = Search::new(corpus, name, own);
        search.everything();
        search.found
    }

    fn new(corpus: &'a Corpus, name: Name<'a>, own: Option<u32>) -> Search<'a> {
        Search {
            corpus,
            name,
            own,
            found: Vec::with_capacity(32),
            #[cfg(test)]
            work: std::cell::Cell::default(),
        }
    }

    /// How much work a search is: lookups and comparisons.
    #[cfg(test)]
    pub(crate) fn work(corpus: &'a Corpus, name: Name<'a>) -> usize {
        let mut search = Search::new(corpus, name, None);
        search.everything();
        search.work.get()
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, unused_variables, reason = "only tests count"))]
    fn count(&self, work: usize) {
        #[cfg(test)]
        self.work.set(self.work.get() + work);
    }

    fn everything(&mut self) {
        self.forms();
        self.word_order();
        self.affixes();
        self.extra_words();
        self.glued_words();
        self.missing_words();
        self.repositories();
        self.edits();
    }

    /// Names that have a hash, taken apart.
    fn lookup(&self, form: Form, letters: &[char]) -> impl Iterator<Item = (u32, Name<'a>)> + use<'a> {
        self.lookup_hash(form::hash(form, letters))
    }

    fn lookup_hash(&self, hash: Hash) -> impl Iterator<Item = (u32, Name<'a>)> + use<'a> {
        self.count(MOST_PER_LOOKUP);
        let (corpus, own) = (self.corpus, self.own);
        let ids = corpus.ids(hash).filter(move |id| Some(*id) != own);
        ids.filter_map(move |id| Some((id, corpus.name(id)?))).take(MOST_PER_LOOKUP)
    }

    fn push(&mut self, id: u32, check: Check, what: What) {
        self.found.push(Found { id, check, what });
    }

    /// Forms that both names share as a whole.
    fn forms(&mut self) {
        let name = self.name;
        self.corpus.warm(&[
            form::hash(Form::Letters, name.letters),
            form::hash(Form::Core, name.letters),
            form::hash(Form::Reordered, name.letters),
            form::hash(Form::WordMissing, name.letters),
            form::hash(Form::Repository, name.letters),
        ]);
        for (id, _) in self.lookup(Form::Letters, name.letters).filter(|(_, it)| it.letters == name.letters) {
            self.push(id, Check::Separators, What::Plain);
        }
        let (look, sound) = (name.look(), name.sound());
        let hashes = [
            form::hash(Form::Singular, name.singular()),
            form::hash(Form::Stems, name.stems()),
            form::hash(Form::WithoutNumbers, name.without_numbers()),
            form::hash(Form::Look, &look),
            form::hash(Form::Sound, &sound),
        ];
        self.corpus.warm(&hashes);
        let [singular, stems, without_numbers, look_hash, sound_hash] = hashes;
        self.same(singular, Check::Plural, |it| it.singular().eq(name.singular()));
        self.same(stems, Check::WordForm, |it| it.stems().eq(name.stems()));
        if name.without_numbers().nth(1).is_some() {
            self.same(without_numbers, Check::Number, |it| it.without_numbers().eq(name.without_numbers()));
        }
        self.same(look_hash, Check::LookAlike, |it| it.look() == look);
        self.same(sound_hash, Check::Phonetic, |it| it.sound() == sound);
    }

    /// Names with other letters that have this hash, if they are the same in its form.
    fn same(&mut self, hash: Hash, check: Check, is_same: impl Fn(Name<'a>) -> bool) {
        let name = self.name;
        for (id, target) in
            self.lookup_hash(hash).filter(|(_, it)| it.letters != name.letters && is_same(*it))
        {
            let what = if check == Check::Number { numbers(name, target) } else { What::Plain };
            self.push(id, check, what);
        }
    }

    fn word_order(&mut self) {
        let name = self.name;
        for (id, _) in self.lookup(Form::Reordered, name.letters).filter(|(_, it)| {
            it.letters != name.letters && it.reordered().iter().any(|other| other == name.letters)
        }) {
            self.push(id, Check::WordOrder, What::Plain);
        }
        if !(2..=MOST_WORDS).contains(&name.count()) {
            return;
        }
        let own = name.sorted_words();
        for (id, _) in self
            .lookup(Form::SortedWords, &own)
            .filter(|(_, it)| it.letters != name.letters && it.sorted_words() == own)
        {
            self.push(id, Check::WordOrder, What::Plain);
        }
    }

    fn affixes(&mut self) {
        let name = self.name;
        for (id, target) in self.lookup(Form::Core, name.letters) {
            let rest = core(target);
            if rest == name.letters && rest.len() < target.letters.len() {
                self.push(id, Check::AffixRemoved, What::Affix { kind: removed_kind(target), glued: false });
            }
        }
        let own = core(name);
        if own.len() < name.letters.len() && own.len() >= SHORTEST_GLUED_REST {
            for (id, target) in self.lookup(Form::Core, &own) {
                let replaces = core(target) == own
                    && target.letters != name.letters
                    && target.letters.len() > own.len()
                    && !has_all_words(name, target);
                if replaces && has_all_words(target, name) {
                    let kind = removed_kind(target);
                    self.push(id, Check::AffixRemoved, What::Affix { kind, glued: false });
                } else if replaces {
                    let kind = removed_kind(name);
                    self.push(id, Check::AffixReplaced, What::Affix { kind, glued: false });
                }
            }
        }
        for (place, affix) in affixes().around(name.letters) {
            let Some(rest) = self.without_glued(&affix.text, place) else { continue };
            for (id, _) in self.lookup(Form::Letters, rest).filter(|(_, it)| it.letters == rest) {
                self.push(id, Check::AffixAdded, What::Affix { kind: affix.kind, glued: true });
            }
        }
    }

    /// The letters before or after an affix that no separator sets apart.
    fn without_glued(&self, affix: &[char], place: Place) -> Option<&'a [char]> {
        let (name, letters) = (self.name, self.name.letters);
        let rest = match place {
            Place::Prefix => letters.strip_prefix(affix)?,
            Place::Suffix => letters.strip_suffix(affix)?,
        };
        let cut = match place {
            Place::Prefix => affix.len(),
            Place::Suffix => rest.len(),
        };
        (rest.len() >= SHORTEST_GLUED_REST && !name.is_word_end(cut)).then_some(rest)
    }

    /// The target's words and one or two more; only affixes among those make it an added affix.
    fn extra_words(&mut self) {
        let count = self.name.count();
        if !(2..=MOST_WORDS).contains(&count) {
            return;
        }
        let one = (0..count).map(|first| (first, first));
        let two = (0..count).flat_map(|first| (first + 1..count).map(move |second| (first, second)));
        let kinds: Vec<Option<AffixKind>> = (0..count).map(|index| word_kind(self.name, index)).collect();
        let rests: Vec<Rest<'a>> = one
            .chain(two.filter(|_| count > 2))
            .map(|left_out| Rest::new(self.name, left_out))
            .filter(|rest| rest.letters().nth(SHORTEST_REST - 1).is_some())
            .collect();
        let hashes: Vec<Hash> = rests.iter().flat_map(|rest| [rest.singular, rest.without_numbers]).collect();
        self.corpus.warm(&hashes);
        for rest in &rests {
            let affix = match (kinds[rest.left_out.0], kinds[rest.left_out.1]) {
                (Some(first), Some(second)) => Some(most_said(&[first, second])),
                _ => None,
            };
            // Affixes that say nothing are no words that were added.
            let words = [rest.left_out.0, rest.left_out.1];
            let count = if words[0] == words[1] { 1 } else { 2 };
            let empty =
                words[..count].iter().filter(|index| kinds[**index] == Some(AffixKind::Empty)).count();
            self.without_words(rest, affix, (count - empty).max(1) as u8);
        }
    }

    /// `affix` is the kind of what was left out, if it is nothing but affixes; `count` how many words were.
    fn without_words(&mut self, rest: &Rest<'a>, affix: Option<AffixKind>, count: u8) {
        let (first, second) = rest.left_out;
        let leads = first > 0;
        let same = |it: &Name<'_>| it.singular().eq(rest.words().flat_map(name::singular));
        for (id, target) in self.lookup_hash(rest.singular).filter(|(_, it)| same(it)) {
            let exact = target.letters.iter().eq(rest.letters());
            match affix {
                Some(kind) if exact => self.push(id, Check::AffixAdded, What::Affix { kind, glued: false }),
                _ => self.push(id, Check::ExtraWords, What::Words { count, exact, glued: false, leads }),
            }
        }
        let unnumbered = || rest.words().flat_map(name::without_number);
        if unnumbered().nth(SHORTEST_GLUED_REST - 1).is_some() {
            let what = What::Words { count, exact: false, glued: false, leads };
            let same = |it: &Name<'_>| {
                it.without_numbers().eq(unnumbered()) && !it.letters.iter().eq(rest.letters())
            };
            for (id, _) in self.lookup_hash(rest.without_numbers).filter(|(_, it)| same(it)) {
                self.push(id, Check::ExtraWords, what);
            }
        }
        if first == second && affix.is_some() {
            let letters: Vec<char> = rest.letters().copied().collect();
            self.affix_and_typo(&letters);
        }
    }

    /// A typing error in what an affix was added to.
    fn affix_and_typo(&mut self, rest: &[char]) {
        for (id, edits) in self.within_edits(Form::Deletion, rest) {
            self.push(id, Check::AffixAndTypo, What::Edits(edits));
        }
    }

    /// A name of the corpus and another word of its names, without a separator.
    fn glued_words(&mut self) {
        const SHORTEST_WORD: usize = 3;
        const SHORTEST_TARGET: usize = 5;
        let name = self.name;
        if name.count() > 1 {
            return;
        }
        let letters = name.letters;
        let cuts = SHORTEST_WORD..=letters.len().saturating_sub(SHORTEST_WORD);
        for cut in cuts {
            let (head, tail) = letters.split_at(cut);
            for (target, word, leads) in [(head, tail, true), (tail, head, false)] {
                if target.len() < SHORTEST_TARGET || !self.is_word(word) {
                    continue;
                }
                for (id, _) in self.lookup(Form::Letters, target).filter(|(_, it)| it.letters == target) {
                    let what = What::Words { count: 1, exact: true, glued: true, leads };
                    self.push(id, Check::ExtraWords, what);
                }
            }
        }
    }

    fn is_word(&self, letters: &[char]) -> bool {
        self.count(1);
        self.corpus.words_in(letters, self.own, 1) > 0
    }

    fn missing_words(&mut self) {
        let name = self.name;
        if name.letters.len() < SHORTEST_REST {
            return;
        }
        for (id, target) in self.lookup(Form::WordMissing, name.letters) {
            // A missing number is for the check of numbers, a missing affix for that of affixes.
            let inner = affixes().core_words(target);
            let missing = inner.clone().any(|index| {
                !target.word(index).iter().all(|it| it.is_numeric())
                    && target.without(|it| it == index) == name.letters
            });
            if missing {
                self.push(
                    id,
                    Check::MissingWord,
                    What::Missing { left: u8::try_from(target.count() - 1).unwrap_or(u8::MAX) },
                );
            }
        }
    }

    fn repositories(&mut self) {
        let (corpus, name) = (self.corpus, self.name);
        for (id, target) in self.lookup(Form::Repository, name.letters) {
            let repository = corpus.entry(id).and_then(|entry| entry.repository.as_deref());
            let names = repository.map(repository_names).unwrap_or_default();
            if target.letters != name.letters && names.iter().any(|letters| letters == name.letters) {
                self.push(id, Check::RepositoryName, What::Plain);
            }
        }
    }

    fn edits(&mut self) {
        let name = self.name;
        if let Some(own) = name.sorted_letters() {
            for (id, target) in self.lookup(Form::SortedLetters, &own) {
                if let Some(edits @ Edits::Two(..)) = edit::between(name.letters, target.letters, 2) {
                    self.push(id, check_of(edits, name, target), What::Edits(edits));
                }
            }
        }
        if name.letters.len() < 2 {
            return;
        }
        for form in [Form::Deletion, Form::TwoDeletions] {
            for (id, edits) in self.within_edits(form, name.letters) {
                let Some(target) = self.corpus.name(id) else { continue };
                let check = check_of(edits, name, target);
                let what = if check == Check::Number { numbers(name, target) } else { What::Edits(edits) };
                self.push(id, check, what);
            }
        }
    }

    /// Names that are one edit away from these letters ([`Form::Deletion`]), or popular ones that are two edits away
    /// ([`Form::TwoDeletions`]).
    fn within_edits(&self, form: Form, letters: &[char]) -> Vec<(u32, Edits)> {
        let two = matches!(form, Form::TwoDeletions);
        let most = if two { 2 } else { 1 };
        let mut near = Vec::with_capacity(16);
        self.corpus.see_letters(&self.deletion_candidates(form, letters, most), |id, other| {
            // A name that was removed has no letters.
            if other.is_empty() || two && letters.len().max(other.len()) < TWO_EDITS_FROM {
                return;
            }
            let edits = edit::between(letters, other, most);
            near.extend(edits.filter(|it| matches!(it, Edits::Two(..)) == two).map(|edits| (id, edits)));
        });
        near
    }

    /// Names that share a deletion and may be so many edits away from these letters, each once.
    fn deletion_candidates(&self, form: Form, letters: &[char], edits: usize) -> Vec<u32> {
        let mut hashes = Vec::new();
        form::deletions(form, letters, &mut hashes);
        let mut ids = Vec::with_capacity(256);
        self.corpus.all_ids(form, &hashes, MOST_PER_LOOKUP, &mut ids);
        self.count(hashes.len() + ids.len());
        ids.retain(|id| self.corpus.length(*id).abs_diff(letters.len()) <= edits);
        ids.sort_unstable();
        ids.dedup();
        // The most popular ones have the lowest ids.
        ids.truncate(MOST_COMPARED);
        ids
    }
}

/// What is left of a name without one or two of its words.
struct Rest<'a> {
    name: Name<'a>,
    /// Which ones; twice the same for one.
    left_out: (usize, usize),
    /// Hashes of its forms.
    singular: Hash,
    without_numbers: Hash,
}

impl<'a> Rest<'a> {
    fn new(name: Name<'a>, left_out: (usize, usize)) -> Rest<'a> {
        let mut rest = Rest { name, left_out, singular: 0, without_numbers: 0 };
        rest.singular = form::hash(Form::Singular, rest.words().flat_map(name::singular));
        rest.without_numbers = form::hash(Form::WithoutNumbers, rest.words().flat_map(name::without_number));
        rest
    }

    fn words(&self) -> impl Iterator<Item = &'a [char]> {
        let (name, (first, second)) = (self.name, self.left_out);
        (0..name.count())
            .filter(move |index| *index != first && *index != second)
            .map(move |index| name.word(index))
    }

    fn letters(&self) -> impl Iterator<Item = &'a char> {
        self.words().flatten()
    }
}

impl Corpus {
    /// In how many names of the corpus, other than `own`, this is a word; counts to `enough` at most.
    pub(crate) fn words_in(&self, word: &[char], own: Option<u32>, enough: usize) -> usize {
        let is_word = |id: &u32| {
            Some(*id) != own && self.name(*id).is_some_and(|name| name.words().any(|it| it == word))
        };
        self.ids(form::hash(Form::Word, word)).filter(is_word).take(enough).count()
    }
}

/// The kind of the affix that a word of a name is in its place. A first word is a prefix, any other a suffix.
fn word_kind(name: Name<'_>, index: usize) -> Option<AffixKind> {
    let place = if index == 0 { Place::Prefix } else { Place::Suffix };
    affixes().of_word(name.word(index), place).map(|affix| affix.kind)
}

/// Of several affixes, the one that says the most counts.
fn most_said(kinds: &[AffixKind]) -> AffixKind {
    let says = |kind: &AffixKind| match kind {
        AffixKind::Empty => 0,
        AffixKind::Successor => 1,
        AffixKind::Part => 2,
        AffixKind::Internal => 3,
    };
    kinds.iter().copied().max_by_key(says).unwrap_or(AffixKind::Internal)
}

/// What the affixes of a name say.
fn removed_kind(name: Name<'_>) -> AffixKind {
    let inner = affixes().core_words(name);
    let outer = (0..name.count()).filter(|index| !inner.contains(index));
    let kinds: Vec<AffixKind> = outer.filter_map(|index| word_kind(name, index)).collect();
    most_said(&kinds)
}

fn numbers(name: Name<'_>, target: Name<'_>) -> What {
    let (own, other) = name.other_numbers(target);
    What::Number {
        changed: name.number_places().eq(target.number_places()),
        long: own.iter().chain(&other).any(|number| number.len() >= 3),
    }
}

/// Whether every word of `target` is in `name`: then it is an affix added, not one replaced.
fn has_all_words(name: Name<'_>, target: Name<'_>) -> bool {
    target.words().all(|word| name.words().any(|own| own == word))
}

/// The kind of confusion that edits are.
fn check_of(edits: Edits, name: Name<'_>, target: Name<'_>) -> Check {
    match edits {
        Edits::One(edit) => check_of_edit(edit, name, target),
        Edits::Two(
            Edit::Replaced { from, to, .. },
            Edit::Replaced { from: other_from, to: other_to, .. },
        ) if from == other_to && to == other_from => Check::SwappedLetters,
        Edits::Two(..) => Check::TwoEdits,
    }
}

fn check_of_edit(edit: Edit, name: Name<'_>, target: Name<'_>) -> Check {
    let letters = target.letters;
    match edit {
        Edit::Transposed { .. } => Check::TransposedLetters,
        Edit::Omitted { at, letter: 's' } if at > 2 && target.is_word_end(usize::from(at) + 1) => {
            Check::Plural
        }
        Edit::Inserted { at, letter: 's' }
            if at > 2
                && letters.get(usize::from(at) - 1) != Some(&'s')
                && (target.is_word_end(at.into()) || name.is_word_end(usize::from(at) + 1)) =>
        {
            Check::Plural
        }
        Edit::Omitted { letter, .. } | Edit::Inserted { letter, .. } if letter.is_numeric() => Check::Number,
        Edit::Omitted { .. } => Check::OmittedLetter,
        Edit::Inserted { at, letter } => {
            let at = usize::from(at);
            let before = at.checked_sub(1).and_then(|at| letters.get(at));
            if before == Some(&letter) || letters.get(at) == Some(&letter) {
                Check::RepeatedLetter
            } else {
                Check::InsertedLetter
            }
        }
        Edit::Replaced { from, to, .. } if from.is_numeric() && to.is_numeric() => Check::Number,
        Edit::Replaced { from, to, .. } if edit::look_alike(from, to) => Check::LookAlike,
        Edit::Replaced { from, to, .. } if edit::are_neighbours(from, to) => Check::KeyboardNeighbour,
        Edit::Replaced { from, to, .. } if edit::is_vowel(from) && edit::is_vowel(to) => Check::ReplacedVowel,
        Edit::Replaced { from, to, .. } if edit::is_bit_flip(from, to) => Check::BitFlip,
        Edit::Replaced { .. } => Check::ReplacedLetter,
    }
}

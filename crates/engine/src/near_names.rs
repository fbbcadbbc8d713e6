//! What a publisher's names, and a publisher, can be taken for.
//!
//! One name that is close to another is a coincidence more often than not; several by the same publisher are not. So they are looked at
//! together, by whoever knows what a publisher has: a replay, or a registry.

use cratekeeper_names::{Candidate, Corpus, Level};

/// What names and logins can be taken for.
pub(crate) struct NearNames<'a> {
    pub(crate) names: Option<&'a Corpus>,
    pub(crate) publishers: Option<&'a Corpus>,
}

impl NearNames<'_> {
    /// Names that can be taken for those of somebody else's crates. Those that are merely close count where the same publisher has
    /// two that are likely taken: then they are no coincidence.
    pub(crate) fn of_all<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        owner: &str,
    ) -> Vec<(String, String)> {
        let close: Vec<(String, String, u8)> = names.filter_map(|name| self.of(name, owner)).collect();
        let likely = close.iter().filter(|(.., score)| Level::of(*score) == Level::Alert).count();
        let counted =
            close.into_iter().filter(|(.., score)| likely >= 2 || Level::of(*score) == Level::Alert);
        counted.map(|(name, other, _)| (name, other)).collect()
    }

    /// The name, the other that it can be taken for, and how likely that is.
    fn of(&self, name: &str, owner: &str) -> Option<(String, String, u8)> {
        let mut candidate = Candidate::new(name).ok()?;
        candidate.owners = vec![owner.to_owned()];
        let corpora = self.names.into_iter().chain([Corpus::popular_crates()]);
        let judged = corpora.map(|corpus| corpus.judge(&candidate)).filter(|it| !it.in_corpus);
        let close =
            judged.filter(|it| it.level >= Level::Review).filter_map(|it| it.matches.into_iter().next());
        close.max_by_key(|it| it.score).map(|it| (name.to_owned(), it.target, it.score))
    }

    /// Well-known publishers whose login is nearly this one.
    pub(crate) fn look_alikes(&self, login: &str) -> Vec<String> {
        let Some(corpus) = self.publishers else { return Vec::new() };
        match Candidate::new(login) {
            Ok(candidate) if !corpus.contains(login) => {
                let judgement = corpus.judge(&candidate);
                let likely = judgement.matches.into_iter().filter(|it| Level::of(it.score) == Level::Alert);
                likely.map(|it| it.target).collect()
            }
            _ => Vec::new(),
        }
    }
}

//! Patterns: how a user says which functions are meant.

use cratekeeper_model::graph::Certainty;
use fst::{Automaton, IntoStreamer, Streamer};
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, util::primitives::StateID};
use semver::{Version, VersionReq};

use crate::error::Damage;
use crate::{Graph, GraphError, NodeId, VersionId};

/// Bytes that the automaton of a pattern may take. Unicode classes take some hundred kilobytes.
const MOST_AUTOMATON: usize = 16 << 20;
/// Longest pattern. Wildcards of megabytes have no use.
const LONGEST: usize = 4096;

/// Which functions are meant.
///
/// - `crate_name::module::function`: that path. Behind the crate's name may stand `@` and a version or requirement.
/// - `crate_name`, `crate_name@REQUIREMENT`: all functions of the crate.
/// - with `*`: any characters in its place.
/// - `::function`: all paths that end so.
/// - `/regular expression/`: all paths that have a match.
#[derive(Debug, Clone)]
pub struct Pattern {
    matcher: Matcher,
    versions: Option<Versions>,
}

#[derive(Debug, Clone)]
enum Matcher {
    Exact(String),
    Crate(String),
    Automaton(Box<PathAutomaton>),
}

#[derive(Debug, Clone)]
enum Versions {
    One(Version),
    Matching(VersionReq),
}

impl Versions {
    fn contains(&self, version: &str) -> bool {
        let Ok(version) = Version::parse(version) else { return false };
        match self {
            Versions::One(one) => *one == version,
            Versions::Matching(requirement) => requirement.matches(&version),
        }
    }
}

/// How to search for paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search<'a> {
    /// Paths that begin with this.
    Prefix(&'a str),
    /// Paths that have a match of this regular expression.
    Regex(&'a str),
    /// Paths that contain this.
    Substring(&'a str),
}

/// What a pattern stands for in a graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The nodes.
    pub nodes: Vec<NodeId>,
    /// There are more than were asked for.
    pub truncated: bool,
}

/// Paths that a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundPaths {
    /// Each path with the nodes that have it, sorted by path.
    pub paths: Vec<(String, Vec<NodeId>)>,
    /// There are more than were asked for.
    pub truncated: bool,
}

/// A version, `1.2.3`, means that one; anything else is a requirement as in a manifest.
fn versions(text: &str) -> Option<Versions> {
    let one = Version::parse(text.trim_start_matches('=')).ok().map(Versions::One);
    one.or_else(|| VersionReq::parse(text).ok().map(Versions::Matching))
}

/// `serde-json::f` is `serde_json::f`.
fn normalise_crate(text: &str) -> String {
    match text.split_once("::") {
        Some((name, rest)) => format!("{}::{rest}", name.replace('-', "_")),
        None => text.replace('-', "_"),
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// When the requirement or the regular expression cannot be read, or is too large.
    pub fn parse(text: &str) -> Result<Pattern, GraphError> {
        let refuse =
            |reason: String| GraphError::Pattern { pattern: text.chars().take(200).collect(), reason };
        if text.is_empty() || text.len() > LONGEST {
            return Err(refuse(format!("it has to have between 1 and {LONGEST} bytes")));
        }
        if let Some(regex) = text.strip_prefix('/').and_then(|it| it.strip_suffix('/')) {
            let automaton = PathAutomaton::new(regex).map_err(refuse)?;
            return Ok(Pattern { matcher: Matcher::Automaton(Box::new(automaton)), versions: None });
        }
        let (plain, versions) = match text.split_once('@') {
            None => (text.to_owned(), None),
            Some((name, rest)) => {
                let end = rest.find("::").unwrap_or(rest.len());
                let requirement = &rest[..end];
                let versions = versions(requirement).ok_or_else(|| {
                    refuse(format!("`{requirement}` is neither a version nor a requirement"))
                })?;
                (format!("{name}{}", &rest[end..]), Some(versions))
            }
        };
        let plain = normalise_crate(&plain);
        let matcher = if plain.starts_with("::") || plain.contains('*') {
            let middle: Vec<String> = plain.split('*').map(escape).collect();
            let front = if plain.starts_with("::") { "" } else { "^" };
            let expression = format!("{front}{}$", middle.join("(?s:.)*"));
            Matcher::Automaton(Box::new(PathAutomaton::new(&expression).map_err(refuse)?))
        } else if plain.contains("::") {
            Matcher::Exact(plain)
        } else {
            Matcher::Crate(plain)
        };
        Ok(Pattern { matcher, versions })
    }

    /// Whether it stands for all functions of a crate.
    #[must_use]
    pub fn is_crate(&self) -> bool {
        matches!(self.matcher, Matcher::Crate(_))
    }
}

/// The text as a regular expression that matches nothing else.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        // Not every punctuation: `\<` means something.
        if r"\.+*?()|[]{}^$#&-~".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A regular expression as an automaton that walks the transducer of names, skipping what cannot match.
#[derive(Debug, Clone)]
struct PathAutomaton {
    automaton: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl PathAutomaton {
    fn new(expression: &str) -> Result<PathAutomaton, String> {
        let automaton = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Unanchored)
                    .dfa_size_limit(Some(MOST_AUTOMATON))
                    .determinize_size_limit(Some(MOST_AUTOMATON)),
            )
            .thompson(thompson::Config::new().nfa_size_limit(Some(MOST_AUTOMATON)))
            .syntax(syntax::Config::new().nest_limit(50))
            .build(expression)
            .map_err(|it| match std::error::Error::source(&it) {
                Some(source) => format!("{it}: {source}"),
                None => it.to_string(),
            })?;
        let configuration = start::Config::new().anchored(Anchored::No);
        let start = automaton.start_state(&configuration).map_err(|it| it.to_string())?;
        Ok(PathAutomaton { automaton, start })
    }
}

/// A state, and whether there was a match before it. Automata of this kind report a match one byte late.
impl Automaton for &PathAutomaton {
    type State = (StateID, bool);

    fn start(&self) -> Self::State {
        (self.start, self.automaton.is_match_state(self.start))
    }

    fn is_match(&self, &(state, matched): &Self::State) -> bool {
        matched || self.automaton.is_match_state(self.automaton.next_eoi_state(state))
    }

    fn can_match(&self, &(state, matched): &Self::State) -> bool {
        matched || !(self.automaton.is_dead_state(state) || self.automaton.is_quit_state(state))
    }

    fn will_always_match(&self, &(_, matched): &Self::State) -> bool {
        matched
    }

    fn accept(&self, &(state, matched): &Self::State, byte: u8) -> Self::State {
        if matched {
            return (state, true);
        }
        let next = self.automaton.next_state(state, byte);
        (next, self.automaton.is_match_state(next))
    }
}

impl Graph {
    /// Nodes that a pattern stands for, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn find(&self, pattern: &Pattern, limit: usize) -> Result<Found, GraphError> {
        let mut found = Found::default();
        let versions = pattern.versions.as_ref();
        match &pattern.matcher {
            Matcher::Exact(path) => {
                if let Some(number) = self.index.names()?.get(path) {
                    self.push_nodes(number, versions, limit, &mut found)?;
                }
            }
            Matcher::Crate(name) => {
                for version in self.versions_called(name, versions)? {
                    let functions = self.index.functions_of(version.0)?;
                    let room = limit - found.nodes.len();
                    found.truncated |= functions.len() > room;
                    found.nodes.extend(functions.take(room).map(NodeId));
                }
            }
            Matcher::Automaton(automaton) => {
                let names = self.index.names()?;
                let mut stream = names.search(&**automaton).into_stream();
                while let Some((_, number)) = stream.next() {
                    self.push_nodes(number, versions, limit, &mut found)?;
                    if found.truncated {
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    /// Versions that the crate part of a pattern stands for: all functions of them are meant.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn find_versions(&self, pattern: &Pattern) -> Result<Vec<VersionId>, GraphError> {
        match &pattern.matcher {
            Matcher::Crate(name) => self.versions_called(name, pattern.versions.as_ref()),
            Matcher::Exact(_) | Matcher::Automaton(_) => {
                let nodes = self.find(pattern, usize::MAX)?.nodes;
                let versions = nodes.iter().map(|it| self.index.version_of(it.0));
                let mut versions: Vec<VersionId> = versions
                    .filter_map(Result::transpose)
                    .map(|it| it.map(VersionId))
                    .collect::<Result<_, _>>()?;
                versions.sort();
                versions.dedup();
                Ok(versions)
            }
        }
    }

    fn versions_called(&self, name: &str, versions: Option<&Versions>) -> Result<Vec<VersionId>, GraphError> {
        let mut found = Vec::new();
        for version in self.versions() {
            let row = self.index.version(version.0)?;
            let called = self.index.text(row.crate_name)? == name
                || self.index.text(row.package)?.replace('-', "_") == name;
            if called && self.is_among(version.0, versions)? {
                found.push(version);
            }
        }
        Ok(found)
    }

    fn is_among(&self, version: u32, versions: Option<&Versions>) -> Result<bool, Damage> {
        let Some(versions) = versions else { return Ok(true) };
        Ok(versions.contains(self.index.text(self.index.version(version)?.version)?))
    }

    fn push_nodes(
        &self,
        path: u64,
        versions: Option<&Versions>,
        limit: usize,
        found: &mut Found,
    ) -> Result<(), GraphError> {
        let path = u32::try_from(path).map_err(|_| Damage("a name has no number"))?;
        for &node in self.index.nodes_of_path(path)? {
            let meant = match self.index.version_of(node)? {
                Some(version) => self.is_among(version, versions)?,
                None => versions.is_none(),
            };
            if meant && found.nodes.len() < limit {
                found.nodes.push(NodeId(node));
            } else if meant {
                found.truncated = true;
                break;
            }
        }
        Ok(())
    }

    /// Searches for paths, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the expression cannot be read or the index is damaged.
    pub fn search(&self, search: Search<'_>, limit: usize) -> Result<FoundPaths, GraphError> {
        let refuse = |reason| GraphError::Pattern {
            pattern: match search {
                Search::Prefix(text) | Search::Regex(text) | Search::Substring(text) => text.to_owned(),
            },
            reason,
        };
        let names = self.index.names()?;
        match search {
            Search::Prefix(prefix) => {
                let automaton = fst::automaton::Str::new(prefix).starts_with();
                self.collect_paths(names.search(automaton).into_stream(), limit)
            }
            Search::Regex(expression) => {
                let automaton = PathAutomaton::new(expression).map_err(refuse)?;
                self.collect_paths(names.search(&automaton).into_stream(), limit)
            }
            Search::Substring(text) => {
                let automaton = PathAutomaton::new(&escape(text)).map_err(refuse)?;
                self.collect_paths(names.search(&automaton).into_stream(), limit)
            }
        }
    }

    fn collect_paths<A: Automaton>(
        &self,
        mut stream: fst::map::Stream<'_, A>,
        limit: usize,
    ) -> Result<FoundPaths, GraphError> {
        let mut found = FoundPaths::default();
        while let Some((path, number)) = stream.next() {
            if found.paths.len() == limit {
                found.truncated = true;
                break;
            }
            let number = u32::try_from(number).map_err(|_| Damage("a name has no number"))?;
            let nodes = self.index.nodes_of_path(number)?.iter().map(|it| NodeId(*it)).collect();
            found.paths.push((String::from_utf8_lossy(path).into_owned(), nodes));
        }
        Ok(found)
    }

    /// Versions whose `package@version` begins with `prefix`, sorted by that text, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn search_versions(&self, prefix: &str, limit: usize) -> Result<Vec<VersionId>, GraphError> {
        let keys = self.index.version_keys()?;
        let mut stream = keys.search(fst::automaton::Str::new(prefix).starts_with()).into_stream();
        let mut found = Vec::new();
        while let Some((key, first)) = stream.next() {
            let first = u32::try_from(first).map_err(|_| Damage("a version has no number"))?;
            // Two registries may have the same name and version; they are neighbours.
            for version in first..self.index.versions() {
                let row = self.index.version(version)?;
                let text = format!("{}@{}", self.index.text(row.package)?, self.index.text(row.version)?);
                if text.as_bytes() != key || found.len() == limit {
                    break;
                }
                found.push(VersionId(version));
            }
        }
        Ok(found)
    }
}

/// Certainties that are at least as sure as this one.
pub(crate) fn at_least(certainty: Certainty) -> &'static [Certainty] {
    &Certainty::ALL[..=certainty as usize]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(expression: &str, path: &str) -> bool {
        let automaton = PathAutomaton::new(expression).unwrap();
        let automaton = &&automaton;
        let mut state = automaton.start();
        for byte in path.bytes() {
            if !automaton.can_match(&state) {
                return false;
            }
            state = automaton.accept(&state, byte);
        }
        automaton.is_match(&state)
    }

    #[test]
    fn expressions_match_anywhere_unless_anchored() {
        assert!(matches("b", "abc"));
        assert!(matches("c$", "abc"));
        assert!(matches("^abc$", "abc"));
        assert!(!matches("^b", "abc"));
        assert!(!matches("^ab$", "abc"));
        assert!(matches("", "abc"));
        assert!(matches(r"\w+::é", "a::é"));
        assert!(matches(&escape("<a"), "<a::T>"), "an escaped `<` would be the beginning of a word");
    }

    #[test]
    fn requirements_stand_behind_the_crate() {
        let exact = Pattern::parse("serde-json@1.0.3::de::f").unwrap();
        assert!(matches!(exact.matcher, Matcher::Exact(path) if path == "serde_json::de::f"));
        assert!(exact.versions.as_ref().unwrap().contains("1.0.3"));
        assert!(!exact.versions.unwrap().contains("1.0.4"));
        let range = Pattern::parse("<a@>=1, <3::T as b::Trait>::f").unwrap();
        assert!(matches!(range.matcher, Matcher::Exact(path) if path == "<a::T as b::Trait>::f"));
        assert!(range.versions.unwrap().contains("2.9.0"));
        assert!(matches!(Pattern::parse("a@1").unwrap().matcher, Matcher::Crate(name) if name == "a"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "a@?::f", "/(/", "/\\w{500}{500}/", &"a".repeat(LONGEST + 1)] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(matches!(error, GraphError::Pattern { .. }), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_refused(text in ".{0,40}") {
            let _ = Pattern::parse(&text);
        }

        #[test]
        fn an_escaped_text_matches_itself(text in ".{0,20}") {
            let expression = format!("^{}$", escape(&text));
            prop_assert!(matches(&expression, &text));
        }
    }
}

//! Which functions of a version an advisory means.
//!
//! Advisories are written by people: with generic arguments, through re-exports, by a type or a module instead of a function, by a
//! trait. What a path may mean is tried from the narrowest reading to the widest, and the first that fits something is
//! taken, with a word for it ([`Reading`]). A path that fits nothing is *not found*, which never means that it is not there.

/// How a path of an advisory was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// It is the path of a definition.
    Definition,
    /// It is a method of a trait that the type implements.
    TraitMethodOfType,
    /// It is a trait's method: that and its implementations.
    TraitMethod,
    /// It is no definition, but one function or method of that name is there: a re-export.
    ReExport,
    /// As [`Reading::ReExport`], and several fit: any of them may be meant.
    Ambiguous,
    /// It is a type or a trait: all of its methods.
    Type,
    /// It is a module: all functions in it.
    Module,
}

impl Reading {
    /// What it is, for a sentence.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reading::Definition => "a function",
            Reading::TraitMethodOfType => "a method of a trait that the type implements",
            Reading::TraitMethod => "a method of a trait",
            Reading::ReExport => "a re-exported function",
            Reading::Ambiguous => "one of several functions of that name",
            Reading::Type => "a type or trait",
            Reading::Module => "a module",
        }
    }
}

/// Functions that a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// How it was understood.
    pub reading: Reading,
    /// Positions in the order in which functions were given to [`FunctionTable::new`].
    pub functions: Vec<u32>,
}

/// Longest path that is looked at. The longest real one has 109 bytes; a database of one's own may hold anything.
const LONGEST: usize = 4096;

/// A path as an advisory writes it, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedPath {
    /// Segments without generic arguments. Of `<T as Trait>::f` those of `T` and `f`.
    pub segments: Vec<String>,
    /// Segments of `Trait` in `<T as Trait>::f`.
    pub of_trait: Option<Vec<String>>,
    /// Whether generic arguments were written and dropped.
    pub has_generics: bool,
}

impl AffectedPath {
    /// Takes a path apart; `None` for text that is no path.
    #[must_use]
    pub fn parse(text: &str) -> Option<AffectedPath> {
        let text = text.trim().trim_end_matches("()").trim_start_matches("::");
        if text.len() > LONGEST {
            return None;
        }
        if let Some(rest) = text.strip_prefix('<') {
            let end = closing(rest)?;
            let (inner, method) = (&rest[..end], rest[end + 1..].strip_prefix("::")?);
            let (of_type, of_trait) = match top_level_as(inner) {
                Some((of_type, of_trait)) => (of_type, Some(of_trait)),
                None => (inner, None),
            };
            let (mut path, of_method) = (plain(of_type)?, plain(method)?);
            let of_trait = of_trait.map(plain).map_or(Some(None), |it| it.map(Some))?;
            let has_generics =
                path.1 || of_method.1 || of_trait.as_ref().is_some_and(|(_, has_generics)| *has_generics);
            path.0.extend(of_method.0);
            return Some(AffectedPath {
                segments: path.0,
                of_trait: of_trait.map(|(segments, _)| segments),
                has_generics,
            });
        }
        let (segments, has_generics) = plain(text)?;
        Some(AffectedPath { segments, of_trait: None, has_generics })
    }
}

/// Position of the `>` that closes a `<` before the text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_u32;
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if !text[..at].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Cuts at ` as ` outside of `<…>`.
fn top_level_as(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_i64;
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if !text[..at].ends_with('-') => depth -= 1,
            ' ' if depth == 0 && text[at..].starts_with(" as ") => {
                return Some((&text[..at], &text[at + 4..]));
            }
            _ => {}
        }
    }
    None
}

/// Segments of a path without what stands in `<…>`, and whether anything stood there.
fn plain(text: &str) -> Option<(Vec<String>, bool)> {
    let (mut bare, mut depth, mut has_generics) = (String::with_capacity(text.len()), 0_i64, false);
    let mut previous = ' ';
    for character in text.chars() {
        match character {
            '<' => {
                depth += 1;
                has_generics = true;
            }
            '>' if previous != '-' => depth -= 1,
            _ if depth == 0 => bare.push(character),
            _ => {}
        }
        if depth < 0 {
            return None;
        }
        previous = character;
    }
    let segments: Vec<String> = bare
        .split("::")
        .map(|it| it.trim().trim_start_matches(['&', '*']).trim_start_matches("r#").trim_end_matches('!'))
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect();
    (depth == 0 && !segments.is_empty()).then_some((segments, has_generics))
}

/// A function's path, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    position: u32,
    /// Path of the type or module, without the crate.
    place: Vec<String>,
    /// Path of the trait, crate included, of methods in implementations of traits.
    of_trait: Option<Vec<String>>,
    name: String,
}

impl Known {
    fn parse(position: u32, path: &str, crate_name: &str) -> Option<Known> {
        let AffectedPath { mut segments, of_trait, .. } = AffectedPath::parse(path)?;
        let name = segments.pop()?;
        if segments.first().is_some_and(|it| it == crate_name) {
            segments.remove(0);
        }
        Some(Known { position, place: segments, of_trait, name })
    }
}

/// The functions of one version.
#[derive(Debug, Clone)]
pub struct FunctionTable {
    crate_name: String,
    functions: Vec<Known>,
}

/// Most functions that one path may stand for. A module of more is nobody's vulnerable function.
const MOST: usize = 100_000;

impl FunctionTable {
    /// A table of functions by their paths; a function's position is its place among them.
    pub fn new<T: AsRef<str>>(crate_name: &str, paths: impl IntoIterator<Item = T>) -> FunctionTable {
        let numbered = (0..).zip(paths);
        let functions = numbered
            .filter_map(|(position, path)| Known::parse(position, path.as_ref(), crate_name))
            .collect();
        FunctionTable { crate_name: crate_name.to_owned(), functions }
    }

    /// Name of the crate as paths print it.
    #[must_use]
    pub fn crate_name(&self) -> &str {
        &self.crate_name
    }

    /// Whether no function was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// Whether the first segment of a path is this crate, with `-` for `_` allowed.
    #[must_use]
    pub fn is_own_name(&self, segment: &str) -> bool {
        segment.replace('-', "_") == self.crate_name
    }

    /// The functions that a path stands for.
    #[must_use]
    pub fn find(&self, path: &AffectedPath) -> Option<Match> {
        let segments = match path.segments.split_first() {
            // A path without the crate's name, or with another's, is read as if it were inside of the crate.
            Some((first, rest)) if !rest.is_empty() && (self.is_own_name(first) || rest.len() > 1) => rest,
            _ => &path.segments,
        };
        let (name, place) = segments.split_last()?;
        let of_trait = path.of_trait.as_deref();
        let wanted = Wanted { place, name, of_trait };
        if of_trait.is_some() {
            return self.definition(&wanted);
        }
        self.definition(&wanted)
            .or_else(|| self.method_of_trait(&wanted))
            .or_else(|| self.elsewhere(&wanted))
            .or_else(|| self.methods_of(segments))
            .or_else(|| self.within(segments))
    }

    fn matching(&self, reading: Reading, is_meant: impl Fn(&Known) -> bool) -> Option<Match> {
        let functions: Vec<u32> =
            self.functions.iter().filter(|it| is_meant(it)).map(|it| it.position).take(MOST).collect();
        (!functions.is_empty()).then_some(Match { reading, functions })
    }

    /// A definition with exactly this path. Of a trait's method, its implementations belong to it.
    fn definition(&self, wanted: &Wanted<'_>) -> Option<Match> {
        if wanted.of_trait.is_some() {
            return self.matching(Reading::TraitMethodOfType, |it| {
                it.name == *wanted.name
                    && ends_alike(&it.place, wanted.place)
                    && it.of_trait.as_deref().is_some_and(|it| wanted.is_of_trait(it))
            });
        }
        let exact = self.matching(Reading::Definition, |it| {
            it.name == *wanted.name && it.of_trait.is_none() && it.place == wanted.place
        })?;
        let implementations = self.matching(Reading::TraitMethod, |it| {
            it.name == *wanted.name && it.of_trait.as_deref().is_some_and(|it| self.is_here(it, wanted.place))
        });
        Some(match implementations {
            Some(mut both) => {
                both.functions.extend(exact.functions);
                both.functions.sort_unstable();
                both
            }
            None => exact,
        })
    }

    /// `Type::method` where the method is one of a trait, or `Trait::method` that only implementations define.
    fn method_of_trait(&self, wanted: &Wanted<'_>) -> Option<Match> {
        if wanted.place.is_empty() {
            return None;
        }
        self.matching(Reading::TraitMethodOfType, |it| {
            it.name == *wanted.name && it.of_trait.is_some() && it.place == wanted.place
        })
        .or_else(|| {
            self.matching(Reading::TraitMethod, |it| {
                it.name == *wanted.name
                    && it.of_trait.as_deref().is_some_and(|it| ends_alike(it, wanted.place))
            })
        })
    }

    /// The same name elsewhere in the crate: paths of re-exports are no definitions.
    fn elsewhere(&self, wanted: &Wanted<'_>) -> Option<Match> {
        let of_type = wanted.place.last().filter(|it| is_type(it));
        let found = self.matching(Reading::ReExport, |it| {
            it.name == *wanted.name
                && match of_type {
                    Some(of_type) => {
                        it.place.last() == Some(of_type)
                            || it.of_trait.as_deref().and_then(<[String]>::last) == Some(of_type)
                    }
                    None => it.of_trait.is_none() && !it.place.last().is_some_and(|it| is_type(it)),
                }
        })?;
        let reading = if found.functions.len() == 1 { Reading::ReExport } else { Reading::Ambiguous };
        Some(Match { reading, ..found })
    }

    /// All methods of a type or trait.
    fn methods_of(&self, segments: &[String]) -> Option<Match> {
        let name = segments.last().filter(|it| is_type(it))?;
        let exact = |it: &Known| {
            it.place == segments || it.of_trait.as_deref().is_some_and(|it| self.is_here(it, segments))
        };
        self.matching(Reading::Type, exact).or_else(|| {
            self.matching(Reading::Type, |it| {
                it.place.last() == Some(name)
                    || it.of_trait.as_deref().and_then(<[String]>::last) == Some(name)
            })
        })
    }

    /// All functions below a module.
    fn within(&self, segments: &[String]) -> Option<Match> {
        self.matching(Reading::Module, |it| it.place.starts_with(segments))
    }

    /// Whether the path of a trait, crate included, is this one of our crate.
    fn is_here(&self, of_trait: &[String], place: &[String]) -> bool {
        of_trait.split_first().is_some_and(|(krate, rest)| *krate == self.crate_name && rest == place)
    }

    /// The path that looks most like one that was not found: it shares the name, or else most of its letters.
    #[must_use]
    pub fn nearest(&self, path: &AffectedPath) -> Option<u32> {
        let name = path.segments.last()?;
        let place = path.segments.get(path.segments.len().checked_sub(2)?)?;
        let likeness = |it: &Known| {
            let same_place = it.place.last() == Some(place);
            let shared = shared_pairs(&it.name, name);
            (shared * 2 >= pairs(name)).then_some((it.name == *name, shared, same_place))
        };
        let best = self.functions.iter().filter_map(|it| Some((likeness(it)?, it.position)));
        best.max_by_key(|(likeness, position)| (*likeness, std::cmp::Reverse(*position))).map(|(_, it)| it)
    }
}

struct Wanted<'a> {
    place: &'a [String],
    name: &'a String,
    of_trait: Option<&'a [String]>,
}

impl Wanted<'_> {
    fn is_of_trait(&self, other: &[String]) -> bool {
        self.of_trait.is_none_or(|it| ends_alike(other, it))
    }
}

/// Whether the last segments are the same: what stands before them differs through re-exports.
fn ends_alike(one: &[String], other: &[String]) -> bool {
    one.last() == other.last()
}

fn is_type(segment: &str) -> bool {
    segment.starts_with(char::is_uppercase)
}

fn pairs(text: &str) -> usize {
    text.len().saturating_sub(1).max(1)
}

/// How many pairs of neighbouring bytes of `other` also occur in `one`.
fn shared_pairs(one: &str, other: &str) -> usize {
    if one == other {
        return pairs(other);
    }
    let has = |pair: &[u8]| one.as_bytes().windows(2).any(|it| it == pair);
    other.as_bytes().windows(2).filter(|pair| has(pair)).count()
}

#[cfg(test)]
mod tests;

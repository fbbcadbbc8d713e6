//! Timelines: what happened in a registry, as a file that people write.
//!
//! Times are relative to the end, because that is how incidents are told. Unknown fields are errors with their line: a mistyped
//! `malicous = true` would turn an attack into a success.

use std::fs;
use std::path::{Component, Path, PathBuf};

use cratekeeper_model::PublishMethod;
use semver::Version;
use serde::Deserialize;
use toml::Spanned;

/// Largest timeline: ten thousand events.
const LARGEST: u64 = 4 << 20;

/// Name of the file in a directory.
const FILE: &str = "timeline.toml";

/// What happened, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// Its name.
    pub id: String,
    /// One line about it.
    pub title: Option<String>,
    pub(crate) directory: PathBuf,
    pub(crate) baseline: Vec<Publication>,
    pub(crate) events: Vec<Event>,
}

/// A version is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publication {
    pub(crate) at: i64,
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) by: String,
    pub(crate) method: Option<PublishMethod>,
    pub(crate) malicious: bool,
    pub(crate) downloads: Option<u64>,
    pub(crate) owners: Option<Vec<String>>,
    pub(crate) yanked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Publish(Publication),
    Yank { at: i64, name: String, version: Version, by: Option<String>, back: bool },
    Owner { at: i64, name: String, owner: String, by: Option<String>, added: bool },
    Fetch { at: i64, name: String, version: Option<Version> },
}

impl Event {
    fn at(&self) -> i64 {
        match self {
            Event::Publish(it) => it.at,
            Event::Yank { at, .. } | Event::Owner { at, .. } | Event::Fetch { at, .. } => *at,
        }
    }
}

/// A timeline cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the timeline `{place}`: {message}")]
pub struct TimelineError {
    place: String,
    message: String,
}

impl TimelineError {
    /// What can be done about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some("docs/replay.md says what a timeline is made of".to_owned())
    }
}

impl Timeline {
    /// Reads a timeline, or that of a directory.
    ///
    /// # Errors
    ///
    /// When it cannot be read or makes no sense, with the line.
    pub fn read(path: &Path) -> Result<Timeline, TimelineError> {
        let path = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let error = |message: String| TimelineError { place: path.display().to_string(), message };
        let size = fs::metadata(&path).map_err(|cause| error(cause.to_string()))?.len();
        if size > LARGEST {
            return Err(error(format!("it has more than {} MiB", LARGEST >> 20)));
        }
        let text = fs::read_to_string(&path).map_err(|cause| error(cause.to_string()))?;
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Timeline::parse(&text, directory).map_err(error)
    }

    /// Reads the text of a timeline whose files are below `directory`.
    pub(crate) fn parse(text: &str, directory: PathBuf) -> Result<Timeline, String> {
        let raw: RawTimeline =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let line = |at: usize| text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1;
        let mut baseline = Vec::new();
        for entry in raw.baseline {
            let start = entry.span().start;
            let publication = entry.into_inner().publication();
            baseline.push(publication.map_err(|message| format!("line {}: {message}", line(start)))?);
        }
        let mut events = Vec::new();
        for entry in raw.event {
            let start = entry.span().start;
            events.push(
                entry.into_inner().event().map_err(|message| format!("line {}: {message}", line(start)))?,
            );
        }
        // What happens in the same second happens in the order of the file.
        baseline.sort_by_key(|it| it.at);
        events.sort_by_key(Event::at);
        Ok(Timeline { id: raw.id, title: raw.title, directory, baseline, events })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTimeline {
    id: String,
    title: Option<String>,
    #[serde(default)]
    baseline: Vec<Spanned<RawBaseline>>,
    #[serde(default)]
    event: Vec<Spanned<RawEvent>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBaseline {
    #[serde(rename = "crate")]
    name: String,
    version: String,
    dir: Option<String>,
    at: String,
    by: String,
    method: Option<RawMethod>,
    downloads: Option<u64>,
    owners: Option<Vec<String>>,
    #[serde(default)]
    yanked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    at: String,
    action: RawAction,
    #[serde(rename = "crate")]
    name: String,
    version: Option<String>,
    dir: Option<String>,
    by: Option<String>,
    method: Option<RawMethod>,
    malicious: Option<bool>,
    owner: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum RawAction {
    Publish,
    Yank,
    Unyank,
    OwnerAdd,
    OwnerRemove,
    Fetch,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawMethod {
    Token,
    TrustedPublishing,
    Unknown,
}

impl RawMethod {
    fn known(self) -> Option<PublishMethod> {
        match self {
            RawMethod::Token => Some(PublishMethod::Token),
            RawMethod::TrustedPublishing => Some(PublishMethod::TrustedPublishing),
            RawMethod::Unknown => None,
        }
    }
}

impl RawBaseline {
    fn publication(self) -> Result<Publication, String> {
        Ok(Publication {
            at: seconds(&self.at)?,
            version: version(&self.version)?,
            directory: self.dir.as_deref().map(below).transpose()?,
            name: self.name,
            by: self.by,
            method: self.method.and_then(RawMethod::known),
            malicious: false,
            downloads: self.downloads,
            owners: self.owners,
            yanked: self.yanked,
        })
    }
}

impl RawEvent {
    fn event(self) -> Result<Event, String> {
        let at = seconds(&self.at)?;
        let numbered = self.version.as_deref().map(version).transpose()?;
        let only = |is_there: bool, field: &str, action: &str| {
            if is_there { Err(format!("`{field}` belongs to `{action}` alone")) } else { Ok(()) }
        };
        if self.action != RawAction::Publish {
            only(self.dir.is_some(), "dir", "publish")?;
            only(self.method.is_some(), "method", "publish")?;
            only(self.malicious.is_some(), "malicious", "publish")?;
        }
        let is_about_owners = matches!(self.action, RawAction::OwnerAdd | RawAction::OwnerRemove);
        only(self.owner.is_some() && !is_about_owners, "owner", "owner-add` and `owner-remove")?;
        let lacks = |field: &str| format!("this event lacks `{field}`");
        match self.action {
            RawAction::Publish => Ok(Event::Publish(Publication {
                at,
                version: numbered.ok_or_else(|| lacks("version"))?,
                directory: self.dir.as_deref().map(below).transpose()?,
                name: self.name,
                by: self.by.ok_or_else(|| lacks("by"))?,
                method: self.method.and_then(RawMethod::known),
                malicious: self.malicious.unwrap_or(false),
                downloads: None,
                owners: None,
                yanked: false,
            })),
            RawAction::Yank | RawAction::Unyank => Ok(Event::Yank {
                at,
                name: self.name,
                version: numbered.ok_or_else(|| lacks("version"))?,
                by: self.by,
                back: self.action == RawAction::Unyank,
            }),
            RawAction::OwnerAdd | RawAction::OwnerRemove => Ok(Event::Owner {
                at,
                name: self.name,
                owner: self.owner.ok_or_else(|| lacks("owner"))?,
                by: self.by,
                added: self.action == RawAction::OwnerAdd,
            }),
            RawAction::Fetch => Ok(Event::Fetch { at, name: self.name, version: numbered }),
        }
    }
}

fn version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|error| format!("`{text}` is not a version: {error}"))
}

/// `-5h` in seconds: negative or zero, because nothing happens after the end.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a time: write -400d, -5h, -90m, -40s or 0s");
    let unit = match text.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    // Nobody's registry is older than a century.
    let seconds = number.checked_mul(unit).filter(|it| *it > -3_200_000_000).ok_or_else(wrong)?;
    if seconds > 0 { Err(format!("`{text}` is after the end")) } else { Ok(seconds) }
}

/// A directory beside the timeline, never outside of its directory.
fn below(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_plain = |it: Component<'_>| matches!(it, Component::Normal(_));
    if text.is_empty() || !path.components().all(is_plain) {
        return Err(format!("`{text}` is not a directory below the timeline's"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Timeline, String> {
        Timeline::parse(text, PathBuf::new())
    }

    const START: &str = "id = \"a\"\n[[event]]\nat = \"-5h\"\ncrate = \"demo\"\n";

    #[test]
    fn times_are_relative_to_the_end() {
        assert_eq!(seconds("-5h"), Ok(-18_000));
        assert_eq!(seconds("-40s"), Ok(-40));
        assert_eq!(seconds("0s"), Ok(0));
        for wrong in ["5h", "-5", "", "h", "-9999999999999d", "-1.5h", "-5ä"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn events_are_sorted_and_those_of_one_second_keep_their_order() {
        let text = format!(
            "{START}action = \"fetch\"\n[[event]]\nat = \"-6h\"\ncrate = \"x\"\naction = \"fetch\"\n[[event]]\nat = \"-300m\"\ncrate = \"last\"\naction = \"fetch\"\n"
        );
        let timeline = parse(&text).unwrap();
        let names: Vec<&str> = timeline
            .events
            .iter()
            .map(|it| match it {
                Event::Fetch { name, .. } => name.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(names, ["x", "demo", "last"]);
    }

    #[test]
    fn mistakes_have_a_line() {
        for (rest, line, part) in [
            ("action = \"fetch\"\nmalicous = true\n", 6, "malicous"),
            ("action = \"publsh\"\n", 5, "publsh"),
            ("action = \"publish\"\nversion = \"1.0.0\"\n", 2, "lacks `by`"),
            ("action = \"publish\"\nversion = \"1\"\nby = \"a\"\n", 2, "not a version"),
            (
                "action = \"publish\"\nversion = \"1.0.0\"\nby = \"a\"\ndir = \"../x\"\n",
                2,
                "not a directory below",
            ),
            ("action = \"yank\"\n", 2, "lacks `version`"),
            ("action = \"fetch\"\nowner = \"a\"\n", 2, "`owner` belongs"),
            ("action = \"fetch\"\nmalicious = true\n", 2, "`malicious` belongs"),
        ] {
            let error = parse(&format!("{START}{rest}")).unwrap_err();
            assert!(error.contains(&format!("line {line}")) && error.contains(part), "{error}");
        }
        assert!(parse("title = 'a'").unwrap_err().contains("id"));
    }
}

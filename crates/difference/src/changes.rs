//! The list of changes while it grows, and the text in it: short, on one line, without characters that cannot be seen.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Evidence};

use crate::CHANGES_OF_A_KIND;

/// Places that one change shows.
pub(crate) const EVIDENCE: usize = 10;

/// Longest value or excerpt, in characters.
const TEXT: usize = 200;

/// Longest path: cut only where no honest one is that long.
const PATH: usize = 1024;

#[derive(Default)]
pub(crate) struct Changes(Vec<Change>);

impl Changes {
    pub(crate) fn add(&mut self, change: Change) {
        self.0.push(change);
    }

    /// Something that may be on either side: added, removed, changed, or no change at all.
    pub(crate) fn compare(
        &mut self,
        kind: ChangeKind,
        subject: &str,
        before: Option<String>,
        after: Option<String>,
        evidence: impl FnOnce() -> Vec<Evidence>,
    ) {
        if before != after
            && let Some(direction) = direction(before.is_some(), after.is_some())
        {
            self.add(change(kind, direction, subject, before, after, evidence()));
        }
    }

    /// In order, those beyond the limit counted.
    pub(crate) fn finish(mut self) -> (Vec<Change>, u64) {
        self.0.sort_by(order);
        let mut seen: BTreeMap<ChangeKind, usize> = BTreeMap::new();
        let all = self.0.len();
        self.0.retain(|change| {
            let count = seen.entry(change.kind).or_default();
            *count += 1;
            *count <= CHANGES_OF_A_KIND
        });
        let left_out = all - self.0.len();
        (self.0, left_out as u64)
    }
}

fn order(a: &Change, b: &Change) -> Ordering {
    let key =
        |change: &Change| (change.kind, change.direction, change.capability.map(|(it, phase)| (phase, it)));
    key(a).cmp(&key(b)).then_with(|| a.subject.cmp(&b.subject))
}

/// What became of something, by whether it was and is there.
fn direction(was: bool, is: bool) -> Option<ChangeDirection> {
    match (was, is) {
        (false, false) => None,
        (false, true) => Some(ChangeDirection::Added),
        (true, false) => Some(ChangeDirection::Removed),
        (true, true) => Some(ChangeDirection::Changed),
    }
}

pub(crate) fn change(
    kind: ChangeKind,
    direction: ChangeDirection,
    subject: &str,
    before: Option<String>,
    after: Option<String>,
    mut evidence: Vec<Evidence>,
) -> Change {
    evidence.truncate(EVIDENCE);
    Change {
        kind,
        direction,
        subject: shown(subject, PATH),
        before: before.map(|text| shown(&text, TEXT)),
        after: after.map(|text| shown(&text, TEXT)),
        capability: None,
        evidence,
    }
}

/// A place; line 0 means the whole file.
pub(crate) fn place(file: &str, line: u32, excerpt: Option<&str>) -> Evidence {
    Evidence {
        file: shown(file, PATH),
        line: (line > 0).then_some(line),
        excerpt: excerpt.map(|text| shown(text, TEXT)),
    }
}

/// `text` in at most `most` characters, with everything that cannot be seen as `\u{…}`.
fn shown(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (number, character) in text.chars().enumerate() {
        if number == most {
            shown.push('…');
            break;
        }
        match character {
            // Rust would escape these too, but they can be seen.
            '\'' | '"' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(shown("a\u{202e}b\n\"c\" \\ é", 100), "a\\u{202e}b\\n\"c\" \\ é");
        assert_eq!(shown(&"x".repeat(10), 4), "xxxx…");
    }

    #[test]
    fn changes_beyond_the_limit_are_counted() {
        let mut changes = Changes::default();
        for number in 0..CHANGES_OF_A_KIND + 7 {
            let after = Some(number.to_string());
            changes.compare(ChangeKind::Feature, &format!("{number:04}"), None, after, Vec::new);
        }
        changes.compare(ChangeKind::Authors, "authors", None, Some("a".to_owned()), Vec::new);
        let (changes, left_out) = changes.finish();
        assert_eq!((changes.len(), left_out), (CHANGES_OF_A_KIND + 1, 7));
        assert_eq!(changes[0].kind, ChangeKind::Authors);
    }
}

//! Changes one mode in a policy's text, and leaves every other character as its author wrote it.

use cratekeeper_model::ClauseMode;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::Policy;

/// What has a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moded {
    /// A clause of the policy.
    Clause,
    /// A rule.
    Rule,
}

impl Policy {
    /// The text of this policy with another mode for a clause or a rule; `None` where it has no such clause, or there is no such rule.
    #[must_use]
    pub fn with_mode(&self, what: Moded, id: &str, mode: ClauseMode) -> Option<String> {
        let is_there = match what {
            Moded::Clause => self.clauses().iter().any(|it| it.id == id),
            Moded::Rule => cratekeeper_rules::find(id).is_some(),
        };
        if !is_there {
            return None;
        }
        let mut text = self.text().to_owned();
        let word = format!("\"{}\"", mode.as_str());
        match place(&text, what, id) {
            Some(Place::Value(range)) => text.replace_range(range, &word),
            Some(Place::AfterId(at)) => {
                // Between braces a table goes on after a comma, else on the next line.
                let is_inline = text[at..].trim_start_matches([' ', '\t']).starts_with([',', '}']);
                text.insert_str(at, &format!("{}mode = {word}", if is_inline { ", " } else { "\n" }));
            }
            None => {
                let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                text.push_str(&format!("{end}\n[[rule]]\nid = \"{id}\"\nmode = {word}\n"));
            }
        }
        Some(text)
    }
}

enum Place {
    /// Where the mode is written.
    Value(std::ops::Range<usize>),
    /// Where the id ends, of a table without a mode.
    AfterId(usize),
}

fn place(text: &str, what: Moded, id: &str) -> Option<Place> {
    let name = match what {
        Moded::Clause => "clause",
        Moded::Rule => "rule",
    };
    let (table, _) = DeTable::parse_recoverable(text);
    let Some(DeValue::Array(array)) = table.get_ref().get(name).map(Spanned::get_ref) else { return None };
    array.iter().find_map(|it| {
        let DeValue::Table(table) = it.get_ref() else { return None };
        let found = table.get("id")?;
        if !matches!(found.get_ref(), DeValue::String(it) if it == id) {
            return None;
        }
        Some(match table.get("mode") {
            Some(mode) => Place::Value(mode.span()),
            None => Place::AfterId(found.span().end),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# ours\n[[clause]]\nid = 'a' # the first\nwhen = 'case.score > 1'\nverdict = 'block'\nreason = 'r'\n\n\
        [[clause]]\nmode = 'audit'\nid = \"b\"\nwhen = 'case.score > 1'\nverdict = 'block'\nreason = 'r'";

    fn changed(text: &str, what: Moded, id: &str, mode: ClauseMode) -> String {
        Policy::parse(text).unwrap().with_mode(what, id, mode).unwrap()
    }

    #[test]
    fn a_mode_is_replaced_where_it_stands_and_written_where_it_does_not() {
        let b = changed(TEXT, Moded::Clause, "b", ClauseMode::Enforce);
        assert_eq!(b, TEXT.replace("'audit'", "\"enforce\""));
        let a = changed(TEXT, Moded::Clause, "a", ClauseMode::Off);
        assert_eq!(a, TEXT.replace("id = 'a' # the first", "id = 'a'\nmode = \"off\" # the first"));
        assert_eq!(Policy::parse(&a).unwrap().clauses()[0].mode, ClauseMode::Off);
    }

    #[test]
    fn a_rule_is_added_once_and_changed_then() {
        let rule = "bundled-executable";
        let audit = changed(TEXT, Moded::Rule, rule, ClauseMode::Audit);
        assert!(audit.starts_with(TEXT));
        let off = changed(&audit, Moded::Rule, rule, ClauseMode::Off);
        assert_eq!(off, audit.replacen("mode = \"audit\"", "mode = \"off\"", 1));
        assert_eq!(Policy::parse(&off).unwrap().mode_of(rule), ClauseMode::Off);
    }

    #[test]
    fn what_is_not_there_has_no_mode() {
        let policy = Policy::parse(TEXT).unwrap();
        assert_eq!(policy.with_mode(Moded::Clause, "c", ClauseMode::Off), None);
        assert_eq!(policy.with_mode(Moded::Rule, "no-such-rule", ClauseMode::Off), None);
    }

    #[test]
    fn tables_in_one_line_stay_readable() {
        let text = "clause = [{ id = 'a', when = 'case.score > 1', verdict = 'block', reason = 'r' }]\n";
        let policy = Policy::parse(text).unwrap();
        let changed = policy.with_mode(Moded::Clause, "a", ClauseMode::Audit).unwrap();
        assert_eq!(
            Policy::parse(&changed).map(|it| it.clauses()[0].mode).ok(),
            Some(ClauseMode::Audit),
            "{changed}"
        );
    }
}

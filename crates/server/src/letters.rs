//! What mails say: plain text from templates, with nothing in it that a reader does not see.
//!
//! Whatever somebody else wrote comes through `harmless` first, line by line: no character that turns direction, takes no room or ends a line gets into
//! a subject or a text. A mail has no link but to this gate.

use askama::Template as _;
use cratekeeper_store::VersionRecord;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::refusal::harmless;

/// Most bytes of a line that somebody else wrote.
const LINE: usize = 500;

/// Most bytes of a subject: mail programs show about 70 characters.
const SUBJECT: usize = 200;

/// What owners are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Template {
    /// A version, or all, is kept from builds until further notice.
    Held,
    /// It is kept from builds for good.
    Blocked,
    /// It may be had again.
    Released,
    /// Somebody withdrew versions, and that was taken back.
    YankedBack,
    /// It was taken down.
    TakenDown,
    /// An advisory is about it.
    Advisory,
    /// Nothing but somebody's own text.
    Free,
}

impl Template {
    /// All of them.
    pub(crate) const ALL: [Template; 7] = [
        Template::Held,
        Template::Blocked,
        Template::Released,
        Template::YankedBack,
        Template::TakenDown,
        Template::Advisory,
        Template::Free,
    ];

    /// The word in the API.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Template::Held => "held",
            Template::Blocked => "blocked",
            Template::Released => "released",
            Template::YankedBack => "yanked-back",
            Template::TakenDown => "taken-down",
            Template::Advisory => "advisory",
            Template::Free => "free",
        }
    }

    /// The one with this word.
    pub(crate) fn from_word(word: &str) -> Option<Template> {
        Template::ALL.into_iter().find(|it| it.as_str() == word)
    }

    fn subject(self) -> &'static str {
        match self {
            Template::Held => "is held",
            Template::Blocked => "is blocked",
            Template::Released => "is released",
            Template::YankedBack => "is available again",
            Template::TakenDown => "was taken down",
            Template::Advisory => "has a security advisory",
            Template::Free => "a message to its owners",
        }
    }
}

/// What a mail is about.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// Name of the crate.
    pub(crate) name: String,
    version: Option<String>,
    /// Why it stands as it does.
    reason: String,
    /// Where owners read more.
    link: String,
    gate: String,
    /// Somebody's own text, by lines.
    text: Vec<String>,
}

impl About {
    /// A crate of the gate at a URL, and somebody's own text.
    pub(crate) fn new(name: &str, url: &str, text: &str) -> About {
        About {
            name: harmless(name, LINE),
            version: None,
            reason: String::new(),
            link: url.to_owned(),
            gate: url.to_owned(),
            text: text.trim().lines().map(|it| harmless(it, LINE).trim_end().to_owned()).collect(),
        }
    }

    /// One of its versions, and its page.
    pub(crate) fn of_version(&mut self, version: &VersionRecord, page: String) {
        self.version = Some(version.version.to_string());
        self.reason = harmless(&version.standing.reason, LINE);
        self.link = page;
    }

    /// Crate and version.
    pub(crate) fn object(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.name),
            None => self.name.clone(),
        }
    }

    fn called(&self) -> String {
        match &self.version {
            Some(version) => format!("version {version} of {}", self.name),
            None => format!("the crate {}", self.name),
        }
    }
}

/// Subject and text of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) body: String,
}

#[derive(askama::Template)]
#[template(path = "mail/owners.txt", escape = "none")]
struct OwnersLetter<'a> {
    template: Template,
    about: &'a About,
    called: String,
}

#[derive(askama::Template)]
#[template(path = "mail/confirm.txt", escape = "none")]
struct ConfirmLetter<'a> {
    login: String,
    link: &'a str,
    gate: &'a str,
}

#[derive(askama::Template)]
#[template(path = "mail/changed.txt", escape = "none")]
struct ChangedLetter<'a> {
    login: String,
    gate: &'a str,
}

/// A mail to owners.
pub(crate) fn letter(template: Template, about: &About) -> Letter {
    let shown = OwnersLetter { template, about, called: about.called() };
    let joint = if template == Template::Free { ":" } else { "" };
    made(&format!("{}{joint} {}", about.object(), template.subject()), shown.render())
}

/// A mail whose link shows that somebody reads mail to an address.
pub(crate) fn confirmation(login: &str, link: &str, gate: &str) -> Letter {
    let shown = ConfirmLetter { login: harmless(login, LINE), link, gate };
    made("Is this your address?", shown.render())
}

/// A mail to an address that somebody wants to have replaced.
pub(crate) fn change_of_address(login: &str, gate: &str) -> Letter {
    let shown = ChangedLetter { login: harmless(login, LINE), gate };
    made("Your address is about to change", shown.render())
}

fn made(subject: &str, body: askama::Result<String>) -> Letter {
    // These templates have nothing that can fail: no filter, no text but strings.
    Letter { subject: harmless(subject, SUBJECT), body: body.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_a_word_and_a_text_of_its_own() {
        let about = About::new("thing", "https://gate.example.invalid", "our own words");
        let mut bodies = Vec::new();
        for template in Template::ALL {
            assert_eq!(Template::from_word(template.as_str()), Some(template));
            let word = serde_json::to_value(template).unwrap();
            assert_eq!(word, template.as_str());
            let letter = letter(template, &about);
            assert!(letter.subject.starts_with("thing"), "{letter:?}");
            assert!(
                letter.body.contains("the crate thing") && letter.body.contains("our own words"),
                "{letter:?}"
            );
            bodies.push(letter.body);
        }
        bodies.sort();
        bodies.dedup();
        assert_eq!(bodies.len(), Template::ALL.len());
        assert_eq!(Template::from_word("harmless"), None);
    }

    #[test]
    fn a_letter_is_plain_text() {
        let about = About::new("thing", "https://gate.example.invalid", "one\n\ntwo");
        assert_eq!(
            letter(Template::Released, &about).body,
            "Hello,\n\nyou own thing, so we tell you:\n\nthe crate thing is released. It can be built with again, and there is nothing \
             for you to do.\n\nFrom the people who look after this registry:\n\n  one\n\n  two\n\nMore about it: \
             https://gate.example.invalid\n\n--\nThis mail was sent by https://gate.example.invalid, to the address that you \
             confirmed there."
        );
    }

    #[test]
    fn nothing_that_others_wrote_ends_a_line_or_turns_direction() {
        let hostile = "x\r\nBcc: everybody@example.invalid\u{202e}\u{200b}\u{2028}y";
        let about = About::new(hostile, "https://gate.example.invalid", hostile);
        for template in Template::ALL {
            let letter = letter(template, &about);
            assert!(!letter.subject.contains(['\r', '\n', '\u{202e}', '\u{200b}', '\u{2028}']), "{letter:?}");
            assert!(!letter.body.contains(['\r', '\u{202e}', '\u{200b}', '\u{2028}']), "{letter:?}");
            assert!(!letter.body.contains("the crate x\n"), "a name is on one line: {letter:?}");
        }
    }
}

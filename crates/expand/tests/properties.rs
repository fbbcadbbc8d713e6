//! Whatever definition and arguments hold, there is an answer within the limits.

use cratekeeper_expand::{Edition, Limits, MacroDefinition};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const TOKENS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "&",
    "*",
    "!",
    "-",
    "+",
    "|",
    "||",
    "=",
    "=>",
    "..",
    "..=",
    ".",
    ",",
    ";",
    ":",
    "::",
    "#",
    "?",
    "@",
    "$",
    "~",
    "<<",
    ">>",
    "+=",
    "a",
    "b",
    "A",
    "1",
    "1.0",
    "1.",
    "\"s\"",
    "'a",
    "'a'",
    "_",
    "r#a",
    "if",
    "match",
    "let",
    "fn",
    "impl",
    "pub",
    "struct",
    "unsafe",
    "move",
    "dyn",
    "for",
    "/// a\n",
    "//! a\n",
    "/** a */",
    "/*«*/",
    "/*»*/",
    "#!",
    "---\n",
    "macro_rules!",
    "m!(",
    "$crate",
    "\u{e9}",
    "\r\n",
    "\"",
    "'",
    "r#\"",
    "b'",
    "/*",
];

const MATCHERS: &[&str] = &[
    "$a:expr",
    "$a:tt",
    "$b:ty",
    "$b:ident",
    "$a:pat",
    "$c:stmt",
    "$c:item",
    "$a:vis",
    "$b:meta",
    "$c:path",
    "$a:literal",
    "$a:block",
    "$c:lifetime",
    "$(",
    ")*",
    "),*",
    ")+",
    ")?",
    ")=>*",
    "$(#[$b:meta])*",
    "$($a:tt)*",
    "$($a:expr),*",
    "$($c:ty);+",
    "$($($b:ident)*)*",
    "$crate",
];

const TRANSCRIBERS: &[&str] = &[
    "$a",
    "$b",
    "$c",
    "$(",
    ")*",
    "),*",
    ")+*",
    "$($a)*",
    "$($b),+",
    "$($($b)*)*",
    "${count($a)}",
    "${index()}",
    "${ignore($a)}",
    "${concat($b, _x)}",
    "${len(1)}",
    "$$",
    "$crate",
    "m!($a)",
    "$a.b",
    "$b::c",
    "&$b",
];

/// Tokens that are whole, whatever stands beside them.
const WHOLE: &[&str] = &[
    "(", ")", "{", "}", "a", "r", "b", "r#a", "1", "1.", "1.0", "0x1f", "'a", "'a'", "b'a'", "\"s\"",
    "r#\"s\"#", "<", "<<", "=", "==", "=>", "&", "&&", "|", "||", ".", "..", "..=", ":", "::", "-", "->",
    "+", "+=", "/", "*", "!", "#", "?", "$", "@", ",", ";", "_", "%", "^", "~", "é",
];

fn soup(more: &'static [&'static str], length: usize) -> impl Strategy<Value = String> {
    let plain = vec(select(TOKENS), 0..length);
    let special = vec(select(more), 0..length);
    (plain, special, any::<u64>()).prop_map(|(plain, special, order)| {
        let mut text = String::new();
        let (mut plain, mut special) = (plain.into_iter(), special.into_iter());
        for bit in 0..64 {
            let next = if order >> bit & 1 == 0 { plain.next() } else { special.next() };
            text.push_str(next.unwrap_or_default());
            text.push_str(if order >> (bit / 2) & 1 == 0 { " " } else { "" });
        }
        text
    })
}

/// Closes what is open and drops what closes nothing, so that more than the first check is reached.
fn balanced(text: &str) -> String {
    let (mut out, mut open) = (String::new(), Vec::new());
    for character in text.chars() {
        match character {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => {
                if open.last() != Some(&character) {
                    continue;
                }
                open.pop();
            }
            _ => {}
        }
        out.push(character);
    }
    out.extend(open.into_iter().rev());
    out
}

fn check(definition: &str, arguments: &str) {
    let limits = Limits { output_bytes: 10_000, steps: 100_000, nesting: 100 };
    for edition in [Edition::Edition2015, Edition::Edition2024] {
        let Ok(definition) = MacroDefinition::parse(definition, edition) else { continue };
        if let Ok(expansion) = definition.expand(arguments, "krate", &limits) {
            assert!(expansion.text.len() <= limits.output_bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(definition in soup(MATCHERS, 40), arguments in soup(TOKENS, 40)) {
        check(&definition, &arguments);
    }

    #[test]
    fn any_rule_is_answered(
        matcher in soup(MATCHERS, 12),
        transcriber in soup(TRANSCRIBERS, 12),
        arguments in soup(TOKENS, 20),
    ) {
        check(&format!("({}) => {{{}}}", balanced(&matcher), balanced(&transcriber)), &balanced(&arguments));
    }

    #[test]
    fn any_arguments_are_answered(
        matcher in vec(select(MATCHERS), 0..6),
        transcriber in vec(select(TRANSCRIBERS), 0..6),
        arguments in soup(TOKENS, 20),
    ) {
        let (matcher, transcriber) = (matcher.join(" "), transcriber.join(" "));
        check(&format!("({}) => {{{}}}", balanced(&matcher), balanced(&transcriber)), &balanced(&arguments));
    }

    /// Tokens go through a macro as they are: none is lost, and no two become one.
    #[test]
    fn tokens_stay_what_they_are(arguments in vec(select(WHOLE), 0..40)) {
        let arguments = balanced(&arguments.join(" "));
        let all = MacroDefinition::parse("($($t:tt)*) => { $($t)* }", Edition::Edition2021).unwrap();
        let count = MacroDefinition::parse("($($t:tt)*) => { ${count($t)} }", Edition::Edition2021).unwrap();
        let once = all.expand(&arguments, "krate", &Limits::default()).unwrap().text;
        let number = |text: &str| count.expand(text, "krate", &Limits::default()).unwrap().text;
        prop_assert_eq!(number(&arguments), number(&once), "{}", &once);
        let spaceless = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(spaceless(&arguments), spaceless(&once));
    }
}

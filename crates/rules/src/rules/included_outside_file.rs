//! Files of the machine that compiles, put into the program.

use cratekeeper_model::facts::{Facts, Include, IncludeKind};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, count, printable};

pub(super) const RULE: Rule = Rule {
    id: "included-outside-file",
    family: Family::Package,
    title: "The compiler is made to read a file from outside of the package",
    explanation: "\
**Looks at:** the paths of `include!`, `include_str!` and `include_bytes!`.

| path | severity, confidence |
|---|---|
| absolute, or below a directory that a variable names (`HOME`, `USERPROFILE`, `CARGO_HOME`, …), in what is shipped | medium, high |
| the same in tests, benchmarks and examples | low, medium |
| leaves the package by `..`, from the file's directory or from `CARGO_MANIFEST_DIR` | low, medium |
| begins with what a macro is handed or makes, in a package that has the compiler put such a variable into the program | low, medium |
| the same in other packages, where it goes on with a slash, as it would from nothing | info, low |
| below another variable, or climbs with `..` above what a macro is handed or where it stands | info, low |
| longer than what is kept of it | info, low |

`concat!` is looked through: the piece that comes first decides where a path begins. What a macro is handed or makes may be nothing: where the path
goes on as one of a machine does (`/etc/…`, `/home/…`, `/proc/…`), it counts as absolute. `OUT_DIR` and paths inside of the package are silent.

**Why:** what the compiler reads becomes a constant: keys and credentials of whoever compiles leave with the program, although no
function that opens files is ever called.

**Harmless when:** the package was cut out of a repository whose other files it includes, and does not compile alone.

**What to do:** do not compile it where such a file exists.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[7],
    evaluate,
};

/// Variables below which are the files of a person or a machine.
const OUTSIDE: [&str; 14] = [
    "HOME",
    "USERPROFILE",
    "HOMEPATH",
    "APPDATA",
    "LOCALAPPDATA",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "PWD",
    "TMPDIR",
    "TEMP",
    "GITHUB_WORKSPACE",
    "GNUPGHOME",
];

/// First directories of absolute paths below which are the files of a person or a machine (Filesystem Hierarchy Standard 3.0, section 3; macOS
/// has people's in `Users`). Those that packages may well have themselves are left out.
const ROOTS: [&str; 7] = ["etc", "home", "root", "proc", "sys", "var", "Users"];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let asks = asks_for_outside(facts);
        let groups = by_weight(&facts.source.includes, |it| weight(facts, it, asks));
        groups
            .into_iter()
            .map(|((severity, confidence), includes)| {
                let message = format!(
                    "the compiler is made to read from outside of the package ({})",
                    count(includes.len(), "place", "places")
                );
                finding(&RULE, severity, confidence, message)
                    .with_evidence(includes.iter().map(|it| evidence(facts, it)))
                    .with_help("do not compile it where the file exists; ask what it is needed for")
                    .pointing_to([7])
            })
            .collect()
    })
}

/// What an include weighs; `asks` tells that the package has the compiler put a directory of somebody's into the program.
fn weight(facts: &Facts, include: &Include, asks: bool) -> Option<(Severity, Confidence)> {
    let is_file =
        matches!(include.kind, IncludeKind::Include | IncludeKind::IncludeStr | IncludeKind::IncludeBytes);
    if !is_file {
        return None;
    }
    let outside = if places::ships(facts, include.file) {
        (Severity::Medium, Confidence::High)
    } else {
        (Severity::Low, Confidence::Medium)
    };
    let leaves = (Severity::Low, Confidence::Medium);
    let unclear = (Severity::Info, Confidence::Low);
    let directory = places::directory(places::path(facts, include.file));
    if include.literal {
        return match places::inside_package(directory, &include.argument) {
            Some(_) => None,
            None if is_absolute(&include.argument) => Some(outside),
            None => Some(leaves),
        };
    }
    if names_outside(&include.argument) {
        return Some(outside);
    }
    let pieces = pieces(&include.argument);
    let is_cut = include.argument.ends_with(CUT);
    let rest = path(pieces.get(1..).unwrap_or_default());
    let found = match pieces.first()? {
        Piece::Text(_) if is_absolute(&path(&pieces)) => Some(outside),
        Piece::Text(_) => {
            let is_inside = places::inside_package(directory, &path(&pieces)).is_some();
            // In a macro's definition, it is read from where the macro is called.
            let is_called = pieces.contains(&Piece::Unknown);
            let left = if is_called { unclear } else { leaves };
            (!is_inside).then_some(left).or(other(&pieces))
        }
        Piece::Variable("CARGO_MANIFEST_DIR") => {
            let rest = rest.trim_start_matches(['/', '\\']);
            places::inside_package("", rest).is_none().then_some(leaves).or(other(&pieces))
        }
        Piece::Variable("OUT_DIR") => None,
        // What comes first decides where a path begins, and may be nothing.
        Piece::Unknown if from_nothing(&pieces).is_some_and(is_of_a_machine) => Some(outside),
        // Who hands it over may hand over what the package asks the compiler for.
        Piece::Unknown if asks => Some(leaves),
        Piece::Unknown if from_nothing(&pieces).is_some_and(is_absolute) => Some(unclear),
        Piece::Unknown if places::inside_package("", &path(&pieces)).is_none() => Some(unclear),
        Piece::Variable(_) | Piece::Unknown => other(&pieces),
    };
    found.or(is_cut.then_some(if asks { leaves } else { unclear }))
}

/// Whether a directory of somebody's is asked for by name, wherever that stands in an argument.
fn names_outside(argument: &str) -> bool {
    argument.match_indices("env!").any(|(at, _)| {
        let name = argument[at + "env!".len()..].trim_start().strip_prefix(['(', '[', '{']);
        name.is_some_and(|it| OUTSIDE.contains(&literal(it.trim_start()).0))
    })
}

/// The first text of a path that begins with what is not known, when that is nothing.
fn from_nothing<'a>(pieces: &[Piece<'a>]) -> Option<&'a str> {
    let mut known = pieces.iter().skip_while(|it| **it == Piece::Unknown);
    if let Some(Piece::Text(text)) = known.next() { Some(text) } else { None }
}

/// Whether a path is absolute and goes on as those of a machine do.
fn is_of_a_machine(path: &str) -> bool {
    let mut names = path.split(['/', '\\']);
    names.next() == Some("") && names.find(|it| !it.is_empty()).is_some_and(|it| ROOTS.contains(&it))
}

/// What a path that no directory of somebody's is named in weighs, if a variable of another kind is part of it.
fn other(pieces: &[Piece<'_>]) -> Option<(Severity, Confidence)> {
    let is_other = |it: &Piece<'_>| matches!(it, Piece::Variable(name) if !["OUT_DIR", "CARGO_MANIFEST_DIR"].contains(name));
    pieces.iter().any(is_other).then_some((Severity::Info, Confidence::Low))
}

/// Whether the package has the compiler put a directory of somebody's into the program.
fn asks_for_outside(facts: &Facts) -> bool {
    facts.source.includes.iter().any(|it| {
        matches!(it.kind, IncludeKind::Env | IncludeKind::OptionEnv)
            && OUTSIDE.contains(&it.argument.as_str())
    })
}

fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\', '~']) || path.as_bytes().get(1) == Some(&b':')
}

/// What stands at the end of an argument that is longer than what is kept of it.
const CUT: char = '…';

/// A piece of a path that the compiler puts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    /// A literal, as it is written.
    Text(&'a str),
    /// The value of an environment variable.
    Variable(&'a str),
    /// What stands elsewhere: a macro's parameter, or what another macro makes.
    Unknown,
}

/// The path, with a name in the place of everything that is not known.
fn path(pieces: &[Piece<'_>]) -> String {
    pieces.iter().map(|it| if let Piece::Text(text) = it { text } else { "x" }).collect()
}

/// The pieces of an argument in their order: `concat!` is looked through, however deep. Facts have such arguments without comments, and with
/// plain strings alone; they may be cut short.
fn pieces(argument: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = argument;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let (text, after) = literal(rest);
            pieces.extend((!text.is_empty()).then_some(Piece::Text(text)));
            rest = after;
        } else if first == '$' || is_of_word(first) {
            let (name, after) = after_path(rest.trim_start_matches('$'));
            rest = after;
            match (name, after.strip_prefix('!')) {
                ("concat", Some(after)) => rest = after,
                ("env" | "option_env", Some(after)) => {
                    let (group, after) = group(after);
                    let quote = group.find('"');
                    pieces.push(quote.map_or(Piece::Unknown, |at| Piece::Variable(literal(&group[at..]).0)));
                    rest = after;
                }
                (_, Some(after)) => {
                    let (group, after) = group(after);
                    // Of nothing, `stringify!` makes nothing.
                    let is_empty = name == "stringify" && group.len() == "()".len();
                    pieces.extend((!is_empty).then_some(Piece::Unknown));
                    rest = after;
                }
                (_, None) => pieces.push(Piece::Unknown),
            }
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    pieces
}

fn is_of_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

/// The last word of the path at the beginning, and what is behind it.
fn after_path(text: &str) -> (&str, &str) {
    let mut rest = text;
    loop {
        let end = rest.find(|it| !is_of_word(it)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match after.trim_start().strip_prefix("::") {
            Some(after) if !after.is_empty() => rest = after.trim_start(),
            _ => return (word, after),
        }
    }
}

/// The text between the quotes at the beginning, and what is behind them.
fn literal(text: &str) -> (&str, &str) {
    let inside = text.get(1..).unwrap_or_default();
    let mut is_escaped = false;
    let end = inside.find(|it| {
        let ends = it == '"' && !is_escaped;
        is_escaped = it == '\\' && !is_escaped;
        ends
    });
    let end = end.unwrap_or(inside.len());
    (&inside[..end], inside.get(end + 1..).unwrap_or_default())
}

/// What stands in the brackets at the beginning, and what is behind them.
fn group(text: &str) -> (&str, &str) {
    let mut depth = 0_i32;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match first {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        rest = if first == '"' { literal(rest).1 } else { &rest[first.len_utf8()..] };
        if depth <= 0 {
            break;
        }
    }
    (&text[..text.len() - rest.len()], rest)
}

fn evidence(facts: &Facts, include: &Include) -> Evidence {
    place(places::path(facts, include.file), Some(include.line), Some(printable(&include.argument, EXCERPT)))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::IncludeKind::{Env, IncludeStr};
    use cratekeeper_model::facts::{Include, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{include, one, silent, with_rust};

    fn literal(path: &str, target: TargetKind) -> RuleInput {
        with_rust("src/lib.rs", target, |facts| facts.source.includes.push(include(IncludeStr, path)))
    }

    fn computed(argument: &str) -> RuleInput {
        let include = Include { literal: false, ..include(IncludeStr, argument) };
        with_rust("src/lib.rs", TargetKind::Lib, |facts| facts.source.includes.push(include))
    }

    #[test]
    fn files_of_the_machine_are_medium() {
        for path in ["/etc/os-release", "C:\\Users\\a\\.ssh\\id", "~/.netrc"] {
            let finding = one(&RULE, &literal(path, TargetKind::Lib), Severity::Medium, Confidence::High);
            assert_eq!(finding.techniques, [7]);
        }
        for argument in ["concat!(env!(\"HOME\"), \"/.ssh/id_ed25519\")", "concat!(\"/etc/\", \"passwd\")"] {
            one(&RULE, &computed(argument), Severity::Medium, Confidence::High);
        }
        one(&RULE, &literal("/etc/os-release", TargetKind::Test), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn leaving_the_package_is_low() {
        one(&RULE, &literal("../../README.md", TargetKind::Lib), Severity::Low, Confidence::Medium);
        let argument = "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../x.txt\")";
        one(&RULE, &computed(argument), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn pieces_are_read_in_their_order() {
        use super::Piece::{Text, Unknown, Variable};
        let pieces = super::pieces(
            "::core::concat!(\"a/\", std::env!(\"A\", \"message: )\"), \"\", concat![$b, stringify!(c \"d\"), stringify!(), \"\\\"e\"])",
        );
        let expected = [Text("a/"), Variable("A"), Unknown, Unknown, Text("\\\"e")];
        assert_eq!(pieces, expected);
        assert_eq!(super::pieces("$crate::concat!($crate::env!(\"A\"), $x)"), [Variable("A"), Unknown]);
        // What is cut short or makes no sense ends.
        for odd in ["concat!(\"a", "env!(", "env!", "\"", "$", "concat!(env!(\"", "a::", "}}ü!(", "\\"] {
            super::pieces(odd);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_pieces(argument in "(concat!|env!|stringify!|::|[a-z$!\"\\\\(){},# ü…]){0,40}") {
            // Whatever stands around it, a variable of somebody's is seen.
            let named = format!("{argument}) env!(\"HOME\"");
            one(&RULE, &computed(&named), Severity::Medium, Confidence::High);
            let _ = super::pieces(&argument);
        }

        #[test]
        fn whatever_is_concatenated_is_a_piece(texts in proptest::collection::vec("[a-z/.]{1,5}", 1..6)) {
            let listed: Vec<String> = texts.iter().map(|it| format!("\"{it}\"")).collect();
            let pieces: Vec<super::Piece<'_>> = texts.iter().map(|it| super::Piece::Text(it)).collect();
            let argument = format!("concat!({})", listed.join(", "));
            proptest::prop_assert_eq!(super::pieces(&argument), pieces);
        }
    }

    #[test]
    fn what_comes_first_decides_where_a_path_begins() {
        for argument in [
            "concat!(concat!(\"\", \"/\"), \"etc/\", stringify!(passwd))",
            "concat!(\"/\", env!(\"CARGO_PKG_NAME\"), \"/key\")",
            "concat!(\"C:\", $path)",
            "concat!(stringify!(), \"/srv/x\")",
            // What a macro makes or is handed may be nothing.
            "concat!($nothing, \"/etc/passwd\")",
            "concat!(nothing!(), $nothing, \"//proc/self/environ\")",
            // Wherever it stands.
            "concat!($crate::env!(\"HOME\"), \"/.ssh/id\")",
            "first!(env![\"CARGO_HOME\"], \"x\")",
        ] {
            one(&RULE, &computed(argument), Severity::Medium, Confidence::High);
        }
        for argument in [
            "concat!(\"../..\", \"/README.md\")",
            "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", stringify!($name), \"/../../x.md\")",
        ] {
            one(&RULE, &computed(argument), Severity::Low, Confidence::Medium);
        }
        for argument in [
            "concat!($prefix, \"/../../x\")",
            "concat!(\"../../data/\", $name, \".bin\")",
            "concat!($prefix, \"/guide/\", stringify!($name), \".md\")",
            "concat!(nothing!(), \"/x\")",
            "concat!(\"a\", \"b\", \"c…",
        ] {
            one(&RULE, &computed(argument), Severity::Info, Confidence::Low);
        }
    }

    #[test]
    fn what_a_macro_is_handed_may_be_what_the_package_asks_for() {
        let handed = |variable: &str| {
            with_rust("src/lib.rs", TargetKind::Lib, |facts| {
                facts.source.includes.push(include(Env, variable));
                let argument = "concat!($prefix, \"key\")";
                facts.source.includes.push(Include { literal: false, ..include(IncludeStr, argument) });
            })
        };
        one(&RULE, &handed("HOME"), Severity::Low, Confidence::Medium);
        silent(&RULE, &handed("CARGO_PKG_VERSION"));
    }

    #[test]
    fn other_variables_are_info() {
        one(
            &RULE,
            &computed("concat!(\"data/\", env!(\"DEMO\"), \".bin\")"),
            Severity::Info,
            Confidence::Low,
        );
        one(&RULE, &computed("concat!(env!(\"DEMO_DATA\"), \"/x\")"), Severity::Info, Confidence::Low);
    }

    #[test]
    fn files_of_the_package_are_silent() {
        for path in ["../README.md", "table.bin", "sub/../x"] {
            silent(&RULE, &literal(path, TargetKind::Lib));
        }
        for argument in [
            "concat!(env!(\"OUT_DIR\"), \"/bindings.rs\")",
            "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/templates/../mark.bin\")",
            "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/guide/\", stringify!($name), \"/../mark.md\")",
            "concat!(\"../\", \"README\", \".md\")",
            "concat!($prefix, \"guide/etc/\", stringify!($name), \".md\")",
            "concat!(stringify!($name), \".md\")",
            "concat!(\"etc/\", $name)",
            "$path",
        ] {
            silent(&RULE, &computed(argument));
        }
        let input =
            with_rust("src/lib.rs", TargetKind::Lib, |it| it.source.includes.push(include(Env, "/x")));
        silent(&RULE, &input);
    }
}

//! Which files the modules of a file are in, so that missing ones can be named.
//!
//! Read from tokens rather than from a tree, because the platform's modules stand inside `cfg_select! { … }`, where a tree has
//! nothing but tokens.

use cratekeeper_syntax::{LexedStr, SyntaxKind};

/// A `mod name;` of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutOfLine {
    /// Name, with the inline modules around it: `sys::unix`.
    pub(crate) name: String,
    /// Attributes before it, as written.
    pub(crate) attributes: String,
    /// Where it may be: one of each pair, or one of the paths that attributes name.
    pub(crate) candidates: Vec<String>,
}

/// All `mod name;` of the file at `path`.
pub(crate) fn out_of_line(path: &str, lexed: &LexedStr<'_>) -> Vec<OutOfLine> {
    let tokens: Vec<usize> = (0..lexed.len()).filter(|index| !lexed.kind(*index).is_trivia()).collect();
    let kind = |at: usize| tokens.get(at).map_or(SyntaxKind::EOF, |index| lexed.kind(*index));
    let text = |at: usize| lexed.text(tokens[at]);
    let mut found = Vec::new();
    // Of each open brace, the inline module that it belongs to.
    let mut open: Vec<Option<&str>> = Vec::new();
    let mut attributes = String::new();
    let mut at = 0;
    while at < tokens.len() {
        match (kind(at), kind(at + 1), kind(at + 2)) {
            (SyntaxKind::MOD_KW, SyntaxKind::IDENT, SyntaxKind::SEMICOLON) => {
                found.push(declared(path, &open, text(at + 1), std::mem::take(&mut attributes)));
                at += 2;
            }
            (SyntaxKind::MOD_KW, SyntaxKind::IDENT, SyntaxKind::L_CURLY) => {
                open.push(Some(text(at + 1)));
                at += 2;
                attributes.clear();
            }
            (SyntaxKind::POUND, SyntaxKind::L_BRACK, _) => {
                let end = closing_bracket(at + 1, &kind);
                (at..=end.min(tokens.len() - 1)).for_each(|it| attributes.push_str(text(it)));
                at = end;
            }
            (SyntaxKind::L_CURLY, ..) => {
                open.push(None);
                attributes.clear();
            }
            (SyntaxKind::R_CURLY, ..) => {
                open.pop();
                attributes.clear();
            }
            (SyntaxKind::SEMICOLON, ..) => attributes.clear(),
            _ => {}
        }
        at += 1;
    }
    found
}

fn closing_bracket(open: usize, kind: &impl Fn(usize) -> SyntaxKind) -> usize {
    let mut depth = 0_u32;
    let mut at = open;
    loop {
        match kind(at) {
            SyntaxKind::L_BRACK => depth += 1,
            SyntaxKind::R_BRACK => depth -= 1,
            SyntaxKind::EOF => return at,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
        at += 1;
    }
}

fn declared(path: &str, open: &[Option<&str>], name: &str, attributes: String) -> OutOfLine {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.trim_end_matches(".rs");
    let own = if matches!(stem, "lib" | "mod" | "main") { String::new() } else { format!("{stem}/") };
    let inline: String = open.iter().flatten().map(|module| format!("{module}/")).collect();
    let mut candidates: Vec<String> = written_paths(&attributes)
        // A path is relative to the file's directory, unless the module is inside another.
        .map(|it| {
            if inline.is_empty() {
                format!("{directory}/{it}")
            } else {
                format!("{directory}/{own}{inline}{it}")
            }
        })
        .collect();
    // `cfg_attr(x, path = "…")` leaves the usual place for when `x` does not hold.
    if candidates.is_empty() || attributes.contains("cfg_attr") {
        candidates.push(format!("{directory}/{own}{inline}{name}.rs"));
        candidates.push(format!("{directory}/{own}{inline}{name}/mod.rs"));
    }
    let name = open.iter().flatten().chain([&name]).copied().collect::<Vec<_>>().join("::");
    OutOfLine { name, attributes, candidates }
}

/// The strings of `path = "…"`; attributes are written without space.
fn written_paths(attributes: &str) -> impl Iterator<Item = &str> {
    attributes
        .match_indices("path=\"")
        .filter_map(|(at, before)| attributes[at + before.len()..].split('"').next())
}

#[cfg(test)]
mod tests {
    use cratekeeper_syntax::Edition;

    use super::*;

    fn check(path: &str, text: &str, expect: &[(&str, &[&str])]) {
        let found = out_of_line(path, &LexedStr::new(Edition::Edition2024, text));
        let found: Vec<(&str, Vec<&str>)> = found
            .iter()
            .map(|it| (it.name.as_str(), it.candidates.iter().map(String::as_str).collect()))
            .collect();
        let expect: Vec<(&str, Vec<&str>)> =
            expect.iter().map(|(name, paths)| (*name, paths.to_vec())).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn modules_lie_beside_a_root_and_below_other_files() {
        check("core/src/lib.rs", "mod a;", &[("a", &["core/src/a.rs", "core/src/a/mod.rs"])]);
        check("core/src/b.rs", "mod a;", &[("a", &["core/src/b/a.rs", "core/src/b/a/mod.rs"])]);
    }

    #[test]
    fn inline_modules_are_directories() {
        let text = "mod b { mod a; } fn f() { } mod c;";
        let a = ["s/b/a.rs", "s/b/a/mod.rs"];
        check("s/lib.rs", text, &[("b::a", a.as_slice()), ("c", &["s/c.rs", "s/c/mod.rs"])]);
    }

    #[test]
    fn a_written_path_is_relative_to_the_file() {
        check("s/b.rs", "#[path = \"x/y.rs\"] mod a;", &[("a", &["s/x/y.rs"])]);
        check("s/b.rs", "#[path = \"x/y.rs\"] use d; mod a;", &[("a", &["s/b/a.rs", "s/b/a/mod.rs"])]);
    }

    #[test]
    fn a_module_inside_a_macro_counts_and_one_with_a_body_does_not() {
        let text = "cfg_select! { unix => { mod a; } } mod b { fn f() {} }";
        check("s/lib.rs", text, &[("a", &["s/a.rs", "s/a/mod.rs"])]);
    }

    #[test]
    fn an_attribute_without_end_ends_with_the_text() {
        check("s/lib.rs", "#[cfg(", &[]);
        check("s/lib.rs", "#[[[", &[]);
    }
}

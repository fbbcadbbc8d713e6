//! Texts made to abort, stall or exhaust the analysis. Every one must end in facts, on the 2 MiB stack of a test.

mod common;

use common::{Numbers, TOKENS, analyze_files, calls, library, paths};
use cratekeeper_model::facts::{FileKind, SourceFileStatus};
use cratekeeper_source::{Limits, PackageFile, analyze};

/// `unit` 100,000 times, or a megabyte of it, between facts that must not get lost.
fn attack(before: &str, unit: &str, after: &str) -> SourceFileStatus {
    let text = format!(
        "fn first() {{ early(); }}\n{before}{}{after}\nunsafe fn last() {{ late(1, 2); }}\n",
        unit.repeat((1_000_000 / unit.len()).min(100_000))
    );
    let facts = library(&text);
    assert_eq!(facts.source.files_total, 1);
    assert_eq!(facts.source.files_parsed + facts.source.files_with_errors, 1);
    assert!(calls(&facts).iter().any(|call| call.callee == "early"), "{unit}");
    assert!(paths(&facts).contains(&"first"), "{unit}");
    // An unterminated comment or string rightly hides what follows.
    if !unit.starts_with("/*") {
        let late = calls(&facts).iter().find(|call| call.callee == "late");
        assert_eq!(late.map(|call| call.arity), Some(2), "{unit}");
        assert!(facts.source.functions.iter().any(|it| it.path.ends_with("last")), "{unit}");
    }
    facts.source.rust_files[0].status
}

#[test]
fn what_nests_is_read_by_tokens() {
    for (before, unit) in [
        ("const A: u8 = ", "("),
        ("const A: u8 = ", "&"),
        ("const A: u8 = ", "["),
        ("const A: u8 = ", "!"),
        ("const A: u8 = ", "-"),
        ("const A: u8 = ", "*"),
        ("const A: u8 = ", "{"),
        ("const A: u8 = ", "|| "),
        ("const A: u8 = ", "move |a, b| "),
        ("const A: u8 = ", "return "),
        ("const A: u8 = ", "if "),
        ("const A: u8 = ", "if a {} else "),
        ("const A: u8 = ", "match a { _ => "),
        ("const A: u8 = ", "a = "),
        ("const A: u8 = ", "a += "),
        ("const A: u8 = ", ".. "),
        ("const A: u8 = ", "A::<"),
        ("const A: ", "A<"),
        ("const A: ", "A<B, "),
        ("const A: ", "<A as B<"),
        ("const A: ", "fn() -> "),
        ("const A: ", "A() -> "),
        ("const A: ", "for<'a, 'b> "),
        ("const A: ", "&'a "),
        ("const A: ", "*const "),
        ("const A: ", "impl A<"),
        ("const A: ", "[[u8; 1]; "),
        ("", "mod a { "),
        ("", "fn f() { "),
        ("", "impl A for B { fn f() { "),
        ("", "use a::{b, "),
        ("", "m!("),
        ("", "m!{ "),
        ("macro_rules! m { () => { ", "m!["),
        ("fn f(", "a: &dyn Fn("),
        ("fn f() { let ", "a @ "),
        ("fn f() { let ", "A("),
    ] {
        assert_eq!(attack(before, unit, ";"), SourceFileStatus::TokensOnly, "{before}{unit}");
    }
}

#[test]
fn what_only_repeats_is_parsed() {
    for (before, unit, after) in [
        ("const A: u8 = 1", "+1", ";"),
        ("const A: u8 = a", ".b()", ";"),
        ("const A: u8 = a", "?", ";"),
        ("const A: u8 = a", " as u8", ";"),
        ("const A: u8 = a", "[0]", ";"),
        ("const A: u8 = a", " || a", ";"),
        ("const A: u8 = a", " == a", ";"),
        ("const A: &[u8] = &[", "1,", "];"),
        ("fn f() { match a { ", "A | B => c,", "} }"),
        ("fn f() { match a { A ", "| A ", "=> b } }"),
        ("", "#[a] ", "struct S;"),
        ("", "#[cfg(a)] fn f() {}\n", ""),
        ("", "fn f<T: A<B>>(a: &T) -> C<D> { e::<F>(g) }\n", ""),
        ("", "struct S { a: Option<Box<dyn Fn(&A) -> B<C>>>, b: &'static str }\n", ""),
        ("", "use a::{b, c::*, d as e};\n", ""),
        ("", "mod a;", ""),
        ("", "/* */", ""),
        ("", "m!();", ""),
    ] {
        assert_eq!(attack(before, unit, after), SourceFileStatus::Parsed, "{before}{unit}{after}");
    }
}

#[test]
fn an_unclosed_comment_is_an_error_and_nothing_more() {
    assert_eq!(attack("", "/* ", ""), SourceFileStatus::ParsedWithErrors);
}

/// The parser takes one wrong token for a missing operand and goes on inside; each of these once passed the guard.
#[test]
fn wrong_tokens_do_not_hide_nesting() {
    for unit in [
        ") {",
        "] {",
        "A<B,",
        "A<{} ",
        "if if if if if if if if , {",
        "if if if if if if if if ; {",
        "if if if if x as & ; {",
        "if if if if #[a] ; {",
        "if if if if a < b > ; {",
        "if let A {} ",
        "while let A {} ",
        "for A {} ",
        "a < b > |c| ",
        "a < b > .. ",
        "'a: { # } ",
        "{ #[a] } ",
        ":: == ",
        "return { let a = a static A< } Self ^ ",
        "+= a::< a => += break ",
        "{ use } ; ",
        "[ & ] ; a as ",
        "( A<B = ) , a , ",
        "|a @ | , b | ",
        "impl > for A {} if > for A {} if ",
    ] {
        for before in ["", "fn f() { ", "const A: u8 = ", "type A = ", "fn f() { let "] {
            let text = format!("{before}{}", unit.repeat(50_000 / unit.len() + 800));
            assert_eq!(library(&text).source.files_total, 1);
        }
    }
}

#[test]
fn random_texts_do_not_overflow_the_stack() {
    let mut numbers = Numbers::new(1);
    for _ in 0..400 {
        let mut unit = String::new();
        for _ in 0..2 + numbers.below(7) {
            let token = TOKENS[numbers.below(TOKENS.len())];
            let times = if numbers.below(10) == 0 { 30 } else { 1 };
            unit.push_str(&format!("{token} ").repeat(times));
        }
        let before = ["", "fn f() { ", "fn f() { let a = ", "type A = ", "m!("][numbers.below(5)];
        let text = format!("{before}{}", unit.repeat(8000 / unit.len() + 1500));
        assert_eq!(library(&text).source.files_total, 1, "{before}{unit}");
    }
}

/// Each of these once took time in the square of its size or could have: minutes instead of milliseconds, which the test
/// runner's time limit ends.
#[test]
fn large_and_repetitive_text_does_not_hang() {
    let n = 30_000;
    for (name, text) in [
        ("attributes of one function", format!("{} fn f() {{}}", "#[a] ".repeat(n))),
        ("cfg on a long import", format!("{} use a::{{{}}};", "#[cfg(a)] ".repeat(n), "b,".repeat(n))),
        ("arguments of one call", format!("fn f() {{ g({}) }}", "a(1),".repeat(n))),
        ("a long path", format!("fn f() {{ a{}() }}", "::a".repeat(n))),
        ("open braces in a macro", format!("m!{{ {} }}", "{ a ) ".repeat(n))),
        ("groups in a macro", format!("m!{{ ? {} }}", "#[cfg(a)] { b() } ".repeat(n))),
        ("groups that are no Rust", format!("m!{{ ? {} }}", "{ ? } ".repeat(n))),
        ("comparisons", format!("macro_rules! m {{ () => {{ {} }} }}", "a > (b) > ".repeat(n))),
        ("nested types", format!("{} A {}", "impl [(); { ".repeat(250), "a::".repeat(n))),
        ("one line of controls", format!("// {}", "\u{202A}\u{2069}".repeat(n))),
        ("one line of isolates", format!("// {}{}", "\u{2066}\u{202A}".repeat(n), "\u{2069}".repeat(n))),
        ("scheme", format!("const A: &str = \"{}\";", "a://".repeat(n))),
        ("labels of a host", format!("const A: &str = \"{}com\";", "a.".repeat(n))),
        ("modules without a file", "mod a; ".repeat(n)),
        ("circular includes", "include!(\"lib.rs\");".repeat(n)),
        ("functions in a long module", format!("mod {} {{ {} }}", "m".repeat(1000), "fn a(){}".repeat(n))),
        ("nested long modules", format!("mod {} {{ ", "m".repeat(500)).repeat(400)),
        ("lines", "\n".repeat(n * 20)),
    ] {
        let facts = library(&text);
        assert_eq!(facts.source.files_total, 1, "{name}");
    }
}

#[test]
fn modules_that_explode_are_bounded() {
    // Each file declares the next twice: 2³⁰ modules.
    let mut files: Vec<(String, String)> = (0..30)
        .map(|number| {
            let next = number + 1;
            let text =
                format!("#[path = \"f{next}.rs\"] mod a;\n#[path = \"f{next}.rs\"] mod b;\nfn f() {{ g() }}");
            (format!("src/f{number}.rs"), text)
        })
        .collect();
    files.push(("src/lib.rs".to_owned(), "#[path = \"f0.rs\"] mod a;".to_owned()));
    files.push(("Cargo.toml".to_owned(), "[package]\nname = \"demo\"".to_owned()));
    let facts = analyze_files(&files);
    assert!(facts.source.modules.len() < 31 * 21);
    assert!(facts.source.problems.iter().any(|it| it.contains("stands in more than 20 modules")));
    assert_eq!(facts.source.files_unlinked, 0);
}

#[test]
fn many_declarations_in_many_modules_are_bounded() {
    let mut files = vec![
        ("Cargo.toml".to_owned(), "[package]\nname = \"demo\"".to_owned()),
        (
            "src/lib.rs".to_owned(),
            (0..10_000).map(|it| format!("#[path = \"b{}.rs\"] mod m{it};", it % 1000)).collect::<String>(),
        ),
    ];
    files.extend((0..1000).map(|it| (format!("src/b{it}.rs"), "mod missing;".repeat(500))));
    let facts = analyze_files(&files);
    assert!(facts.source.problems.iter().any(|it| it.contains("was not followed")));
}

#[test]
fn facts_that_do_not_fit_are_left_out_and_that_is_said() {
    let text = format!("mod {} {{ {} }}", "m".repeat(1000), "fn a() { b() }".repeat(1000));
    let files = [PackageFile::new("src/lib.rs", text.as_bytes())];
    let limits = Limits { fact_bytes: 100_000, ..Limits::default() };
    let facts = analyze(&files, &limits);
    assert!(facts.source.functions.len() < 100);
    assert!(facts.source.problems.iter().any(|it| it.contains("the rest was left out")));
    let functions = facts.source.functions.len() as u32;
    assert!(calls(&facts).iter().all(|call| call.function.is_none_or(|it| it < functions)));
}

#[test]
fn a_file_beyond_the_size_limit_is_read_in_pieces() {
    let text =
        format!("fn first() {{ early() }}\n{}\nunsafe fn last() {{ late() }}\n", "// \u{202E}\n".repeat(999));
    let files = [PackageFile::new("src/lib.rs", text.as_bytes())];
    let limits = Limits { tree_bytes: 1000, ..Limits::default() };
    let facts = analyze(&files, &limits);
    assert_eq!(facts.source.rust_files[0].status, SourceFileStatus::TokensOnly);
    assert_eq!(paths(&facts), ["first", "last"]);
    assert_eq!(calls(&facts).last().map(|call| call.line), Some(1002));
    assert_eq!(facts.files.characters[1].line, 3);
    assert_eq!(facts.files.characters_total, 999);
    let by_tokens = Limits { tree_tokens: 10, ..Limits::default() };
    assert_eq!(analyze(&files, &by_tokens).source.rust_files[0].status, SourceFileStatus::TokensOnly);
}

#[test]
fn text_that_is_not_utf8_is_read_all_the_same() {
    let files = [PackageFile::new("src/lib.rs", b"fn f() { g(); } // \xff\nfn h() {}")];
    let facts = analyze(&files, &Limits::default());
    assert_eq!(facts.source.rust_files[0].status, SourceFileStatus::NotUtf8);
    assert_eq!(paths(&facts), ["f", "h"]);
    assert_eq!(facts.files.entries[0].kind, FileKind::Binary);
    assert_eq!((facts.source.files_parsed, facts.source.files_with_errors), (0, 1));
}

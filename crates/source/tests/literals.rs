//! String literals that matter, and where they stand.

mod common;

use common::library;
use cratekeeper_model::facts::LiteralKind;

#[test]
fn literals_that_matter() {
    let facts = library(
        "
const A: &str = \"https://a.example/x\";
/// See https://docs.example/, which is a comment.
#[doc = \"https://attribute.example/\"]
fn f() {
    g(b\"10.0.0.1:80\", c\"/etc/passwd\", r#\"~/.ssh/id_rsa\"#);
    println!(\"bot.example {}\", h!(\"\\x2fbin\\u{2f}sh\"));
    \"ordinary text\"; 'x'; b'y'; 1.0;
}
macro_rules! m { () => { \"https://in.example/macro\" } }
",
    );
    let found: Vec<_> = facts
        .source
        .literals
        .iter()
        .map(|it| (it.line, it.kind, it.value.as_str(), it.function.is_some()))
        .collect();
    assert_eq!(
        found,
        [
            (2, LiteralKind::Url, "https://a.example/x", false),
            (6, LiteralKind::IpAddress, "10.0.0.1:80", true),
            (6, LiteralKind::Path, "/etc/passwd", true),
            (6, LiteralKind::Path, "~/.ssh/id_rsa", true),
            (7, LiteralKind::Path, "/bin/sh", true),
            (10, LiteralKind::Url, "https://in.example/macro", false),
        ]
    );
}

#[test]
fn long_literals_are_cut_and_measured() {
    let facts = library(&format!("const A: &str = \"https://a.example/{}\";", "é".repeat(500)));
    let literal = &facts.source.literals[0];
    assert_eq!(literal.length, 18 + 1000);
    assert_eq!(literal.value.chars().count(), 201);
}

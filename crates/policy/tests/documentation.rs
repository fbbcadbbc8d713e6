//! `docs/policy.md` has every variable and the built-in policy. `UPDATE_DOCS=1 cargo test -p cratekeeper-policy` writes both.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::path::Path;

use cratekeeper_policy::{Field, Policy, Type, VARIABLES};

fn rows(prefix: &str, fields: &[Field], text: &mut String) {
    for field in fields {
        let path = if prefix.is_empty() { field.name.to_owned() } else { format!("{prefix}.{}", field.name) };
        if let Type::Record(fields) = field.of {
            rows(&path, fields, text);
            continue;
        }
        let unknown = if field.may_be_unknown { "yes" } else { "" };
        *text += &format!("| `{path}` | {} | {unknown} | {} |\n", named(field.of), field.meaning);
        if let Type::List(Type::Record(fields)) = field.of {
            rows(&format!("{path}[…]"), fields, text);
        }
    }
}

fn named(of: Type) -> &'static str {
    match of {
        Type::Bool => "true or false",
        Type::Int => "number",
        Type::Text => "text",
        Type::List(Type::Text) => "list of text",
        Type::List(Type::Int) => "list of numbers",
        Type::List(_) => "list",
        Type::Record(_) => "group",
    }
}

/// `text` with what stands between two marks replaced.
fn replaced(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}{content}{end}{after}")
}

#[test]
fn the_document_has_every_variable_and_the_built_in_policy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md");
    let written = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let mut table = "| variable | type | may be unknown | meaning |\n|---|---|---|---|\n".to_owned();
    rows("", VARIABLES, &mut table);
    let expected = replaced(&written, "variables", &table);
    let expected = replaced(&expected, "built-in", &format!("```toml\n{}```\n", Policy::built_in_text()));
    if std::env::var_os("UPDATE_DOCS").is_some_and(|it| it == "1") {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(written == expected, "run `UPDATE_DOCS=1 cargo test -p cratekeeper-policy`");
}

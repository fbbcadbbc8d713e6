//! The table of weights in the documentation is the one in the code.

use std::fmt::Write as _;

use super::weight;
use crate::affixes::AffixKind;
use crate::check::Check;
use crate::search::What;

const BEGIN: &str = "<!-- weights -->\n";
const END: &str = "<!-- end of weights -->\n";

/// Every row of the table, by something that it fits.
fn rows() -> Vec<(Check, What)> {
    let affix = |kind| What::Affix { kind, glued: false };
    let kinds = [AffixKind::Empty, AffixKind::Successor, AffixKind::Part, AffixKind::Internal].map(affix);
    let words = |count| What::Words { count, exact: true, glued: false, leads: true };
    let mut rows = Vec::new();
    for check in Check::ALL {
        let variants = match check {
            Check::Number => [true, false].map(|changed| What::Number { changed, long: false }).to_vec(),
            Check::AffixAdded => kinds.to_vec(),
            Check::AffixRemoved | Check::AffixReplaced => vec![kinds[0], kinds[2]],
            Check::ExtraWords => [1, 2].map(words).to_vec(),
            Check::MissingWord => [2, 1].map(|left| What::Missing { left }).to_vec(),
            _ => vec![What::Plain],
        };
        rows.extend(variants.into_iter().map(|what| (check, what)));
    }
    rows
}

fn table() -> String {
    let mut table = "| check | example | base | why |\n|---|---|---|---|\n".to_owned();
    for (check, what) in rows() {
        let weight = weight(check, what);
        writeln!(table, "| `{check}` | {} | {} | {} |", weight.what, weight.base, weight.why).unwrap();
    }
    table
}

/// `UPDATE_DOCS=1 cargo test -p cratekeeper-names` writes it.
#[test]
fn the_documentation_has_the_weights() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/names.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let expected = format!("{head}{BEGIN}{}{END}{tail}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, expected).unwrap();
    } else {
        assert_eq!(text, expected, "run `UPDATE_DOCS=1 cargo test -p cratekeeper-names`");
    }
}

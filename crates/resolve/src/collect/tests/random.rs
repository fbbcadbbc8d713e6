//! Modules and imports at random: whatever they are, reading them ends, and twice with the same result.

use proptest::prelude::*;

use super::*;

/// Names are few, so that imports meet.
fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "d"])
}

fn path() -> impl Strategy<Value = String> {
    let first = prop::sample::select(vec!["crate", "self", "super", "a", "b", "c", "", "super::super"]);
    (first, prop::collection::vec(name(), 0..3)).prop_map(|(first, rest)| {
        let all: Vec<_> = std::iter::once(first).chain(rest).filter(|it| !it.is_empty()).collect();
        if all.is_empty() { "crate".to_owned() } else { all.join("::") }
    })
}

fn item() -> impl Strategy<Value = String> {
    let condition = prop::sample::select(vec!["", "", "#[cfg(windows)] "]);
    let visible = prop::sample::select(vec!["", "pub ", "pub(crate) ", "pub(super) "]);
    let item = prop_oneof![
        3 => path().prop_map(|path| format!("use {path}::*;")),
        3 => (path(), name()).prop_map(|(path, name)| format!("use {path} as {name};")),
        2 => (path(), name(), name()).prop_map(|(path, one, two)| format!("use {path}::{{{one}, {two}::*, self as {two}}};")),
        2 => name().prop_map(|name| format!("fn {name}() {{ use {name}::*; fn {name}() {{}} }}")),
        1 => name().prop_map(|name| format!("enum {name} {{ a, b(u8) }}")),
        1 => name().prop_map(|name| format!("struct {name}(pub(super) u8);")),
        1 => (name(), name()).prop_map(|(one, two)| format!("extern crate {one} as {two};")),
        1 => (name(), name()).prop_map(|(one, two)| format!("macro_rules! {one} {{ () => {{ pub mod {two} {{ {two}!(); }} pub use {one}::*; }} }}")),
        1 => path().prop_map(|path| format!("{path}!();")),
    ];
    (condition, visible, item).prop_map(|(condition, visible, item)| {
        let visible = if item.starts_with("macro_rules") || item.contains("!()") { "" } else { visible };
        format!("{condition}{visible}{item}")
    })
}

fn module(depth: u32) -> BoxedStrategy<String> {
    let items = prop::collection::vec(item(), 0..6).prop_map(|items| items.join("\n"));
    if depth == 0 {
        return items.boxed();
    }
    let inner = (name(), module(depth - 1)).prop_map(|(name, inner)| format!("pub mod {name} {{ {inner} }}"));
    (items, prop::collection::vec(inner, 0..4))
        .prop_map(|(items, inner)| items + "\n" + &inner.join("\n"))
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_crates_are_read(text in module(3), edition in prop::sample::select(vec![15, 21])) {
        let setting = Setting { edition, ..Setting::default() };
        let (one, two) = (read_with(&text, &setting), read_with(&text, &setting));
        prop_assert_eq!(one.data(), two.data());
        for module in 0..one.data().modules.len() as u32 {
            for path in [&["a", "b"][..], &["super", "c", "d"], &["crate", "a", "a"]] {
                let path: Vec<_> = path.iter().map(|it| Symbol::new(it)).collect();
                for namespace in Namespace::ALL {
                    resolve_path(&one.universe, one.data(), one.index, module, &path, false, namespace);
                }
            }
        }
    }

    #[test]
    fn random_text_is_read(text in "[ a-d{}();:!#\\[\\]*<>=,'\"$]{0,80}", head in "(mod|use|macro_rules!|fn|impl|extern|struct|enum|trait|pub) ") {
        read(&format!("{head}{text}"));
    }
}

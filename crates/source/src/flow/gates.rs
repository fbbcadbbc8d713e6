//! Conditions of `cfg` as kinds of gates.

use std::collections::{BTreeMap, HashSet};

use cratekeeper_model::facts::GateKind;

/// Parts of a condition that are looked at.
const PARTS: usize = 32;

/// Features that are on unless somebody switches them off.
pub(super) fn default_features(features: &BTreeMap<String, Vec<String>>) -> HashSet<String> {
    let mut on: HashSet<String> = HashSet::new();
    let mut open = vec!["default".to_owned()];
    while let Some(feature) = open.pop() {
        if on.insert(feature.clone()) {
            open.extend(features.get(&feature).into_iter().flatten().cloned());
        }
    }
    on
}

/// What a condition, or several joined by `, `, looks at; what must hold together comes one by one.
pub(super) fn kinds_of_cfg(text: &str, default: &HashSet<String>) -> Vec<(GateKind, String)> {
    let mut found = Vec::new();
    let mut open = split(text);
    let mut looked_at = 0;
    while let Some(part) = open.pop() {
        looked_at += 1;
        if looked_at > PARTS {
            break;
        }
        if let Some(inner) = inside(part, "all") {
            open.extend(split(inner));
            continue;
        }
        if let Some(kind) = kind_of(part, default) {
            found.push((kind, part.to_owned()));
        }
    }
    found.reverse();
    found
}

fn kind_of(part: &str, default: &HashSet<String>) -> Option<GateKind> {
    if let Some(inner) = inside(part, "any") {
        let kinds: Vec<GateKind> =
            split(inner).into_iter().take(PARTS).filter_map(|it| kind_of(it.trim(), default)).collect();
        // Whatever is the likeliest to hold decides.
        let order = [
            GateKind::DefaultFeature,
            GateKind::Profile,
            GateKind::Target,
            GateKind::OptionalFeature,
            GateKind::Test,
        ];
        return order.into_iter().find(|kind| kinds.contains(kind));
    }
    if let Some(inner) = inside(part, "not") {
        return match kind_of(inner.trim(), default)? {
            GateKind::Test => None,
            GateKind::OptionalFeature => Some(GateKind::DefaultFeature),
            GateKind::DefaultFeature => Some(GateKind::OptionalFeature),
            other => Some(other),
        };
    }
    let name = part.split(['=', '(']).next().unwrap_or(part).trim();
    Some(match name {
        "test" | "doctest" | "bench" => GateKind::Test,
        "debug_assertions" | "overflow_checks" | "panic" => GateKind::Profile,
        "feature" => {
            let value = part.split('"').nth(1).unwrap_or_default();
            if default.contains(value) { GateKind::DefaultFeature } else { GateKind::OptionalFeature }
        }
        "unix" | "windows" | "wasm" => GateKind::Target,
        _ if name.starts_with("target_") => GateKind::Target,
        "all" | "any" | "not" => return kind_of_nested(part, default),
        "true" | "false" | "" => return None,
        // Given by hand, as a feature is.
        _ => GateKind::OptionalFeature,
    })
}

fn kind_of_nested(part: &str, default: &HashSet<String>) -> Option<GateKind> {
    let inner = inside(part, "all")?;
    let kinds: Vec<GateKind> = split(inner)
        .into_iter()
        .take(PARTS)
        .filter(|it| !it.contains('('))
        .filter_map(|it| kind_of(it, default))
        .collect();
    let order = [
        GateKind::Test,
        GateKind::OptionalFeature,
        GateKind::Target,
        GateKind::Profile,
        GateKind::DefaultFeature,
    ];
    order.into_iter().find(|kind| kinds.contains(kind))
}

/// What stands between the parentheses of `name(…)`.
fn inside<'t>(part: &'t str, name: &str) -> Option<&'t str> {
    part.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

/// Parts that commas outside of parentheses separate.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_told_apart() {
        let default = default_features(&BTreeMap::from([
            ("default".to_owned(), vec!["std".to_owned()]),
            ("std".to_owned(), vec!["alloc".to_owned()]),
        ]));
        let kinds = |text: &str| kinds_of_cfg(text, &default).into_iter().map(|it| it.0).collect::<Vec<_>>();
        use GateKind::*;
        assert_eq!(kinds("test"), [Test]);
        assert_eq!(kinds("not(test)"), []);
        assert_eq!(kinds("feature = \"alloc\""), [DefaultFeature]);
        assert_eq!(kinds("feature = \"x\", unix"), [OptionalFeature, Target]);
        assert_eq!(kinds("all(windows, not(feature = \"std\"))"), [Target, OptionalFeature]);
        assert_eq!(kinds("any(feature = \"std\", feature = \"x\")"), [DefaultFeature]);
        assert_eq!(kinds("debug_assertions"), [Profile]);
        assert_eq!(kinds("target_os = \"macos\""), [Target]);
        assert_eq!(kinds("(((((,,"), []);
    }
}

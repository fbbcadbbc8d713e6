//! The code itself: `unsafe`, foreign functions, constants, and how much there is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cratekeeper_model::facts::{ConstantText, LiteralKind, Topic};
use cratekeeper_model::{ChangeKind, Evidence, Facts};

use crate::changes::{Changes, EVIDENCE, place};

pub(crate) fn compare(older: &Facts, newer: &Facts, changes: &mut Changes) {
    unsafe_code(older, newer, changes);
    foreign_functions(older, newer, changes);
    constants(older, newer, changes);
    volume(older, newer, changes);
}

/// Lines of all Rust files.
pub(crate) fn rust_lines(facts: &Facts) -> u64 {
    rust_files(facts).values().map(|lines| u64::from(*lines)).sum()
}

fn rust_files(facts: &Facts) -> BTreeMap<&str, u32> {
    let rust: BTreeSet<&str> = facts.source.rust_files.iter().map(|file| file.path.as_str()).collect();
    let entries = facts.files.entries.iter().filter(|entry| rust.contains(entry.path.as_str()));
    entries.map(|entry| (entry.path.as_str(), entry.lines)).collect()
}

fn file(facts: &Facts, number: u32) -> &str {
    facts.source.rust_files.get(number as usize).map_or("", |file| file.path.as_str())
}

/// Expressions in `unsafe`, and functions, traits and implementations that are declared so.
fn unsafe_things(facts: &Facts) -> u32 {
    let counters = &facts.source.r#unsafe;
    [counters.functions, counters.exprs, counters.item_impls, counters.item_traits, counters.methods]
        .iter()
        .fold(0, |sum, count| sum.saturating_add(count.r#unsafe))
}

fn unsafe_code(older: &Facts, newer: &Facts, changes: &mut Changes) {
    let text = |count: u32| (count > 0).then(|| format!("{count} unsafe expressions and declarations"));
    let (before, after) = (text(unsafe_things(older)), text(unsafe_things(newer)));
    changes.compare(ChangeKind::Unsafe, "unsafe", before, after, || {
        let mut known: HashMap<&str, u32> = HashMap::new();
        for function in &older.source.functions {
            let count = known.entry(&function.path).or_default();
            *count = count.saturating_add(function.counters.exprs.r#unsafe + u32::from(function.r#unsafe));
        }
        let more = newer.source.functions.iter().filter(|function| {
            let count = function.counters.exprs.r#unsafe + u32::from(function.r#unsafe);
            count > known.get(function.path.as_str()).copied().unwrap_or_default()
        });
        let at = |it: &cratekeeper_model::facts::Function| {
            place(file(newer, it.file), it.line, Some(&format!("unsafe in `{}`", it.path)))
        };
        more.take(EVIDENCE).map(at).collect()
    });
}

fn foreign_functions(older: &Facts, newer: &Facts, changes: &mut Changes) {
    let (before, after) = (foreign_names(older), foreign_names(newer));
    let added: Vec<&Evidence> =
        after.iter().filter(|(name, _)| !before.contains_key(*name)).map(|it| it.1).collect();
    let removed: Vec<&Evidence> =
        before.iter().filter(|(name, _)| !after.contains_key(*name)).map(|it| it.1).collect();
    if added.is_empty() && removed.is_empty() {
        return;
    }
    let shown = if added.is_empty() { removed } else { added };
    let text = |names: &BTreeMap<String, Evidence>, other: &BTreeMap<String, Evidence>| {
        let own = names.keys().filter(|name| !other.contains_key(*name)).count();
        (!names.is_empty()).then(|| format!("{} declarations, {own} of them only here", names.len()))
    };
    changes.compare(
        ChangeKind::Ffi,
        "foreign functions",
        text(&before, &after),
        text(&after, &before),
        || shown.into_iter().take(EVIDENCE).cloned().collect(),
    );
}

/// Foreign functions and statics, and attributes that name symbols or libraries, each with its first place.
fn foreign_names(facts: &Facts) -> BTreeMap<String, Evidence> {
    let mut names = BTreeMap::new();
    for block in &facts.source.foreign_blocks {
        let path = file(facts, block.file);
        for item in &block.items {
            let text = format!("extern {:?} {}", block.abi, item.name);
            names.entry(text.clone()).or_insert_with(|| place(path, item.line, Some(&text)));
        }
        if let Some(link) = &block.link {
            let text = format!("#[link({link})]");
            names.entry(text.clone()).or_insert_with(|| place(path, block.line, Some(&text)));
        }
    }
    for attribute in &facts.source.linkage {
        let text = match &attribute.value {
            Some(value) => format!("#[{} = {value:?}]", attribute.attribute),
            None => format!("#[{}]", attribute.attribute),
        };
        let path = file(facts, attribute.file);
        names.entry(text.clone()).or_insert_with(|| place(path, attribute.line, Some(&text)));
    }
    names
}

fn constants(older: &Facts, newer: &Facts, changes: &mut Changes) {
    let (before, after) = (constant_values(older), constant_values(newer));
    for (value, evidence) in &after {
        if !before.contains_key(value) {
            changes.compare(ChangeKind::ConstantText, value, None, Some((*value).to_owned()), || {
                vec![evidence.clone()]
            });
        }
    }
    for (value, evidence) in &before {
        if !after.contains_key(value) {
            changes.compare(ChangeKind::ConstantText, value, Some((*value).to_owned()), None, || {
                vec![evidence.clone()]
            });
        }
    }
}

/// Addresses, hosts and paths, decoded ones included, each with its first place.
fn constant_values(facts: &Facts) -> BTreeMap<&str, Evidence> {
    let mut values = BTreeMap::new();
    for literal in facts.source.literals.iter().filter(|literal| literal.kind != LiteralKind::HighEntropy) {
        let at = || place(file(facts, literal.file), literal.line, Some(&literal.value));
        values.entry(literal.value.as_str()).or_insert_with(at);
    }
    for text in facts.flow.texts.iter().filter(|text| names_a_place(text)) {
        let at = || {
            let hidden = if text.decodings.is_empty() { "" } else { " (put together from parts or decoded)" };
            place(file(facts, text.file), text.line, Some(&format!("{}{hidden}", text.value)))
        };
        values.entry(text.value.as_str()).or_insert_with(at);
    }
    values
}

/// Where it is, or was made to be, an address or a path; other topics say what a text is about.
fn names_a_place(text: &ConstantText) -> bool {
    let places = [
        Topic::Url,
        Topic::IpAddress,
        Topic::Host,
        Topic::SecretFile,
        Topic::WalletFile,
        Topic::StartupPlace,
        Topic::DropService,
        Topic::HiddenPlace,
    ];
    text.topics.iter().any(|topic| places.contains(topic))
}

fn volume(older: &Facts, newer: &Facts, changes: &mut Changes) {
    let (before, after) = (rust_lines(older), rust_lines(newer));
    let text = |lines: u64| (lines > 0).then(|| format!("{lines} lines of Rust"));
    changes.compare(ChangeKind::CodeVolume, "lines of Rust", text(before), text(after), || {
        let known = rust_files(older);
        let grown = rust_files(newer)
            .into_iter()
            .map(|(path, lines)| (lines.saturating_sub(known.get(path).copied().unwrap_or_default()), path));
        let mut grown: Vec<(u32, &str)> = grown.filter(|(lines, _)| *lines > 0).collect();
        grown.sort_by_key(|(lines, path)| (std::cmp::Reverse(*lines), *path));
        let at = |(lines, path): (u32, &str)| {
            let what = if known.contains_key(path) { "more lines" } else { "lines, new file" };
            place(path, 0, Some(&format!("{lines} {what}")))
        };
        grown.into_iter().take(EVIDENCE).map(at).collect()
    });
}

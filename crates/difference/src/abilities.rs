//! Capabilities: what code can touch, in which phase of a package's life.

use std::collections::BTreeMap;

use cratekeeper_model::facts::{Capability, Operation, Phase};
use cratekeeper_model::{Change, ChangeDirection, ChangeKind, Evidence, Facts};

use crate::changes::{Changes, EVIDENCE, change, place};

/// The capabilities that operations prove, each with the operations that give it in a phase.
///
/// An operation that runs in several phases counts in each; `unsafe` and foreign functions are no operations and are compared
/// by what the source declares.
#[must_use]
pub fn capabilities(facts: &Facts) -> BTreeMap<(Phase, Capability), Vec<&Operation>> {
    let mut found: BTreeMap<(Phase, Capability), Vec<&Operation>> = BTreeMap::new();
    for operation in &facts.flow.operations {
        if let Some(capability) = operation.kind.capability() {
            for phase in &operation.phases {
                found.entry((*phase, capability)).or_default().push(operation);
            }
        }
    }
    found
}

pub(crate) fn compare(older: &Facts, newer: &Facts, changes: &mut Changes) {
    let (before, after) = (capabilities(older), capabilities(newer));
    for (key, operations) in &after {
        if !before.contains_key(key) {
            changes.add(ability(*key, ChangeDirection::Added, newer, operations));
        }
    }
    for (key, operations) in &before {
        if !after.contains_key(key) {
            changes.add(ability(*key, ChangeDirection::Removed, older, operations));
        }
    }
}

fn ability(
    (phase, capability): (Phase, Capability),
    direction: ChangeDirection,
    facts: &Facts,
    operations: &[&Operation],
) -> Change {
    let subject = format!("{} at {}", capability.as_str(), phase.as_str());
    let count = operations.len();
    let text = Some(if count == 1 { "1 place".to_owned() } else { format!("{count} places") });
    let (before, after) = if direction == ChangeDirection::Added { (None, text) } else { (text, None) };
    let evidence = operations.iter().take(EVIDENCE).map(|operation| at(facts, operation)).collect();
    let change = change(ChangeKind::Capability, direction, &subject, before, after, evidence);
    Change { capability: Some((capability, phase)), ..change }
}

fn at(facts: &Facts, operation: &Operation) -> Evidence {
    let file = facts.source.rust_files.get(operation.file as usize).map_or("", |file| file.path.as_str());
    let arguments: Vec<String> = operation.arguments.iter().map(|text| format!("{text:?}")).collect();
    place(file, operation.line, Some(&format!("{}({})", operation.path, arguments.join(", "))))
}

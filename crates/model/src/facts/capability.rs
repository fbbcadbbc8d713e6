//! What a version can do to a machine, one entry for each capability and phase.
//!
//! Made from facts when it is asked for, not stored: operations say most of it, `unsafe` and foreign functions come from the
//! source.

use std::collections::BTreeMap;

use super::{Capability, Facts, Phase, TargetKind};

/// That a version has a capability, with the first place that gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityUse {
    /// What it can do.
    pub capability: Capability,
    /// When.
    pub phase: Phase,
    /// What is called there: a path, `unsafe`, or the name of a foreign function.
    pub path: String,
    /// File, as a number in [`SourceFacts::rust_files`](super::SourceFacts::rust_files).
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Enclosing function, as a number in [`SourceFacts::functions`](super::SourceFacts::functions).
    pub function: Option<u32>,
    /// How many places give it.
    pub places: u32,
}

/// A place that gives a capability.
struct Place<'a> {
    path: &'a str,
    file: u32,
    line: u32,
    function: Option<u32>,
}

impl Facts {
    /// The capabilities of the version, by capability and phase; each with the first place in file order.
    #[must_use]
    pub fn capabilities(&self) -> Vec<CapabilityUse> {
        let mut found: BTreeMap<(Capability, Phase), CapabilityUse> = BTreeMap::new();
        for operation in &self.flow.operations {
            let Some(capability) = operation.kind.capability() else { continue };
            let place = Place {
                path: &operation.path,
                file: operation.file,
                line: operation.line,
                function: operation.function,
            };
            for phase in &operation.phases {
                add(&mut found, capability, *phase, &place);
            }
        }
        for (number, function) in self.source.functions.iter().enumerate() {
            if function.r#unsafe || function.counters.any_unsafe() {
                let place = Place {
                    path: "unsafe",
                    file: function.file,
                    line: function.line,
                    function: Some(number as u32),
                };
                self.add_by_targets(&mut found, Capability::Unsafe, &function.targets, &place);
            }
        }
        for block in &self.source.foreign_blocks {
            let Some(item) = block.items.first() else { continue };
            let place = Place { path: &item.name, file: block.file, line: item.line, function: None };
            let targets = self.source.rust_files.get(block.file as usize).map_or(&[][..], |it| &it.targets);
            self.add_by_targets(&mut found, Capability::Ffi, targets, &place);
        }
        found.into_values().collect()
    }

    /// Adds a place of which only the targets are known.
    fn add_by_targets(
        &self,
        found: &mut BTreeMap<(Capability, Phase), CapabilityUse>,
        capability: Capability,
        targets: &[u16],
        place: &Place<'_>,
    ) {
        let kinds = targets.iter().filter_map(|it| self.manifest.targets.get(usize::from(*it)));
        let mut phases: Vec<Phase> = kinds
            .map(|target| match target.kind {
                TargetKind::BuildScript | TargetKind::ProcMacro => Phase::BuildTime,
                TargetKind::Lib | TargetKind::Bin => Phase::RunTime,
                TargetKind::Test | TargetKind::Bench | TargetKind::Example => Phase::Test,
            })
            .collect();
        if phases.is_empty() {
            phases.push(Phase::Unreached);
        }
        phases.sort_unstable();
        phases.dedup();
        for phase in phases {
            add(found, capability, phase, place);
        }
    }
}

fn add(
    found: &mut BTreeMap<(Capability, Phase), CapabilityUse>,
    capability: Capability,
    phase: Phase,
    place: &Place<'_>,
) {
    let known = found.entry((capability, phase)).or_insert_with(|| CapabilityUse {
        capability,
        phase,
        path: place.path.to_owned(),
        file: place.file,
        line: place.line,
        function: place.function,
        places: 0,
    });
    known.places += 1;
}

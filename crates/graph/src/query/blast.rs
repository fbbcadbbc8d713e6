//! Who is hit when something in a crate turns out to be bad: by dependency, by call, and how sure that is.

use std::collections::BTreeMap;

use cratekeeper_model::graph::Certainty;

use super::{Bits, Direction, Filter};
use crate::resolution::DependencyKinds;
use crate::{Graph, GraphError, NodeId, Pattern, VersionId};

/// What is bad.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlastTarget {
    /// Versions of the crate that are affected.
    pub versions: Vec<VersionId>,
    /// Affected functions; `None` when all functions of the versions are. An empty list affects nobody by call.
    pub functions: Option<Vec<NodeId>>,
}

/// Who is hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blast {
    /// By dependency: level 0 are the affected versions, level 1 those that depend on them.
    pub by_dependency: Vec<Level>,
    /// By call, from the surest: each counts what is hit when no less sure calls are followed.
    pub by_call: Vec<CertaintyLevel>,
    /// Versions that are hit, the affected ones left out, by distance.
    pub hit: Vec<HitVersion>,
    /// More versions are hit than are listed. The counts are complete.
    pub truncated: bool,
}

/// What is new at a distance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// Functions; 0 for dependencies.
    pub functions: u64,
    /// Versions.
    pub versions: u64,
    /// Distinct packages.
    pub packages: u64,
}

/// What is hit by calls of some certainty and surer ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertaintyLevel {
    /// The least sure calls that are followed.
    pub certainty: Certainty,
    /// All that is hit outside of the affected versions.
    pub total: Level,
    /// What is new at each number of calls; level 0 are the affected functions.
    pub levels: Vec<Level>,
}

/// A version that is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HitVersion {
    /// The version.
    pub version: VersionId,
    /// Dependencies between it and an affected version; `None` when calls lead there and no dependency does.
    pub dependency_distance: Option<u32>,
    /// How calls lead there; `None` when none do.
    pub call: Option<CallHit>,
}

/// How calls lead from a version to what is affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallHit {
    /// The weakest call of the surest way.
    pub certainty: Certainty,
    /// Calls on the shortest way of that certainty.
    pub distance: u32,
}

/// Versions and packages that were counted already.
struct Tally {
    versions: Bits,
    packages: Bits,
}

impl Graph {
    fn tally(&self) -> Tally {
        Tally { versions: Bits::new(self.index.versions()), packages: Bits::new(self.index.texts()) }
    }

    /// Counts a version; whether it was new.
    fn count(&self, tally: &mut Tally, level: &mut Level, version: u32) -> Result<bool, GraphError> {
        let new = tally.versions.insert(version);
        level.versions += u64::from(new);
        level.packages += u64::from(new && tally.packages.insert(self.index.version(version)?.package));
        Ok(new)
    }

    /// What a pattern says is bad: all of the versions of a crate, or the functions that it stands for and the versions
    /// that have them.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn blast_target(&self, pattern: &Pattern) -> Result<BlastTarget, GraphError> {
        let functions = if pattern.is_crate() { None } else { Some(self.find(pattern, usize::MAX)?.nodes) };
        Ok(BlastTarget { versions: self.find_versions(pattern)?, functions })
    }

    /// Who is hit by what is bad, with at most `limit` versions listed.
    ///
    /// `filter.weakest` is the least sure call that is followed at all.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn blast(&self, target: &BlastTarget, filter: Filter, limit: usize) -> Result<Blast, GraphError> {
        let mut hits: BTreeMap<u32, (Option<u32>, Option<CallHit>)> = BTreeMap::new();
        let mut affected: Vec<u32> = target.versions.iter().map(|it| it.0).collect();
        affected.sort_unstable();
        let by_dependency = self.dependent_levels(&affected, |version, distance| {
            hits.entry(version).or_default().0 = Some(distance);
        })?;
        let mut by_call = Vec::new();
        for &certainty in crate::pattern::at_least(filter.weakest) {
            let filter = Filter { weakest: certainty, ..filter };
            let (level, found) = self.call_levels(target, filter)?;
            for (version, distance) in found {
                let call = &mut hits.entry(version).or_default().1;
                *call = call.or(Some(CallHit { certainty, distance }));
            }
            by_call.push(level);
        }
        hits.retain(|it, _| affected.binary_search(it).is_err());
        let mut hit: Vec<HitVersion> = hits
            .into_iter()
            .map(|(version, (dependency_distance, call))| HitVersion {
                version: VersionId(version),
                dependency_distance,
                call,
            })
            .collect();
        hit.sort_by_key(|it| (it.dependency_distance.unwrap_or(u32::MAX), it.version));
        let truncated = hit.len() > limit;
        hit.truncate(limit);
        Ok(Blast { by_dependency, by_call, hit, truncated })
    }

    /// Versions that depend on others, by distance. Development dependencies lead to the versions that have them and
    /// not further: nobody builds the tests of a dependency.
    pub(crate) fn dependent_levels(
        &self,
        of: &[u32],
        mut visit: impl FnMut(u32, u32),
    ) -> Result<Vec<Level>, GraphError> {
        let mut tally = self.tally();
        // A version that was counted for its tests may still be walked through when another way leads to it.
        let mut walked = Bits::new(self.index.versions());
        let mut levels = Vec::new();
        let mut current: Vec<u32> = of.to_vec();
        let mut at_end: Vec<u32> = Vec::new();
        while !current.is_empty() || !at_end.is_empty() {
            let mut level = Level::default();
            let mut next = Vec::new();
            let mut next_at_end = Vec::new();
            for version in current {
                if !walked.insert(version) {
                    continue;
                }
                if self.count(&mut tally, &mut level, version)? {
                    visit(version, levels.len() as u32);
                }
                for row in self.index.dependents(version)? {
                    let only_dev = DependencyKinds::from_bits(row.kinds as u8).is_only_dev();
                    if only_dev { &mut next_at_end } else { &mut next }.push(row.version);
                }
            }
            for version in at_end {
                if self.count(&mut tally, &mut level, version)? {
                    visit(version, levels.len() as u32);
                }
            }
            levels.push(level);
            (current, at_end) = (next, next_at_end);
        }
        while levels.last().is_some_and(|it| it.versions == 0) {
            levels.pop();
        }
        Ok(levels)
    }

    fn call_levels(
        &self,
        target: &BlastTarget,
        filter: Filter,
    ) -> Result<(CertaintyLevel, Vec<(u32, u32)>), GraphError> {
        let mut tally = self.tally();
        let mut affected = Bits::new(self.index.versions());
        for version in &target.versions {
            affected.insert(version.0);
        }
        let mut seen = Bits::new(self.index.nodes());
        let mut current = Vec::new();
        match &target.functions {
            Some(functions) => current.extend(functions.iter().map(|it| it.0)),
            None => {
                for version in &target.versions {
                    current.extend(self.index.functions_of(version.0)?);
                }
            }
        }
        current.retain(|it| seen.insert(*it));
        let mut answer =
            CertaintyLevel { certainty: filter.weakest, total: Level::default(), levels: Vec::new() };
        let mut found = Vec::new();
        while !current.is_empty() {
            let mut level = Level { functions: current.len() as u64, ..Level::default() };
            let mut next = Vec::new();
            for node in current {
                if let Some(version) = self.index.version_of(node)? {
                    let outside = !affected.contains(version);
                    answer.total.functions += u64::from(outside);
                    if outside && self.count(&mut tally, &mut level, version)? {
                        found.push((version, answer.levels.len() as u32));
                    }
                }
                self.each_neighbour(node, Direction::Callers, filter, |node| {
                    if seen.insert(node) {
                        next.push(node);
                    }
                })?;
            }
            answer.total.versions += level.versions;
            answer.total.packages += level.packages;
            answer.levels.push(level);
            current = next;
        }
        Ok((answer, found))
    }
}

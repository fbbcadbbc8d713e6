//! Figures of the whole graph.

use std::collections::BTreeMap;

use cratekeeper_model::graph::{Certainty, EdgeKind, UnresolvedReason};

use super::Bits;
use crate::{Graph, GraphError, Reading, Sizes, UnsafeItems, VersionId};

/// Thresholds of the published statistics on unsafe items for each crate.
const THRESHOLDS: [u64; 7] = [0, 5, 10, 20, 50, 100, 1000];

/// Figures of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Versions.
    pub versions: u64,
    /// Distinct packages.
    pub packages: u64,
    /// Dependencies between versions.
    pub dependencies: u64,
    /// Functions in versions.
    pub functions: u64,
    /// Paths that are called and that no version has.
    pub phantoms: u64,
    /// Calls.
    pub edges: u64,
    /// Calls in the configuration that was asked for.
    pub active_edges: u64,
    /// Calls inside of unsafe code.
    pub edges_in_unsafe: u64,
    /// Calls that leave their version.
    pub leaving_edges: u64,
    /// Calls of paths that no version has.
    pub edges_to_phantoms: u64,
    /// Pairs of a trait's method and an implementation.
    pub implementations: u64,
    /// Calls by kind.
    pub by_kind: Vec<(EdgeKind, u64)>,
    /// Calls by certainty.
    pub by_certainty: Vec<(Certainty, u64)>,
    /// Calls of which no callee is known, by reason.
    pub unresolved: Vec<(UnresolvedReason, u64)>,
    /// Bytes of the linked index.
    pub sizes: Sizes,
}

/// Unsafe code, build scripts and native libraries, over some versions: all, or the latest of each package.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnsafeStatistics {
    /// Versions that were counted.
    pub versions: u64,
    /// Read completely.
    pub complete: u64,
    /// Read in part.
    pub partial: u64,
    /// Refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// With at least one unsafe item.
    pub using_unsafe: u64,
    /// Items by class, over all versions.
    pub items: UnsafeTotals,
    /// `(n, versions with more than n unsafe items)`.
    pub above: Vec<(u64, u64)>,
    /// Versions that call a function of another version that has unsafe items.
    pub calling_into_unsafe: u64,
    /// Versions that depend directly on a version that has unsafe items.
    pub depending_on_unsafe: u64,
    /// Versions with a build script.
    pub build_scripts: u64,
    /// Procedural macros.
    pub proc_macros: u64,
    /// Versions that declare foreign functions.
    pub declaring_foreign: u64,
    /// Versions that name a native library: in `links`, or as one that they link or build.
    pub naming_native: u64,
    /// Native libraries by name, with the versions that link them.
    pub native_libraries: BTreeMap<String, u64>,
}

/// [`UnsafeItems`] added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnsafeTotals {
    /// `unsafe fn`.
    pub functions: u64,
    /// `unsafe { … }`.
    pub blocks: u64,
    /// `unsafe impl`.
    pub implementations: u64,
    /// `unsafe trait`.
    pub traits: u64,
    /// Functions in `extern` blocks.
    pub foreign_functions: u64,
}

impl UnsafeTotals {
    fn add(&mut self, items: UnsafeItems) {
        self.functions += u64::from(items.functions);
        self.blocks += u64::from(items.blocks);
        self.implementations += u64::from(items.implementations);
        self.traits += u64::from(items.traits);
        self.foreign_functions += u64::from(items.foreign_functions);
    }
}

impl Graph {
    /// Figures of the graph.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn statistics(&self) -> Result<Statistics, GraphError> {
        let counts = &self.index.counts;
        let mut dependencies = 0;
        for version in 0..self.index.versions() {
            dependencies += self.index.dependencies(version)?.len() as u64;
        }
        Ok(Statistics {
            versions: u64::from(self.index.versions()),
            packages: self.packages()?.len() as u64,
            dependencies,
            functions: u64::from(self.index.functions()),
            phantoms: u64::from(self.index.nodes() - self.index.functions()),
            edges: counts.edges,
            active_edges: counts.active,
            edges_in_unsafe: counts.in_unsafe,
            leaving_edges: counts.leaving,
            edges_to_phantoms: counts.to_phantoms,
            implementations: self.index.implementations.len() as u64,
            by_kind: EdgeKind::ALL.into_iter().zip(counts.by_kind).collect(),
            by_certainty: Certainty::ALL.into_iter().zip(counts.by_certainty).collect(),
            unresolved: UnresolvedReason::ALL.into_iter().zip(counts.unresolved).collect(),
            sizes: self.sizes(),
        })
    }

    /// Unsafe code, build scripts and native libraries in these versions.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn unsafe_statistics(&self, versions: &[VersionId]) -> Result<UnsafeStatistics, GraphError> {
        let mut with_unsafe = Bits::new(self.index.versions());
        for version in self.versions() {
            if self.entry(version)?.unsafe_items.total() > 0 {
                with_unsafe.insert(version.0);
            }
        }
        let mut answer =
            UnsafeStatistics { above: THRESHOLDS.map(|it| (it, 0)).to_vec(), ..UnsafeStatistics::default() };
        for &version in versions {
            self.add_version(version, &with_unsafe, &mut answer)?;
        }
        Ok(answer)
    }

    fn add_version(
        &self,
        version: VersionId,
        with_unsafe: &Bits,
        answer: &mut UnsafeStatistics,
    ) -> Result<(), GraphError> {
        let entry = self.entry(version)?;
        let items = entry.unsafe_items.total();
        answer.versions += 1;
        match entry.reading {
            Reading::Complete => answer.complete += 1,
            Reading::Partial => answer.partial += 1,
            Reading::Refused(reason) => *answer.refused.entry(reason).or_default() += 1,
        }
        answer.using_unsafe += u64::from(items > 0);
        answer.items.add(entry.unsafe_items);
        for (threshold, count) in &mut answer.above {
            *count += u64::from(items > *threshold);
        }
        answer.build_scripts += u64::from(entry.build_script);
        answer.proc_macros += u64::from(entry.proc_macro);
        answer.declaring_foreign += u64::from(entry.unsafe_items.foreign_functions > 0);
        let mut names: Vec<String> = entry.native_libraries.into_iter().map(|it| it.name).collect();
        names.extend(entry.links);
        names.sort();
        names.dedup();
        answer.naming_native += u64::from(!names.is_empty());
        for name in names {
            *answer.native_libraries.entry(name).or_default() += 1;
        }
        answer.calling_into_unsafe += u64::from(self.calls_into(version, with_unsafe)?);
        let dependencies = self.index.dependencies(version.0)?;
        answer.depending_on_unsafe +=
            u64::from(dependencies.iter().any(|it| with_unsafe.contains(it.version)));
        Ok(())
    }

    /// Whether a version calls a function of another version that is in the set.
    fn calls_into(&self, version: VersionId, set: &Bits) -> Result<bool, GraphError> {
        let own = self.index.functions_of(version.0)?;
        for node in own.clone() {
            for link in self.index.callees(node)? {
                let callee = link?.node;
                if own.contains(&callee) || callee >= self.index.functions() {
                    continue;
                }
                if self.index.version_of(callee)?.is_some_and(|it| set.contains(it)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The versions with the most unsafe items, with their number.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn top_unsafe(
        &self,
        versions: &[VersionId],
        count: usize,
    ) -> Result<Vec<(VersionId, u64)>, GraphError> {
        let mut top = Vec::new();
        for &version in versions {
            let items = self.entry(version)?.unsafe_items.total();
            if items > 0 {
                top.push((version, items));
            }
        }
        top.sort_by_key(|it| (std::cmp::Reverse(it.1), it.0));
        top.truncate(count);
        Ok(top)
    }
}

//! Figures: unsafe code, other languages, the whole graph, an ecosystem.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Answer, Asker, List, Question, Value};
use crate::{GraphError, Store, UnsafeStatistics, UnsafeTotals, VersionId};

/// Versions that the cost of a survey is extrapolated to: about what the largest registry of Rust crates has packages.
const EXTRAPOLATED: u64 = 200_000;

/// What an extrapolation takes for granted.
const ASSUMPTIONS: &str = "the same machine and as many processors, versions of the same mean size, all archives on this machine \
     already; linking and writing the resolution table are part of the measured time, and grow with the number of calls";

const UNSAFE: &[&str] = &[
    "package",
    "version",
    "functions",
    "with_unsafe",
    "reaching_unsafe",
    "calls_in_unsafe",
    "unsafe_functions",
    "unsafe_blocks",
    "unsafe_implementations",
    "unsafe_traits",
];

/// What a run of a survey did, apart from what is in the store now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Versions that were added.
    pub added: usize,
    /// Versions that an earlier run had added.
    pub known_before: usize,
    /// Versions that could not be read, with the reason.
    pub refused: Vec<(String, String)>,
    /// Versions of which a part is missing, with the reason.
    pub partial: Vec<(String, String)>,
    /// Bytes of `.rs` files that were read.
    pub bytes_of_source: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Asker<'_> {
    /// Use of `unsafe` in each version, those that use the most first.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn unsafe_usage(&self) -> Result<Answer, GraphError> {
        let mut usage = self.graph.unsafe_usage(self.filter)?;
        usage.sort_by_key(|it| (Reverse(it.with_unsafe), Reverse(it.reaching_unsafe), it.version));
        let versions = usage.len();
        let using = usage.iter().filter(|it| it.with_unsafe > 0).count();
        let reaching = usage.iter().filter(|it| it.reaching_unsafe > 0).count();
        let mut list = List::new("versions", UNSAFE);
        let mut truncated = false;
        for it in self.first(usage, &mut truncated) {
            let name = self.graph.version(it.version)?;
            let items = self.graph.entry(it.version)?.unsafe_items;
            let mut row = vec![name.package.into(), name.version.into()];
            let counts = [it.functions, it.with_unsafe, it.reaching_unsafe, it.calls_in_unsafe];
            row.extend(counts.map(Value::from));
            row.extend([items.functions, items.blocks, items.implementations, items.traits].map(Value::from));
            list.rows.push(row);
        }
        let fields = vec![
            ("versions_counted", versions.into()),
            ("versions_using_unsafe", using.into()),
            ("versions_reaching_unsafe", reaching.into()),
        ];
        Ok(Answer { question: Question::Unsafe, fields, lists: vec![list], truncated })
    }

    /// Functions in other languages with who calls them, and the native libraries that versions link.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn foreign(&self) -> Result<Answer, GraphError> {
        let found = self.graph.foreign_functions(self.filter, self.limit)?;
        let mut list = List::new("functions", &["function", "file", "line", "callers"]);
        for it in &found.functions {
            let [file, line] = self.place(it.node)?;
            let callers: Result<Vec<String>, GraphError> =
                it.callers.iter().map(|it| self.graph.path_with_version(*it)).collect();
            list.rows.push(vec![self.function(it.node)?, file, line, Value::Texts(callers?)]);
        }
        let columns = &["package", "version", "library", "library_version", "bundled", "links"];
        let mut libraries = List::new("libraries", columns);
        for version in self.graph.versions() {
            let entry = self.graph.entry(version)?;
            let start: [Value; 2] = [entry.name.into(), entry.version.to_string().into()];
            let mut rows: Vec<[Value; 3]> = Vec::new();
            for it in entry.native_libraries {
                rows.push([it.name.into(), it.version.into(), it.bundled.into()]);
            }
            if rows.is_empty() && entry.links.is_some() {
                rows.push([Value::Absent, Value::Absent, Value::Absent]);
            }
            let links = Value::from(entry.links);
            for row in rows {
                let row = start.clone().into_iter().chain(row).chain([links.clone()]);
                libraries.rows.push(row.collect());
            }
        }
        let truncated = found.truncated || libraries.rows.len() > self.limit;
        libraries.rows.truncate(self.limit);
        let fields = vec![("functions_listed", found.functions.len().into())];
        Ok(Answer { question: Question::Ffi, fields, lists: vec![list, libraries], truncated })
    }

    /// Figures of the graph and of each version; `store` has the reasons of unresolved calls.
    ///
    /// # Errors
    ///
    /// When the index or a segment is damaged.
    pub fn statistics(&self, store: &Store) -> Result<Answer, GraphError> {
        let it = self.graph.statistics()?;
        let named = |counts: Vec<(&'static str, u64)>| {
            Value::Counts(counts.into_iter().map(|it| (it.0.to_owned(), it.1)).collect())
        };
        let sizes = it.sizes;
        let fields = vec![
            ("versions", it.versions.into()),
            ("packages", it.packages.into()),
            ("dependencies", it.dependencies.into()),
            ("functions", it.functions.into()),
            ("not_in_store", it.phantoms.into()),
            ("calls", it.edges.into()),
            ("calls_active", it.active_edges.into()),
            ("calls_in_unsafe", it.edges_in_unsafe.into()),
            ("calls_leaving_their_version", it.leaving_edges.into()),
            ("calls_not_in_store", it.edges_to_phantoms.into()),
            ("implementations", it.implementations.into()),
            ("by_kind", named(it.by_kind.iter().map(|it| (it.0.as_str(), it.1)).collect())),
            ("by_certainty", named(it.by_certainty.iter().map(|it| (it.0.as_str(), it.1)).collect())),
            ("unresolved", named(it.unresolved.iter().map(|it| (it.0.as_str(), it.1)).collect())),
            (
                "bytes",
                named(vec![
                    ("adjacency", sizes.adjacency),
                    ("attributes", sizes.edge_attributes),
                    ("names", sizes.names),
                    ("functions", sizes.functions),
                    ("implementations", sizes.implementations),
                    ("versions", sizes.versions),
                    ("total", sizes.total),
                ]),
            ),
        ];
        let lists = vec![self.crates(store)?];
        Ok(Answer { question: Question::Stats, fields, lists, truncated: false })
    }

    fn crates(&self, store: &Store) -> Result<List, GraphError> {
        let unresolved = store.unresolved_calls()?;
        let mut list = List::new("crates", &["name", "version", "functions", "calls", "unresolved"]);
        for version in self.graph.versions() {
            let name = self.graph.version(version)?;
            let (mut functions, mut calls) = (0_u64, 0_u64);
            for node in self.graph.functions_of(version)? {
                functions += 1;
                calls += self.graph.index.calls(node.number())?.0.len() as u64;
            }
            let reasons = unresolved.get(&name.number).into_iter().flatten();
            let reasons = reasons.map(|it| (it.0.as_str().to_owned(), it.1)).collect();
            list.rows.push(vec![
                name.package.into(),
                name.version.into(),
                functions.into(),
                calls.into(),
                Value::Counts(reasons),
            ]);
        }
        Ok(list)
    }

    /// Figures of an ecosystem: of the latest version of each package, and of all versions.
    ///
    /// # Errors
    ///
    /// When the index is damaged.
    pub fn ecosystem(&self, run: &Figures) -> Result<Answer, GraphError> {
        let all: Vec<VersionId> = self.graph.versions().collect();
        let latest = self.graph.latest_versions()?;
        let of_latest = self.graph.unsafe_statistics(&latest)?;
        let of_all = self.graph.unsafe_statistics(&all)?;
        let speed = run.bytes_of_source as f64 / 1e6 / run.seconds.max(f64::MIN_POSITIVE);
        let is_measured = run.added > 0 && run.bytes_of_source > 0;
        let each = run.seconds / run.added.max(1) as f64;
        let measured = |value: f64| if is_measured { Value::Quantity(value) } else { Value::Absent };
        let fields = vec![
            ("packages", latest.len().into()),
            ("versions", all.len().into()),
            ("added", run.added.into()),
            ("known_before", run.known_before.into()),
            ("refused_now", run.refused.len().into()),
            ("partial_now", run.partial.len().into()),
            ("bytes_of_source", run.bytes_of_source.into()),
            ("seconds", Value::Quantity(run.seconds)),
            ("megabytes_per_second", measured(speed)),
            ("extrapolated_versions", EXTRAPOLATED.into()),
            ("extrapolated_seconds", measured(each * EXTRAPOLATED as f64)),
            ("assumptions", ASSUMPTIONS.into()),
        ];
        let lists = vec![
            figures(&of_latest, &of_all),
            self.items(&latest, &of_latest.items)?,
            self.libraries(&latest)?,
            problems("refused", &run.refused),
            problems("partial", &run.partial),
        ];
        Ok(Answer { question: Question::Survey, fields, lists, truncated: false })
    }

    /// Items by class. How many safe items there are is known of functions only: a store counts what is unsafe.
    fn items(&self, versions: &[VersionId], items: &UnsafeTotals) -> Result<List, GraphError> {
        let (mut safe, mut list) = (0_u64, List::new("items", &["class", "unsafe", "safe"]));
        for version in versions {
            for node in self.graph.functions_of(*version)? {
                let it = self.graph.attributes(node.number());
                safe += u64::from(!(it.is_unsafe || it.test || it.foreign || it.constant || it.derived));
            }
        }
        for (class, count, safe) in [
            ("functions", items.functions, Some(safe)),
            ("blocks", items.blocks, None),
            ("implementations", items.implementations, None),
            ("traits", items.traits, None),
            ("foreign_functions", items.foreign_functions, None),
        ] {
            list.rows.push(vec![class.into(), count.into(), safe.into()]);
        }
        Ok(list)
    }

    /// Native libraries with their versions, and how many packages link each.
    fn libraries(&self, versions: &[VersionId]) -> Result<List, GraphError> {
        let mut counted: BTreeMap<(String, Option<String>, Option<bool>), u64> = BTreeMap::new();
        for version in versions {
            let entry = self.graph.entry(*version)?;
            let named: Vec<_> = entry
                .native_libraries
                .into_iter()
                .map(|it| (it.name, it.version, Some(it.bundled)))
                .collect();
            let declared = entry.links.filter(|links| !named.iter().any(|it| it.0 == *links));
            for key in named.into_iter().chain(declared.map(|it| (it, None, None))) {
                *counted.entry(key).or_default() += 1;
            }
        }
        let mut list = List::new("native_libraries", &["library", "version", "bundled", "packages"]);
        let mut rows: Vec<_> = counted.into_iter().collect();
        rows.sort_by_key(|it| Reverse(it.1));
        list.rows.extend(rows.into_iter().map(|((name, version, bundled), packages)| {
            vec![name.into(), version.into(), bundled.into(), packages.into()]
        }));
        Ok(list)
    }
}

fn problems(name: &'static str, of: &[(String, String)]) -> List {
    let mut list = List::new(name, &["package", "reason"]);
    list.rows.extend(of.iter().map(|it| vec![it.0.as_str().into(), it.1.as_str().into()]));
    list
}

/// A figure for each row, of the latest versions and of all, with its share of the versions that were read.
fn figures(latest: &UnsafeStatistics, all: &UnsafeStatistics) -> List {
    let mut list = List::new("figures", &["figure", "latest", "latest_share", "all", "all_share"]);
    let read = |it: &UnsafeStatistics| it.complete + it.partial;
    let mut push = |name: String, of: &dyn Fn(&UnsafeStatistics) -> u64| {
        let mut row = vec![name.into()];
        for it in [latest, all] {
            let share = (read(it) > 0).then(|| Value::Quantity(of(it) as f64 / read(it) as f64));
            row.extend([of(it).into(), share.into()]);
        }
        list.rows.push(row);
    };
    push("read".to_owned(), &read);
    push("read_in_part".to_owned(), &|it| it.partial);
    push("refused".to_owned(), &|it| it.refused.values().sum());
    push("using_unsafe".to_owned(), &|it| it.using_unsafe);
    push("calling_into_a_crate_using_unsafe".to_owned(), &|it| it.calling_into_unsafe);
    push("depending_on_a_crate_using_unsafe".to_owned(), &|it| it.depending_on_unsafe);
    for (position, (threshold, _)) in all.above.iter().enumerate() {
        push(format!("more_than_{threshold}_unsafe_items"), &|it| {
            it.above.get(position).map_or(0, |it| it.1)
        });
    }
    push("with_build_script".to_owned(), &|it| it.build_scripts);
    push("procedural_macros".to_owned(), &|it| it.proc_macros);
    push("declaring_foreign_functions".to_owned(), &|it| it.declaring_foreign);
    push("naming_native_libraries".to_owned(), &|it| it.naming_native);
    list
}

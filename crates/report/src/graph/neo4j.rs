//! A graph as CSV files for Neo4j's importer.
//!
//! Each file has a header as `neo4j-admin database import full` reads it, so that nothing has to be said on its command line but the
//! names of the files. `docs/graph.md` has the schema. With [`Labels::Painter`] dependencies lead to crates instead of versions, and
//! versions call versions, which is what queries written for Painter expect; nothing of ours is lost but the name of a relationship.

use std::io::{self, Write};

use cratekeeper_graph::{DependencyKinds, EdgeOptions, Graph, GraphError, VersionId};
use cratekeeper_model::DependencyKind;

/// Names of relationships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// Ours: versions depend on versions, functions call functions.
    Own,
    /// Ours, and what queries for Painter look for: versions depend on crates, versions invoke versions.
    Painter,
}

/// A file of the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// Nodes `Crate`.
    Crates,
    /// Nodes `Version`.
    Versions,
    /// Nodes `Function`.
    Functions,
    /// `VERSION_OF`.
    VersionOf,
    /// Dependencies between versions.
    Dependencies,
    /// `DEFINES`.
    Defines,
    /// `CALLS`.
    Calls,
    /// `IMPLEMENTED_BY`.
    Implementations,
    /// `DEPENDS_ON` from versions to crates; Painter's labels only.
    PainterDependencies,
    /// `INVOKES`; Painter's labels only.
    PainterCalls,
}

impl File {
    /// Files that an export with these labels has.
    #[must_use]
    pub fn all(labels: Labels) -> &'static [File] {
        const ALL: &[File] = &[
            File::Crates,
            File::Versions,
            File::Functions,
            File::VersionOf,
            File::Dependencies,
            File::Defines,
            File::Calls,
            File::Implementations,
            File::PainterDependencies,
            File::PainterCalls,
        ];
        match labels {
            Labels::Own => &ALL[..8],
            Labels::Painter => ALL,
        }
    }

    /// Name of the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            File::Crates => "crates.csv",
            File::Versions => "versions.csv",
            File::Functions => "functions.csv",
            File::VersionOf => "version_of.csv",
            File::Dependencies => "dependencies.csv",
            File::Defines => "defines.csv",
            File::Calls => "calls.csv",
            File::Implementations => "implementations.csv",
            File::PainterDependencies => "painter_dependencies.csv",
            File::PainterCalls => "painter_invokes.csv",
        }
    }

    /// Whether it has nodes; the others have relationships.
    #[must_use]
    pub fn has_nodes(self) -> bool {
        matches!(self, File::Crates | File::Versions | File::Functions)
    }

    /// Writes the file. Returns the number of its rows.
    ///
    /// # Errors
    ///
    /// Fails if `out` does, or if the graph turns out to be damaged.
    pub fn write(self, graph: &Graph, labels: Labels, out: &mut dyn Write) -> io::Result<u64> {
        let mut table = Table { out, rows: 0 };
        match self {
            File::Crates => crates(graph, &mut table),
            File::Versions => versions(graph, &mut table),
            File::Functions => functions(graph, &mut table),
            File::VersionOf => version_of(graph, &mut table),
            File::Dependencies => dependencies(graph, labels, &mut table),
            File::Defines => defines(graph, &mut table),
            File::Calls => calls(graph, &mut table),
            File::Implementations => implementations(graph, &mut table),
            File::PainterDependencies => painter_dependencies(graph, &mut table),
            File::PainterCalls => painter_calls(graph, &mut table),
        }?;
        Ok(table.rows)
    }
}

struct Table<'a> {
    out: &'a mut dyn Write,
    rows: u64,
}

impl Table<'_> {
    fn header(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")
    }

    /// A row, every text in quotes: paths have commas, and nobody knows what file names have. A line break would need an option of
    /// the importer, so there is none.
    fn row(&mut self, cells: &[&str]) -> io::Result<()> {
        for (position, cell) in cells.iter().enumerate() {
            let start = if position == 0 { "\"" } else { ",\"" };
            self.out.write_all(start.as_bytes())?;
            if cell.contains(['"', '\n', '\r']) {
                let cell = cell.replace('"', "\"\"").replace(['\n', '\r'], " ");
                self.out.write_all(cell.as_bytes())?;
            } else {
                self.out.write_all(cell.as_bytes())?;
            }
            self.out.write_all(b"\"")?;
        }
        self.rows += 1;
        self.out.write_all(b"\n")
    }
}

fn read<T>(result: Result<T, GraphError>) -> io::Result<T> {
    result.map_err(io::Error::other)
}

/// Names of packages with the versions of each, which are neighbours.
fn crates(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header("id:ID(Crate),name,:LABEL")?;
    let mut previous = String::new();
    for version in graph.versions() {
        let name = read(graph.version(version))?.package;
        if table.rows == 0 || name != previous {
            table.row(&[&name, &name, "Crate"])?;
            previous = name;
        }
    }
    Ok(())
}

fn versions(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header(
        "id:ID(Version),name,version,package_id,major:long,minor:long,patch:long,pre,build,latest:boolean,yanked:boolean,\
         build_script:boolean,proc_macro:boolean,unsafe_total:long,:LABEL",
    )?;
    let latest = read(graph.latest_versions())?;
    for version in graph.versions() {
        let (name, entry) = (read(graph.version(version))?, read(graph.entry(version))?);
        let it = &entry.version;
        let flags =
            [latest.binary_search(&version).is_ok(), entry.yanked, entry.build_script, entry.proc_macro];
        let [latest, yanked, build_script, proc_macro] = flags.map(|it| if it { "true" } else { "false" });
        table.row(&[
            &name.number.to_string(),
            &name.package,
            &name.version,
            &name.package_id,
            &it.major.to_string(),
            &it.minor.to_string(),
            &it.patch.to_string(),
            it.pre.as_str(),
            it.build.as_str(),
            latest,
            yanked,
            build_script,
            proc_macro,
            &entry.unsafe_items.total().to_string(),
            "Version",
        ])?;
    }
    Ok(())
}

fn functions(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header(
        "id:ID(Function),name,path,file,line:long,in_store:boolean,unsafe:boolean,uses_unsafe:boolean,foreign:boolean,\
         test:boolean,active:boolean,:LABEL",
    )?;
    for node in graph.nodes() {
        let (id, function) = (node.number().to_string(), read(graph.function(node))?);
        let name = read(graph.path_with_version(node))?;
        let known = function.definition.as_ref();
        let flag = |it: Option<bool>| if it == Some(true) { "true" } else { "false" };
        let attributes = known.map(|it| it.attributes);
        table.row(&[
            &id,
            &name,
            &function.path,
            known.map_or("", |it| &it.file),
            &known.map_or_else(String::new, |it| it.line.to_string()),
            flag(Some(known.is_some())),
            flag(attributes.map(|it| it.is_unsafe)),
            flag(attributes.map(|it| it.uses_unsafe)),
            flag(attributes.map(|it| it.foreign)),
            flag(attributes.map(|it| it.test)),
            flag(attributes.map(|it| it.active)),
            "Function",
        ])?;
    }
    Ok(())
}

fn version_of(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header(":START_ID(Version),:END_ID(Crate),:TYPE")?;
    for version in graph.versions() {
        let name = read(graph.version(version))?;
        table.row(&[&name.number.to_string(), &name.package, "VERSION_OF"])?;
    }
    Ok(())
}

fn dependencies(graph: &Graph, labels: Labels, table: &mut Table<'_>) -> io::Result<()> {
    table.header(":START_ID(Version),:END_ID(Version),kinds:string[],:TYPE")?;
    // Painter's dependencies lead to crates: a query for those must not count each twice.
    let relation = if labels == Labels::Own { "DEPENDS_ON" } else { "RESOLVES_TO" };
    each_dependency(graph, |from, to, kinds| {
        let (from, to) = (read(graph.version(from))?.number, read(graph.version(to))?.number);
        table.row(&[&from.to_string(), &to.to_string(), &names(kinds), relation])
    })
}

fn painter_dependencies(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header(":START_ID(Version),:END_ID(Crate),kind,:TYPE")?;
    each_dependency(graph, |from, to, kinds| {
        let (from, to) = (read(graph.version(from))?.number, read(graph.version(to))?.package);
        table.row(&[&from.to_string(), &to, &names(kinds), "DEPENDS_ON"])
    })
}

fn each_dependency(
    graph: &Graph,
    mut act: impl FnMut(VersionId, VersionId, DependencyKinds) -> io::Result<()>,
) -> io::Result<()> {
    for version in graph.versions() {
        for (dependency, kinds) in read(graph.dependencies(version))? {
            act(version, dependency, kinds)?;
        }
    }
    Ok(())
}

fn names(kinds: DependencyKinds) -> String {
    let all = [DependencyKind::Normal, DependencyKind::Build, DependencyKind::Dev];
    let names: Vec<String> =
        all.into_iter().filter(|it| kinds.contains(*it)).map(|it| it.to_string()).collect();
    names.join(";")
}

fn defines(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header(":START_ID(Version),:END_ID(Function),:TYPE")?;
    for version in graph.versions() {
        let number = read(graph.version(version))?.number.to_string();
        for node in read(graph.functions_of(version))? {
            table.row(&[&number, &node.number().to_string(), "DEFINES"])?;
        }
    }
    Ok(())
}

fn calls(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header(
        ":START_ID(Function),:END_ID(Function),kind,certainty,line:long,in_unsafe:boolean,active:boolean,:TYPE",
    )?;
    for edge in read(graph.edges(&EdgeOptions::default()))? {
        let edge = read(edge)?;
        let flag = |it| if it { "true" } else { "false" };
        table.row(&[
            &edge.caller_node.number().to_string(),
            &edge.callee_node.number().to_string(),
            edge.kind.as_str(),
            edge.certainty.as_str(),
            &edge.line.to_string(),
            flag(edge.in_unsafe),
            flag(edge.active),
            "CALLS",
        ])?;
    }
    Ok(())
}

fn painter_calls(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header(":START_ID(Version),:END_ID(Version),caller,callee,:TYPE")?;
    for edge in read(graph.edges(&EdgeOptions::default()))? {
        let edge = read(edge)?;
        let version = |node| -> io::Result<Option<VersionId>> { read(graph.version_of(node)) };
        let (Some(from), Some(to)) = (version(edge.caller_node)?, version(edge.callee_node)?) else {
            continue;
        };
        let (from, to) = (read(graph.version(from))?.number, read(graph.version(to))?.number);
        table.row(&[&from.to_string(), &to.to_string(), &edge.caller, &edge.callee, "INVOKES"])?;
    }
    Ok(())
}

/// Methods of traits, in versions and outside of them, with what a call of them may run.
fn implementations(graph: &Graph, table: &mut Table<'_>) -> io::Result<()> {
    table.header(":START_ID(Function),:END_ID(Function),:TYPE")?;
    for method in graph.nodes() {
        for implementation in read(graph.implementations(method))? {
            let (from, to) = (method.number(), implementation.number());
            table.row(&[&from.to_string(), &to.to_string(), "IMPLEMENTED_BY"])?;
        }
    }
    Ok(())
}

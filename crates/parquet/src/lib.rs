//! Writes call graphs as Parquet files that any engine reads.
//!
//! Three files, one for each table of a linked graph: `versions.parquet`, `functions.parquet` and `calls.parquet`. A column keeps
//! its meaning once it was released; a new meaning is a new column. Functions are told apart by `function`, a number that holds
//! within one export: paths may be shared by twins under different conditions.
//!
//! In a crate of its own, outside of the default build: most users never need it.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use cratekeeper_graph::{EdgeOptions, Graph, GraphError};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// Rows that are held in memory before they are written.
const ROWS: usize = 100_000;

const VERSIONS: &str = "message versions {
    required binary id (UTF8);
    required binary package (UTF8);
    required binary version (UTF8);
    required boolean build_script;
    required boolean proc_macro;
    required int32 unsafe_functions;
    required int32 unsafe_blocks;
    required int32 foreign_functions;
    required binary reading (UTF8);
}";

const FUNCTIONS: &str = "message functions {
    required int64 function;
    required binary path (UTF8);
    required binary package (UTF8);
    required binary version (UTF8);
    required binary file (UTF8);
    required int32 line;
    required boolean is_unsafe;
    required boolean uses_unsafe;
    required boolean foreign;
    required boolean active;
    required boolean test;
}";

const CALLS: &str = "message calls {
    required int64 caller;
    required int64 callee;
    required binary caller_path (UTF8);
    required binary callee_path (UTF8);
    required binary kind (UTF8);
    required binary certainty (UTF8);
    required binary file (UTF8);
    required int32 line;
    required boolean in_unsafe;
    required boolean active;
}";

/// Why a graph was not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The store.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A file.
    #[error("failed to write a Parquet file")]
    File(#[from] std::io::Error),
    /// The format.
    #[error("failed to write a Parquet file")]
    Format(#[from] ParquetError),
}

/// Writes all tables into `directory`, which must be there. Returns the names of the files with their numbers of rows.
///
/// # Errors
///
/// When the store is damaged or a file cannot be written.
pub fn export(graph: &Graph, directory: &Path) -> Result<[(&'static str, u64); 3], ExportError> {
    Ok([
        ("versions.parquet", versions(graph, &directory.join("versions.parquet"))?),
        ("functions.parquet", functions(graph, &directory.join("functions.parquet"))?),
        ("calls.parquet", calls(graph, &directory.join("calls.parquet"))?),
    ])
}

fn versions(graph: &Graph, path: &Path) -> Result<u64, ExportError> {
    let mut rows = Vec::new();
    for version in graph.versions() {
        rows.push(graph.entry(version)?);
    }
    let mut table = Table::create(path, VERSIONS)?;
    table.write(rows.len(), |group| {
        texts(group, rows.iter().map(|it| it.id.as_str()))?;
        texts(group, rows.iter().map(|it| it.name.as_str()))?;
        texts(group, rows.iter().map(|it| it.version.to_string()))?;
        column::<BoolType>(group, rows.iter().map(|it| it.build_script))?;
        column::<BoolType>(group, rows.iter().map(|it| it.proc_macro))?;
        column::<Int32Type>(group, rows.iter().map(|it| number(it.unsafe_items.functions)))?;
        column::<Int32Type>(group, rows.iter().map(|it| number(it.unsafe_items.blocks)))?;
        column::<Int32Type>(group, rows.iter().map(|it| number(it.unsafe_items.foreign_functions)))?;
        texts(group, rows.iter().map(|it| it.reading.as_str()))
    })?;
    table.finish()
}

fn functions(graph: &Graph, path: &Path) -> Result<u64, ExportError> {
    let mut table = Table::create(path, FUNCTIONS)?;
    let mut rows = Vec::new();
    let write = |table: &mut Table, rows: &mut Vec<FunctionRow>| {
        let taken = std::mem::take(rows);
        table.write(taken.len(), |group| {
            column::<Int64Type>(group, taken.iter().map(|it| it.number))?;
            texts(group, taken.iter().map(|it| it.path.as_str()))?;
            texts(group, taken.iter().map(|it| it.package.as_str()))?;
            texts(group, taken.iter().map(|it| it.version.as_str()))?;
            texts(group, taken.iter().map(|it| it.file.as_str()))?;
            column::<Int32Type>(group, taken.iter().map(|it| it.line))?;
            for flag in 0..5 {
                column::<BoolType>(group, taken.iter().map(|it| it.flags[flag]))?;
            }
            Ok(())
        })
    };
    for version in graph.versions() {
        let name = graph.version(version)?;
        for node in graph.functions_of(version)? {
            let function = graph.function(node)?;
            let Some(definition) = function.definition else { continue };
            let it = definition.attributes;
            rows.push(FunctionRow {
                number: i64::from(node.number()),
                path: function.path,
                package: name.package.clone(),
                version: name.version.clone(),
                file: definition.file,
                line: number(definition.line),
                flags: [it.is_unsafe, it.uses_unsafe, it.foreign, it.active, it.test],
            });
            if rows.len() == ROWS {
                write(&mut table, &mut rows)?;
            }
        }
    }
    write(&mut table, &mut rows)?;
    table.finish()
}

struct FunctionRow {
    number: i64,
    path: String,
    package: String,
    version: String,
    file: String,
    line: i32,
    flags: [bool; 5],
}

fn calls(graph: &Graph, path: &Path) -> Result<u64, ExportError> {
    let mut table = Table::create(path, CALLS)?;
    let mut edges = graph.edges(&EdgeOptions { with_versions: true, ..EdgeOptions::default() })?;
    loop {
        let rows = edges.by_ref().take(ROWS).collect::<Result<Vec<_>, _>>()?;
        if rows.is_empty() {
            return table.finish();
        }
        table.write(rows.len(), |group| {
            column::<Int64Type>(group, rows.iter().map(|it| i64::from(it.caller_node.number())))?;
            column::<Int64Type>(group, rows.iter().map(|it| i64::from(it.callee_node.number())))?;
            texts(group, rows.iter().map(|it| &*it.caller))?;
            texts(group, rows.iter().map(|it| &*it.callee))?;
            texts(group, rows.iter().map(|it| it.kind.as_str()))?;
            texts(group, rows.iter().map(|it| it.certainty.as_str()))?;
            texts(group, rows.iter().map(|it| &*it.file))?;
            column::<Int32Type>(group, rows.iter().map(|it| number(it.line)))?;
            column::<BoolType>(group, rows.iter().map(|it| it.in_unsafe))?;
            column::<BoolType>(group, rows.iter().map(|it| it.active))
        })?;
    }
}

/// A file that is being written.
struct Table {
    writer: SerializedFileWriter<File>,
    rows: u64,
}

type Group<'g> = SerializedRowGroupWriter<'g, File>;

impl Table {
    fn create(path: &Path, schema: &str) -> Result<Table, ExportError> {
        let schema = Arc::new(parse_message_type(schema)?);
        let properties = Arc::new(WriterProperties::builder().build());
        Ok(Table { writer: SerializedFileWriter::new(File::create(path)?, schema, properties)?, rows: 0 })
    }

    /// Writes rows, column by column in the order of the schema.
    fn write(
        &mut self,
        rows: usize,
        columns: impl FnOnce(&mut Group<'_>) -> Result<(), ParquetError>,
    ) -> Result<(), ExportError> {
        if rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        columns(&mut group)?;
        group.close()?;
        self.rows += rows as u64;
        Ok(())
    }

    fn finish(self) -> Result<u64, ExportError> {
        self.writer.close()?;
        Ok(self.rows)
    }
}

fn column<T: DataType>(
    group: &mut Group<'_>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = values.collect();
    let missing = || ParquetError::General("the schema has fewer columns".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(&values, None, None)?;
    column.close()
}

fn texts(group: &mut Group<'_>, values: impl Iterator<Item = impl AsRef<str>>) -> Result<(), ParquetError> {
    column::<ByteArrayType>(group, values.map(|it| ByteArray::from(it.as_ref().as_bytes().to_vec())))
}

/// Lines and counts are far below 2^31; what is not is the largest number.
fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use cratekeeper_graph::{Store, StoreWriter, synthetic};
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_joined() {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let mut writer = StoreWriter::open(directory.path()).expect("it is empty");
        synthetic::Ecosystem::new(7, 20, 400).write(&mut writer, "today").expect("it can be written");
        writer.link("today").expect("it can be linked");
        let graph = Store::open(directory.path()).and_then(|it| it.graph("today")).expect("it was linked");
        let files = export(&graph, directory.path()).expect("it can be exported");
        let mut known = std::collections::HashMap::new();
        for (name, rows) in files {
            let file = File::open(directory.path().join(name)).expect("it was written");
            let reader = SerializedFileReader::new(file).expect("it is Parquet");
            assert_eq!(u64::try_from(reader.metadata().file_metadata().num_rows()), Ok(rows), "{name}");
            assert!(rows > 0, "{name}");
            for row in reader.get_row_iter(None).expect("it has rows") {
                let row = row.expect("it can be read");
                match name {
                    "functions.parquet" => {
                        known.insert(row.get_long(0).unwrap(), row.get_string(1).unwrap().clone());
                    }
                    "calls.parquet" => {
                        let caller = &known[&row.get_long(0).unwrap()];
                        // The path of a call has the version behind the crate's name.
                        let last = caller.rsplit("::").next().unwrap();
                        assert!(row.get_string(2).unwrap().ends_with(last), "{caller}");
                    }
                    _ => {}
                }
            }
        }
    }
}

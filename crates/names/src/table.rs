//! Corpora as text: a CSV table with a header, or one name per line.

use jiff::civil::Date;

use crate::corpus::{Corpus, Entry, Kind, TooManyNames};
use crate::judgement::{Candidate, NameError};

/// Why a text is not a corpus.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Not a CSV table: a quote that does not end, a row with more columns than the header.
    #[error("failed to read the table: {0}")]
    Csv(#[from] csv::Error),
    /// A value cannot be one.
    #[error("line {line}: `{value}` is not {expected}")]
    Value {
        /// Where, from 1.
        line: u64,
        /// What is there.
        value: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A name cannot be one.
    #[error("line {line}: {cause}")]
    Name {
        /// Where, from 1.
        line: u64,
        /// Why not.
        cause: NameError,
    },
    /// A table without a column of names.
    #[error("the header has no column `name` (it has {0})")]
    NoNames(String),
    /// Pairs without a column of targets.
    #[error("the header has neither a column `target` nor `lookalike_of`")]
    NoTargets,
    /// A pair without a target.
    #[error("line {line}: the pair has no target")]
    NoTarget {
        /// Where, from 1.
        line: u64,
    },
    /// Nothing in it.
    #[error("there are no names in it")]
    Empty,
    /// Too much in it.
    #[error(transparent)]
    TooMany(#[from] TooManyNames),
}

/// Names of the columns that are read, and what else they may be called. Others are ignored.
const NAME: &[&str] = &["name", "login", "typo"];

/// A table's rows, or the lines of a list as rows of one column.
pub(crate) struct Rows {
    header: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
}

impl Rows {
    /// A text with a comma in its first line, or with nothing but a known column's name in it, is a table.
    pub(crate) fn parse(text: &str) -> Result<Rows, TableError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let single = first.trim_matches('"').to_ascii_lowercase();
        let is_table = first.contains(',') || NAME.contains(&single.as_str());
        let (header, rows) = if is_table {
            let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
            let header: Vec<String> = reader.headers()?.iter().map(str::to_ascii_lowercase).collect();
            let mut rows = Vec::new();
            for row in reader.into_records() {
                let row = row?;
                rows.push((row.position().map_or(0, csv::Position::line), row));
            }
            (header, rows)
        } else {
            let names = text.lines().map(str::trim).enumerate().filter(|(_, it)| !it.is_empty());
            let rows = names.map(|(index, name)| (index as u64 + 1, csv::StringRecord::from(vec![name])));
            (vec![NAME[0].to_owned()], rows.collect())
        };
        let rows = Rows { header, rows };
        if rows.column(NAME).is_none() {
            return Err(TableError::NoNames(rows.header.join(", ")));
        }
        Ok(rows)
    }

    pub(crate) fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.header.iter().position(|it| it == name))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, record)| Row { rows: self, line: *line, record })
    }
}

/// One row of a table.
pub(crate) struct Row<'a> {
    rows: &'a Rows,
    pub(crate) line: u64,
    record: &'a csv::StringRecord,
}

impl Row<'_> {
    /// What the first of these columns that exists has, if it has anything.
    pub(crate) fn get(&self, columns: &[&str]) -> Option<&str> {
        self.record.get(self.rows.column(columns)?).filter(|value| !value.is_empty())
    }

    pub(crate) fn name(&self) -> &str {
        self.get(NAME).unwrap_or_default()
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        column: &str,
        expected: &'static str,
    ) -> Result<Option<T>, TableError> {
        let Some(value) = self.get(&[column]) else { return Ok(None) };
        let wrong = |_| TableError::Value { line: self.line, value: value.to_owned(), expected };
        value.parse().map(Some).map_err(wrong)
    }

    fn created(&self) -> Result<Option<Date>, TableError> {
        let Some(value) = self.get(&["created"]) else { return Ok(None) };
        // A time of day may follow, as in a database dump.
        let day = value.get(..10).unwrap_or(value);
        let wrong = |_| TableError::Value {
            line: self.line,
            value: value.to_owned(),
            expected: "a day such as 2026-08-20",
        };
        day.parse().map(Some).map_err(wrong)
    }

    fn owners(&self) -> Vec<String> {
        let owners = self.get(&["owners"]).unwrap_or_default();
        owners.split([';', ' ']).filter(|it| !it.is_empty()).map(str::to_owned).collect()
    }

    fn entry(&self) -> Result<Entry, TableError> {
        // The same limits as for a name that is judged: nothing else could be confused with it.
        Candidate::new(self.name()).map_err(|cause| TableError::Name { line: self.line, cause })?;
        Ok(Entry {
            name: self.name().to_owned(),
            rank: self.parsed("rank", "a rank")?,
            downloads: self.parsed("downloads", "a number of downloads")?,
            created: self.created()?,
            owners: self.owners(),
            repository: self.get(&["repository"]).map(str::to_owned),
            description: self.get(&["description"]).map(str::to_owned),
        })
    }
}

impl Corpus {
    /// Reads a corpus: a CSV table with the column `name` and any of `rank`, `downloads`, `created` (a day),
    /// `owners` (logins, separated by `;`), `repository` and `description`; or one name per line.
    ///
    /// # Errors
    ///
    /// The first thing in the text that cannot be, with its line.
    pub fn parse(text: &str, kind: Kind) -> Result<Corpus, TableError> {
        let entries = entries(text)?;
        Ok(Corpus::new(entries, kind)?)
    }

    /// The owners of all its crates as a corpus of publishers, ranked by the number of crates that each one owns.
    ///
    /// # Errors
    ///
    /// [`TableError::Empty`] when no owners are known.
    pub fn publishers(&self) -> Result<Corpus, TableError> {
        let mut crates = std::collections::BTreeMap::<&str, u64>::new();
        for owner in self.entries().flat_map(|entry| &entry.owners) {
            *crates.entry(owner).or_default() += 1;
        }
        if crates.is_empty() {
            return Err(TableError::Empty);
        }
        let entries = crates
            .into_iter()
            .map(|(login, count)| Entry { downloads: Some(count), ..Entry::new(login) })
            .collect();
        Ok(Corpus::new(entries, Kind::Publishers)?)
    }
}

/// The entries of a table or list.
///
/// # Errors
///
/// As [`Corpus::parse`].
pub(crate) fn entries(text: &str) -> Result<Vec<Entry>, TableError> {
    let entries: Vec<Entry> = Rows::parse(text)?.iter().map(|row| row.entry()).collect::<Result<_, _>>()?;
    if entries.is_empty() { Err(TableError::Empty) } else { Ok(entries) }
}

/// A name of a list that cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnjudgedName {
    /// The name, as it was given.
    pub name: String,
    /// Why not.
    pub cause: NameError,
}

/// Names to judge, from a table (column `name`, and `created`, `owners`, `repository` where they are known) or a list.
/// A name that cannot be judged does not hide the others.
///
/// # Errors
///
/// A table that cannot be read.
pub fn candidates(text: &str) -> Result<Vec<Result<Candidate, UnjudgedName>>, TableError> {
    let rows = Rows::parse(text)?;
    let mut candidates = Vec::new();
    for row in rows.iter() {
        let candidate = match Candidate::new(row.name()) {
            Ok(candidate) => Ok(Candidate {
                created: row.created()?,
                owners: row.owners(),
                repository: row.get(&["repository"]).map(str::to_owned),
                ..candidate
            }),
            Err(cause) => Err(UnjudgedName { name: row.name().to_owned(), cause }),
        };
        candidates.push(candidate);
    }
    Ok(candidates)
}

#[cfg(test)]
mod tests;

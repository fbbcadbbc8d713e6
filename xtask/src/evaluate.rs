//! `cargo xtask evaluate`: how right our answers are, against somebody else's.
//!
//! Detection is judged on fixtures and real crates (`detection`). Call graphs are compared with what the compiler saw (`tests/graph/`). The tables are data, so that no compiler has to run
//! here; one half of the real crates is kept from whoever works on the call graph, and its examples are not shown.

mod detection;
mod edges;
mod report;
mod score;
mod spelling;
mod truth;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use self::edges::Product;
use self::report::{ScoredSet, print_requirements, print_set};
use self::score::Score;
use self::truth::Truth;
use crate::workspace;

/// What can be evaluated.
#[derive(clap::Subcommand)]
pub(crate) enum Subject {
    /// Compare call graphs with what the compiler saw
    Graph(GraphArguments),
    /// Judge fixtures of attack techniques, replicas of incidents, and our own dependencies
    Detection(detection::DetectionArguments),
}

#[derive(clap::Args)]
pub(crate) struct GraphArguments {
    /// Judge these rows (caller, callee, kind, certainty, file:line) instead of asking our program
    #[arg(long, value_name = "FILE")]
    edges: Option<PathBuf>,
    /// Judge these crates alone [default: all]
    #[arg(long, value_enum, default_value_t, hide_default_value = true)]
    set: Set,
    /// Write all scores as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// List this many missed and this many wrong edges of each crate; of held-out crates, none
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    examples: usize,
    /// Fail if something that was measured is not as required
    #[arg(long)]
    check: bool,
}

/// Crates with tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Set {
    /// Real crates that may be looked at
    LookedAt,
    /// Real crates of which only scores are looked at
    HeldOut,
    /// The program with every kind of call
    Kinds,
    /// All of these
    #[default]
    All,
}

impl Set {
    fn parts(self) -> &'static [Set] {
        match self {
            Set::LookedAt => &[Set::LookedAt],
            Set::HeldOut => &[Set::HeldOut],
            Set::Kinds => &[Set::Kinds],
            Set::All => &[Set::LookedAt, Set::HeldOut, Set::Kinds],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Set::LookedAt => "looked-at",
            Set::HeldOut => "held-out",
            Set::Kinds => "kinds",
            Set::All => "all",
        }
    }

    /// Where the tables are.
    fn tables(self) -> PathBuf {
        let graph = workspace().join("tests/graph");
        if self == Set::Kinds { graph.join("kinds/truth") } else { graph.join("truth").join(self.name()) }
    }

    /// The workspace whose lockfile names the crates.
    fn project(self) -> PathBuf {
        let graph = workspace().join("tests/graph");
        if self == Set::Kinds { graph.join("kinds") } else { graph.join("truth/project") }
    }
}

pub(crate) fn evaluate(subject: &Subject) -> anyhow::Result<()> {
    match subject {
        Subject::Graph(arguments) => graph(arguments),
        Subject::Detection(arguments) => detection::detection(arguments),
    }
}

fn graph(arguments: &GraphArguments) -> anyhow::Result<()> {
    let mut products = Products { given: arguments.edges.as_deref(), read: BTreeMap::new() };
    let mut sets = Vec::new();
    for part in arguments.set.parts() {
        let examples = if *part == Set::HeldOut { 0 } else { arguments.examples };
        let product = products.of(*part)?;
        let truths = Truth::read_all(&part.tables())?;
        let scores = truths.into_iter().map(|it| (it.name.clone(), Score::new(&it, product, examples)));
        sets.push(ScoredSet::new(part.name(), scores.collect()));
    }
    sets.iter().for_each(print_set);
    sets.iter().for_each(print_examples);
    let mut columns: Vec<&ScoredSet> = sets.iter().collect();
    let both_halves = match &sets[..] {
        [looked_at, held_out, ..] => Some(ScoredSet::joined("both halves", &[looked_at, held_out])),
        _ => None,
    };
    columns.extend(&both_halves);
    let all_met = print_requirements(&columns);
    if let Some(path) = &arguments.json {
        write_json(path, &columns)?;
    }
    if arguments.check && !all_met {
        bail!("the call graph is not as required");
    }
    Ok(())
}

/// Call graphs to judge, each made once: two sets share a project.
struct Products<'a> {
    given: Option<&'a Path>,
    read: BTreeMap<PathBuf, Product>,
}

impl Products<'_> {
    fn of(&mut self, set: Set) -> anyhow::Result<&Product> {
        let source = self.given.map_or_else(|| set.project(), Path::to_owned);
        if !self.read.contains_key(&source) {
            let product =
                if self.given.is_some() { Product::read(&source) } else { Product::of_workspace(&source) };
            self.read.insert(source.clone(), product?);
        }
        Ok(&self.read[&source])
    }
}

fn print_examples(set: &ScoredSet) {
    for (name, score) in &set.crates {
        for (title, examples) in [("missed", &score.missed), ("wrong", &score.wrong)] {
            if !examples.is_empty() {
                println!("\n{title} in {name}, {} of them", examples.len());
                examples.iter().for_each(|it| println!("  {it}"));
            }
        }
    }
}

fn write_json(path: &Path, sets: &[&ScoredSet]) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&sets)?;
    std::fs::write(path, text).with_context(|| format!("failed to write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is missed is printed when this fails.
    #[test]
    fn nearly_every_kind_of_call_is_found() {
        let product = Product::of_debug_build(&Set::Kinds.project()).unwrap();
        let truths = Truth::read_all(&Set::Kinds.tables()).unwrap();
        let scores: Vec<Score> = truths.iter().map(|it| Score::new(it, &product, usize::MAX)).collect();
        let total: Score = scores.iter().collect();
        let examples = |of: fn(&Score) -> &Vec<String>| {
            scores.iter().flat_map(of).map(|it| format!("\n  {it}")).collect::<String>()
        };
        let missed = examples(|it| &it.missed);
        assert!(total.explicit.percent() >= Some(95.0), "{:?}, missed: {missed}", total.explicit);
        let exact = total.precision["exact"];
        assert!(exact.percent() >= Some(98.0), "{exact:?}, wrong: {}", examples(|it| &it.wrong));
    }

    /// As if a product had found exactly what the compiler saw.
    fn echo(truth: &Truth) -> Product {
        let rows = truth.edges.iter().map(|it| format!("{}\t{}\tcall\texact\n", it.caller, it.callee));
        Product::parse(&rows.collect::<String>()).unwrap()
    }

    #[test]
    fn every_table_agrees_with_itself() {
        for (set, crates) in [(Set::LookedAt, 12), (Set::HeldOut, 12), (Set::Kinds, 4)] {
            let truths = Truth::read_all(&set.tables()).unwrap();
            assert_eq!(truths.len(), crates, "{}", set.name());
            for truth in truths {
                let score = Score::new(&truth, &echo(&truth), 0);
                assert!(score.explicit.of > 0, "{}", truth.name);
                assert_eq!(score.explicit.strict, score.explicit.of, "{}", truth.name);
                assert_eq!(score.precision["exact"].percent(), Some(100.0), "{}", truth.name);
            }
        }
    }

    #[test]
    fn every_table_belongs_to_a_package_of_its_lockfile() {
        for set in Set::All.parts() {
            let lockfile = std::fs::read_to_string(set.project().join("Cargo.lock")).unwrap();
            for truth in Truth::read_all(&set.tables()).unwrap() {
                let (_, version) = truth.crate_and_version();
                let name = &truth.name[..truth.name.len() - version.len() - 1];
                let entry = format!("name = \"{name}\"\nversion = \"{version}\"");
                assert!(lockfile.replace('\r', "").contains(&entry), "{} is not in its lockfile", truth.name);
            }
        }
    }
}

//! Prints scores: crates, kinds, and how they stand against what is required.

use std::collections::BTreeMap;

use super::score::{Score, Share};

/// Crates that are judged together.
#[derive(serde::Serialize)]
pub(crate) struct ScoredSet {
    pub name: String,
    /// Scores by `NAME-VERSION`.
    pub crates: BTreeMap<String, Score>,
    pub total: Score,
}

impl ScoredSet {
    pub(crate) fn new(name: &str, crates: BTreeMap<String, Score>) -> ScoredSet {
        let total = crates.values().collect();
        ScoredSet { name: name.to_owned(), crates, total }
    }

    /// The crates of several sets, as one.
    pub(crate) fn joined(name: &str, sets: &[&ScoredSet]) -> ScoredSet {
        ScoredSet::new(name, sets.iter().flat_map(|it| it.crates.clone()).collect())
    }

    /// Whether the call graph that is judged says nothing at all about these crates.
    fn is_measured(&self) -> bool {
        self.total.product_edges > 0
    }
}

/// A figure that is required.
struct Requirement {
    title: &'static str,
    limit: Limit,
    /// `None` where there is nothing to measure it by.
    value: fn(&ScoredSet) -> Option<f64>,
}

#[derive(Clone, Copy)]
enum Limit {
    /// Percent.
    AtLeast(f64),
    AtMost(f64),
}

const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        title: "recall of explicit calls",
        limit: Limit::AtLeast(85.0),
        value: |set| set.total.explicit.percent(),
    },
    Requirement {
        title: "  by exact and typed edges alone",
        limit: Limit::AtLeast(70.0),
        value: |set| set.total.explicit_by_sure_edges.percent(),
    },
    Requirement {
        title: "  between crates, by first segment",
        limit: Limit::AtLeast(85.0),
        value: |set| set.total.explicit_cross_crate.percent(),
    },
    Requirement {
        title: "  between crates, by owner",
        limit: Limit::AtLeast(85.0),
        value: |set| set.total.explicit_between_owners.percent(),
    },
    Requirement { title: "  of the worst crate", limit: Limit::AtLeast(70.0), value: worst_recall },
    Requirement {
        title: "precision of exact edges",
        limit: Limit::AtLeast(98.0),
        value: |set| set.total.precision.get("exact")?.percent(),
    },
    Requirement {
        title: "precision of typed edges",
        limit: Limit::AtLeast(95.0),
        value: |set| set.total.precision.get("typed")?.percent(),
    },
    Requirement { title: "candidates at a call", limit: Limit::AtMost(3.0), value: candidates_per_place },
];

fn worst_recall(set: &ScoredSet) -> Option<f64> {
    set.crates.values().filter_map(|it| it.explicit.percent()).reduce(f64::min)
}

fn candidates_per_place(set: &ScoredSet) -> Option<f64> {
    let (places, targets) = (set.total.candidate_places, set.total.candidate_targets);
    (places > 0).then(|| targets as f64 / places as f64)
}

/// Prints a set: its crates, then its kinds and certainties.
pub(crate) fn print_set(set: &ScoredSet) {
    if !set.is_measured() {
        println!("\n{}: not measured (no edge of these crates)", set.name);
        return;
    }
    println!("\n{}, {} crates: recall of explicit calls (strict %, lenient %)", set.name, set.crates.len());
    println!("  {:<32}{:>22}{:>22}{:>8}{:>14}", "", "all", "between crates", "sure", "unresolved");
    for (name, score) in
        set.crates.iter().map(|(name, score)| (name.as_str(), score)).chain([("total", &set.total)])
    {
        println!(
            "  {name:<32}{}{}{:>8}{:>14}",
            cells(score.explicit),
            cells(score.explicit_cross_crate),
            percent(score.explicit_by_sure_edges.percent()),
            unresolved(score),
        );
    }
    let total = &set.total;
    for (title, shares) in [
        ("recall by kind", &total.recall_by_kind),
        ("instances of generic code, for information", &total.instance_only),
        ("precision by certainty", &total.precision),
        ("precision by certainty and kind", &total.precision_by_kind),
    ] {
        println!("\n  {title}");
        for (name, share) in shares {
            println!("  {name:<32}{}", cells(*share));
        }
    }
    println!(
        "\n  edges of callers that the compiler saw: {}, of these into the standard library: {}",
        total.product_edges, total.product_into_std
    );
}

fn cells(share: Share) -> String {
    format!("{:>8}{:>7}{:>7}", share.of, percent(share.percent()), percent(share.lenient_percent()))
}

fn percent(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |it| format!("{it:.1}"))
}

fn unresolved(score: &Score) -> String {
    if score.calls == 0 {
        return "not measured".to_owned();
    }
    format!("{:.1} %", 100.0 * score.unresolved as f64 / score.calls as f64)
}

/// Prints what is required against what was measured. `true` if nothing that was measured falls short.
pub(crate) fn print_requirements(sets: &[&ScoredSet]) -> bool {
    let mut all_met = true;
    print!("\n{:<36}{:>9}", "required", "");
    for set in sets {
        print!("{:>18}", set.name);
    }
    println!();
    for requirement in REQUIREMENTS {
        let (sign, limit) = match requirement.limit {
            Limit::AtLeast(limit) => (">=", limit),
            Limit::AtMost(limit) => ("<=", limit),
        };
        print!("{:<36}{:>9}", requirement.title, format!("{sign} {limit}"));
        for set in sets {
            let value = Some(set).filter(|it| it.is_measured()).and_then(|it| (requirement.value)(it));
            all_met &= value.is_none_or(|it| requirement.limit.holds(it));
            print!("{:>18}", requirement.limit.verdict(value));
        }
        println!();
    }
    all_met
}

impl Limit {
    fn holds(self, value: f64) -> bool {
        match self {
            Limit::AtLeast(limit) => value >= limit,
            Limit::AtMost(limit) => value <= limit,
        }
    }

    fn verdict(self, value: Option<f64>) -> String {
        match value {
            // Two digits: a figure just below its limit must not be rounded up to it beside `NOT met`.
            Some(value) => format!("{value:.2} {}", if self.holds(value) { "met" } else { "NOT met" }),
            None => "not measured".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        assert_eq!(Limit::AtLeast(85.0).verdict(Some(85.0)), "85.00 met");
        assert_eq!(Limit::AtLeast(85.0).verdict(Some(84.96)), "84.96 NOT met");
        assert_eq!(Limit::AtMost(3.0).verdict(Some(3.01)), "3.01 NOT met");
        assert_eq!(Limit::AtMost(3.0).verdict(None), "not measured");
    }

    #[test]
    fn the_worst_crate_decides() {
        let with_recall =
            |of, strict| Score { explicit: Share { of, strict, lenient: strict }, ..Score::default() };
        let crates = [
            ("a-1.0.0", with_recall(100, 90)),
            ("b-1.0.0", with_recall(10, 6)),
            ("c-1.0.0", with_recall(0, 0)),
        ];
        let set = ScoredSet::new("some", crates.map(|(name, score)| (name.to_owned(), score)).into());
        assert_eq!(worst_recall(&set), Some(60.0), "a crate without calls has no recall");
        assert_eq!(set.total.explicit.of, 110);
        assert_eq!(candidates_per_place(&set), None);
    }
}

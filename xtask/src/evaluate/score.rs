//! Compares a call graph with the compiler's: recall over what the source spells as a call, precision by certainty.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::AddAssign;

use serde::Serialize;

use super::edges::{Product, ProductEdge};
use super::spelling::{Lenient, first_segment, has_other_version, is_standard_function, owner};
use super::truth::{Role, TrueEdge, Truth};

/// How many of a number agree, by either comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Share {
    pub of: usize,
    pub strict: usize,
    pub lenient: usize,
}

impl Share {
    fn count(&mut self, agreement: Agreement) {
        self.of += 1;
        self.strict += usize::from(agreement == Agreement::Strict);
        self.lenient += usize::from(agreement != Agreement::None);
    }

    /// Strictly agreeing, in percent; `None` of nothing.
    pub(crate) fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| 100.0 * self.strict as f64 / self.of as f64)
    }

    /// Leniently agreeing, in percent; `None` of nothing.
    pub(crate) fn lenient_percent(self) -> Option<f64> {
        (self.of > 0).then(|| 100.0 * self.lenient as f64 / self.of as f64)
    }
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Share) {
        self.of += other.of;
        self.strict += other.strict;
        self.lenient += other.lenient;
    }
}

/// How one crate, or several together, compare.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Score {
    /// Recall of calls that the source spells.
    pub explicit: Share,
    /// Those of them whose two names begin with different crates. Names that begin with no crate (`<_ as a::Trait>::f`)
    /// count here too.
    pub explicit_cross_crate: Share,
    /// Those of them whose functions belong to different crates.
    pub explicit_between_owners: Share,
    /// Recall of `explicit` when only edges with certainty `exact` and `typed` are taken.
    pub explicit_by_sure_edges: Share,
    /// `explicit` by the compiler's kind.
    pub recall_by_kind: BTreeMap<String, Share>,
    /// Instances of generic code by the compiler's kind: information only.
    pub instance_only: BTreeMap<String, Share>,
    /// Precision of edges by certainty.
    pub precision: BTreeMap<String, Share>,
    /// Precision of edges by `certainty/kind`, our kind.
    pub precision_by_kind: BTreeMap<String, Share>,
    /// Edges whose caller the compiler saw; of these, how many lead into the standard library and are not judged.
    pub product_edges: usize,
    pub product_into_std: usize,
    /// Places (caller and line) with candidates, and how many candidates these have.
    pub candidate_places: usize,
    pub candidate_targets: usize,
    /// Calls, and those without a known callee, where the program told.
    pub calls: u64,
    pub unresolved: u64,
    /// Explicit calls that are not found strictly; `[lenient]` are found leniently.
    pub missed: Vec<String>,
    /// Edges that the compiler did not see.
    pub wrong: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agreement {
    Strict,
    Lenient,
    None,
}

/// Pairs of functions to look others up in.
#[derive(Default)]
struct Pairs<'a> {
    strict: HashSet<(&'a str, &'a str)>,
    lenient: HashSet<(String, String)>,
    /// Pairs whose callee is `<Type as Trait>::f`, as `Trait::f`: for callees that are spelled `Trait::f` only, because
    /// methods of two types are not each other's.
    lenient_by_trait: HashSet<(String, String)>,
}

impl<'a> FromIterator<(&'a str, &'a str)> for Pairs<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Pairs<'a> {
        let mut result = Pairs::default();
        for (caller, callee) in pairs {
            result.strict.insert((caller, callee));
            let (caller, callee) = (Lenient::new(caller).own, Lenient::new(callee));
            result.lenient.insert((caller.clone(), callee.own));
            if let Some(method) = callee.of_trait {
                result.lenient_by_trait.insert((caller, method));
            }
        }
        result
    }
}

impl Pairs<'_> {
    fn agreement<'b>(&self, caller: &str, callees: impl Iterator<Item = &'b str> + Clone) -> Agreement {
        if callees.clone().any(|callee| self.strict.contains(&(caller, callee))) {
            return Agreement::Strict;
        }
        let caller = Lenient::new(caller).own;
        let mut callees = callees.map(Lenient::new);
        if callees.any(|callee| self.has_lenient(&caller, callee)) {
            return Agreement::Lenient;
        }
        Agreement::None
    }

    fn has_lenient(&self, caller: &str, callee: Lenient) -> bool {
        let key = |callee: String| (caller.to_owned(), callee);
        let own = key(callee.own);
        self.lenient.contains(&own)
            || match callee.of_trait {
                Some(method) => self.lenient.contains(&key(method)),
                None => self.lenient_by_trait.contains(&own),
            }
    }
}

impl Score {
    /// Of one crate. At most `examples` missed and wrong edges are listed, spread evenly.
    pub(crate) fn new(truth: &Truth, product: &Product, examples: usize) -> Score {
        let (crate_name, version) = truth.crate_and_version();
        let is_of_truth = |caller: &str, versioned: &str| {
            truth.callers.contains(caller) && !has_other_version(versioned, &crate_name, version)
        };
        let edges: Vec<&ProductEdge> =
            product.edges.iter().filter(|it| is_of_truth(&it.caller, &it.versioned_caller)).collect();
        let mut score = Score::default();
        score.add_recall(truth, &edges);
        score.add_precision(truth, &edges);
        thin(&mut score.missed, examples);
        thin(&mut score.wrong, examples);

        let candidates = product.candidates.iter().filter(|it| is_of_truth(&it.caller, &it.versioned_caller));
        let targets: BTreeSet<(&str, &str, &str)> =
            candidates.map(|it| (&*it.caller, &*it.place, &*it.callee)).collect();
        let places: BTreeSet<(&str, &str)> =
            targets.iter().map(|(caller, place, _)| (*caller, *place)).collect();
        score.candidate_places = places.len();
        score.candidate_targets = targets.len();
        if let Some(counts) = product.unresolved.get(&truth.name) {
            (score.calls, score.unresolved) = (counts.calls, counts.unresolved);
        }
        score
    }

    fn add_recall(&mut self, truth: &Truth, edges: &[&ProductEdge]) {
        let all: Pairs = edges.iter().map(|it| (&*it.caller, &*it.callee)).collect();
        let sure: Pairs =
            edges.iter().filter(|it| is_sure(&it.certainty)).map(|it| (&*it.caller, &*it.callee)).collect();
        for edge in &truth.edges {
            let callees: Vec<&str> = edge.callees().collect();
            let agreement = all.agreement(&edge.caller, callees.iter().copied());
            match edge.role {
                Role::Implied => {}
                Role::Instance => self.instance_only.entry(edge.kind.clone()).or_default().count(agreement),
                Role::Explicit => {
                    self.add_explicit(edge, agreement);
                    self.explicit_by_sure_edges.count(sure.agreement(&edge.caller, callees.iter().copied()));
                }
            }
        }
    }

    fn add_explicit(&mut self, edge: &TrueEdge, agreement: Agreement) {
        self.explicit.count(agreement);
        if first_segment(&edge.caller) != first_segment(&edge.callee) {
            self.explicit_cross_crate.count(agreement);
        }
        if owner(&edge.caller) != owner(&edge.callee) {
            self.explicit_between_owners.count(agreement);
        }
        self.recall_by_kind.entry(edge.kind.clone()).or_default().count(agreement);
        if agreement != Agreement::Strict {
            let found = if agreement == Agreement::Lenient { " [lenient]" } else { "" };
            self.missed.push(format!("{} -> {} [{}]{found}", edge.caller, edge.callee, edge.kind));
        }
    }

    fn add_precision(&mut self, truth: &Truth, edges: &[&ProductEdge]) {
        let pairs: Pairs =
            truth.edges.iter().flat_map(|it| it.callees().map(|callee| (&*it.caller, callee))).collect();
        for edge in edges {
            self.product_edges += 1;
            if is_standard_function(&edge.callee) || is_standard_function(&edge.caller) {
                self.product_into_std += 1;
                continue;
            }
            let agreement = pairs.agreement(&edge.caller, std::iter::once(&*edge.callee));
            self.precision.entry(edge.certainty.clone()).or_default().count(agreement);
            let kind = format!("{}/{}", edge.certainty, edge.kind);
            self.precision_by_kind.entry(kind).or_default().count(agreement);
            if agreement == Agreement::None {
                self.wrong
                    .push(format!("{} -> {} [{} {}]", edge.caller, edge.callee, edge.certainty, edge.kind));
            }
        }
    }
}

/// Sums; examples stay with their crates.
impl<'a> FromIterator<&'a Score> for Score {
    fn from_iter<I: IntoIterator<Item = &'a Score>>(scores: I) -> Score {
        let mut total = Score::default();
        for score in scores {
            total.explicit += score.explicit;
            total.explicit_cross_crate += score.explicit_cross_crate;
            total.explicit_between_owners += score.explicit_between_owners;
            total.explicit_by_sure_edges += score.explicit_by_sure_edges;
            add_all(&mut total.recall_by_kind, &score.recall_by_kind);
            add_all(&mut total.instance_only, &score.instance_only);
            add_all(&mut total.precision, &score.precision);
            add_all(&mut total.precision_by_kind, &score.precision_by_kind);
            total.product_edges += score.product_edges;
            total.product_into_std += score.product_into_std;
            total.candidate_places += score.candidate_places;
            total.candidate_targets += score.candidate_targets;
            total.calls += score.calls;
            total.unresolved += score.unresolved;
        }
        total
    }
}

fn add_all(total: &mut BTreeMap<String, Share>, shares: &BTreeMap<String, Share>) {
    for (key, share) in shares {
        *total.entry(key.clone()).or_default() += *share;
    }
}

fn is_sure(certainty: &str) -> bool {
    matches!(certainty, "exact" | "typed")
}

/// Keeps a number of entries, evenly spread: the first ones would all be of one module.
fn thin(entries: &mut Vec<String>, number: usize) {
    let length = entries.len();
    if length > number {
        *entries = (0..number).map(|index| std::mem::take(&mut entries[index * length / number])).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: &str = "a::f\ta::g\tboth\tdirect\t\n\
        a::f\tb::Tr::m\tmir\tdirect\talias=<a::T as b::Tr>::m\n\
        a::f\t<a::T as core::clone::Clone>::clone\tboth\tdirect\tderived-callee\n\
        a::f\t<a::T as b::Tr>::n\treloc\tgeneric\t\n\
        a::f\t<a::T as core::ops::drop::Drop>::drop\tboth\tdrop\t\n\
        <_ as a::X>::m\ta::m::U::h\tmir\tgeneric\t\n";

    fn score(rows: &str) -> Score {
        let truth = Truth::parse("a-1.0.0", TRUTH, "a::quiet\n").unwrap();
        Score::new(&truth, &Product::parse(rows).unwrap(), 10)
    }

    fn share(of: usize, strict: usize, lenient: usize) -> Share {
        Share { of, strict, lenient }
    }

    #[test]
    fn nothing_found_is_no_recall_and_no_precision() {
        let score = score("");
        assert_eq!(score.explicit, share(3, 0, 0), "derived, instance and drop are not asked for");
        assert_eq!(score.explicit_cross_crate, share(2, 0, 0), "`_ as a` is no crate");
        assert_eq!(score.explicit_between_owners, share(1, 0, 0));
        assert_eq!(score.instance_only["generic"], share(1, 0, 0));
        assert!(score.precision.is_empty());
        assert_eq!(score.missed.len(), 3);
    }

    #[test]
    fn aliases_agree_strictly_and_modules_leniently() {
        let score = score(
            "a::f\t<a::T as b::Tr>::m\tcall\ttyped\n\
             <_ as a::X>::m\ta::other::U::h\tcall\tcandidate\tsrc/lib.rs:1\n",
        );
        assert_eq!(score.explicit, share(3, 1, 2));
        assert_eq!(score.explicit_by_sure_edges, share(3, 1, 1));
        assert_eq!(score.precision["typed"], share(1, 1, 1));
        assert_eq!(score.precision["candidate"], share(1, 0, 1));
        assert!(score.missed.iter().any(|it| it.ends_with("[generic] [lenient]")), "{:?}", score.missed);
    }

    #[test]
    fn any_edge_of_the_truth_confirms_and_others_are_wrong() {
        let score = score(
            "a::f\t<a::T as std::ops::Drop>::drop\tdrop\ttyped\n\
             a::quiet\ta::g\tcall\texact\n\
             a::unseen\ta::g\tcall\texact\n\
             a::f\tstd::mem::swap\tcall\texact\n",
        );
        assert_eq!(score.precision["typed"], share(1, 1, 1));
        assert_eq!(score.precision["exact"], share(1, 0, 0), "a function that calls nothing is seen too");
        assert_eq!((score.product_edges, score.product_into_std), (3, 1));
        assert_eq!(score.wrong, ["a::quiet -> a::g [exact call]"]);
    }

    #[test]
    fn methods_of_two_types_do_not_agree() {
        let truth = Truth::parse("a-1.0.0", "a::f\t<a::T as b::Tr>::m\tmir\tdirect\t\n", "").unwrap();
        let other = Product::parse("a::f\t<a::U as b::Tr>::m\tcall\ttyped\n").unwrap();
        assert_eq!(Score::new(&truth, &other, 0).explicit, share(1, 0, 0));
        let of_trait = Product::parse("a::f\tb::Tr::m\ttrait\ttyped\n").unwrap();
        assert_eq!(Score::new(&truth, &of_trait, 0).explicit, share(1, 0, 1));
    }

    #[test]
    fn candidates_are_counted_at_their_places() {
        let row =
            |callee: &str, line: u32| format!("a::f\ta::{callee}\tcall\tcandidate\tsrc/lib.rs:{line}\n");
        let score = score(&[row("g", 1), row("h", 1), row("h", 1), row("g", 2)].concat());
        assert_eq!((score.candidate_places, score.candidate_targets), (2, 3));
    }

    #[test]
    fn edges_of_another_version_are_not_judged() {
        let score = score("a@2.0.0::f\ta@2.0.0::g\tcall\texact\na@1.0.0::f\ta@1.0.0::nothing\tcall\texact\n");
        assert_eq!(score.explicit.strict, 0);
        assert_eq!(score.product_edges, 1);
    }

    #[test]
    fn examples_are_spread() {
        let mut entries: Vec<String> = (0..10).map(|it| it.to_string()).collect();
        thin(&mut entries, 3);
        assert_eq!(entries, ["0", "3", "6"]);
        thin(&mut entries, 0);
        assert!(entries.is_empty());
    }
}

//! What rules about behaviour share: a view of the facts in which an operation knows its texts, flows and gates.
//!
//! Numbers in facts may come from a stored file that somebody else wrote, so every index is looked up, and one that leads
//! nowhere counts as absent. All of it is linear in the size of the facts; rules that compare pairs limit them themselves.

mod address;
pub(crate) mod command;
pub(crate) mod describe;
pub(crate) mod program;
mod sign;
mod words;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use cratekeeper_model::facts::{
    ConstantText, Decoding, Facts, Flow, FlowFacts, FlowSource, Gate, GateKind, Operation, OperationKind,
    Phase, Quality, TargetKind, Topic,
};
use cratekeeper_model::{Finding, Known, RuleInput};

pub(crate) use self::address::Origin;
pub(crate) use self::program::Program;
pub(crate) use self::sign::{Sign, signs};
pub(crate) use self::words::{
    constant_parts, is_documentation_variable, is_host_variable, is_secret_variable, is_shared_place,
    is_wallet_variable, owner_of_secret, variables,
};
use crate::rule::Evaluation;

/// An operation and its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act<'a> {
    pub(crate) number: u32,
    pub(crate) operation: &'a Operation,
}

/// How two places of a program belong together, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    /// Both run while the package is built.
    Build,
    /// Both stand in one file.
    File,
    /// One calls the other, or both are called on the way from the same function.
    Chain,
    /// Both stand in one function.
    Function,
    /// A value gets from one to the other.
    Flow,
}

/// Operations of one kind in one function that are looked at. More of the same say nothing new, and pairs of them are compared.
const ALIKE: u32 = 40;

/// Operations that are looked at in all.
const OPERATIONS: usize = 1_000;

/// Texts of one function that count as near to its operations. Hostile functions have any number of both.
const NEAR_TEXTS: usize = 100;

/// Conditions of one function that count for its operations.
const OUTER_GATES: usize = 16;

/// A package's behaviour, with what belongs to each operation at hand.
pub(crate) struct Behaviour<'a> {
    pub(crate) facts: &'a Facts,
    texts: HashMap<u32, Vec<&'a ConstantText>>,
    /// Numbers of the operations that are looked at.
    kept: Rc<[u32]>,
    /// By function: texts that belong to no operation.
    free_texts: HashMap<u32, Vec<&'a ConstantText>>,
    /// By function: numbers of the conditions on something outside that it looks at.
    outer_gates: HashMap<u32, Vec<u32>>,
    into: HashMap<u32, Vec<&'a Flow>>,
    /// Functions on the way to each function that an operation stands in.
    ways: HashMap<u32, &'a [u32]>,
    /// Files that only test, benchmark and example targets reach.
    test_files: Vec<bool>,
    is_macro: bool,
}

/// Runs `look` over the behaviour, if there are facts.
pub(crate) fn with_behaviour(
    input: &RuleInput,
    look: impl FnOnce(&Behaviour<'_>) -> Vec<Finding>,
) -> Evaluation {
    match &input.facts {
        Known::Known(facts) => {
            let findings = look(&Behaviour::new(facts));
            match facts.flow.problems.first() {
                None => Evaluation::Findings(findings),
                Some(problem) => Evaluation::Partial(findings, problem.clone()),
            }
        }
        Known::Unknown(reason) => Evaluation::NotEvaluated(reason.clone()),
    }
}

impl<'a> Behaviour<'a> {
    pub(crate) fn new(facts: &'a Facts) -> Behaviour<'a> {
        let mut texts: HashMap<u32, Vec<&ConstantText>> = HashMap::new();
        for text in &facts.flow.texts {
            if let Some(operation) = text.operation {
                texts.entry(operation).or_default().push(text);
            }
        }
        let mut free_texts: HashMap<u32, Vec<&ConstantText>> = HashMap::new();
        for text in facts.flow.texts.iter().filter(|it| it.operation.is_none()) {
            let near = text.function.map(|it| free_texts.entry(it).or_default());
            if let Some(near) = near.filter(|it| it.len() < NEAR_TEXTS) {
                near.push(text);
            }
        }
        let mut outer_gates: HashMap<u32, Vec<u32>> = HashMap::new();
        for (number, gate) in (0..).zip(&facts.flow.gates) {
            let is_outer = !matches!(
                gate.kind,
                GateKind::OptionalFeature | GateKind::DefaultFeature | GateKind::Target | GateKind::Test
            );
            let of_function = gate.function.filter(|_| is_outer).map(|it| outer_gates.entry(it).or_default());
            if let Some(of_function) = of_function.filter(|it| it.len() < OUTER_GATES) {
                of_function.push(number);
            }
        }
        let mut into: HashMap<u32, Vec<&Flow>> = HashMap::new();
        for flow in &facts.flow.flows {
            into.entry(flow.into).or_default().push(flow);
        }
        // Those that something telling gets into come first, so that a crowd of plain ones does not hide them.
        let is_telling = |number: u32, operation: &Operation| {
            operation.qualities.contains(&Quality::HiddenArgument)
                || into.contains_key(&number)
                || texts.get(&number).is_some_and(|texts| texts.iter().any(|it| !it.topics.is_empty()))
        };
        let mut numbered: Vec<(u32, &Operation)> = (0..).zip(&facts.flow.operations).collect();
        numbered.sort_by_key(|(number, operation)| !is_telling(*number, operation));
        let mut alike: HashMap<(Option<u32>, OperationKind), u32> = HashMap::new();
        let is_kept = |(_, operation): &(u32, &Operation)| {
            let count = alike.entry((operation.function, operation.kind)).or_default();
            *count += 1;
            *count <= ALIKE
        };
        let kept = numbered.into_iter().filter(is_kept).take(OPERATIONS).map(|it| it.0);
        let mut kept: Vec<u32> = kept.collect();
        kept.sort_unstable();
        let mut ways: HashMap<u32, &[u32]> = HashMap::new();
        for operation in facts.flow.operations.iter().filter(|it| !it.chain.is_empty()) {
            if let Some(function) = operation.function {
                ways.entry(function).or_insert(&operation.chain);
            }
        }
        let targets = &facts.manifest.targets;
        let is_test = |number: &u16| {
            targets.get(usize::from(*number)).is_some_and(|target| {
                matches!(target.kind, TargetKind::Test | TargetKind::Bench | TargetKind::Example)
            })
        };
        let files = facts.source.rust_files.iter();
        let test_files = files.map(|it| !it.targets.is_empty() && it.targets.iter().all(is_test)).collect();
        let is_macro = targets.iter().any(|target| target.kind == TargetKind::ProcMacro);
        Behaviour {
            facts,
            texts,
            kept: kept.into(),
            free_texts,
            outer_gates,
            into,
            ways,
            test_files,
            is_macro,
        }
    }

    pub(crate) fn flow(&self) -> &'a FlowFacts {
        &self.facts.flow
    }

    /// Every operation; of many that do the same in one function, the most telling.
    pub(crate) fn acts(&self) -> impl Iterator<Item = Act<'a>> + use<'a> {
        let (kept, operations) = (Rc::clone(&self.kept), &self.facts.flow.operations);
        (0..kept.len()).map(move |at| Act { number: kept[at], operation: &operations[kept[at] as usize] })
    }

    /// Operations of one of these kinds.
    pub(crate) fn of_kind(&self, kinds: &'static [OperationKind]) -> impl Iterator<Item = Act<'a>> + use<'a> {
        self.acts().filter(|act| kinds.contains(&act.operation.kind))
    }

    /// The operation of this number.
    pub(crate) fn act(&self, number: u32) -> Option<Act<'a>> {
        let operation = self.facts.flow.operations.get(number as usize)?;
        Some(Act { number, operation })
    }

    /// Texts that are an argument of the operation, or flow into it.
    pub(crate) fn texts(&self, act: Act<'_>) -> &[&'a ConstantText] {
        self.texts.get(&act.number).map_or(&[], Vec::as_slice)
    }

    /// Texts of its own, and those that stand in the same function and belong to no other operation.
    pub(crate) fn near_texts<'b>(&'b self, act: Act<'b>) -> impl Iterator<Item = &'a ConstantText> + 'b {
        let function = act.operation.function;
        let near = function.and_then(|it| self.free_texts.get(&it)).map_or(&[][..], Vec::as_slice);
        self.texts(act).iter().chain(near).copied()
    }

    /// Flows that end in the operation.
    pub(crate) fn into(&self, act: Act<'_>) -> &[&'a Flow] {
        self.into.get(&act.number).map_or(&[], Vec::as_slice)
    }

    /// Whether a text of the operation speaks of one of these.
    pub(crate) fn mentions(&self, act: Act<'_>, topics: &[Topic]) -> bool {
        self.texts(act).iter().any(|text| is_about(text, topics))
    }

    /// Whether a value from one of these gets into the operation.
    pub(crate) fn receives(&self, act: Act<'_>, sources: &[FlowSource]) -> bool {
        self.into(act).iter().any(|flow| sources.contains(&flow.source))
    }

    /// Conditions in force, and those that a function on the way looks at: one that returns early guards what follows.
    pub(crate) fn gates(&self, act: Act<'_>) -> Vec<&'a Gate> {
        let functions: BTreeSet<u32> =
            act.operation.chain.iter().copied().chain(act.operation.function).collect();
        let on_the_way = functions.iter().filter_map(|it| self.outer_gates.get(it)).flatten();
        let numbers: BTreeSet<u32> = act.operation.gates.iter().chain(on_the_way).copied().collect();
        numbers.iter().filter_map(|it| self.facts.flow.gates.get(*it as usize)).collect()
    }

    /// When it runs first. A file that only tests reach is one, whatever else is known.
    pub(crate) fn phase(&self, act: Act<'_>) -> Phase {
        let first = act.operation.phases.first().copied().unwrap_or(Phase::Unreached);
        let in_tests = self.test_files.get(act.operation.file as usize).copied().unwrap_or_default();
        if in_tests && first > Phase::BeforeMain { Phase::Test } else { first }
    }

    /// Whether it runs on the machine of whoever builds.
    pub(crate) fn at_build(&self, act: Act<'_>) -> bool {
        self.phase(act) == Phase::BuildTime
    }

    /// Whether it runs in a build script, rather than in a procedural macro.
    pub(crate) fn in_build_script(&self, act: Act<'_>) -> bool {
        let targets = &self.facts.manifest.targets;
        let file = self.facts.source.rust_files.get(act.operation.file as usize);
        let script = file.is_some_and(|file| {
            file.targets.iter().any(|number| {
                targets.get(usize::from(*number)).is_some_and(|it| it.kind == TargetKind::BuildScript)
            })
        });
        self.at_build(act) && (script || !self.is_macro)
    }

    /// Whether only tests reach the file.
    pub(crate) fn is_test_file(&self, file: u32) -> bool {
        self.test_files.get(file as usize).copied().unwrap_or_default()
    }

    /// The strongest way in which two operations belong together, as far as functions tell.
    pub(crate) fn link(&self, a: Act<'_>, b: Act<'_>) -> Option<Link> {
        let (one, other) = (a.operation, b.operation);
        if one.function.is_some() && one.function == other.function {
            return Some(Link::Function);
        }
        let calls = |from: &Operation, to: &Operation| from.function.is_some_and(|it| to.chain.contains(&it));
        let common = one.chain.iter().any(|function| other.chain.contains(function));
        if calls(one, other) || calls(other, one) || common {
            // Everything in a build script is called from its `main`: that alone is no tie.
            let only_main = self.at_build(a) && self.at_build(b) && !self.share_more_than_entry(one, other);
            return Some(if only_main { Link::Build } else { Link::Chain });
        }
        if one.file == other.file {
            return Some(Link::File);
        }
        (self.at_build(a) && self.at_build(b)).then_some(Link::Build)
    }

    fn share_more_than_entry(&self, one: &Operation, other: &Operation) -> bool {
        let way = |operation: &Operation| {
            let inner = operation.chain.iter().skip(1).copied();
            inner.chain(operation.function).collect::<Vec<u32>>()
        };
        let (one, other) = (way(one), way(other));
        one.iter().any(|function| other.contains(function))
    }

    /// How a text belongs to an operation.
    pub(crate) fn link_text(&self, text: &ConstantText, act: Act<'_>) -> Option<Link> {
        if text.operation == Some(act.number) {
            return Some(Link::Flow);
        }
        if let Some(of) = text.operation.and_then(|number| self.act(number)) {
            return self.link(of, act);
        }
        if text.function.is_some() && text.function == act.operation.function {
            return Some(Link::Function);
        }
        let way = text.function.and_then(|it| self.ways.get(&it)).copied().unwrap_or_default();
        let called = act.operation.function.is_some_and(|it| way.contains(&it));
        if called || text.function.is_some_and(|it| act.operation.chain.contains(&it)) {
            return Some(Link::Chain);
        }
        (text.file == act.operation.file).then_some(Link::File)
    }
}

impl Act<'_> {
    /// Whether it has this quality.
    pub(crate) fn is(self, quality: Quality) -> bool {
        self.operation.qualities.contains(&quality)
    }

    /// Whether it is of one of these kinds.
    pub(crate) fn does(self, kinds: &[OperationKind]) -> bool {
        kinds.contains(&self.operation.kind)
    }
}

/// Whether the text speaks of one of these.
pub(crate) fn is_about(text: &ConstantText, topics: &[Topic]) -> bool {
    text.topics.iter().any(|topic| topics.contains(topic))
}

/// Whether somebody took pains that the text is not found in the source. Joining parts is what every program does.
pub(crate) fn is_concealed(text: &ConstantText) -> bool {
    text.decodings.iter().any(|decoding| !matches!(decoding, Decoding::Joined | Decoding::Replaced))
}

/// Text that tells where data goes, or what is run.
pub(crate) const TELLING: &[Topic] = &[
    Topic::Url,
    Topic::IpAddress,
    Topic::Host,
    Topic::SecretFile,
    Topic::WalletFile,
    Topic::StartupPlace,
    Topic::Downloader,
    Topic::Shell,
    Topic::DropService,
    Topic::PublishCommand,
    Topic::HiddenPlace,
];

/// Text that names a place on a network.
pub(crate) const ADDRESS: &[Topic] = &[Topic::Url, Topic::IpAddress, Topic::Host, Topic::DropService];

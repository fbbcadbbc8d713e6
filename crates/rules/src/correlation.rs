//! Correlation: what single signs add up to when they belong to the same attack.
//!
//! A sign alone decides nothing: honest crates read keys, start programs and talk to networks. Here operations, texts and
//! conditions that belong together (by a data flow, a function, a chain of calls, a phase) are tied into a [`Chain`]: collect,
//! hide, send; fetch, write, run; and so on. Every tie is a row of the table in [`points`], a chain's points are the sum of its
//! rows, and the sum gives severity and confidence. Rules named for what a chain does turn the best one into a finding;
//! [`story`] tells the chains of a case in order.
//!
//! Detectors look at a limited number of operations of each kind, so that pairs stay few in a hostile package.

mod carried;
mod combination;
mod concealed;
mod context;
mod execution;
mod exfiltration;
mod gated;
mod hidden;
mod obeyed;
mod persistence;
pub(crate) mod points;
mod propagation;
mod reached;
mod story;

use std::collections::BTreeSet;

use cratekeeper_model::facts::{FlowStep, Phase};
use cratekeeper_model::{ChainStep, Confidence, Evidence, Finding, Severity, StepKind};

pub(crate) use self::combination::{behind_lure, in_disguise, new_in_version};
pub(crate) use self::gated::is_effect;
pub(crate) use self::hidden::techniques as techniques_of_hiding;
pub(crate) use self::points::Point;
pub(crate) use self::propagation::publishes;
pub(crate) use self::reached::detect as in_other_crates;
pub(crate) use self::story::story;
use crate::behaviour::{Act, Behaviour, Link};
use crate::rule::{Complete, Rule, finding};
use crate::text::{PATH, printable};

/// Most operations of a kind that a detector looks at: 100 sources and 100 sinks are 10,000 pairs, a millisecond.
pub(crate) const OPERATIONS: usize = 100;

/// What a chain does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChainKind {
    Exfiltration,
    Execution,
    Carried,
    Propagation,
    Persistence,
    Hidden,
    Gated,
    Concealed,
    Obeyed,
}

impl ChainKind {
    pub(crate) const ALL: [ChainKind; 9] = [
        ChainKind::Exfiltration,
        ChainKind::Execution,
        ChainKind::Carried,
        ChainKind::Propagation,
        ChainKind::Persistence,
        ChainKind::Hidden,
        ChainKind::Gated,
        ChainKind::Concealed,
        ChainKind::Obeyed,
    ];

    /// The strongest chain of this kind.
    pub(crate) fn detect(self, behaviour: &Behaviour<'_>) -> Option<Chain> {
        match self {
            ChainKind::Exfiltration => exfiltration::detect(behaviour),
            ChainKind::Execution => execution::detect(behaviour),
            ChainKind::Carried => carried::detect(behaviour),
            ChainKind::Propagation => propagation::detect(behaviour),
            ChainKind::Persistence => persistence::detect(behaviour),
            ChainKind::Hidden => hidden::detect(behaviour),
            ChainKind::Gated => gated::detect(behaviour),
            ChainKind::Concealed => concealed::detect(behaviour),
            ChainKind::Obeyed => obeyed::detect(behaviour),
        }
    }

    /// What would make such a chain harmless.
    pub(crate) fn harmless_if(self) -> &'static str {
        match self {
            ChainKind::Exfiltration => {
                "what is read never leaves the machine, or goes where the crate's documentation says and its user chose"
            }
            ChainKind::Execution => {
                "what is downloaded is compared with a digest that stands in the source, and the documentation says so"
            }
            ChainKind::Carried => {
                "the embedded program is built from source that comes with it, and the user asks to run it"
            }
            ChainKind::Propagation => {
                "publishing is what the program is for, and its user starts it on purpose"
            }
            ChainKind::Persistence => {
                "installing itself is what the program is for, and its user asks for it"
            }
            ChainKind::Hidden => {
                "there is a reason to keep this text out of sight, and the documentation names it"
            }
            ChainKind::Gated => "it does nothing under the condition that it should not do anywhere",
            ChainKind::Concealed => {
                "the code in the unusual place does nothing that the documentation does not say"
            }
            ChainKind::Obeyed => {
                "the commands install what the project is developed with, from a well-known address"
            }
        }
    }
}

/// Signs that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) kind: ChainKind,
    /// Rows of the table that apply, each once.
    pub(crate) points: Vec<Point>,
    pub(crate) steps: Vec<ChainStep>,
    pub(crate) techniques: BTreeSet<u8>,
    /// One sentence, without the reasons for its points.
    pub(crate) message: String,
}

impl Chain {
    pub(crate) fn new(kind: ChainKind) -> Chain {
        Chain {
            kind,
            points: Vec::new(),
            steps: Vec::new(),
            techniques: BTreeSet::new(),
            message: String::new(),
        }
    }

    /// Adds a row of the table, once.
    pub(crate) fn add(&mut self, point: Point) {
        if !self.points.contains(&point) {
            self.points.push(point);
        }
    }

    /// Adds what a tie is worth.
    pub(crate) fn tie(&mut self, link: Link) {
        self.add(points::of_link(link));
    }

    pub(crate) fn total(&self) -> i32 {
        self.points.iter().map(|point| i32::from(point.amount)).sum()
    }

    /// Severity and confidence, if it amounts to anything.
    pub(crate) fn weight(&self) -> Option<(Severity, Confidence)> {
        points::weight(self.total())
    }

    pub(crate) fn step(
        &mut self,
        kind: StepKind,
        phase: Option<Phase>,
        text: impl Into<String>,
        evidence: Option<Evidence>,
    ) {
        // Whatever a detector puts in, it reaches a terminal.
        let step = ChainStep { kind, phase, text: printable(&text.into(), 2 * PATH), evidence };
        if self.steps.len() < STEPS && !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }

    /// A step at an operation.
    pub(crate) fn act(&mut self, behaviour: &Behaviour<'_>, kind: StepKind, act: Act<'_>, verb: &str) {
        let text = format!("{verb} {}", crate::behaviour::describe::call(act));
        self.step(kind, Some(behaviour.phase(act)), text, Some(behaviour.evidence(act)));
    }

    /// Steps on the way of a value, which show that it gets there.
    pub(crate) fn reasons(&self) -> String {
        let mut points = self.points.clone();
        points.sort_by_key(|point| std::cmp::Reverse(point.amount));
        let reasons: Vec<&str> = points.iter().filter(|it| it.amount > 0).map(|it| it.reason).collect();
        reasons.join("; ")
    }
}

/// Most steps in one chain: a reader follows ten.
const STEPS: usize = 12;

/// The finding of a correlation rule: its kind's strongest chain.
pub(crate) fn found(rule: &Rule, chain: Option<Chain>, help: &str) -> Vec<Finding> {
    let Some(chain) = chain else { return Vec::new() };
    let Some((severity, confidence)) = chain.weight() else { return Vec::new() };
    let message = format!("{}: {}", chain.message, chain.reasons());
    let mut evidence: Vec<Evidence> = Vec::new();
    for place in chain.steps.iter().filter_map(|step| step.evidence.clone()) {
        if !evidence.contains(&place) {
            evidence.push(place);
        }
    }
    let techniques = chain.techniques.iter().copied().filter(|it| rule.techniques.contains(it));
    vec![
        finding(rule, severity, confidence, message)
            .with_evidence(evidence)
            .with_help(help)
            .pointing_to(techniques),
    ]
}

/// The stronger of two.
pub(crate) fn stronger(best: Option<Chain>, other: Chain) -> Option<Chain> {
    match best {
        Some(best) if best.total() >= other.total() => Some(best),
        _ => Some(other),
    }
}

/// Where a flow went, one place for each line, without its ends.
pub(crate) fn on_the_way(steps: &[FlowStep]) -> &[FlowStep] {
    steps.get(1..steps.len().saturating_sub(1)).unwrap_or_default()
}

/// The finding of a rule about findings: what several say together.
pub(crate) fn combined(
    rule: &Rule,
    (severity, confidence, parts): (Severity, Confidence, Vec<&Finding>),
    says: &str,
    help: &str,
) -> Option<Finding> {
    let names: Vec<String> = parts.iter().map(|part| format!("`{}`", part.rule)).collect();
    let message = format!("{says}: {}", names.join(" and "));
    let evidence: Vec<Evidence> =
        parts.iter().flat_map(|part| part.evidence.iter().take(3).cloned()).collect();
    // Its parts name their techniques themselves.
    Some(finding(rule, severity, confidence, message).with_evidence(evidence).with_help(help))
}

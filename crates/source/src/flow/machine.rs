//! What the interpreter writes down: operations, sources, conditions, texts and flows, each once.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use cratekeeper_model::facts::{
    ConstantText, Decoding, Flow, FlowSource, FlowStep, Gate, GateKind, OperationKind, Quality, Topic,
};

use super::ir::{Id, Text};
use super::topics;
use super::value::{Known, Steps, Taints, Value};
use crate::text::excerpt;

/// Most operations of one package. The largest real crates have some 2,000.
pub(super) const OPERATIONS: usize = 10_000;
/// Most constant texts.
pub(super) const TEXTS: usize = 10_000;
/// Most flows.
const FLOWS: usize = 5_000;
/// Most conditions that are told apart.
const GATES: usize = 20_000;
/// Arguments of one operation that are kept.
const ARGUMENTS: usize = 16;

/// How deep lists of arguments are looked into.
const NESTED_ARGUMENTS: u32 = 3;
/// Bytes of texts that are looked at in one package: at most a second. None of 360 real crates gets there.
const LOOKED_AT: usize = 16 << 20;
/// Texts up to this length are looked at in any case, so that long ones before a payload do not hide it.
const SHORT: usize = 512;
/// Texts below this length are looked at again rather than remembered.
const FORGOTTEN: usize = 48;
/// Texts that were looked at last.
const REMEMBERED: usize = 8;

/// Names of variables that lead to a place, for which a value stands in texts.
const LONGEST_VARIABLE: usize = 64;

/// Operation, source and condition of an origin.
type OriginKey = (Option<u32>, Option<FlowSource>, Option<GateKind>);

/// Everything that was found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) operations: Vec<State>,
    by_place: HashMap<(u32, Id, OperationKind), u32>,
    /// Programs that are started, by file and function.
    programs: HashMap<(u32, Option<u32>), Vec<u32>>,
    pub(super) origins: Vec<Origin>,
    by_origin: HashMap<OriginKey, u32>,
    pub(super) gates: Vec<Gate>,
    by_gate: HashMap<(u32, u32, GateKind, String), u32>,
    pub(super) flows: Vec<Flow>,
    seen_flows: HashSet<(FlowSource, Option<u32>, u32)>,
    pub(super) texts: Vec<ConstantText>,
    seen_texts: HashSet<(u32, u32, String)>,
    /// What was written to a path, by its text.
    written: HashMap<String, Taints>,
    pub(super) truncated: BTreeSet<&'static str>,
    /// What the texts that were looked at last mention: the next statement mostly has one of them again.
    bits: VecDeque<(Text, u32)>,
    looked_at: usize,
}

/// An operation while it is put together.
#[derive(Debug)]
pub(super) struct State {
    pub(super) kind: OperationKind,
    pub(super) path: String,
    pub(super) place: Place,
    arguments: Vec<String>,
    best: Vec<String>,
    pub(super) qualities: BTreeSet<Quality>,
    pub(super) gates: Vec<u32>,
    /// Streams of a program that are thrown away.
    pub(super) nulls: u8,
    /// The text of the path that it writes to.
    target: Option<String>,
}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) file: u32,
    pub(super) line: u32,
    pub(super) function: Option<u32>,
}

/// Where values come from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) source: Option<FlowSource>,
    pub(super) operation: Option<u32>,
    pub(super) gate: Option<GateKind>,
    pub(super) place: Place,
    /// Name of the variable.
    pub(super) name: Option<String>,
}

impl Found {
    /// The operation at a node; `None` when there is no room for more.
    pub(super) fn begin(
        &mut self,
        node: Id,
        kind: OperationKind,
        path: &str,
        place: Place,
        gates: &[u32],
    ) -> Option<u32> {
        let key = (place.file, node, kind);
        if let Some(number) = self.by_place.get(&key) {
            self.operations[*number as usize].keep_best();
            return Some(*number);
        }
        if self.operations.len() >= OPERATIONS {
            self.truncated.insert("operations");
            return None;
        }
        let number = self.operations.len() as u32;
        self.operations.push(State {
            kind,
            path: path.to_owned(),
            place,
            arguments: Vec::new(),
            best: Vec::new(),
            qualities: BTreeSet::new(),
            gates: gates.to_vec(),
            nulls: 0,
            target: None,
        });
        self.by_place.insert(key, number);
        if kind == OperationKind::StartProcess {
            self.programs.entry((place.file, place.function)).or_default().push(number);
        }
        Some(number)
    }

    /// Programs that a function starts, as far as it was read; each is given once.
    pub(super) fn programs_of(&mut self, file: u32, function: Option<u32>) -> Vec<u32> {
        self.programs.get_mut(&(file, function)).map(std::mem::take).unwrap_or_default()
    }

    /// What a text mentions, as bits of topics.
    pub(super) fn bits(&mut self, text: &Text) -> u32 {
        if text.len() < FORGOTTEN {
            return topics::bits(text);
        }
        if let Some((_, bits)) = self.bits.iter().find(|(it, _)| Rc::ptr_eq(it, text)) {
            return *bits;
        }
        if self.looked_at > LOOKED_AT && text.len() > SHORT {
            self.truncated.insert("long texts");
            return 0;
        }
        self.looked_at += text.len();
        let bits = topics::bits(text);
        if self.bits.len() >= REMEMBERED {
            self.bits.pop_front();
        }
        self.bits.push_back((text.clone(), bits));
        bits
    }

    /// The same of a text that is only compared.
    pub(super) fn words(&mut self, text: &Text) -> u32 {
        if text.len() < FORGOTTEN { topics::words(text) } else { self.bits(text) }
    }

    pub(super) fn quality(&mut self, operation: u32, quality: Quality) {
        self.operations[operation as usize].qualities.insert(quality);
    }

    /// One more argument that says to what.
    pub(super) fn argument(&mut self, operation: u32, value: &Value) {
        self.argument_at(operation, value, 0);
    }

    fn argument_at(&mut self, operation: u32, value: &Value, depth: u32) {
        if let Known::List(list) = &value.known
            && value.as_text().is_none()
            && depth < NESTED_ARGUMENTS
        {
            for part in list.iter().take(ARGUMENTS) {
                if self.operations[operation as usize].arguments.len() < ARGUMENTS {
                    self.argument_at(operation, part, depth + 1);
                }
            }
            return;
        }
        let text = value.as_text().map(|(text, _)| text);
        let place = self.operations[operation as usize].place;
        let shown = text.as_ref().map_or_else(|| "{}".to_owned(), |text| excerpt(text));
        if let Some(text) = &text {
            self.text(text, value, place, Some(operation));
            if self.is_hidden(text, value) {
                self.quality(operation, Quality::HiddenArgument);
            }
        }
        let state = &mut self.operations[operation as usize];
        if state.target.is_none() {
            state.target = Some(shown.clone());
        }
        if state.arguments.len() < ARGUMENTS {
            state.arguments.push(shown);
        }
    }

    /// Whether the text cannot be read in the source: decoded, or joined so that it mentions what no part does.
    pub(super) fn is_hidden(&mut self, text: &Text, value: &Value) -> bool {
        value.steps.hides()
            || !value.steps.is_empty()
                && value.visible != u32::MAX
                && self.bits(text) & !value.visible & telling() != 0
    }

    /// A constant text that matters, at the place where it is used.
    pub(super) fn text(&mut self, text: &Text, value: &Value, place: Place, operation: Option<u32>) {
        let bits = self.bits(text);
        let hidden = self.is_hidden(text, value);
        if bits == 0 && !(hidden && operation.is_some()) && !(value.steps.hides() && text.len() >= 4) {
            return;
        }
        // A literal as it stands is listed where it stands; here only what operations get, or what took decoding.
        if value.steps.is_empty() && operation.is_none() {
            return;
        }
        if self.texts.len() >= TEXTS {
            self.truncated.insert("texts");
            return;
        }
        let shown = excerpt(text);
        let whose = operation.map_or(place.function.unwrap_or(u32::MAX / 2), |it| u32::MAX - it);
        if !self.seen_texts.insert((place.file, whose, shown.clone())) {
            return;
        }
        self.texts.push(ConstantText {
            value: shown,
            decodings: value.steps.list(),
            topics: topics::list(bits),
            file: place.file,
            line: place.line,
            function: place.function,
            operation,
        });
    }

    pub(super) fn origin(&mut self, origin: Origin) -> Taints {
        let key = (origin.operation, origin.source, origin.gate);
        if origin.operation.is_some()
            && let Some(number) = self.by_origin.get(&key)
        {
            if origin.name.is_some() {
                self.origins[*number as usize].name = origin.name;
            }
            return Taints::of(*number);
        }
        if self.origins.len() >= 2 * OPERATIONS {
            return Taints::default();
        }
        let number = self.origins.len() as u32;
        if origin.operation.is_some() {
            self.by_origin.insert(key, number);
        }
        self.origins.push(origin);
        Taints::of(number)
    }

    /// What reading a file at this path gives.
    pub(super) fn source_of_file(&mut self, path: Option<&Text>) -> FlowSource {
        let Some(path) = path else { return FlowSource::File };
        let bits = self.bits(path);
        if bits & (topics::bit(Topic::SecretFile) | topics::bit(Topic::WalletFile)) != 0 {
            FlowSource::SecretFile
        } else if path.contains("{file!}")
            || is_tree_of_user(path)
            || path.ends_with(".rs")
            || path.starts_with("{CARGO_MANIFEST_DIR}") && !path.contains("{OUT_DIR}")
        {
            FlowSource::UserSource
        } else {
            FlowSource::File
        }
    }

    /// The value reaches the operation as data; `as_path` tells that it only says where.
    pub(super) fn flow(&mut self, operation: u32, value: &Value, through: &[Place], as_path: bool) {
        let state = &self.operations[operation as usize];
        if !is_sink(state.kind) {
            return;
        }
        let (kind, place) = (state.kind, state.place);
        if kind == OperationKind::WriteFile && !as_path && !value.taints.is_empty() {
            self.remember_written(operation, &value.taints);
        }
        let only_remote = as_path && kind == OperationKind::WriteFile;
        for taint in value.taints.iter().copied().collect::<Vec<_>>() {
            let origin = self.origins[taint.origin as usize].clone();
            let Some(source) = origin.source else { continue };
            if origin.operation == Some(operation) || only_remote && !matches!(source, FlowSource::Network) {
                continue;
            }
            // An address that was looked up is still the address that was asked for.
            let looked_up = origin
                .operation
                .is_some_and(|it| self.operations[it as usize].kind == OperationKind::ResolveName);
            if source == FlowSource::Network && looked_up {
                continue;
            }
            let first = origin.place;
            self.add_flow(source, origin.operation, operation, taint.steps, Some(first), through, place);
        }
        if let Some((text, _)) = value.as_text()
            && self.is_hidden(&text, value)
            && text.len() > 1
        {
            self.add_flow(FlowSource::HiddenConstant, None, operation, value.steps, None, through, place);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one flow")]
    fn add_flow(
        &mut self,
        source: FlowSource,
        from: Option<u32>,
        into: u32,
        steps: Steps,
        first: Option<Place>,
        through: &[Place],
        last: Place,
    ) {
        if self.flows.len() >= FLOWS {
            self.truncated.insert("flows");
            return;
        }
        if !self.seen_flows.insert((source, from, into)) {
            return;
        }
        let mut places: Vec<Place> = first.into_iter().collect();
        if first.is_none_or(|first| first.function != last.function || first.file != last.file) {
            places.extend(through.iter().copied().take(8));
        }
        places.push(last);
        places.dedup();
        let steps_of =
            |place: &Place| FlowStep { file: place.file, line: place.line, function: place.function };
        self.flows.push(Flow {
            source,
            from,
            into,
            transformations: steps.list(),
            steps: places.iter().map(steps_of).collect(),
        });
    }

    fn remember_written(&mut self, operation: u32, taints: &Taints) {
        let Some(target) = self.operations[operation as usize].target.clone() else { return };
        if is_specific(&target) && self.written.len() < OPERATIONS {
            self.written.entry(target).or_default().add(taints);
        }
    }

    /// Where the content of a file comes from that this package writes.
    pub(super) fn content_of(&self, path: &str) -> Option<&Taints> {
        self.written.get(&excerpt(path))
    }

    /// Sources that are not this operation.
    pub(super) fn without(&self, taints: &Taints, operation: Option<u32>) -> Taints {
        taints.without(|taint| {
            let origin = &self.origins[taint.origin as usize];
            origin.operation.is_none() || origin.operation != operation
        })
    }

    /// Conditions that a value stands for.
    pub(super) fn gates_of(&mut self, value: &Value, text: &str, place: Place, compares: bool) -> Vec<u32> {
        let mut found = Vec::new();
        for taint in value.taints.iter() {
            let origin = self.origins[taint.origin as usize].clone();
            let Some(kind) = origin.gate else { continue };
            if kind == GateKind::Time && !compares {
                continue;
            }
            if let Some(number) = self.gate(kind, text, place)
                && !found.contains(&number)
            {
                found.push(number);
            }
        }
        found
    }

    pub(super) fn gate(&mut self, kind: GateKind, text: &str, place: Place) -> Option<u32> {
        let text = excerpt(text);
        let key = (place.file, place.line, kind, text.clone());
        if let Some(number) = self.by_gate.get(&key) {
            return Some(*number);
        }
        if self.gates.len() >= GATES {
            self.truncated.insert("gates");
            return None;
        }
        let number = self.gates.len() as u32;
        self.gates.push(Gate { kind, text, file: place.file, line: place.line, function: place.function });
        self.by_gate.insert(key, number);
        Some(number)
    }
}

impl State {
    /// A new look at the same operation: of two lists of arguments the one that says more is kept.
    fn keep_best(&mut self) {
        let said = |list: &[String]| {
            list.iter().map(|it| if it == "{}" { 0 } else { 1 + it.replace("{}", "").len() }).sum::<usize>()
        };
        if said(&self.arguments) > said(&self.best) || self.best.is_empty() {
            self.best = std::mem::take(&mut self.arguments);
        }
        self.arguments.clear();
        self.target = None;
    }

    pub(super) fn finish(&mut self) -> Vec<String> {
        self.keep_best();
        std::mem::take(&mut self.best)
    }

    /// The program and its arguments, as far as they were said.
    pub(super) fn said(&self) -> &[String] {
        &self.arguments
    }
}

/// A path text that is not mostly unknown.
fn is_specific(path: &str) -> bool {
    path.replace("{}", "").chars().filter(|it| it.is_alphanumeric()).count() >= 3
        || path.starts_with('{') && path.len() > 2 && path.len() < LONGEST_VARIABLE
}

/// Operations to which values flow.
pub(super) fn is_sink(kind: OperationKind) -> bool {
    use OperationKind::*;
    matches!(
        kind,
        Connect
            | ResolveName
            | StartProcess
            | WriteFile
            | LoadLibrary
            | Interpret
            | ExecutableMemory
            | CallData
            | CargoDirective
    )
}

/// Topics that nobody has a reason to take apart.
fn telling() -> u32 {
    let topics = [
        Topic::Url,
        Topic::IpAddress,
        Topic::Host,
        Topic::SecretFile,
        Topic::WalletFile,
        Topic::SecretVariable,
        Topic::StartupPlace,
        Topic::Downloader,
        Topic::Shell,
        Topic::DropService,
        Topic::PublishCommand,
    ];
    topics.iter().fold(0, |bits, topic| bits | topics::bit(*topic))
}

/// What reading a variable of this name gives.
pub(super) fn source_of_variable(name: Option<&str>) -> FlowSource {
    match name {
        Some(name) if topics::words(name) & topics::bit(Topic::SecretVariable) != 0 => {
            FlowSource::SecretVariable
        }
        _ => FlowSource::Variable,
    }
}

/// What asking for a variable of this name is a condition on.
pub(super) fn gate_of_variable(name: Option<&str>) -> GateKind {
    match name {
        Some(name) if topics::words(name) & topics::bit(Topic::BuildServiceVariable) != 0 => {
            GateKind::BuildService
        }
        Some("PROFILE" | "DEBUG" | "OPT_LEVEL") => GateKind::Profile,
        Some("TARGET" | "HOST") => GateKind::Target,
        Some(name) if name.starts_with("CARGO_CFG_") => GateKind::Target,
        Some(name) if name.starts_with("CARGO_FEATURE_") => GateKind::OptionalFeature,
        Some(
            "USER" | "USERNAME" | "LOGNAME" | "HOSTNAME" | "COMPUTERNAME" | "USERDOMAIN" | "LANG" | "LC_ALL"
            | "LANGUAGE",
        ) => GateKind::Host,
        _ => GateKind::Variable,
    }
}

/// Whatever is found below the directory that is compiled, or in which the program was started.
fn is_tree_of_user(path: &str) -> bool {
    path.ends_with("/{}")
        && ["{CARGO_MANIFEST_DIR}", "{PWD}", "./", "src/"].iter().any(|start| path.starts_with(start))
}

/// A step of decoding for what a function turns its argument into.
pub(super) fn decoded(value: &Value, step: Decoding) -> Value {
    Value { taints: value.taints.transformed(step), ..value.shadow() }
}

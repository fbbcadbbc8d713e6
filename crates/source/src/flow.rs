//! What code touches, with which constants, under which conditions, and what flows where.
//!
//! While a file's tree is at hand, [`lower`] keeps what matters of its functions; when all files are read, an
//! interpreter goes through them ([`interpret`]) and writes down what it meets ([`machine`]). Files that touch nothing are not
//! kept: [`is_telling`] decides by imports and calls that were found anyway.

mod decoders;
mod folding;
mod gates;
mod interpret;
mod ir;
mod lower;
mod machine;
mod phases;
mod program;
mod relevance;
mod scope;
mod slice;
mod table;
pub(crate) mod topics;
mod value;

use std::collections::{BTreeSet, HashMap, HashSet};

use cratekeeper_model::facts::{
    Call, CallKind, ConstantText, ExternalCall, FlowFacts, ManifestFacts, Operation, OperationKind, Phase,
    Quality, SourceFacts, SourceFileStatus,
};
use cratekeeper_syntax::{Edition, Lines, Tree};

pub(crate) use ir::Ir;

use crate::rust::FileExtract;
use interpret::{Machine, methods_of_no_one};
use machine::Place;
use phases::Phases;
use program::{Modules, Program, last_name};
use scope::Scopes;

/// Packages of which every file is kept: helpers of what matters may stand anywhere.
pub(crate) const SMALL_PACKAGE: u64 = 256 << 10;
/// Calls of other crates that are listed.
const EXTERNAL_CALLS: usize = 2_000;

/// What is kept of a file for the analysis of its package; `None` if it touches nothing.
pub(crate) fn keep(
    text: &str,
    tree: &Tree<'_>,
    extract: &FileExtract,
    edition: Edition,
    lines: &Lines,
    behaviour: Behaviour,
) -> Option<Box<Ir>> {
    let is_wanted = match behaviour {
        Behaviour::Ignored => false,
        Behaviour::OfTellingFiles => is_telling(text, extract),
        Behaviour::OfEveryFile => true,
    };
    is_wanted.then(|| Box::new(lower::file(tree, &extract.functions, edition, lines)))
}

/// Which files' functions are kept, to find out what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// None.
    Ignored,
    /// Those that import or call something that touches the machine.
    OfTellingFiles,
    /// All: of so little source that it costs nothing.
    OfEveryFile,
}

/// Whether a file imports or calls something that touches the machine.
fn is_telling(text: &str, extract: &FileExtract) -> bool {
    !extract.assembly.is_empty()
        || !extract.includes.is_empty()
        || extract.uses.iter().any(|it| is_telling_path(&it.path))
        || extract.linkage.iter().any(|it| it.attribute == "link_section")
        || extract.calls.iter().any(|it| match it.kind {
            CallKind::Method => {
                it.callee.starts_with("danger") || it.callee == "set_mode" || it.callee == "pre_exec"
            }
            _ => it.callee.contains("::") && is_telling_path(&it.callee),
        })
        || text.contains("\"cargo:")
        || text.contains("ctor")
}

fn is_telling_path(path: &str) -> bool {
    let mut names = path.trim_start_matches("::").split("::");
    match names.next().unwrap_or_default() {
        "std" | "core" => path.split("::").any(|name| {
            matches!(
                name,
                "fs" | "net"
                    | "process"
                    | "env"
                    | "os"
                    | "arch"
                    | "transmute"
                    | "SystemTime"
                    | "thread"
                    | "*"
                    | "std"
            ) && name != "std"
        }),
        "fs" | "net" | "process" | "env" | "Command" | "File" | "OpenOptions" | "TcpStream" | "UdpSocket" => {
            true
        }
        "alloc" | "proc_macro" | "test" => false,
        first => table::knows_crate(first),
    }
}

/// What the analysis gets.
pub(crate) struct Input<'a> {
    pub(crate) manifest: &'a ManifestFacts,
    pub(crate) source: &'a SourceFacts,
    pub(crate) calls: &'a [Call],
    /// What was kept of each file.
    pub(crate) irs: Vec<Option<Box<Ir>>>,
    /// Module path of each file.
    pub(crate) modules: Vec<String>,
    /// Literals that mention something.
    pub(crate) texts: Vec<ConstantText>,
}

/// Everything that can be said of a package.
pub(crate) fn analyze(input: &Input<'_>) -> FlowFacts {
    let source = input.source;
    if touches_nothing(input) {
        return FlowFacts { texts: with_literals(Vec::new(), &input.texts), ..FlowFacts::default() };
    }
    let mut scopes = Scopes::new(input.manifest);
    for import in &source.uses {
        scopes.add(&input.modules[import.file as usize], import);
    }
    let irs = input.irs.iter().map(Option::as_deref).collect();
    let program =
        Program::new(input.manifest, &source.functions, &source.modules, irs, input.modules.clone(), scopes);
    let mut machine = Machine::new(&program);
    machine.run();
    let early = early_operations(&program, &mut machine);
    token_operations(&program, input, &mut machine);
    let mut phases = Phases::new(&program, &machine.edges, input.calls, &early, &machine.read);
    let places: Vec<u32> = machine
        .found
        .operations
        .iter()
        .filter_map(|it| it.place.function)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    phases.look_for_names(&program, input.calls, &places);
    let mut facts = finish(&program, input, &mut machine, &phases);
    external_calls(&program, input, &phases, &mut facts);
    facts
}

/// Whether nothing can be found: no file was kept, nothing is called in macro definitions or in files that were not parsed, and there is
/// no crate to call. Packages of declarations alone are large, and their functions need not be sorted by path.
fn touches_nothing(input: &Input<'_>) -> bool {
    let is_empty =
        |ir: &Ir| ir.bodies.is_empty() && ir.constants.is_empty() && ir.early.is_empty() && !ir.truncated;
    let parsed = |file: u32| {
        input.source.rust_files.get(file as usize).is_some_and(|it| it.status == SourceFileStatus::Parsed)
    };
    input.manifest.dependencies.is_empty()
        && input.irs.iter().flatten().all(|ir| is_empty(ir))
        && input.calls.iter().all(|call| call.in_macro.is_none() && parsed(call.file))
}

/// Registrations of code that runs before `main`, and the functions that then run.
fn early_operations(program: &Program<'_>, machine: &mut Machine<'_>) -> Vec<u32> {
    let mut entries = Vec::new();
    for (file, ir) in program.irs.iter().enumerate() {
        let file = file as u32;
        for (number, early) in ir.iter().flat_map(|ir| ir.early.iter().enumerate()) {
            let function = program.in_package(file, early.function);
            let place = Place { file, line: early.line, function };
            // Numbers of nodes that no node has.
            let node = u32::MAX - number as u32;
            let _ = machine.found.begin(node, OperationKind::BeforeMain, &early.mechanism, place, &[]);
            match early.root {
                None => entries.extend(function),
                Some(root) => entries.extend(machine.named_by(file, function, root)),
            }
        }
    }
    entries
}

/// Operations that only tokens show: of files too deep for the parser, and of macro definitions.
fn token_operations(program: &Program<'_>, input: &Input<'_>, machine: &mut Machine<'_>) {
    for (number, call) in input.calls.iter().enumerate() {
        let in_definition = call.in_macro.as_deref().is_some_and(|it| it.starts_with("macro_rules! "));
        let by_tokens = input
            .source
            .rust_files
            .get(call.file as usize)
            .is_some_and(|it| it.status != SourceFileStatus::Parsed)
            && program.irs[call.file as usize].is_none();
        if !(in_definition || by_tokens) || call.kind == CallKind::Expression {
            continue;
        }
        let callee = match call.kind {
            CallKind::Method => format!(".{}", call.callee),
            CallKind::Macro => format!("{}!", last_name(&call.callee)),
            _ => {
                let module = call.function.map_or(program.file_modules[call.file as usize].as_str(), |it| {
                    program.module_of(&program.functions[it as usize].path)
                });
                program.resolve(module, call.callee.trim_start_matches("$crate::"))
            }
        };
        let Some(table::Effect::Operation(kind)) = table::find(&callee).map(|it| it.effect) else { continue };
        let place = Place { file: call.file, line: call.line, function: call.function };
        let node = u32::MAX / 2 + (number as u32 & 0x3fff_ffff);
        if let Some(operation) = machine.found.begin(node, kind, &callee, place, &[])
            && call.in_macro.is_some()
        {
            machine.found.quality(operation, Quality::InMacro);
        }
    }
}

/// Puts what was found in order, with phases, chains and conditions.
fn finish(program: &Program<'_>, input: &Input<'_>, machine: &mut Machine<'_>, phases: &Phases) -> FlowFacts {
    let mut operations = Vec::with_capacity(machine.found.operations.len());
    let mut order: Vec<usize> = (0..machine.found.operations.len()).collect();
    order.sort_by_key(|at| {
        let place = machine.found.operations[*at].place;
        (place.file, place.line, *at)
    });
    let mut renumbered = vec![0_u32; order.len()];
    for (new, old) in order.iter().enumerate() {
        renumbered[*old] = new as u32;
    }
    for old in order {
        operations.push(operation(program, input, machine, phases, old));
    }
    let found = &mut machine.found;
    let mut flows = std::mem::take(&mut found.flows);
    for flow in &mut flows {
        flow.into = renumbered[flow.into as usize];
        flow.from = flow.from.map(|it| renumbered[it as usize]);
    }
    let mut texts = std::mem::take(&mut found.texts);
    for text in &mut texts {
        text.operation = text.operation.map(|it| renumbered[it as usize]);
    }
    let texts = with_literals(texts, &input.texts);
    let mut facts = FlowFacts {
        operations,
        texts,
        gates: std::mem::take(&mut found.gates),
        flows,
        ..FlowFacts::default()
    };
    keep_used_gates(&mut facts);
    facts.problems =
        found.truncated.iter().map(|what| format!("too many {what}; the rest was not followed")).collect();
    if program.irs.iter().flatten().any(|ir| ir.truncated) {
        facts.problems.push("a file has too many expressions; the rest was not followed".to_owned());
    }
    facts
}

fn operation(
    program: &Program<'_>,
    input: &Input<'_>,
    machine: &mut Machine<'_>,
    phases: &Phases,
    number: usize,
) -> Operation {
    let arguments = machine.found.operations[number].finish();
    let state = &machine.found.operations[number];
    let (place, kind, path) = (state.place, state.kind, state.path.clone());
    let mut qualities = state.qualities.clone();
    let own_gates = state.gates.clone();
    let mut when = match place.function {
        Some(function) => phases.of(program, function),
        None => phases::of_file(program, &input.source.rust_files[place.file as usize]),
    };
    if kind == OperationKind::BeforeMain {
        when = vec![Phase::BeforeMain];
    }
    // The compiler reads these when it compiles.
    if matches!(path.as_str(), "env!" | "option_env!") {
        when = vec![Phase::BuildTime];
    }
    let chain = place.function.map(|function| phases.chain(when[0], function)).unwrap_or_default();
    let mut gates = Vec::new();
    let way: Vec<u32> = if chain.is_empty() { place.function.into_iter().collect() } else { chain.clone() };
    for (at, function) in way.iter().enumerate() {
        let facts = &program.functions[*function as usize];
        if let Some(cfg) = &facts.cfg {
            let of_item = Place { file: facts.file, line: facts.line, function: None };
            gates.extend(machine.item_gates(of_item, cfg));
        }
        if let Some((of_call, on_thread)) =
            way.get(at + 1).and_then(|next| phases.gates.get(&(*function, *next)))
        {
            gates.extend(of_call);
            if *on_thread {
                qualities.insert(Quality::OnThread);
            }
        }
    }
    gates.extend(own_gates);
    let mut seen = HashSet::new();
    gates.retain(|it| {
        let gate = &machine.found.gates[*it as usize];
        seen.insert((gate.kind, gate.text.clone()))
    });
    Operation {
        kind,
        path,
        file: place.file,
        line: place.line,
        function: place.function,
        arguments,
        qualities: qualities.into_iter().collect(),
        gates,
        phases: when,
        chain,
    }
}

/// Texts that operations get and the literals of the source, each once.
fn with_literals(mut texts: Vec<ConstantText>, literals: &[ConstantText]) -> Vec<ConstantText> {
    let mut of_operation: HashMap<(u32, Option<u32>, String), usize> = HashMap::new();
    for (at, text) in texts.iter().enumerate().filter(|(_, text)| text.operation.is_some()) {
        of_operation.entry((text.file, text.function, text.value.clone())).or_insert(at);
    }
    texts.retain({
        let mut at = 0;
        let of_operation = of_operation.clone();
        let keys: Vec<bool> = texts
            .iter()
            .map(|text| {
                text.operation.is_some()
                    || !of_operation.contains_key(&(text.file, text.function, text.value.clone()))
            })
            .collect();
        move |_| {
            at += 1;
            keys[at - 1]
        }
    });
    of_operation.clear();
    for (at, text) in texts.iter().enumerate() {
        if text.operation.is_some() && text.decodings.is_empty() {
            of_operation.entry((text.file, text.function, text.value.clone())).or_insert(at);
        }
    }
    for literal in literals {
        match of_operation.get(&(literal.file, literal.function, literal.value.clone())) {
            // The line of the literal is the better one.
            Some(at) => texts[*at].line = literal.line,
            None if texts.len() < machine::TEXTS => texts.push(literal.clone()),
            None => {}
        }
    }
    texts.sort_by(|left, right| {
        (left.file, left.line, &left.value, left.operation).cmp(&(
            right.file,
            right.line,
            &right.value,
            right.operation,
        ))
    });
    texts
}

/// Leaves out conditions that nothing is under.
fn keep_used_gates(facts: &mut FlowFacts) {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut kept = Vec::new();
    for operation in &mut facts.operations {
        for gate in &mut operation.gates {
            let next = kept.len() as u32;
            let number = *numbers.entry(*gate).or_insert(next);
            if number == next {
                kept.push(facts.gates[*gate as usize].clone());
            }
            *gate = number;
        }
    }
    facts.gates = kept;
}

/// Calls into dependencies, each path once for a function.
fn external_calls(program: &Program<'_>, input: &Input<'_>, phases: &Phases, facts: &mut FlowFacts) {
    let mut seen: HashSet<(String, Option<u32>)> = HashSet::new();
    let mut modules = Modules::new(program);
    // By number of the module and path.
    let mut outside: Vec<HashMap<&str, Option<String>>> = Vec::new();
    if input.manifest.dependencies.is_empty() {
        return;
    }
    for call in input.calls.iter().filter(|call| call.kind == CallKind::Path) {
        let (number, module) = modules.of(call.file, call.function);
        outside.resize_with(outside.len().max(number + 1), HashMap::new);
        let path = outside[number].entry(&call.callee).or_insert_with(|| {
            let path = program.resolve(module, &call.callee);
            let first = scope::first(&path);
            (path.contains("::") && program.scopes.is_dependency(first)).then_some(path)
        });
        let Some(path) = path else { continue };
        if !seen.insert((path.clone(), call.function)) {
            continue;
        }
        if facts.external_calls.len() >= EXTERNAL_CALLS {
            facts
                .problems
                .push(format!("more than {EXTERNAL_CALLS} calls of other crates; the rest was left out"));
            return;
        }
        let phases = match call.function {
            Some(function) => phases.of(program, function),
            None => phases::of_file(program, &input.source.rust_files[call.file as usize]),
        };
        facts.external_calls.push(ExternalCall {
            path: path.clone(),
            file: call.file,
            line: call.line,
            function: call.function,
            phases,
        });
    }
}

/// A literal of a file, as a text, if it mentions anything.
pub(crate) fn literal_text(value: &str, bits: u32, line: u32, function: Option<u32>) -> ConstantText {
    ConstantText {
        value: crate::text::excerpt(value),
        decodings: Vec::new(),
        topics: topics::list(bits),
        file: 0,
        line,
        function,
        operation: None,
    }
}

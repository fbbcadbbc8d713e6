//! What is run came inside of the package: embedded, decoded, or read from a file beside the source.

use cratekeeper_model::StepKind;
use cratekeeper_model::facts::{FileKind, Flow, FlowSource, Include, IncludeKind, OperationKind};

use super::{Chain, ChainKind, Link, OPERATIONS, context, points, stronger};
use crate::behaviour::describe::when;
use crate::behaviour::{Act, Behaviour, Program, constant_parts};

/// The strongest chain from the package's own files to something that runs.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let mut best = None;
    for run in super::execution::runs(behaviour).take(OPERATIONS) {
        if let Some(chain) = by_flow(behaviour, run).or_else(|| by_file(behaviour, run)) {
            best = stronger(best, chain);
        }
    }
    for link in links(behaviour).take(OPERATIONS) {
        if let Some(chain) = linked(behaviour, link) {
            best = stronger(best, chain);
        }
    }
    best
}

/// Directives that link something into every program that uses the package.
fn links<'a>(behaviour: &Behaviour<'a>) -> impl Iterator<Item = Act<'a>> {
    behaviour.of_kind(&[OperationKind::CargoDirective]).filter(|act| {
        act.operation
            .arguments
            .iter()
            .any(|it| it.contains("rustc-link-lib") || it.contains("rustc-link-arg"))
    })
}

/// Extensions of what linkers take.
const OBJECTS: [&str; 8] = [".o", ".a", ".so", ".obj", ".lib", ".dll", ".dylib", ".rlib"];

/// A file of the package that does not look like an object becomes one, and is linked.
fn linked(behaviour: &Behaviour<'_>, link: Act<'_>) -> Option<Chain> {
    let is_object = |path: &String| OBJECTS.iter().any(|it| path.ends_with(it));
    let mut writes = super::execution::writes(behaviour)
        .filter(|write| behaviour.at_build(*write) && write.operation.arguments.iter().any(is_object));
    let (write, flow) = writes.find_map(|write| {
        let mut flows = behaviour.into(write).iter();
        let from = flows.find(|flow| matches!(flow.source, FlowSource::File | FlowSource::EmbeddedFile))?;
        Some((write, *from))
    })?;
    let read = flow.from.and_then(|number| behaviour.act(number));
    let disguised = read.is_some_and(|read| !read.operation.arguments.iter().any(is_object));
    if !disguised && flow.transformations.is_empty() {
        return None;
    }
    let mut chain = Chain::new(ChainKind::Carried);
    for point in [points::CARRIED, points::LINKED, points::BY_FLOW, points::WRITTEN] {
        chain.add(point);
    }
    chain.techniques.insert(3);
    if disguised {
        chain.add(points::DISGUISED);
        chain.techniques.insert(10);
    }
    if !flow.transformations.is_empty() {
        chain.add(points::DECODED_FIRST);
    }
    if let Some(read) = read {
        chain.act(behaviour, StepKind::Fetch, read, "takes from the package by");
    }
    chain.act(behaviour, StepKind::Write, write, "writes it as an object by");
    chain.act(behaviour, StepKind::Run, link, "links it by");
    context::gates(&mut chain, behaviour, link);
    chain.message = "a file of the package becomes an object and is linked into every program".to_owned();
    Some(chain)
}

fn by_flow(behaviour: &Behaviour<'_>, run: Act<'_>) -> Option<Chain> {
    let mut flows = behaviour.into(run).iter();
    let flow = flows.find(|flow| is_carried(flow) && !embeds_text(behaviour, flow, run))?;
    let mut chain = begin(Link::Flow);
    if !flow.transformations.is_empty() {
        chain.add(points::DECODED_FIRST);
    }
    if let Some(step) = flow.steps.first() {
        let evidence = behaviour.step_evidence(step);
        chain.step(StepKind::Fetch, None, "takes what the package embeds".to_owned(), Some(evidence));
    }
    Some(finish(chain, behaviour, run, run))
}

/// Whether the value came in the package: embedded, or as a constant that is decoded.
fn is_carried(flow: &Flow) -> bool {
    matches!(flow.source, FlowSource::EmbeddedFile | FlowSource::HiddenConstant)
}

/// Whether what is run is a tool, or a program that the caller found, and what it is given is plain text: source for a compiler
/// that is asked what it can do.
fn embeds_text(behaviour: &Behaviour<'_>, flow: &Flow, run: Act<'_>) -> bool {
    let named = run.operation.arguments.first().map(String::as_str).unwrap_or_default();
    let found = behaviour.program(run) == Program::Computed && constant_parts(named).is_empty();
    if flow.source == FlowSource::HiddenConstant {
        return run.operation.kind == OperationKind::StartProcess;
    }
    if !(found || behaviour.program(run) == Program::BuildTool) {
        return false;
    }
    let Some(step) = flow.steps.first() else { return false };
    let includes = &behaviour.facts.source.includes;
    let Some(include) = includes.iter().find(|it| (it.file, it.line) == (step.file, step.line)) else {
        return false;
    };
    let name = include.argument.trim_start_matches("../");
    let mut entries = behaviour.facts.files.entries.iter().filter(|entry| entry.path.ends_with(name));
    let is_text = |kind| matches!(kind, FileKind::Text | FileKind::Empty);
    entries.next().is_some_and(|entry| is_text(entry.kind))
}

/// Without a flow: an embedded file, or one that is machine code and is read, is written, and what is written is run.
fn by_file(behaviour: &Behaviour<'_>, run: Act<'_>) -> Option<Chain> {
    let write = super::execution::writes(behaviour).find(|write| {
        super::execution::same_path(*write, run)
            || (behaviour.link(*write, run) == Some(Link::Function)
                && starts_what_is_computed(behaviour, run)
                && behaviour.into(*write).iter().any(|flow| is_carried(flow)))
    });
    let write = write?;
    let embedded = behaviour.into(write).iter().any(|flow| {
        flow.source == FlowSource::HiddenConstant
            || (flow.source == FlowSource::EmbeddedFile && !embeds_text(behaviour, flow, run))
    });
    let reads_code = behaviour
        .of_kind(&[OperationKind::ReadFile])
        .take(OPERATIONS)
        .find(|read| is_machine_code(behaviour, *read) && behaviour.link(*read, write).is_some());
    let include = embeds_code(behaviour, write);
    if !embedded && reads_code.is_none() && include.is_none() {
        return None;
    }
    let mut chain = begin(Link::Flow);
    if let Some(read) = reads_code {
        chain.act(behaviour, StepKind::Fetch, read, "takes from the package by");
    } else {
        chain.act(behaviour, StepKind::Fetch, write, "takes what the package embeds:");
    }
    Some(finish(chain, behaviour, write, run))
}

/// Whether what is started is no program by a constant name: an editor that is given a file is not.
fn starts_what_is_computed(behaviour: &Behaviour<'_>, run: Act<'_>) -> bool {
    run.operation.kind != OperationKind::StartProcess || behaviour.program(run) == Program::Computed
}

fn begin(link: Link) -> Chain {
    let mut chain = Chain::new(ChainKind::Carried);
    chain.add(points::CARRIED);
    chain.add(points::RAN);
    chain.tie(link);
    chain.techniques.insert(9);
    chain
}

fn finish(mut chain: Chain, behaviour: &Behaviour<'_>, from: Act<'_>, run: Act<'_>) -> Chain {
    super::execution::writing(&mut chain, behaviour, from, run);
    if run.does(&[OperationKind::CallData, OperationKind::ExecutableMemory]) {
        chain.add(points::AS_MEMORY);
        chain.techniques.insert(24);
    }
    if run.does(&[OperationKind::Interpret]) {
        chain.techniques.insert(61);
    }
    if let Some(decode) = context::with(behaviour, run, &[OperationKind::Decode], Link::Chain) {
        chain.add(points::DECODED_FIRST);
        chain.act(behaviour, StepKind::Hide, decode, "decodes it by");
    }
    chain.act(behaviour, StepKind::Run, run, "runs it by");
    context::surround(&mut chain, behaviour, run);
    chain.message =
        format!("something that travels inside of the package is run {}", when(behaviour.phase(run)));
    chain
}

/// Whether the operation reads a file of the package that is machine code.
fn is_machine_code(behaviour: &Behaviour<'_>, read: Act<'_>) -> bool {
    let named = |path: &str| read.operation.arguments.iter().any(|argument| argument.ends_with(path));
    behaviour.facts.files.entries.iter().any(|entry| is_code(entry.kind) && named(&entry.path))
}

/// An embedded file of machine code in the file of the operation.
fn embeds_code<'a>(behaviour: &Behaviour<'a>, write: Act<'_>) -> Option<&'a Include> {
    let entries = &behaviour.facts.files.entries;
    behaviour.facts.source.includes.iter().find(|include| {
        include.kind == IncludeKind::IncludeBytes
            && include.file == write.operation.file
            && entries.iter().any(|entry| {
                is_code(entry.kind) && entry.path.ends_with(include.argument.trim_start_matches("../"))
            })
    })
}

fn is_code(kind: FileKind) -> bool {
    matches!(kind, FileKind::Elf | FileKind::Pe | FileKind::MachO | FileKind::Bytecode | FileKind::Wasm)
}

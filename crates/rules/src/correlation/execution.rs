//! Fetch, write, run.

use cratekeeper_model::StepKind;
use cratekeeper_model::facts::{FlowSource, OperationKind, Quality, Topic};

use super::{Chain, ChainKind, Link, OPERATIONS, context, points, stronger};
use crate::behaviour::describe::when;
use crate::behaviour::program::fetches_and_runs;
use crate::behaviour::{Act, Behaviour, Origin, Program, command, constant_parts, is_about, is_concealed};

/// Operations that run what they are given.
pub(super) const RUNS: &[OperationKind] = &[
    OperationKind::StartProcess,
    OperationKind::LoadLibrary,
    OperationKind::Interpret,
    OperationKind::CallData,
    OperationKind::ExecutableMemory,
];

/// The strongest chain from a network to something that runs.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let fetches: Vec<Act<'_>> = behaviour
        .acts()
        .filter(|act| act.operation.kind == OperationKind::Connect || behaviour.downloads(*act))
        .take(OPERATIONS)
        .collect();
    let mut best = None;
    for run in runs(behaviour).take(OPERATIONS) {
        if let Some(chain) = in_one_command(behaviour, run) {
            best = stronger(best, chain);
        }
        for fetch in &fetches {
            if let Some(chain) = chain(behaviour, *fetch, run) {
                best = stronger(best, chain);
            }
        }
    }
    best
}

/// Operations that may run something that was not on the machine before.
pub(super) fn runs<'a>(behaviour: &Behaviour<'a>) -> impl Iterator<Item = Act<'a>> {
    behaviour.of_kind(RUNS).filter(|act| match act.operation.kind {
        OperationKind::StartProcess => match behaviour.program(*act) {
            Program::BuildTool => is_given_what_came(behaviour, *act),
            Program::Computed | Program::Shell | Program::Downloader => true,
            Program::Other => {
                let named = act.operation.arguments.first().map(String::as_str).unwrap_or_default();
                is_given_what_came(behaviour, *act)
                    || (act.is(Quality::Silent) && act.is(Quality::Detached))
                    || named.contains(['/', '\\'])
                    || act.operation.arguments.iter().skip(1).any(|it| constant_parts(it) != *it)
            }
        },
        OperationKind::LoadLibrary => !looks_up(*act),
        // Turning pointers into functions is daily work of bindings; here it has to be bytes that came from somewhere.
        OperationKind::CallData | OperationKind::ExecutableMemory => {
            behaviour.receives(
                *act,
                &[
                    FlowSource::Network,
                    FlowSource::EmbeddedFile,
                    FlowSource::HiddenConstant,
                    FlowSource::File,
                ],
            ) || context::with(behaviour, *act, other_half(act.operation.kind), Link::Chain).is_some()
        }
        _ => true,
    })
}

/// What else it takes to run bytes: memory that may be run, and a call into it.
fn other_half(kind: OperationKind) -> &'static [OperationKind] {
    match kind {
        OperationKind::CallData => &[OperationKind::ExecutableMemory],
        _ => &[OperationKind::CallData],
    }
}

/// Whether it looks a symbol up in what is loaded already.
fn looks_up(act: Act<'_>) -> bool {
    let name = act.operation.path.rsplit("::").next().unwrap_or_default();
    matches!(name, "get" | "dlsym" | "dlvsym" | "GetProcAddress" | "symbol")
}

fn is_given_what_came(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    behaviour.receives(act, &[FlowSource::Network])
}

/// A shell's command that fetches and runs.
fn in_one_command(behaviour: &Behaviour<'_>, run: Act<'_>) -> Option<Chain> {
    if run.operation.kind != OperationKind::StartProcess {
        return None;
    }
    let texts = behaviour.texts(run).iter().map(|text| text.value.as_str());
    let arguments = run.operation.arguments.iter().map(String::as_str);
    let near = behaviour.near_texts(run).map(|text| text.value.as_str());
    let by_shell =
        behaviour.program(run) == Program::Shell && texts.chain(near).chain(arguments).any(fetches_and_runs);
    // Whatever is started, it may hand the text on: `env sh -c …`, `sudo`, or a script of the package.
    let deeds = command::read(&command_text(behaviour, run));
    if !by_shell && !deeds.runs_fetched {
        return deeds.runs_decoded.then(|| decoded_command(behaviour, run));
    }
    let mut chain = Chain::new(ChainKind::Execution);
    chain.add(points::FETCHED);
    chain.add(points::RAN);
    chain.add(points::IN_ONE_COMMAND);
    chain.techniques.extend([48, 50]);
    finish(&mut chain, behaviour, run, run);
    Some(chain)
}

fn decoded_command(behaviour: &Behaviour<'_>, run: Act<'_>) -> Chain {
    let mut chain = Chain::new(ChainKind::Execution);
    chain.add(points::DECODED_FIRST);
    chain.add(points::RAN);
    chain.add(points::IN_ONE_TEXT);
    chain.techniques.insert(13);
    finish(&mut chain, behaviour, run, run);
    chain.message = format!("a command decodes code and runs it {}", when(behaviour.phase(run)));
    chain
}

/// What a program is told, with the scripts of the package that it names.
pub(super) fn command_text(behaviour: &Behaviour<'_>, run: Act<'_>) -> String {
    if run.operation.kind != OperationKind::StartProcess {
        return String::new();
    }
    let mut text = run.operation.arguments.join(" ");
    for value in behaviour.texts(run).iter().map(|text| text.value.as_str()).filter(|it| it.contains(' ')) {
        text.push('\n');
        text.push_str(value);
    }
    super::obeyed::with_scripts(behaviour, &text).0
}

/// What ties a fetch to a run.
fn chain(behaviour: &Behaviour<'_>, fetch: Act<'_>, run: Act<'_>) -> Option<Chain> {
    if fetch.number == run.number {
        return None;
    }
    let written = writes(behaviour).find(|write| same_path(*write, run) && is_tied(behaviour, *write, fetch));
    let comes = behaviour
        .into(run)
        .iter()
        .any(|flow| flow.source == FlowSource::Network && flow.from.is_none_or(|from| from == fetch.number));
    let link = match behaviour.link(fetch, run) {
        _ if comes || written.is_some() => Link::Flow,
        Some(link) => link,
        None => return None,
    };
    // Two things that merely happen in one build script, or in one file of a library, are two things; so are a request to
    // where the caller says and a program, unless one gets to the other.
    let asked = !behaviour.at_build(run) && behaviour.origin(fetch) == Origin::Caller;
    if link < if asked { Link::Flow } else { Link::Chain } {
        return None;
    }
    let mut chain = Chain::new(ChainKind::Execution);
    chain.add(points::FETCHED);
    chain.add(points::RAN);
    chain.tie(link);
    chain.techniques.insert(48);
    let verb = if behaviour.downloads(fetch) { "downloads by a program:" } else { "downloads by" };
    if behaviour.downloads(fetch) {
        chain.techniques.insert(50);
    }
    chain.act(behaviour, StepKind::Fetch, fetch, verb);
    writing(&mut chain, behaviour, fetch, run);
    if fetch.is(Quality::Verified) || run.is(Quality::Verified) || verified(behaviour, fetch, run) {
        chain.add(points::VERIFIED);
    }
    finish(&mut chain, behaviour, fetch, run);
    Some(chain)
}

fn is_tied(behaviour: &Behaviour<'_>, write: Act<'_>, fetch: Act<'_>) -> bool {
    behaviour.receives(write, &[FlowSource::Network])
        || behaviour.link(write, fetch).is_some_and(|link| link >= Link::Chain)
        || (behaviour.at_build(write) && behaviour.at_build(fetch))
}

pub(super) fn writes<'a>(behaviour: &Behaviour<'a>) -> impl Iterator<Item = Act<'a>> {
    behaviour.of_kind(&[OperationKind::WriteFile, OperationKind::SetPermissions]).take(OPERATIONS)
}

/// Whether two operations share a path: the same constant parts, of which there are enough.
pub(super) fn same_path(a: Act<'_>, b: Act<'_>) -> bool {
    let is_telling =
        |path: &str| constant_parts(path).chars().filter(char::is_ascii_alphanumeric).count() >= 3;
    a.operation.arguments.iter().any(|path| is_telling(path) && b.operation.arguments.contains(path))
}

fn verified(behaviour: &Behaviour<'_>, fetch: Act<'_>, run: Act<'_>) -> bool {
    writes(behaviour).any(|write| {
        write.is(Quality::Verified)
            && (behaviour.link(write, fetch).is_some_and(|it| it >= Link::Chain)
                || behaviour.link(write, run).is_some_and(|it| it >= Link::Chain))
    })
}

/// Adds how it is put down: written, made executable, in a hidden place, removed.
pub(super) fn writing(chain: &mut Chain, behaviour: &Behaviour<'_>, from: Act<'_>, run: Act<'_>) {
    let near = |act: Act<'_>| {
        same_path(act, run)
            || behaviour.link(act, from).is_some_and(|it| it >= Link::Chain)
            || behaviour.link(act, run).is_some_and(|it| it >= Link::Chain)
    };
    let chmod = behaviour
        .of_kind(&[OperationKind::StartProcess])
        .take(OPERATIONS)
        .find(|act| near(*act) && behaviour.command_words(*act).any(|word| word == "chmod"));
    for act in writes(behaviour).chain(chmod).filter(|act| near(*act)) {
        if act.operation.kind == OperationKind::SetPermissions
            || act.is(Quality::Executable)
            || chmod.is_some_and(|it| it.number == act.number)
        {
            chain.add(points::MADE_EXECUTABLE);
            chain.act(behaviour, StepKind::Write, act, "makes it executable by");
        } else {
            chain.add(points::WRITTEN);
            chain.act(behaviour, StepKind::Write, act, "writes it by");
        }
        let hides =
            behaviour.near_texts(act).any(|text| is_about(text, &[Topic::HiddenPlace, Topic::SharedPlace]))
                || act.operation.arguments.iter().any(|path| is_hidden_place(path));
        if hides && !act.is(Quality::InsidePackage) {
            chain.add(points::IN_HIDDEN_PLACE);
        }
    }
    let removed = behaviour.of_kind(&[OperationKind::DeleteFile]).take(OPERATIONS).find(|act| near(*act));
    if let Some(act) = removed {
        chain.add(points::REMOVED);
        chain.act(behaviour, StepKind::Hide, act, "removes it by");
    }
}

fn is_hidden_place(path: &str) -> bool {
    let path = path.replace('\\', "/");
    ["/tmp/", "/var/tmp/", "/dev/shm/", "/.local/", "{TMPDIR}", "{TEMP}", "{TMP}"]
        .iter()
        .any(|it| path.contains(it))
        || path.rsplit('/').next().is_some_and(|name| name.starts_with('.') && name.len() > 1)
}

/// Adds where it comes from, that it runs, and what surrounds it.
fn finish(chain: &mut Chain, behaviour: &Behaviour<'_>, fetch: Act<'_>, run: Act<'_>) {
    let origin = behaviour.origin(fetch);
    if let Some(point) = points::of_origin(origin) {
        chain.add(point);
    }
    if origin == Origin::Hidden || behaviour.texts(run).iter().any(|text| is_concealed(text)) {
        chain.add(points::ADDRESS_HIDDEN);
        for text in behaviour.near_texts(fetch).filter(|text| is_concealed(text)).take(2) {
            let evidence = behaviour.text_evidence(text);
            chain.techniques.extend(super::hidden::techniques(text));
            let text = format!("keeps hidden {}", evidence.excerpt.as_deref().unwrap_or_default());
            chain.step(StepKind::Hide, None, text, Some(evidence));
        }
    }
    if run.does(&[OperationKind::CallData, OperationKind::ExecutableMemory]) {
        chain.add(points::AS_MEMORY);
        chain.techniques.insert(24);
    }
    chain.act(behaviour, StepKind::Run, run, "runs it by");
    context::surround(chain, behaviour, run);
    chain.message = format!("code is downloaded and run {}", when(behaviour.phase(run)));
}

//! Code in a place where nobody looks for it, that reaches what it should not.

use cratekeeper_model::StepKind;
use cratekeeper_model::facts::{ModuleForm, OperationKind, Phase};

use super::{Chain, ChainKind, OPERATIONS, context, gated, points, stronger};
use crate::behaviour::describe::when;
use crate::behaviour::{Act, Behaviour};

/// The strongest chain from an unusual place to an effect.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let mut best = None;
    for sink in behaviour.acts().filter(|act| gated::is_effect(behaviour, *act)).take(OPERATIONS) {
        if let Some(chain) = chain(behaviour, sink) {
            best = stronger(best, chain);
        }
    }
    best
}

fn chain(behaviour: &Behaviour<'_>, sink: Act<'_>) -> Option<Chain> {
    let (technique, what) = unusual(behaviour, sink)?;
    let mut chain = Chain::new(ChainKind::Concealed);
    chain.techniques.insert(technique);
    chain.add(points::UNUSUAL_PLACE);
    if !sink.does(&[OperationKind::ReadFile, OperationKind::WriteFile]) {
        chain.add(points::SINK);
    }
    chain.step(StepKind::Hide, None, what.to_owned(), Some(behaviour.evidence(sink)));
    chain.act(behaviour, StepKind::Run, sink, "does");
    context::surround(&mut chain, behaviour, sink);
    chain.message = format!("{what}, and it reaches out {}", when(behaviour.phase(sink)));
    Some(chain)
}

/// Longest column that a reader sees without scrolling; see `docs/facts.md` for the line lengths of honest crates.
const SEEN: u32 = 500;

/// How the file of an operation is out of the way: its technique and a sentence fragment.
fn unusual(behaviour: &Behaviour<'_>, sink: Act<'_>) -> Option<(u8, &'static str)> {
    if behaviour.phase(sink) == Phase::Test {
        return None;
    }
    if replaces_symbol(behaviour, sink) {
        return Some((21, "code stands in for a function of the system"));
    }
    let path = behaviour.file(sink.operation.file);
    if !path.ends_with(".rs") {
        return Some((19, "code stands in a file that is not named as code"));
    }
    let is_hidden = path.split('/').any(|part| part.starts_with('.') && part.len() > 1);
    if is_hidden {
        return Some((19, "code stands in a hidden directory"));
    }
    let outside = ["tests/", "examples/", "benches/", "assets/", "docs/", "data/", "fixtures/", "testdata/"];
    let modules = behaviour.facts.source.modules.iter();
    let by_path = modules
        .filter(|module| module.file == sink.operation.file)
        .any(|module| matches!(module.form, ModuleForm::Path | ModuleForm::Include));
    if by_path && outside.iter().any(|it| path.starts_with(it)) {
        return Some((19, "code stands among data or tests and is pulled in by its path"));
    }
    let entries = &behaviour.facts.files.entries;
    let entry = entries.iter().find(|entry| entry.path == path)?;
    let far_out = entry.longest_line > SEEN && entry.longest_line_number == sink.operation.line;
    far_out.then_some((18, "code stands far to the right on a long line"))
}

/// Functions of the system through which secrets pass, or that every program calls; whoever defines one sees what goes through.
const INTERCEPTED: [&str; 20] = [
    "SSL_read",
    "SSL_write",
    "SSL_connect",
    "EVP_EncryptInit_ex",
    "EVP_DecryptInit_ex",
    "gnutls_record_send",
    "getrandom",
    "getentropy",
    "read",
    "write",
    "open",
    "open64",
    "connect",
    "send",
    "recv",
    "getaddrinfo",
    "execve",
    "pam_authenticate",
    "pthread_create",
    "__libc_start_main",
];

/// Whether the operation stands in, or is called by, a function that is exported under such a name.
fn replaces_symbol(behaviour: &Behaviour<'_>, sink: Act<'_>) -> bool {
    let functions = &behaviour.facts.source.functions;
    let way = sink.operation.chain.iter().copied().chain(sink.operation.function);
    way.filter_map(|number| functions.get(number as usize)).any(|function| {
        let name = function.path.rsplit("::").next().unwrap_or_default();
        behaviour.facts.source.linkage.iter().any(|it| {
            let exported = it.value.as_deref().unwrap_or_default();
            let is_this = match it.attribute.as_str() {
                "no_mangle" => exported == name,
                "export_name" => it.line.abs_diff(function.line) <= 3,
                _ => false,
            };
            it.file == function.file && is_this && INTERCEPTED.contains(&exported)
        })
    })
}

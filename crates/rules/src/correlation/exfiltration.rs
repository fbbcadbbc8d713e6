//! Collect, hide, send.

use std::collections::BTreeSet;

use cratekeeper_model::facts::{
    ConstantText, Flow, FlowSource, IncludeKind, Operation, OperationKind, Phase, Quality, Topic,
};
use cratekeeper_model::{ChainStep, StepKind};

use super::points::{self, Point};
use super::{Chain, ChainKind, Link, OPERATIONS, context, stronger};
use crate::behaviour::{
    Act, Behaviour, Origin, Program, command, is_about, is_concealed, is_host_variable, is_secret_variable,
    is_wallet_variable, owner_of_secret, variables,
};

/// The strongest chain from something that is not the crate's to somewhere that its user did not choose.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let collected = collected(behaviour);
    let mut best = None;
    for send in sends(behaviour).into_iter().take(OPERATIONS) {
        if let Some(chain) = chain(behaviour, send, &collected) {
            best = stronger(best, chain);
        }
    }
    best
}

/// Something that is read and is not the crate's own.
#[derive(Clone, Copy)]
pub(super) enum Collected<'a> {
    /// By an operation.
    Act(Act<'a>, What),
    /// By a path that stands somewhere.
    Text(&'a ConstantText, What),
}

/// What is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    SecretFile,
    Variable { wallet: bool },
    AllVariables,
    UserSource,
    Host,
}

const FILES: &[OperationKind] = &[
    OperationKind::ReadFile,
    OperationKind::ReadDirectory,
    OperationKind::WriteFile,
    OperationKind::SystemRegistry,
];

/// Everything that is collected anywhere in the package, gravest first.
pub(super) fn collected<'a>(behaviour: &Behaviour<'a>) -> Vec<Collected<'a>> {
    let mut secrets = Vec::new();
    let mut others = Vec::new();
    for text in &behaviour.flow().texts {
        if is_about(text, &[Topic::SecretFile, Topic::WalletFile]) {
            secrets.push(Collected::Text(text, What::SecretFile));
        } else if is_about(text, &[Topic::UserSource]) && looks_like_source(&text.value) {
            others.push(Collected::Text(text, What::UserSource));
        }
    }
    for act in behaviour.acts() {
        match act.operation.kind {
            OperationKind::ReadVariable => others.extend(variable(behaviour, act)),
            OperationKind::ListVariables => secrets.push(Collected::Act(act, What::AllVariables)),
            OperationKind::HostInformation if !is_own_argument(behaviour, act) => {
                others.push(Collected::Act(act, What::Host));
            }
            _ => {}
        }
    }
    secrets.truncate(OPERATIONS);
    others.truncate(OPERATIONS);
    secrets.extend(others);
    secrets
}

/// What somebody typed for this very program, unless it is seen to go somewhere: every program with options reads it.
fn is_own_argument(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    matches!(act.operation.path.as_str(), "std::env::args" | "std::env::args_os")
        && behaviour.flow().flows.iter().all(|flow| flow.from != Some(act.number))
}

/// Source files of other packages: `*.rs`, not the directory alone, which every macro that embeds files names.
fn looks_like_source(value: &str) -> bool {
    value == "rs" || value.ends_with(".rs") || value.contains("file!")
}

fn variable<'a>(behaviour: &Behaviour<'a>, act: Act<'a>) -> Option<Collected<'a>> {
    let name = act.operation.arguments.first()?;
    let texts = behaviour.texts(act);
    if is_secret_variable(name) || texts.iter().any(|text| is_about(text, &[Topic::SecretVariable])) {
        return Some(Collected::Act(act, What::Variable { wallet: is_wallet_variable(name) }));
    }
    is_host_variable(name).then_some(Collected::Act(act, What::Host))
}

/// Operations that send something away.
fn sends<'a>(behaviour: &Behaviour<'a>) -> Vec<Act<'a>> {
    let mut sends: Vec<Act<'a>> = behaviour
        .acts()
        .filter(|act| match act.operation.kind {
            OperationKind::Connect | OperationKind::ResolveName => true,
            OperationKind::StartProcess => talks(behaviour, *act),
            OperationKind::CargoDirective => hands_on(behaviour, *act),
            OperationKind::SystemCall => true,
            OperationKind::Assembly => act.operation.arguments.iter().any(|it| calls_the_kernel(it)),
            OperationKind::LoadLibrary => act.is(Quality::HiddenArgument),
            _ => false,
        })
        .collect();
    // Those that something flows into tell more than those that nothing is known about.
    sends.sort_by_key(|act| (std::cmp::Reverse(behaviour.into(*act).len()), behaviour.phase(*act)));
    sends
}

/// Whether a secret gets into the operation. All variables do not count: a child has them anyway, and build scripts look through
/// them for features.
fn hands_on(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    behaviour.receives(act, &[FlowSource::SecretFile, FlowSource::SecretVariable])
}

/// Whether assembly has an instruction that calls the kernel.
pub(crate) fn calls_the_kernel(assembly: &str) -> bool {
    let text = assembly.to_ascii_lowercase();
    let mut words = text.split(|it: char| !it.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "syscall" | "sysenter" | "svc" | "swi" | "ecall" | "int"))
}

/// Whether a program that is started talks to a network, as far as its arguments tell.
fn talks(behaviour: &Behaviour<'_>, act: Act<'_>) -> bool {
    let is_tool = behaviour.program(act) == Program::BuildTool;
    behaviour.downloads(act)
        || command::read(&super::execution::command_text(behaviour, act)).sends
        || (!is_tool && (hands_on(behaviour, act) || behaviour.origin(act) > Origin::Caller))
}

/// What flows into a send, and what is tied to it otherwise.
fn chain(behaviour: &Behaviour<'_>, send: Act<'_>, collected: &[Collected<'_>]) -> Option<Chain> {
    let mut chain = Chain::new(ChainKind::Exfiltration);
    let mut owners = BTreeSet::new();
    let mut link = None;
    for flow in behaviour.into(send) {
        if by_flow(&mut chain, behaviour, send, flow, &mut owners) {
            link = Some(Link::Flow);
        }
    }
    let in_command = secrets_in_command(behaviour, send);
    if !in_command.is_empty() {
        chain.add(points::SECRET_FILE);
        chain.techniques.insert(52);
        chain.act(behaviour, StepKind::Collect, send, "reads by a command:");
        owners.extend(in_command);
        link = Some(Link::Flow);
    }
    let origin = behaviour.origin(send);
    let by_flow = link.is_some();
    for item in collected {
        let Some(tie) = tie(behaviour, *item, send) else { continue };
        if !is_close(behaviour, tie, send, origin) {
            continue;
        }
        // Beside a value that does get there, only the gravest counts without one.
        let grave_only = by_flow || avoids_imports(send);
        let adds = !grave_only || matches!(item.what(), What::SecretFile | What::AllVariables);
        if adds && by_tie(&mut chain, behaviour, *item, &mut owners) {
            link = link.max(Some(tie));
        }
    }
    if names_the_host(send) {
        chain.add(points::HOST);
        link = Some(Link::Flow);
    }
    match link {
        Some(link) => chain.tie(link),
        None if behaviour.at_build(send) && behaviour.drops(send) => chain.add(points::REPORTS),
        None => return None,
    }
    if owners.len() > 1 {
        chain.add(points::SEVERAL_OWNERS);
    }
    destination(&mut chain, behaviour, send, origin);
    context::surround(&mut chain, behaviour, send);
    restrain(&mut chain, origin);
    chain.message = message(behaviour, send, &chain);
    Some(chain)
}

/// Whether what is sent names the machine or its user: `…?text={OS} {USER}`.
fn names_the_host(send: Act<'_>) -> bool {
    let names =
        |name: &str| is_host_variable(name) || matches!(name, "OS" | "ARCH" | "HOST" | "whoami" | "hostname");
    send.does(&[OperationKind::Connect, OperationKind::ResolveName])
        && send.operation.arguments.iter().flat_map(|argument| variables(argument)).any(names)
}

/// Whose secrets a command names by itself: `tar cz ~/.ssh | curl …`.
fn secrets_in_command(behaviour: &Behaviour<'_>, send: Act<'_>) -> Vec<&'static str> {
    if send.operation.kind != OperationKind::StartProcess {
        return Vec::new();
    }
    // A downloader's arguments say what it reads; of any other program the text has to send as well.
    let deeds = command::read(&super::execution::command_text(behaviour, send));
    if !deeds.sends && !behaviour.downloads(send) {
        return Vec::new();
    }
    deeds.secrets.into_iter().collect()
}

impl Collected<'_> {
    pub(super) fn what(self) -> What {
        match self {
            Collected::Act(_, what) | Collected::Text(_, what) => what,
        }
    }
}

pub(super) fn tie(behaviour: &Behaviour<'_>, item: Collected<'_>, send: Act<'_>) -> Option<Link> {
    match item {
        Collected::Act(act, _) => behaviour.link(act, send),
        Collected::Text(text, _) => behaviour.link_text(text, send),
    }
}

/// Whether a tie means something. In a build script little is needed; in a library, standing in one file means nothing unless
/// the address is the crate's own.
fn is_close(behaviour: &Behaviour<'_>, tie: Link, send: Act<'_>, origin: Origin) -> bool {
    match behaviour.phase(send) {
        _ if avoids_imports(send) => tie >= Link::File,
        Phase::Test => tie >= Link::Function,
        Phase::BuildTime | Phase::BeforeMain => tie >= Link::Build,
        _ if origin > Origin::Caller => tie >= Link::File,
        _ => tie >= Link::Function,
    }
}

/// Whether the operation reaches out in a way that no import shows.
fn avoids_imports(send: Act<'_>) -> bool {
    send.does(&[OperationKind::SystemCall, OperationKind::Assembly, OperationKind::LoadLibrary])
}

/// Adds what flows into the send.
fn by_flow<'a>(
    chain: &mut Chain,
    behaviour: &Behaviour<'a>,
    send: Act<'_>,
    flow: &Flow,
    owners: &mut BTreeSet<&'static str>,
) -> bool {
    let from = flow.from.and_then(|number| behaviour.act(number));
    let name = from.and_then(|act| act.operation.arguments.first()).map(String::as_str).unwrap_or_default();
    let at_build = behaviour.at_build(send) || from.is_some_and(|act| behaviour.at_build(act));
    let worth = match flow.source {
        FlowSource::SecretFile => {
            owners.extend(from.into_iter().flat_map(|act| secret_owners(behaviour, act)));
            Some((points::SECRET_FILE, 52))
        }
        FlowSource::SecretVariable if is_wallet_variable(name) => Some((points::WALLET_VARIABLE, 53)),
        FlowSource::SecretVariable if at_build => Some((points::SECRET_VARIABLE_AT_BUILD, 53)),
        FlowSource::SecretVariable => Some((points::SECRET_VARIABLE, 53)),
        FlowSource::AllVariables => Some((points::ALL_VARIABLES, 53)),
        FlowSource::UserSource => Some((points::USER_SOURCE, 6)),
        FlowSource::File if from.is_some_and(|act| picks_source(behaviour, act)) => {
            Some((points::USER_SOURCE, 6))
        }
        FlowSource::File => Some((points::FILES, 52)),
        FlowSource::HostInformation => Some((points::HOST, 45)),
        FlowSource::Variable if is_host_variable(name) => Some((points::HOST, 45)),
        _ => None,
    };
    let Some((point, technique)) = worth else { return false };
    chain.add(point);
    // Reading some file or the machine's name is no technique of its own.
    if !matches!(
        flow.source,
        FlowSource::File | FlowSource::HostInformation | FlowSource::Variable | FlowSource::SecretVariable
    ) {
        chain.techniques.insert(technique);
    }
    collect_step(chain, behaviour, point, from, flow);
    if !flow.transformations.is_empty() {
        chain.add(points::ENCODED);
        for step in super::on_the_way(&flow.steps).iter().take(1) {
            let evidence = behaviour.step_evidence(step);
            let phase = behaviour.phase(send);
            chain.step(StepKind::Hide, Some(phase), "encodes it".to_owned(), Some(evidence));
        }
    }
    true
}

/// Whether the files that are read are picked by their ending as source.
fn picks_source(behaviour: &Behaviour<'_>, read: Act<'_>) -> bool {
    behaviour
        .near_texts(read)
        .any(|text| is_about(text, &[Topic::UserSource]) && looks_like_source(&text.value))
}

fn collect_step(
    chain: &mut Chain,
    behaviour: &Behaviour<'_>,
    point: Point,
    from: Option<Act<'_>>,
    flow: &Flow,
) {
    match (from, flow.steps.first()) {
        (Some(act), _) => chain.act(behaviour, StepKind::Collect, act, "reads by"),
        (None, Some(step)) => {
            let evidence = behaviour.step_evidence(step);
            chain.step(StepKind::Collect, None, point.reason.to_owned(), Some(evidence));
        }
        (None, None) => chain.step(StepKind::Collect, None, point.reason.to_owned(), None),
    }
}

fn secret_owners(behaviour: &Behaviour<'_>, act: Act<'_>) -> Vec<&'static str> {
    let texts = behaviour.texts(act).iter().map(|text| text.value.as_str());
    let near = behaviour.near_texts(act).map(|text| text.value.as_str());
    let arguments = act.operation.arguments.iter().map(String::as_str);
    texts.chain(near).chain(arguments).filter_map(owner_of_secret).collect()
}

/// Adds what is tied to the send without a flow.
fn by_tie(
    chain: &mut Chain,
    behaviour: &Behaviour<'_>,
    item: Collected<'_>,
    owners: &mut BTreeSet<&'static str>,
) -> bool {
    let (point, technique) = match (item, item.what()) {
        (Collected::Text(text, _), What::SecretFile) => {
            if !is_read(behaviour, text) {
                return false;
            }
            owners.extend(owner_of_secret(&text.value));
            if is_captured(behaviour, text) {
                chain.techniques.insert(7);
            }
            (points::SECRET_FILE, Some(52))
        }
        (_, What::SecretFile) => (points::SECRET_FILE, Some(52)),
        (_, What::AllVariables) => (points::ALL_VARIABLES, Some(53)),
        (_, What::UserSource) => (points::USER_SOURCE, Some(6)),
        (_, What::Host) => (points::HOST, None),
        (_, What::Variable { wallet: true }) => (points::WALLET_VARIABLE, None),
        (Collected::Act(act, _), What::Variable { .. }) if behaviour.at_build(act) => {
            (points::SECRET_VARIABLE_AT_BUILD, None)
        }
        (_, What::Variable { .. }) => (points::SECRET_VARIABLE, None),
    };
    chain.add(point);
    chain.techniques.extend(technique);
    match item {
        Collected::Act(act, _) => chain.act(behaviour, StepKind::Collect, act, "reads by"),
        Collected::Text(text, _) => {
            let evidence = behaviour.text_evidence(text);
            let told = |step: &ChainStep| {
                step.evidence
                    .as_ref()
                    .is_some_and(|it| (&it.file, it.line) == (&evidence.file, evidence.line))
            };
            if !chain.steps.iter().any(told) {
                let text = format!("names {}", evidence.excerpt.as_deref().unwrap_or_default());
                chain.step(StepKind::Collect, None, text, Some(evidence));
            }
        }
    }
    true
}

/// Whether the path is read or handed to a program, rather than mentioned: it belongs to an operation on files, or one stands
/// in the same function or file.
fn is_read(behaviour: &Behaviour<'_>, text: &ConstantText) -> bool {
    let reads = |operation: &Operation| {
        FILES.contains(&operation.kind) || operation.kind == OperationKind::StartProcess
    };
    if is_captured(behaviour, text) {
        return true;
    }
    match text.operation.and_then(|number| behaviour.act(number)) {
        Some(act) => reads(act.operation),
        None => behaviour
            .of_kind(&[
                OperationKind::ReadFile,
                OperationKind::ReadDirectory,
                OperationKind::StartProcess,
                OperationKind::SystemCall,
                OperationKind::Assembly,
                OperationKind::LoadLibrary,
            ])
            .take(OPERATIONS)
            .any(|act| behaviour.link_text(text, act).is_some()),
    }
}

/// Whether the compiler reads the file: the path stands in `include_bytes!` or its like.
fn is_captured(behaviour: &Behaviour<'_>, text: &ConstantText) -> bool {
    let mut includes = behaviour.facts.source.includes.iter();
    includes.any(|include| {
        (include.file, include.line) == (text.file, text.line)
            && matches!(include.kind, IncludeKind::IncludeBytes | IncludeKind::IncludeStr)
    })
}

/// Adds where it goes.
fn destination(chain: &mut Chain, behaviour: &Behaviour<'_>, send: Act<'_>, origin: Origin) {
    if let Some(point) = points::of_origin(origin) {
        chain.add(point);
        let grave =
            [points::SECRET_FILE, points::WALLET_VARIABLE, points::ALL_VARIABLES, points::USER_SOURCE];
        if grave.iter().any(|it| chain.points.contains(it)) {
            chain.add(points::SECRET_TO_CONSTANT);
        }
        // A token is sent to the service that it belongs to; a private key belongs to nobody but its owner.
        if chain.points.contains(&points::WALLET_VARIABLE) && chain.points.contains(&points::BY_FLOW) {
            chain.add(points::KEY_TO_CONSTANT);
        }
    }
    if origin == Origin::Hidden {
        hidden_address(chain, behaviour, send);
    }
    if behaviour.drops(send) {
        chain.add(points::DROP_SERVICE);
        chain.techniques.insert(55);
    }
    match send.operation.kind {
        OperationKind::StartProcess => {
            chain.add(points::BY_PROGRAM);
            if behaviour.downloads(send) {
                chain.techniques.insert(50);
            }
        }
        _ if avoids_imports(send) => {
            chain.add(points::AVOIDS_IMPORTS);
            chain.techniques.insert(if send.does(&[OperationKind::Assembly]) { 22 } else { 23 });
        }
        OperationKind::CargoDirective => {
            chain.add(points::CAPTURED);
            chain.techniques.insert(8);
        }
        _ => {}
    }
    patterns(chain, behaviour, send);
    let verb = match send.operation.kind {
        OperationKind::CargoDirective => "hands it to the compiler by",
        OperationKind::StartProcess => "hands it to a program by",
        _ if avoids_imports(send) => "can send it without an import by",
        _ => "sends it by",
    };
    chain.act(behaviour, StepKind::Send, send, verb);
}

fn hidden_address(chain: &mut Chain, behaviour: &Behaviour<'_>, send: Act<'_>) {
    for text in behaviour.near_texts(send).filter(|text| is_concealed(text)).take(2) {
        let evidence = behaviour.text_evidence(text);
        chain.techniques.extend(super::hidden::techniques(text));
        let text = format!("keeps hidden {}", evidence.excerpt.as_deref().unwrap_or_default());
        chain.step(StepKind::Hide, None, text, Some(evidence));
    }
}

/// Patterns of keys that what is read is searched for.
fn patterns(chain: &mut Chain, behaviour: &Behaviour<'_>, send: Act<'_>) {
    let pattern = behaviour.flow().texts.iter().find(|text| {
        is_about(text, &[Topic::SecretPattern])
            && behaviour.link_text(text, send).is_some_and(|link| link >= Link::File)
    });
    if let Some(text) = pattern {
        chain.add(points::SECRET_PATTERN);
        chain.techniques.insert(54);
        let evidence = behaviour.text_evidence(text);
        let text = format!("searches for {}", evidence.excerpt.as_deref().unwrap_or_default());
        chain.step(StepKind::Collect, None, text, Some(evidence));
        if chain.points.contains(&points::USER_SOURCE) {
            chain.add(points::SEARCHED_SOURCE);
        }
    }
}

/// A program that sends what its user told it to where its user told it to is not an alert, whenever it runs, unless it hides.
fn restrain(chain: &mut Chain, origin: Origin) {
    let furtive = [
        points::ENCODED,
        points::QUIET,
        points::ON_THREAD,
        points::SILENT_CHILD,
        points::DETACHED_CHILD,
        points::SEVERAL_OWNERS,
        points::GATE_BUILD_SERVICE,
        points::GATE_TIME,
        points::GATE_ANALYSIS,
    ];
    let hides = furtive.iter().any(|it| chain.points.contains(it));
    if origin == Origin::Caller && !hides {
        chain.points.retain(|point| *point != points::AT_BUILD && *point != points::BEFORE_MAIN);
    }
}

fn message(behaviour: &Behaviour<'_>, send: Act<'_>, chain: &Chain) -> String {
    let what = [
        (points::SECRET_FILE, "files with secrets are"),
        (points::WALLET_VARIABLE, "a key is"),
        (points::ALL_VARIABLES, "all environment variables are"),
        (points::SECRET_VARIABLE_AT_BUILD, "a secret variable is"),
        (points::SECRET_VARIABLE, "a secret variable is"),
        (points::USER_SOURCE, "source code is"),
        (points::FILES, "files are"),
    ];
    let what = what.iter().find(|(point, _)| chain.points.contains(point));
    let what = what.map_or(
        if chain.points.contains(&points::HOST) { "facts about the machine are" } else { "something is" },
        |(_, words)| words,
    );
    let how = match send.operation.kind {
        OperationKind::CargoDirective => "compiled into the program",
        OperationKind::StartProcess => "given to a program that can send it away",
        _ => "sent away",
    };
    format!("{what} read and {how} {}", crate::behaviour::describe::when(behaviour.phase(send)))
}

//! Payloads that are no Rust code: what cargo, rustup, editors, assistants and browsers obey.
//!
//! A trigger is a file that a tool acts on, with its commands; scripts of the package that it names are read along. What the text
//! does is told by [`command`](crate::behaviour::command), and counts as one chain with the trigger.

use cratekeeper_model::facts::{FileKind, RemarkKind, SpecialFile, SpecialRole};
use cratekeeper_model::{Evidence, StepKind};

use super::{Chain, ChainKind, points, stronger};
use crate::behaviour::Behaviour;
use crate::behaviour::command::{self, Deeds};
use crate::places;
use crate::rule::place;
use crate::text::{EXCERPT, PATH, defanged, printable};

/// Most scripts that are followed from one trigger: each may name others.
const SCRIPTS: usize = 10;

/// Most files with commands that are looked at.
const TRIGGERS: usize = 100;

/// Something that a tool obeys.
struct Trigger {
    technique: u8,
    /// Whether nobody has to ask for it: opening, looking or building suffices.
    by_itself: bool,
    /// What the tool is told.
    text: String,
    evidence: Vec<Evidence>,
}

/// The strongest chain from a file that a tool obeys.
pub(crate) fn detect(behaviour: &Behaviour<'_>) -> Option<Chain> {
    let mut best = None;
    for trigger in triggers(behaviour) {
        if let Some(chain) = chain(behaviour, trigger) {
            best = stronger(best, chain);
        }
    }
    best
}

fn triggers(behaviour: &Behaviour<'_>) -> Vec<Trigger> {
    let special = &behaviour.facts.files.special;
    let own = special.iter().filter_map(|file| match file.role {
        SpecialRole::CargoConfiguration => cargo(file),
        SpecialRole::Toolchain => toolchain(behaviour, file),
        SpecialRole::Editor | SpecialRole::Shell | SpecialRole::GitHook => editor(file),
        _ => None,
    });
    own.take(TRIGGERS).chain(assistant(behaviour)).chain(documentation(behaviour)).collect()
}

fn evidence(file: &SpecialFile) -> Evidence {
    place(&file.path, None, None)
}

/// Programs that cargo starts instead of its own, and what they are told by variables.
fn cargo(file: &SpecialFile) -> Option<Trigger> {
    let mut text = String::new();
    let mut by_itself = false;
    for setting in &file.settings {
        let last = setting.key.rsplit('.').next().unwrap_or_default();
        let is_program = matches!(
            last,
            "rustc"
                | "rustc-wrapper"
                | "rustc-workspace-wrapper"
                | "rustdoc"
                | "linker"
                | "runner"
                | "credential-provider"
                | "global-credential-providers"
                | "git"
                | "ar"
                | "include"
        );
        if is_program
            || setting.key.starts_with("env.")
            || setting.key.starts_with("alias.")
            || setting.key.is_empty()
        {
            text.push_str(&setting.value);
            text.push('\n');
        }
        by_itself |= is_program && crate::rules::obeyed_by_ordinary_builds(&setting.key);
    }
    (!text.is_empty()).then(|| Trigger { technique: 25, by_itself, text, evidence: vec![evidence(file)] })
}

/// Programs in the directory that stands for the toolchain.
fn toolchain(behaviour: &Behaviour<'_>, file: &SpecialFile) -> Option<Trigger> {
    let path = file.settings.iter().find(|it| it.key.ends_with("path") || it.value.contains(['/', '\\']))?;
    let directory = path.value.trim_start_matches("./").trim_end_matches('/').to_owned() + "/";
    let below = places::directory(&file.path);
    let prefix = if below.is_empty() { directory } else { format!("{below}/{directory}") };
    let programs =
        behaviour.facts.files.entries.iter().filter(|it| it.path.starts_with(&prefix)).take(SCRIPTS);
    let text: Vec<&str> = programs.map(|it| it.path.as_str()).collect();
    Some(Trigger { technique: 26, by_itself: true, text: text.join("\n"), evidence: vec![evidence(file)] })
}

fn editor(file: &SpecialFile) -> Option<Trigger> {
    let mut trigger = Trigger {
        technique: 27,
        by_itself: file.settings.iter().any(|setting| {
            let key = setting.key.to_ascii_lowercase();
            // Editors start their servers and checks for whatever they show.
            crate::rules::runs_on_opening(file, setting)
                || key.ends_with("overridecommand")
                || key.ends_with("server.path")
        }),
        text: String::new(),
        evidence: vec![evidence(file)],
    };
    for setting in &file.settings {
        trigger.text.push_str(&setting.value);
        // The arguments of a task belong to its command.
        let next_is_argument = setting.key.ends_with("command");
        trigger.text.push(if next_is_argument { ' ' } else { '\n' });
    }
    (!trigger.text.is_empty()).then_some(trigger)
}

/// All that assistants obey, together: one file tells them to run what another allows.
fn assistant(behaviour: &Behaviour<'_>) -> Option<Trigger> {
    let files = &behaviour.facts.files;
    let of_assistants = |it: &&SpecialFile| {
        matches!(it.role, SpecialRole::AssistantInstructions | SpecialRole::AssistantConfiguration)
    };
    let mut trigger = Trigger { technique: 28, by_itself: false, text: String::new(), evidence: Vec::new() };
    for file in files.special.iter().filter(of_assistants).take(SCRIPTS) {
        trigger.evidence.push(evidence(file));
        // Instructions in prose are only obeyed when somebody asks for something; those that want secrecy are another matter.
        let is_furtive = |it: &cratekeeper_model::facts::Remark| {
            it.kind == RemarkKind::AssistantInstruction && it.file == file.path
        };
        trigger.by_itself |=
            file.role == SpecialRole::AssistantConfiguration || files.remarks.iter().any(is_furtive);
        for setting in &file.settings {
            trigger.text.push_str(&setting.value);
            trigger.text.push(if setting.key.ends_with("command") { ' ' } else { '\n' });
        }
    }
    (!trigger.text.is_empty()).then_some(trigger)
}

/// Pages and elements that documentation is made to carry.
fn documentation(behaviour: &Behaviour<'_>) -> Option<Trigger> {
    let facts = behaviour.facts;
    let mut trigger = Trigger { technique: 58, by_itself: true, text: String::new(), evidence: Vec::new() };
    for argument in &facts.manifest.documentation_arguments {
        let is_named = |it: &&SpecialFile| it.role == SpecialRole::Script && argument.ends_with(&it.path);
        if let Some(page) = facts.files.special.iter().find(is_named) {
            trigger.evidence.push(evidence(page));
            trigger.text.push_str(&page.path);
            trigger.text.push('\n');
        }
    }
    // Markdown counts as well: `#![doc = include_str!(…)]` makes documentation of it.
    let markup = facts.files.remarks.iter().filter(|it| it.kind == RemarkKind::ActiveMarkup);
    for remark in markup.take(TRIGGERS) {
        trigger.evidence.push(place(
            &remark.file,
            Some(remark.line),
            Some(printable(&remark.excerpt, EXCERPT)),
        ));
        trigger.text.push_str(&remark.excerpt);
        trigger.text.push('\n');
    }
    (!trigger.text.is_empty()).then_some(trigger)
}

/// The text of a command together with the scripts of the package that it names, and their paths.
pub(crate) fn with_scripts<'f>(behaviour: &Behaviour<'f>, text: &str) -> (String, Vec<&'f str>) {
    let mut whole = text.to_owned();
    let mut followed: Vec<&str> = Vec::new();
    let mut unread = text.to_owned();
    while followed.len() < SCRIPTS {
        let is_new = |it: &&SpecialFile| {
            it.role == SpecialRole::Script
                && !followed.contains(&it.path.as_str())
                && names(&unread, &it.path)
        };
        let Some(script) = behaviour.facts.files.special.iter().find(is_new) else { break };
        followed.push(&script.path);
        for setting in &script.settings {
            whole.push('\n');
            whole.push_str(&setting.value);
            unread.push('\n');
            unread.push_str(&setting.value);
        }
    }
    (whole, followed)
}

/// Whether a word of the text is the path, from wherever it is named.
fn names(text: &str, path: &str) -> bool {
    let mut words = text.split(|it: char| it.is_whitespace() || "\"'`;|&()=<>,".contains(it));
    words.any(|word| {
        let word = word.trim_start_matches("./").trim_end_matches('.');
        word == path
            || (word.len() > path.len()
                && word.ends_with(path)
                && word[..word.len() - path.len()].ends_with(['/', '\\']))
            || (word.contains('\\') && word.replace('\\', "/").ends_with(path))
    })
}

fn chain(behaviour: &Behaviour<'_>, trigger: Trigger) -> Option<Chain> {
    let (text, scripts) = with_scripts(behaviour, &trigger.text);
    let deeds = command::read(&text);
    let mut chain = Chain::new(ChainKind::Obeyed);
    if !deed(&mut chain, behaviour, &deeds, &trigger) {
        return None;
    }
    chain.add(if trigger.by_itself { points::OBEYED } else { points::OBEYED_ON_REQUEST });
    if deeds.hides {
        chain.add(points::OUTPUT_HIDDEN);
        chain.techniques.insert(49);
    }
    chain.techniques.insert(trigger.technique);
    for place in trigger.evidence {
        chain.step(StepKind::Run, None, format!("is obeyed: {}", defanged(&place.file)), Some(place));
    }
    for script in scripts {
        chain.step(
            StepKind::Run,
            None,
            format!("runs {}", printable(&defanged(script), PATH)),
            Some(place(script, None, None)),
        );
    }
    Some(chain)
}

/// Adds the gravest thing that is done, and says whether there is one.
fn deed(chain: &mut Chain, behaviour: &Behaviour<'_>, deeds: &Deeds, trigger: &Trigger) -> bool {
    let collects = !deeds.secrets.is_empty() || deeds.lists_variables || deeds.reads_visitor;
    if deeds.runs_fetched {
        for point in [points::FETCHED, points::RAN, points::IN_ONE_COMMAND] {
            chain.add(point);
        }
        chain.techniques.extend([48, 50]);
        chain.message = "a tool obeys a file of the package that downloads code and runs it".to_owned();
    } else if deeds.sends && collects {
        chain.add(points::IN_ONE_TEXT);
        for (holds, point, technique) in [
            (!deeds.secrets.is_empty(), points::SECRET_FILE, Some(52)),
            (deeds.lists_variables, points::ALL_VARIABLES, Some(53)),
            (deeds.reads_visitor, points::VISITOR, None),
            (deeds.secrets.len() > 1, points::SEVERAL_OWNERS, None),
            (deeds.encodes, points::ENCODED, None),
        ] {
            if holds {
                chain.add(point);
                chain.techniques.extend(technique);
            }
        }
        chain.message =
            "a tool obeys a file of the package that reads secrets and sends them away".to_owned();
    } else if deeds.runs_decoded {
        for point in [points::DECODED_FIRST, points::RAN, points::IN_ONE_TEXT] {
            chain.add(point);
        }
        chain.techniques.insert(13);
        chain.message = "a tool obeys a file of the package that decodes code and runs it".to_owned();
    } else if deeds.persists {
        chain.add(points::STARTS_BY_ITSELF);
        chain.techniques.insert(56);
        chain.message = "a tool obeys a file of the package that makes something start by itself".to_owned();
    } else if let Some(path) = disguised(behaviour, &trigger.text) {
        for point in [points::CARRIED, points::RAN, points::DISGUISED] {
            chain.add(point);
        }
        chain.techniques.insert(10);
        chain.message = format!("a tool obeys a file of the package that runs {}", printable(path, EXCERPT));
    } else if trigger.technique != 58 && runs_machine_code(behaviour, &trigger.text) {
        chain.add(points::CARRIED);
        chain.add(points::RAN);
        chain.techniques.insert(9);
        chain.message = "a tool obeys a file of the package that runs a program which came in it".to_owned();
    } else {
        return false;
    }
    true
}

/// Endings of files that are looked at or listened to, never run.
const NO_PROGRAMS: [&str; 28] = [
    "woff", "woff2", "ttf", "otf", "eot", "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "bmp", "mp3",
    "mp4", "wav", "ogg", "pdf", "dat", "bin", "css", "md", "txt", "csv", "log", "lock", "pem", "crt",
];

/// A file that is run although its name says that it is none: `node assets/icons.woff2`.
fn disguised<'f>(behaviour: &Behaviour<'f>, text: &str) -> Option<&'f str> {
    let lines = text.lines().filter(|line| command::starts_an_interpreter(line));
    let commands: Vec<&str> = lines.collect();
    let entries = behaviour.facts.files.entries.iter();
    let mut unlikely =
        entries.filter(|it| NO_PROGRAMS.contains(&places::extension(&it.path).to_ascii_lowercase().as_str()));
    unlikely.find(|it| commands.iter().any(|line| names(line, &it.path))).map(|it| it.path.as_str())
}

fn runs_machine_code(behaviour: &Behaviour<'_>, text: &str) -> bool {
    behaviour.facts.files.entries.iter().any(|it| {
        matches!(it.kind, FileKind::Elf | FileKind::Pe | FileKind::MachO | FileKind::Bytecode)
            && names(text, &it.path)
    })
}

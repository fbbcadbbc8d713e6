//! Operations and texts as evidence and in sentences, fit for a terminal and without a link that anybody could click.

use cratekeeper_model::Evidence;
use cratekeeper_model::facts::{ConstantText, FlowStep, Gate, Phase};

use super::{Act, Behaviour};
use crate::rule::place;
use crate::text::{EXCERPT, NAME, defanged, printable};

/// Arguments shown of a call.
const ARGUMENTS: usize = 4;

impl Behaviour<'_> {
    /// Path of a file.
    pub(crate) fn file(&self, file: u32) -> &str {
        self.facts.source.rust_files.get(file as usize).map_or("", |it| &it.path)
    }

    /// The place of an operation, with the call as it arrives.
    pub(crate) fn evidence(&self, act: Act<'_>) -> Evidence {
        place(self.file(act.operation.file), Some(act.operation.line), Some(call(act)))
    }

    /// The place of a text, with its value.
    pub(crate) fn text_evidence(&self, text: &ConstantText) -> Evidence {
        let steps = decodings(text);
        let steps = if steps.is_empty() { String::new() } else { format!(" ({steps})") };
        let excerpt = format!("\"{}\"{steps}", printable(&defanged(&text.value), EXCERPT));
        place(self.file(text.file), Some(text.line), Some(excerpt))
    }

    /// The place of a condition.
    pub(crate) fn gate_evidence(&self, gate: &Gate) -> Evidence {
        place(self.file(gate.file), Some(gate.line), Some(printable(&defanged(&gate.text), EXCERPT)))
    }

    /// A place on the way of a value.
    pub(crate) fn step_evidence(&self, step: &FlowStep) -> Evidence {
        place(self.file(step.file), Some(step.line), None)
    }
}

/// `std::fs::read("{}/.ssh/id_rsa")`.
pub(crate) fn call(act: Act<'_>) -> String {
    let shown = act.operation.arguments.iter().take(ARGUMENTS);
    let mut arguments: Vec<String> =
        shown.map(|it| format!("\"{}\"", printable(&defanged(it), NAME))).collect();
    if act.operation.arguments.len() > ARGUMENTS {
        arguments.push("…".to_owned());
    }
    let path = printable(&act.operation.path, NAME);
    printable(&format!("{path}({})", arguments.join(", ")), 3 * EXCERPT)
}

/// `base64, joined`.
pub(crate) fn decodings(text: &ConstantText) -> String {
    use cratekeeper_model::facts::Decoding;
    let words = text.decodings.iter().take(6).map(|decoding| match decoding {
        Decoding::Joined => "joined",
        Decoding::Reversed => "reversed",
        Decoding::Base64 => "base64",
        Decoding::Hex => "hex",
        Decoding::Xor => "XOR",
        Decoding::Rotated => "rotated",
        Decoding::Numbers => "numbers",
        Decoding::Replaced => "replaced",
        Decoding::Evaluated => "constant function",
        _ => "decoded",
    });
    words.collect::<Vec<_>>().join(", ")
}

/// When something runs, as an adverb.
pub(crate) fn when(phase: Phase) -> &'static str {
    match phase {
        Phase::BuildTime => "while the package is built",
        Phase::BeforeMain => "before `main`",
        Phase::RunTime => "when the library or program runs",
        Phase::Test => "in tests, benchmarks or examples",
        Phase::Unreached => "in code that no target reaches",
    }
}

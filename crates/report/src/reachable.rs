//! What is said about reachability, in all formats that have sentences.

use cratekeeper_model::{Absence, Reachability, ReachabilityAnswer};

/// Reasons that are given at once; documents have all.
const REASONS: usize = 3;

/// The answer with its way or its reasons, as one sentence without a full stop.
pub(crate) fn answer(reachability: &Reachability) -> String {
    let way = reachability.paths.first().map(|path| {
        let functions: Vec<&str> = path.steps.iter().map(|it| it.function.as_str()).collect();
        format!("{} ({} call path, {})", functions.join(" → "), path.entry.as_str(), path.certainty.as_str())
    });
    match reachability.answer {
        ReachabilityAnswer::Reachable => match way {
            Some(way) => format!("reachable: {way}"),
            None => "reachable".to_owned(),
        },
        ReachabilityAnswer::NotReachable => {
            let why = match reachability.absence {
                Some(Absence::NotCompiled) => "it is not compiled",
                Some(Absence::NotCalled) | None => "nothing that runs calls it",
            };
            format!("not reachable: {why}, under assumptions that `--format json` lists")
        }
        ReachabilityAnswer::Unknown => {
            let reasons = &reachability.reasons;
            let mut text = reasons.iter().take(REASONS).cloned().collect::<Vec<_>>().join("; ");
            if let Some(further @ 1..) = reasons.len().checked_sub(REASONS) {
                text.push_str(&format!("; and {further} more reasons"));
            }
            match way {
                Some(way) => format!("unknown: {text}: {way}"),
                None => format!("unknown: {text}"),
            }
        }
    }
}

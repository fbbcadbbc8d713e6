//! What would have happened behind Cratekeeper.

use cratekeeper_model::{Replay, ReplayedIncident, ReplayedVersion};

use super::Detail;
use super::page::{Page, Tone};
use crate::text::count;

/// Each incident, and one line that sums up.
pub(super) fn full(page: &mut Page, detail: Detail, replay: &Replay) {
    for replayed in replay.incidents.iter().filter(|it| detail != Detail::Quiet || !it.is_caught()) {
        incident(page, detail, replayed);
        page.blank();
    }
    let caught = replay.incidents.iter().filter(|it| it.is_caught()).count();
    let before: u32 = replay.incidents.iter().map(|it| it.fetches_before).sum();
    let after: u32 = replay.incidents.iter().map(|it| it.fetches_after).sum();
    let line = format!(
        "{caught} of {} caught; fetches of malicious versions: {before} before, {after} behind Cratekeeper; policy: {}",
        count(replay.incidents.len(), "timeline"),
        replay.policy
    );
    page.paragraph(0, &line);
}

fn incident(page: &mut Page, detail: Detail, incident: &ReplayedIncident) {
    let (tone, word) = match (incident.malicious().next().is_some(), incident.is_caught()) {
        (true, true) => (Tone::Good, "caught"),
        (true, false) => (Tone::Error, "not caught"),
        (false, _) => (Tone::Dim, "nothing malicious in it"),
    };
    page.line(0, &[(Tone::Strong, &incident.id), (Tone::Plain, "  "), (tone, word)]);
    if let Some(title) = &incident.title {
        page.paragraph(2, title);
    }
    let signal = incident.first_signal().map_or_else(|| "none".to_owned(), moment);
    page.hanging(2, &[(Tone::Dim, "first signal: ")], &signal);
    let exposed = match incident.exposed.as_slice() {
        [] => "none".to_owned(),
        some => some.join(", "),
    };
    page.hanging(2, &[(Tone::Dim, "malicious versions that somebody got: ")], &exposed);
    let fetches = format!(
        "{} of {} got a malicious version before, {} behind Cratekeeper; {} of harmless ones refused",
        incident.fetches_before, incident.fetches, incident.fetches_after, incident.refused_harmless
    );
    page.hanging(2, &[(Tone::Dim, "fetches: ")], &fetches);
    for (publisher, crates) in &incident.campaigns {
        page.hanging(2, &[(Tone::Dim, "one campaign: ")], &format!("{publisher}: {}", crates.join(", ")));
    }
    let shown =
        incident.versions.iter().filter(|it| detail == Detail::Verbose || it.malicious || is_held(it));
    for replayed in shown {
        version(page, detail, replayed);
    }
    for problem in &incident.problems {
        page.hanging(2, &[(Tone::Warning, "problem: ")], problem);
    }
}

fn is_held(version: &ReplayedVersion) -> bool {
    !version.policy.verdict.lets_through()
}

fn version(page: &mut Page, detail: Detail, version: &ReplayedVersion) {
    let policy = &version.policy;
    let what = if version.malicious { "malicious" } else { "harmless" };
    let name = format!("{} {}", version.name, version.version);
    let rest = format!(
        "  {} {}/100, {what}, published {}",
        version.case.level,
        version.case.score,
        moment(version.at)
    );
    page.line(
        2,
        &[
            (Tone::Strong, &name),
            (Tone::Plain, "  "),
            (super::policy::tone(policy.verdict), policy.verdict.as_str()),
            (Tone::Dim, &rest),
        ],
    );
    let held = match version.first_held {
        Some(at) => format!("held {}", moment(at)),
        None => "never held".to_owned(),
    };
    let clause = policy.clause.as_deref().unwrap_or("no clause");
    page.hanging(4, &[(Tone::Dim, "verdict: ")], &format!("{held}; {clause}: {}", policy.reason));
    let most = if detail == Detail::Verbose { usize::MAX } else { 6 };
    let mut rules: Vec<String> = Vec::new();
    for finding in &version.case.findings {
        let rule = format!("{} ({})", finding.rule, finding.severity);
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    let more = rules.len().saturating_sub(most);
    rules.truncate(most);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    page.hanging(4, &[(Tone::Dim, "rules: ")], &format!("{}{more}", rules.join(", ")));
}

/// A moment before the end: `5 h before the end`.
fn moment(at: i64) -> String {
    let seconds = at.saturating_neg().max(0);
    match seconds {
        0 => "at the end".to_owned(),
        1..7_200 if seconds % 60 == 0 => format!("{} min before the end", seconds / 60),
        1..7_200 => format!("{seconds} s before the end"),
        7_200..172_800 => format!("{} h before the end", seconds / 3600),
        _ => format!("{} d before the end", seconds / 86_400),
    }
}

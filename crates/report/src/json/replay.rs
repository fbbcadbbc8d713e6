//! Replays.

use std::io::{self, Write};

use cratekeeper_model::{Replay, ReplayedIncident, ReplayedVersion};
use serde::{Serialize, Serializer};

use super::object::{Each, object};
use super::policy::AnswerObject;
use super::write;
use crate::Tool;

/// The `schema` of [`replay`]'s documents.
pub const REPLAY_SCHEMA: &str = "cratekeeper.replay/1";

/// Writes what replays showed.
///
/// # Errors
///
/// Fails if `out` does.
pub fn replay(tool: Tool<'_>, replay: &Replay, out: &mut dyn Write) -> io::Result<()> {
    write(&ReplayDocument(tool, replay), out)
}

struct ReplayDocument<'a>(Tool<'a>, &'a Replay);

impl Serialize for ReplayDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ReplayDocument(tool, replay) = self;
        object!(serializer, {
            "schema": REPLAY_SCHEMA,
            "tool": tool,
            "policy": replay.policy,
            "incidents": Each(&replay.incidents, IncidentObject),
        })
    }
}

struct IncidentObject<'a>(&'a ReplayedIncident);

impl Serialize for IncidentObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let incident = self.0;
        object!(serializer, {
            "id": incident.id,
            "title": incident.title,
            "caught": incident.is_caught(),
            "malicious": incident.malicious().count(),
            "first_signal": incident.first_signal(),
            "verdict": incident.verdict().map(|it| it.as_str()),
            "exposed": incident.exposed.len(),
            "exposed_versions": incident.exposed,
            "fetches": incident.fetches,
            "fetches_before": incident.fetches_before,
            "fetches_after": incident.fetches_after,
            "refused_harmless": incident.refused_harmless,
            "campaigns": Each(&incident.campaigns, CampaignObject),
            "problems": incident.problems,
            "versions": Each(&incident.versions, VersionObject),
        })
    }
}

struct CampaignObject<'a>(&'a (String, Vec<String>));

impl Serialize for CampaignObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (publisher, crates) = self.0;
        object!(serializer, { "publisher": publisher, "crates": crates })
    }
}

struct VersionObject<'a>(&'a ReplayedVersion);

impl Serialize for VersionObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let version = self.0;
        let mut rules: Vec<&str> = version.case.findings.iter().map(|it| it.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        object!(serializer, {
            "crate": version.name,
            "version": version.version,
            "at": version.at,
            "malicious": version.malicious,
            "caught": version.is_caught(),
            "score": version.case.score,
            "level": version.case.level.as_str(),
            "verdict": version.policy.verdict.as_str(),
            "policy": AnswerObject(&version.policy),
            "first_signal": version.first_signal,
            "first_alert": version.first_alert,
            "first_held": version.first_held,
            "first_fetch": version.first_fetch,
            "techniques": version.case.techniques,
            "rules": rules,
        })
    }
}

//! Waivers: a clause of the policy, or a rule, does not count for a crate or one of its versions until a day.
//!
//! The preview says what is waived as it is now, and what the policy makes of a version with and without the waiver, by what was found last;
//! what then counts is the inspection that follows.

use std::sync::Arc;

use cratekeeper_model::ClauseMode;
use cratekeeper_policy::{Circumstances, Policy, Waived, Waiver};
use cratekeeper_store::{
    CrateRecord, RecordedInspection, Subject, Transaction, VersionRecord, WaivedKind, WaiverId, WaiverRecord,
};
use serde_json::json;

use super::perform::line;
use super::{Effect, Line, Target};
use crate::error::{Failure, with_sources};
use crate::gate::Gate;
use crate::refusal::harmless;

/// How long a waiver counts at most, in days: a year, after which somebody looks again.
const MOST_DAYS: u32 = 366;

/// Characters of a clause's condition that a preview shows; a policy's conditions have at most 4,096 bytes.
const CONDITION: usize = 5_000;

/// Characters of an id that nobody knows, as an answer repeats it.
const UNKNOWN_ID: usize = 80;

/// Versions of a crate of which a preview says what becomes of them; those that nobody gets first, then the newest.
const FORESEEN: usize = 50;

/// A waiver that somebody asks for.
pub(super) struct Asked<'a> {
    pub(super) registry: &'a str,
    pub(super) krate: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) clause: Option<&'a str>,
    pub(super) rule: Option<&'a str>,
    pub(super) days: u32,
}

impl Gate {
    /// Has a clause or a rule not count for a crate, or one of its versions.
    pub(super) async fn waive(
        self: &Arc<Gate>,
        transaction: &mut Transaction,
        asked: &Asked<'_>,
        why: &str,
    ) -> Result<Effect, Failure> {
        let what = match (asked.clause, asked.rule) {
            (Some(clause), None) => Waived::Clause(clause.to_owned()),
            (None, Some(rule)) => Waived::Rule(rule.to_owned()),
            _ => return Err(Failure::Bad("a waiver is for a `clause` or for a `rule`".to_owned())),
        };
        // As it is now: when it says something else by the time somebody agrees, that is another waiver.
        let counts = self.counts(&what)?;
        if !(1..=MOST_DAYS).contains(&asked.days) {
            return Err(Failure::Bad(format!("a waiver is for 1 to {MOST_DAYS} days")));
        }
        let krate = self.crate_of(asked.registry, asked.krate).await?;
        let version = match asked.version {
            Some(number) => Some(self.version_of(asked.registry, &krate, number).await?),
            None => None,
        };
        let object = shown(&krate, version.as_ref());
        let until = transaction.at().saturating_add(i64::from(asked.days) * 86_400);
        let days = asked.days;
        let mut lines = vec![line(format!("{what} for {object}"), counts, format!("waived for {days} days"))];
        let waiver = Waiver {
            what: what.clone(),
            name: krate.name.clone(),
            version: None,
            owner: String::new(),
            reason: String::new(),
            expires: jiff::civil::Date::MAX,
            line: 0,
        };
        lines.extend(self.forecast(&krate, version.as_ref(), &Turn::Begins(waiver)).await?);
        if version.is_none() {
            lines.push(line(
                format!("versions of {object} that come meanwhile"),
                "judged with it",
                "judged without it",
            ));
        }
        let (kind, id) = match &what {
            Waived::Clause(id) => (WaivedKind::Clause, id),
            Waived::Rule(id) => (WaivedKind::Rule, id),
        };
        let about = version.as_ref().map(|it| it.id);
        transaction.waive(krate.id, about, (kind, id), why, until).await?;
        let versions = transaction.versions_waived(krate.id, about).await?;
        self.judge_in(transaction, krate.registry, &versions).await?;
        Ok(Effect { loosens: Some("it weakens the policy for it".to_owned()), ..effect(object, lines) })
    }

    /// Has a clause or a rule count again.
    pub(super) async fn end_waiver(
        self: &Arc<Gate>,
        transaction: &mut Transaction,
        waiver: WaiverId,
    ) -> Result<Effect, Failure> {
        let ended = transaction.end_waiver(waiver).await?;
        let krate = self.store.crate_by_id(ended.crate_id).await?;
        let version = match ended.version {
            Some(id) => Some(self.store.version_by_id(id).await?.1),
            None => None,
        };
        let object = shown(&krate, version.as_ref());
        let mut lines =
            vec![line(format!("{} `{}` for {object}", ended.kind, ended.what), "waived", "counts")];
        lines.extend(self.forecast(&krate, version.as_ref(), &Turn::Ends(waiver)).await?);
        let versions = transaction.versions_waived(krate.id, ended.version).await?;
        self.judge_in(transaction, krate.registry, &versions).await?;
        Ok(effect(object, lines))
    }

    /// How something counts that is to be waived.
    fn counts(&self, what: &Waived) -> Result<String, Failure> {
        let policy = self.engine.policy();
        match what {
            Waived::Clause(id) => {
                let meant = policy.clauses().iter().find(|it| it.id == *id).ok_or_else(|| {
                    Failure::Bad(format!("the policy has no clause `{}`", harmless(id, UNKNOWN_ID)))
                })?;
                let when = harmless(&meant.when.replace('\n', " ⏎ "), CONDITION);
                Ok(format!("counts: {} ({}) when {when}", meant.verdict, meant.mode.as_str()))
            }
            Waived::Rule(id) => {
                let rule = cratekeeper_engine::rules().iter().find(|it| it.id == id).ok_or_else(|| {
                    Failure::Bad(format!("there is no rule `{}`", harmless(id, UNKNOWN_ID)))
                })?;
                match policy.mode_of(id) {
                    ClauseMode::Enforce => Ok(format!("counts: {}", rule.title)),
                    mode => {
                        let mode = mode.as_str();
                        Err(Failure::Bad(format!(
                            "the rule `{id}` counts for nothing already: it is at `{mode}`"
                        )))
                    }
                }
            }
        }
    }

    async fn version_of(
        &self,
        registry: &str,
        krate: &CrateRecord,
        number: &str,
    ) -> Result<VersionRecord, Failure> {
        let target = Target {
            registry: registry.to_owned(),
            krate: Some(krate.name.clone()),
            version: Some(number.to_owned()),
            publisher: None,
        };
        match self.subject(&target).await?.0 {
            Subject::Version(id) => Ok(self.store.version_by_id(id).await?.1),
            _ => Err(Failure::NotFound("there is no such version".to_owned())),
        }
    }

    /// What the policy makes of a version, or of all of a crate, when a waiver begins or ends, by what was found last. Of a crate, versions of which
    /// it makes the same are counted only.
    async fn forecast(
        &self,
        krate: &CrateRecord,
        only: Option<&VersionRecord>,
        turn: &Turn,
    ) -> Result<Vec<Line>, Failure> {
        let mut versions = match only {
            Some(version) => vec![version.clone()],
            None => {
                self.store.crate_versions(krate.registry, &krate.name).await?.map_or_else(Vec::new, |it| it.1)
            }
        };
        // Those that nobody gets are what a waiver is about.
        versions.sort_by(|a, b| {
            let key = |it: &VersionRecord| it.standing.is_open();
            key(a).cmp(&key(b)).then_with(|| b.version.cmp(&a.version))
        });
        let left_out = versions.len().saturating_sub(FORESEEN);
        versions.truncate(FORESEEN);
        let mut asked = Vec::new();
        for version in &versions {
            let records = self.store.waivers_of(krate.id, version.id, self.now()).await?;
            let of = |it: WaiverRecord| crate::restraints::waiver(it, &krate.name);
            let before: Vec<Waiver> = records.iter().cloned().filter_map(of).collect();
            let after = match turn {
                Turn::Begins(waiver) => before.iter().cloned().chain([waiver.clone()]).collect(),
                Turn::Ends(id) => records.into_iter().filter(|it| it.id != *id).filter_map(of).collect(),
            };
            let recorded = self.store.recorded_inspection(version.id).await?;
            asked.push((shown(krate, Some(version)), recorded, before, after));
        }
        let (policy, at) = (self.engine.policy(), self.now());
        // Conditions may take a moment.
        let foreseen = tokio::task::spawn_blocking(move || {
            let one = |(object, recorded, before, after): (String, _, Vec<Waiver>, Vec<Waiver>)| {
                foreseen(&policy, &object, recorded, (&before, &after), at)
            };
            asked.into_iter().map(one).collect::<Vec<Line>>()
        });
        let mut lines = foreseen.await.map_err(|_| Failure::Internal("a preview ended".to_owned()))?;
        if only.is_none() {
            let all = lines.len();
            lines.retain(|it| it.before != it.after);
            let same = all - lines.len();
            lines.push(line(format!("{same} other versions of {}", krate.name), "as they are", "the same"));
            if left_out > 0 {
                lines.push(line(
                    format!("{left_out} more versions of {}", krate.name),
                    "as they are",
                    "not foreseen",
                ));
            }
        }
        Ok(lines)
    }
}

/// What happens to a waiver.
enum Turn {
    Begins(Waiver),
    Ends(WaiverId),
}

/// What a policy makes of a version before and after, by what was found last.
fn foreseen(
    policy: &Policy,
    object: &str,
    recorded: Option<RecordedInspection>,
    (before, after): (&[Waiver], &[Waiver]),
    at: i64,
) -> Line {
    let what = format!("what the policy makes of {object}, by what was found last");
    let Some(recorded) = recorded else {
        return line(what, "it was not inspected", "what its inspection finds");
    };
    let (Some(case), Some(text)) = (&recorded.record.case, &recorded.circumstances) else {
        return line(what, "what it looked at was not kept", "what an inspection finds");
    };
    let circumstances = match Circumstances::from_json(text) {
        Ok(circumstances) => circumstances,
        Err(error) => {
            tracing::warn!(inspection = recorded.record.id, "{}", with_sources(&error));
            return line(what, "what it looked at cannot be read", "what an inspection finds");
        }
    };
    let said = |waivers: &[Waiver]| {
        let answer = policy.decide_waiving(&circumstances, case, at, waivers);
        let clause = answer.clause.map_or_else(|| "no clause".to_owned(), |it| format!("clause `{it}`"));
        format!("{} by {clause}", answer.verdict)
    };
    line(what, said(before), said(after))
}

fn shown(krate: &CrateRecord, version: Option<&VersionRecord>) -> String {
    version.map_or_else(|| krate.name.clone(), |it| format!("{}@{}", krate.name, it.version))
}

fn effect(object: String, lines: Vec<Line>) -> Effect {
    Effect { answer: json!({ "done": object }), object, lines, is_work: true, ..Effect::default() }
}

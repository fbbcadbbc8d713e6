//! The rules of this program: what each looks at, how often it found something lately, and how often it was right.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cratekeeper_store::{Role, RuleCount};

use super::insights::{PRECISION_OVER, precision};
use super::layout::{Frame, page};
use super::visitor::{Problem, Visitor};
use crate::gate::Gate;

/// For how long back hits are counted, in seconds: 30 days.
const HITS_OVER: i64 = 30 * 86_400;

#[derive(Template)]
#[template(path = "console/rules.html")]
struct RulesPage {
    frame: Frame,
    rules: Vec<Row>,
    may_set: bool,
    /// Rules that older inspections know, and this program does not.
    former: Vec<(String, u64)>,
}

/// A rule.
struct Row {
    id: &'static str,
    family: &'static str,
    title: &'static str,
    severities: String,
    hits: u64,
    precision: String,
    /// Whether what it finds counts.
    mode: &'static str,
}

/// All rules.
pub(super) async fn rules(State(gate): State<Arc<Gate>>, visitor: Visitor) -> Result<Response, Problem> {
    let now = gate.now();
    let mut hits: BTreeMap<String, u64> = gate.store.rule_hits(now - HITS_OVER).await?.into_iter().collect();
    let counts = gate.store.rule_counts(now - PRECISION_OVER, now.saturating_add(1)).await?;
    let counts: BTreeMap<String, RuleCount> = counts.into_iter().map(|it| (it.rule.clone(), it)).collect();
    let policy = gate.engine.policy();
    let row = |rule: &cratekeeper_engine::Rule| Row {
        id: rule.id,
        family: rule.family.as_str(),
        title: rule.title,
        severities: rule.severities.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        hits: hits.remove(rule.id).unwrap_or(0),
        mode: policy.mode_of(rule.id).as_str(),
        precision: precision(counts.get(rule.id).unwrap_or(&RuleCount::default())),
    };
    let mut rules: Vec<Row> = cratekeeper_engine::rules().iter().map(row).collect();
    rules.sort_by_key(|it| (std::cmp::Reverse(it.hits), it.id));
    let page_data = RulesPage {
        frame: gate.frame(&visitor, "/console/rules", "Rules").await?,
        rules,
        may_set: visitor.has(&[Role::Admin]),
        former: hits.into_iter().collect(),
    };
    page(&page_data.frame, &page_data)
}

//! What came of cases: how long decisions take, how many cases there are, and how often each rule is right.
//!
//! A rule's precision counts closed cases in which it had a finding and which somebody called malicious or harmless. It says nothing about what the
//! rule alone would have done, and nothing about what nobody looked at.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cratekeeper_store::{ClosedCase, Outcome, RuleCount};

use super::chart::bars;
use super::layout::{Frame, page};
use super::visitor::{Problem, Visitor};
use crate::gate::Gate;

/// Seconds of a week.
const WEEK: i64 = 7 * 86_400;

/// Weeks that are shown: a quarter of a year.
const WEEKS: i64 = 13;

/// Closed cases that are read; of more, the newest.
const CLOSED: u64 = 20_000;

/// Fewest cases from which on a share is told.
const FEWEST: u64 = 5;

/// What stands in the place of a time to decision where there was no decision.
const UNDECIDED: &str = "no decision";

/// For how long back precision is counted, in seconds: a year.
pub(super) const PRECISION_OVER: i64 = 365 * 86_400;

#[derive(Template)]
#[template(path = "console/insights.html")]
struct InsightsPage {
    frame: Frame,
    weeks: Vec<Week>,
    /// Charts, as SVG of our own.
    volume: String,
    speed: String,
    outcomes: String,
    decided: usize,
    is_cut: bool,
    rules: Vec<RuleRow>,
}

/// A week, and how it went.
struct Week {
    begins: String,
    opened: u64,
    decided: usize,
    median: String,
    late: String,
}

/// A rule, and how often it was right.
struct RuleRow {
    count: RuleCount,
    precision: String,
}

/// What came of cases.
pub(super) async fn insights(State(gate): State<Arc<Gate>>, visitor: Visitor) -> Result<Response, Problem> {
    let now = gate.now();
    let from = now - WEEKS * WEEK;
    let closed = gate.store.closed_cases(from, now.saturating_add(1), CLOSED).await?;
    let opened = gate.store.cases_opened(from, now, WEEK).await?;
    let weeks = weeks(&closed, &opened, from);
    let mut rules = gate.store.rule_counts(now - PRECISION_OVER, now.saturating_add(1)).await?;
    rules.sort_by_key(|it| std::cmp::Reverse(it.malicious + it.harmless));
    let volume: Vec<(String, Option<u64>)> =
        weeks.iter().map(|it| (it.begins.clone(), Some(it.opened))).collect();
    let page_data = InsightsPage {
        frame: gate.frame(&visitor, "/console/insights", "Insights").await?,
        volume: bars(&volume, "Cases that were opened, by week", ""),
        speed: bars(&medians(&closed, from), "Median minutes until a decision, by week", UNDECIDED),
        outcomes: bars(&outcomes(&closed), "What cases turned out to be", ""),
        decided: closed.iter().filter(|it| it.outcome.is_some()).count(),
        is_cut: closed.len() as u64 == CLOSED,
        rules: rules.into_iter().map(|it| RuleRow { precision: precision(&it), count: it }).collect(),
        weeks,
    };
    page(&page_data.frame, &page_data)
}

/// How often a rule was right, with the counts that this is made of.
pub(super) fn precision(count: &RuleCount) -> String {
    let all = count.malicious + count.harmless;
    if all < FEWEST {
        return format!("too few to say ({} of {all})", count.malicious);
    }
    format!("{} % ({} of {all})", (count.malicious * 100 + all / 2) / all, count.malicious)
}

/// The median of each week in minutes; `None` where nobody decided.
fn medians(closed: &[ClosedCase], from: i64) -> Vec<(String, Option<u64>)> {
    let median = |spans: &Vec<i64>| percentile(spans, 50).map(|it| it.unsigned_abs() / 60);
    spans(closed, from).iter().enumerate().map(|(index, it)| (day(from, index), median(it))).collect()
}

fn outcomes(closed: &[ClosedCase]) -> Vec<(String, Option<u64>)> {
    let count =
        |outcome: Option<Outcome>| Some(closed.iter().filter(|it| it.outcome == outcome).count() as u64);
    vec![
        ("malicious".to_owned(), count(Some(Outcome::Malicious))),
        ("harmless".to_owned(), count(Some(Outcome::Harmless))),
        ("closed without a decision".to_owned(), count(None)),
    ]
}

/// Seconds until the decision, of the cases that were decided in each week, sorted.
fn spans(closed: &[ClosedCase], from: i64) -> Vec<Vec<i64>> {
    let mut spans = vec![Vec::new(); usize::try_from(WEEKS).unwrap_or_default()];
    for case in closed.iter().filter(|it| it.outcome.is_some()) {
        let week = usize::try_from((case.closed_at - from) / WEEK).unwrap_or(usize::MAX);
        // The moment in which the page is made belongs to the last week.
        let last = spans.len() - 1;
        spans[week.min(last)].push((case.closed_at - case.opened_at).max(0));
    }
    spans.iter_mut().for_each(|it| it.sort_unstable());
    spans
}

/// The value that so many of a hundred do not exceed (nearest rank); `None` where there is none.
fn percentile(sorted: &[i64], hundredths: usize) -> Option<i64> {
    let rank = (sorted.len() * hundredths).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn day(from: i64, week: usize) -> String {
    let begins = from + i64::try_from(week).unwrap_or_default() * WEEK;
    super::layout::moment(begins).split(' ').next().unwrap_or_default().to_owned()
}

fn weeks(closed: &[ClosedCase], opened: &[(i64, u64)], from: i64) -> Vec<Week> {
    let duration = |seconds: Option<i64>| seconds.map_or_else(|| UNDECIDED.to_owned(), lasted);
    let week = |(index, spans): (usize, &Vec<i64>)| Week {
        begins: day(from, index),
        opened: opened.iter().find(|(span, _)| usize::try_from(*span) == Ok(index)).map_or(0, |it| it.1),
        decided: spans.len(),
        median: duration(percentile(spans, 50)),
        late: duration(percentile(spans, 90)),
    };
    spans(closed, from).iter().enumerate().map(week).collect()
}

/// How long something took.
fn lasted(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(closed_at: i64, took: i64, outcome: Option<Outcome>) -> ClosedCase {
        ClosedCase { opened_at: closed_at - took, closed_at, outcome }
    }

    #[test]
    fn percentiles_are_values_that_there_were() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 90), Some(7));
        let ten: Vec<i64> = (1..=10).collect();
        assert_eq!(
            (percentile(&ten, 50), percentile(&ten, 90), percentile(&ten, 100)),
            (Some(5), Some(9), Some(10))
        );
    }

    #[test]
    fn of_few_cases_nothing_is_said() {
        let count = |malicious, harmless| RuleCount { rule: String::new(), malicious, harmless };
        assert_eq!(precision(&count(4, 0)), "too few to say (4 of 4)");
        assert_eq!(precision(&count(0, 0)), "too few to say (0 of 0)");
        assert_eq!(precision(&count(4, 1)), "80 % (4 of 5)");
        assert_eq!(precision(&count(2, 4)), "33 % (2 of 6)");
    }

    #[test]
    fn what_was_closed_without_a_decision_took_no_time() {
        let closed = [
            case(10, 3_600, Some(Outcome::Malicious)),
            case(20, 60, Some(Outcome::Harmless)),
            case(30, 9, None),
            case(WEEKS * WEEK, 5, Some(Outcome::Malicious)),
        ];
        let weeks = weeks(&closed, &[(0, 3)], 0);
        assert_eq!(weeks.len(), 13);
        assert_eq!((weeks[0].opened, weeks[0].decided), (3, 2));
        assert_eq!((weeks[0].median.as_str(), weeks[0].late.as_str()), ("1 min", "60 min"));
        assert_eq!((weeks[1].median.as_str(), weeks[12].decided), (UNDECIDED, 1));
        assert_eq!(outcomes(&closed).iter().filter_map(|it| it.1).collect::<Vec<_>>(), [2, 1, 1]);
        let medians: Vec<Option<u64>> = medians(&closed, 0).into_iter().map(|it| it.1).collect();
        assert_eq!((medians[0], medians[1], medians[12]), (Some(1), None, Some(0)), "a gap is no 0");
    }
}

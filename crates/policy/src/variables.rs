//! What conditions may name, with types, and where the values come from.
//!
//! One table serves the check of types, the documentation and, by a test, the values: a variable that is documented has a
//! value, and the other way round.

use std::sync::Arc;

use cratekeeper_model::{
    Case, DependencyHistory, Finding, History, Known, PackageSource, PublishMethod, RuleInput,
};

use crate::evaluate::Value;
use crate::reports::{Reporters, Reports};

/// Type of a value in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `true`, `false`.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// Several values of one type.
    List(&'static Type),
    /// Values by name.
    Record(&'static [Field]),
}

/// A value by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub of: Type,
    /// What it is, as one sentence fragment.
    pub meaning: &'static str,
    /// Whether it may be unknown, so that `known(…)` is worth asking.
    pub may_be_unknown: bool,
}

const fn field(name: &'static str, of: Type, meaning: &'static str) -> Field {
    Field { name, of, meaning, may_be_unknown: false }
}

const fn perhaps(name: &'static str, of: Type, meaning: &'static str) -> Field {
    Field { name, of, meaning, may_be_unknown: true }
}

const TEXTS: Type = Type::List(&Type::Text);

/// Everything that a condition may name.
pub const VARIABLES: &[Field] = &[
    field("version", Type::Record(VERSION), "the version that is judged"),
    field("case", Type::Record(CASE), "what rules found"),
    field("history", Type::Record(HISTORY), "what the registry remembers"),
    field("facts", Type::Record(FACTS), "what is in the package"),
    field("names", Type::Record(NAMES), "what its name can be taken for"),
    field("reports", Type::Record(REPORTS), "who reports it"),
];

const VERSION: &[Field] = &[
    field("name", Type::Text, "name of the crate"),
    field("number", Type::Text, "the version, for example `1.2.3`"),
    field("major", Type::Int, "its first number"),
    field("minor", Type::Int, "its second number"),
    field("patch", Type::Int, "its third number"),
    field("pre_release", Type::Bool, "whether it is a pre-release"),
    field("source", Type::Text, "`registry`, `git`, `path` or `unknown`"),
    field("kinds", TEXTS, "`normal`, `build`, `dev`: why it is in the tree; empty where that is not known"),
    perhaps("yanked", Type::Bool, "whether it is withdrawn"),
];

const CASE: &[Field] = &[
    field("score", Type::Int, "0 to 100"),
    field("level", Type::Text, "`none`, `info`, `review`, `alert` or `block`"),
    field("rules", TEXTS, "ids of the rules that found something"),
    field("techniques", Type::List(&Type::Int), "numbers of the attack techniques that findings point to"),
    field("advisories", TEXTS, "ids of the advisories that affect it"),
    field("not_evaluated", TEXTS, "ids of the rules that lacked their input"),
    field("findings", Type::List(&Type::Record(FINDING)), "the findings, worst first"),
];

const FINDING: &[Field] = &[
    field("rule", Type::Text, "id of the rule"),
    field("severity", Type::Text, "`info`, `low`, `medium`, `high` or `critical`"),
    field("confidence", Type::Text, "`low`, `medium` or `high`"),
    field("techniques", Type::List(&Type::Int), "numbers of the attack techniques that it points to"),
];

const HISTORY: &[Field] = &[
    perhaps("age_days", Type::Int, "whole days since it was published"),
    perhaps("age_hours", Type::Int, "whole hours since it was published"),
    perhaps("crate_age_days", Type::Int, "whole days since the crate's first version"),
    perhaps("versions", Type::Int, "how many versions the crate has"),
    perhaps("publisher", Type::Text, "who published it"),
    perhaps("new_publisher", Type::Bool, "whether its publisher published no earlier version"),
    perhaps("method", Type::Text, "`token` or `trusted-publishing`"),
    perhaps("owners", TEXTS, "who may publish now"),
    perhaps("downloads", Type::Int, "of all versions"),
    perhaps("new_dependencies", TEXTS, "crates that it depends on and the previous version did not"),
    perhaps(
        "youngest_dependency_days",
        Type::Int,
        "whole days since the first version of the youngest new dependency",
    ),
];

const FACTS: &[Field] = &[
    perhaps("build_script", Type::Bool, "whether it has a build script"),
    perhaps("proc_macro", Type::Bool, "whether it is a procedural macro"),
    perhaps("license", Type::Text, "`package.license`; unknown where there is none"),
    perhaps("repository", Type::Text, "`package.repository`; unknown where there is none"),
];

const NAMES: &[Field] = &[
    perhaps("popular", Type::Bool, "whether the name is one that others are taken for"),
    perhaps("level", Type::Text, "`none`, `review` or `alert`: how likely it is taken for another one"),
    perhaps("matches", TEXTS, "names that it can be taken for, likeliest first"),
];

const REPORTS: &[Field] = &[
    field("malware", Type::Record(REPORTERS), "that it does harm"),
    field("impersonation", Type::Record(REPORTERS), "that its name is meant to be taken for another"),
];

const REPORTERS: &[Field] = &[
    perhaps(
        "trusted",
        Type::Int,
        "accounts that report so, and whose earlier reports were right; known at a gate only",
    ),
    perhaps("known", Type::Int, "other accounts that report so; known at a gate only"),
    perhaps(
        "anonymous",
        Type::Int,
        "addresses that report so without an account, 0 unless an account does, too; known at a gate only",
    ),
];

/// The values for one version, without the case.
pub(crate) fn circumstances(input: &RuleInput) -> [(&'static str, Value); 5] {
    [
        ("version", version(input)),
        ("history", history(input)),
        ("facts", facts(input)),
        ("names", names(input)),
        (REPORTED, reports(None)),
    ]
}

/// Name of the variable about reports.
pub(crate) const REPORTED: &str = "reports";

/// Who reports a version, where somebody knows.
pub(crate) fn reports(reports: Option<&Reports>) -> Value {
    let of = |reporters: Option<Reporters>| match reporters {
        None => record(REPORTERS.iter().map(|it| (it.name, unknown("only a gate knows who reports what")))),
        Some(it) => record([
            ("trusted", int(it.trusted)),
            ("known", int(it.known)),
            ("anonymous", int(it.counted_anonymous())),
        ]),
    };
    record([
        ("malware", of(reports.map(|it| it.malware))),
        ("impersonation", of(reports.map(|it| it.impersonation))),
    ])
}

/// All values for one version.
pub(crate) fn values(circumstances: &[(&'static str, Value)], case: &Case) -> Value {
    Value::Record(circumstances.iter().cloned().chain([("case", of_case(case))]).collect())
}

fn record(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Record(fields.into_iter().collect())
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::List(texts.into_iter().map(text).collect())
}

fn int(number: impl TryInto<i64>) -> Value {
    Value::Int(number.try_into().unwrap_or(i64::MAX))
}

fn numbers(numbers: &[u8]) -> Value {
    Value::List(numbers.iter().map(|it| Value::Int(i64::from(*it))).collect())
}

fn unknown(reason: &str) -> Value {
    Value::Unknown(Arc::from(reason))
}

fn known<T>(value: &Known<T>, make: impl FnOnce(&T) -> Value) -> Value {
    match value {
        Known::Known(value) => make(value),
        Known::Unknown(reason) => unknown(reason),
    }
}

fn version(input: &RuleInput) -> Value {
    let package = &input.package;
    let source = match package.source {
        PackageSource::Registry(_) => "registry",
        PackageSource::Git(_) => "git",
        PackageSource::Path(_) => "path",
        PackageSource::Unknown => "unknown",
    };
    let kinds: Vec<String> = package.kinds.iter().map(ToString::to_string).collect();
    record([
        ("name", text(&package.name)),
        ("number", text(&package.version.to_string())),
        ("major", int(package.version.major)),
        ("minor", int(package.version.minor)),
        ("patch", int(package.version.patch)),
        ("pre_release", Value::Bool(!package.version.pre.is_empty())),
        ("source", text(source)),
        ("kinds", texts(kinds.iter().map(String::as_str))),
        ("yanked", known(&input.index, |it| Value::Bool(it.yanked))),
    ])
}

fn of_case(case: &Case) -> Value {
    let mut rules: Vec<&str> = case.findings.iter().map(|it| it.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let finding = |it: &Finding| {
        record([
            ("rule", text(&it.rule)),
            ("severity", text(it.severity.as_str())),
            ("confidence", text(&it.confidence.to_string())),
            ("techniques", numbers(&it.techniques)),
        ])
    };
    record([
        ("score", int(case.score)),
        ("level", text(case.level.as_str())),
        ("rules", texts(rules)),
        ("techniques", numbers(&case.techniques)),
        (
            "advisories",
            texts(case.findings.iter().filter_map(|it| it.advisory.as_ref()).map(|it| it.id.as_str())),
        ),
        ("not_evaluated", texts(case.not_evaluated.iter().map(|it| it.rule.as_str()))),
        ("findings", Value::List(case.findings.iter().map(finding).collect())),
    ])
}

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

fn history(input: &RuleInput) -> Value {
    let history = match &input.history {
        Known::Known(history) => history,
        Known::Unknown(reason) => {
            return record(HISTORY.iter().map(|field| (field.name, unknown(reason))));
        }
    };
    let own = history.version(&input.package.version);
    let of_own = |make: &dyn Fn(&cratekeeper_model::PublishedVersion) -> Value| {
        own.map_or_else(|| unknown("the registry's history lacks this version"), make)
    };
    let age = |unit: i64| {
        of_own(&|own| known(&own.published, |it| Value::Int(history.at.saturating_sub(*it).max(0) / unit)))
    };
    record([
        ("age_days", age(DAY)),
        ("age_hours", age(DAY / 24)),
        ("crate_age_days", crate_age(history)),
        ("versions", int(history.versions.len())),
        ("publisher", of_own(&|own| known(&own.publisher, |it| text(it)))),
        ("new_publisher", new_publisher(history, input)),
        ("method", of_own(&|own| known(&own.method, |it| text(method(*it))))),
        ("owners", known(&history.owners, |it| texts(it.iter().map(String::as_str)))),
        ("downloads", known(&history.downloads, |it| int(*it))),
        ("new_dependencies", texts(new_dependencies(history).map(|it| it.name.as_str()))),
        ("youngest_dependency_days", youngest(history)),
    ])
}

fn method(method: PublishMethod) -> &'static str {
    match method {
        PublishMethod::Token => "token",
        PublishMethod::TrustedPublishing => "trusted-publishing",
    }
}

fn crate_age(history: &History) -> Value {
    let mut times = Vec::new();
    for version in &history.versions {
        match &version.published {
            Known::Known(time) => times.push(*time),
            Known::Unknown(reason) => return unknown(reason),
        }
    }
    let first = times.into_iter().min();
    first.map_or_else(
        || unknown("it has no versions"),
        |it| Value::Int(history.at.saturating_sub(it).max(0) / DAY),
    )
}

fn new_publisher(history: &History, input: &RuleInput) -> Value {
    let Some(own) = history.version(&input.package.version) else {
        return unknown("the registry's history lacks this version");
    };
    let publisher = match &own.publisher {
        Known::Known(publisher) => publisher,
        Known::Unknown(reason) => return unknown(reason),
    };
    let mut reason = None;
    for other in history.versions.iter().filter(|it| it.version < own.version) {
        match &other.publisher {
            Known::Known(other) if other == publisher => return Value::Bool(false),
            Known::Known(_) => {}
            Known::Unknown(why) => reason = Some(why),
        }
    }
    reason.map_or(Value::Bool(true), |why| unknown(why))
}

fn new_dependencies(history: &History) -> impl Iterator<Item = &DependencyHistory> {
    history.dependencies.iter().filter(|it| it.in_previous != Some(true))
}

fn youngest(history: &History) -> Value {
    let mut latest: Option<i64> = None;
    for dependency in new_dependencies(history) {
        match &dependency.first_published {
            Known::Known(time) => latest = latest.max(Some(*time)),
            Known::Unknown(reason) => return unknown(reason),
        }
    }
    let days = |it: i64| Value::Int(history.at.saturating_sub(it).max(0) / DAY);
    latest.map_or_else(|| unknown("there is no new dependency"), days)
}

fn facts(input: &RuleInput) -> Value {
    let facts = match &input.facts {
        Known::Known(facts) => facts,
        Known::Unknown(reason) => {
            return record(FACTS.iter().map(|field| (field.name, unknown(reason))));
        }
    };
    let manifest = &facts.manifest;
    let has = |kind| Value::Bool(manifest.targets.iter().any(|it| it.kind == kind));
    let optional =
        |value: &Option<String>| value.as_deref().map_or_else(|| unknown("the manifest does not say"), text);
    record([
        ("build_script", has(cratekeeper_model::facts::TargetKind::BuildScript)),
        ("proc_macro", has(cratekeeper_model::facts::TargetKind::ProcMacro)),
        ("license", optional(&manifest.license)),
        ("repository", optional(&manifest.repository)),
    ])
}

fn names(input: &RuleInput) -> Value {
    match &input.names {
        Known::Unknown(reason) => record(NAMES.iter().map(|field| (field.name, unknown(reason)))),
        Known::Known(names) => record([
            ("popular", Value::Bool(names.in_corpus)),
            ("level", text(names.level.as_str())),
            ("matches", texts(names.matches.iter().map(|it| it.target.as_str()))),
        ]),
    }
}

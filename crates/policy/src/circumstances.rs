//! What a policy looked at besides the case, in a form that can be kept.
//!
//! Another policy can then be asked about the past: it sees what was known at that moment, not what is known now. The values stand by the
//! names of conditions' variables, and are read back by the types of [`VARIABLES`](crate::VARIABLES), so that what was kept by an older program stays readable:
//! a variable that it did not have is unknown.

use std::sync::Arc;

use cratekeeper_model::{Known, PackageSource, RuleInput};
use serde_json::{Map, Value as Json};

use crate::evaluate::Value;
use crate::reports::Reports;
use crate::variables::{self, Field, Type, VARIABLES};

/// Key under which it is kept why a version could not be checked.
const UNCHECKED: &str = "unchecked";

/// Key of the reason why a value is not known. No record of variables has a field of this name.
const UNKNOWN: &str = "unknown";

/// What a policy looks at besides the case: version, history, facts, names and reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Circumstances {
    /// Why the version could not be checked.
    pub(crate) unchecked: Option<String>,
    pub(crate) values: Vec<(&'static str, Value)>,
}

/// What was kept cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the circumstances of a decision: {0}")]
pub struct CircumstancesError(#[from] serde_json::Error);

impl Circumstances {
    /// Those of a version.
    #[must_use]
    pub fn of(input: &RuleInput) -> Circumstances {
        let is_local = matches!(input.package.source, PackageSource::Path(_));
        let unchecked = match &input.facts {
            Known::Unknown(reason) if !is_local => Some(reason.clone()),
            _ => None,
        };
        Circumstances { unchecked, values: variables::circumstances(input).into() }
    }

    /// The same, with who reports the version.
    #[must_use]
    pub fn with_reports(mut self, reports: &Reports) -> Circumstances {
        for (name, value) in &mut self.values {
            if *name == variables::REPORTED {
                *value = variables::reports(Some(reports));
            }
        }
        self
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut all: Map<String, Json> =
            self.values.iter().map(|(name, value)| ((*name).to_owned(), written(value))).collect();
        if let Some(reason) = &self.unchecked {
            all.insert(UNCHECKED.to_owned(), reason.as_str().into());
        }
        Json::Object(all).to_string()
    }

    /// Reads what [`Circumstances::to_json`] wrote, also that of another version of this program.
    ///
    /// # Errors
    ///
    /// When it is no JSON object.
    pub fn from_json(text: &str) -> Result<Circumstances, CircumstancesError> {
        let mut all: Map<String, Json> = serde_json::from_str(text)?;
        let unchecked = all.remove(UNCHECKED).and_then(|it| it.as_str().map(str::to_owned));
        let of_case = |it: &&Field| it.name != "case";
        let values = VARIABLES
            .iter()
            .filter(of_case)
            .map(|field| (field.name, read(all.remove(field.name), &field.of)));
        Ok(Circumstances { unchecked, values: values.collect() })
    }

    /// A text of `version`; empty where it is unknown.
    pub(crate) fn text(&self, name: &str) -> Arc<str> {
        let version = self.values.iter().find(|(variable, _)| *variable == "version");
        let Some((_, Value::Record(fields))) = version else { return Arc::from("") };
        match fields.iter().find(|(field, _)| *field == name) {
            Some((_, Value::Text(text))) => text.clone(),
            _ => Arc::from(""),
        }
    }
}

fn written(value: &Value) -> Json {
    match value {
        Value::Bool(it) => Json::Bool(*it),
        Value::Int(it) => (*it).into(),
        Value::Text(it) => it.as_ref().into(),
        Value::List(it) => Json::Array(it.iter().map(written).collect()),
        Value::Record(it) => {
            Json::Object(it.iter().map(|(name, value)| ((*name).to_owned(), written(value))).collect())
        }
        Value::Unknown(reason) => {
            Json::Object(Map::from_iter([(UNKNOWN.to_owned(), reason.as_ref().into())]))
        }
    }
}

/// A value of this type; unknown where there is none, or one of another type.
fn read(json: Option<Json>, of: &Type) -> Value {
    match (json, of) {
        (Some(Json::Bool(it)), Type::Bool) => Value::Bool(it),
        (Some(Json::Number(it)), Type::Int) if it.is_i64() => Value::Int(it.as_i64().unwrap_or_default()),
        (Some(Json::String(it)), Type::Text) => Value::Text(it.into()),
        (Some(Json::Array(it)), Type::List(of)) => {
            Value::List(it.into_iter().map(|it| read(Some(it), of)).collect())
        }
        (Some(Json::Object(mut it)), of) => match (it.remove(UNKNOWN), of) {
            (Some(Json::String(reason)), _) => Value::Unknown(reason.into()),
            (None, Type::Record(fields)) => Value::Record(
                fields.iter().map(|field| (field.name, read(it.remove(field.name), &field.of))).collect(),
            ),
            _ => unknown("what was kept of it cannot be read"),
        },
        (None | Some(Json::Null), _) => unknown("it was not kept"),
        (Some(_), _) => unknown("what was kept of it cannot be read"),
    }
}

fn unknown(reason: &str) -> Value {
    Value::Unknown(Arc::from(reason))
}

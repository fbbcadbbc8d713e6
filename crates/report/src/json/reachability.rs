//! Whether the workspace can run what an advisory is about.

use cratekeeper_model::{Absence, CallPath, CallStep, Reachability};
use serde::{Serialize, Serializer};

use super::object::{Each, object};

pub(super) struct ReachabilityObject<'a>(pub(super) &'a Reachability);

impl Serialize for ReachabilityObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Reachability { answer, absence, assumptions, reasons, paths } = self.0;
        object!(serializer, {
            "answer": answer.as_str(),
            "absence": absence.map(Absence::as_str),
            "assumptions": assumptions,
            "reasons": reasons,
            "paths": Each(paths, PathObject),
        })
    }
}

struct PathObject<'a>(&'a CallPath);

impl Serialize for PathObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CallPath { certainty, entry, steps } = self.0;
        object!(serializer, {
            "certainty": certainty.as_str(),
            "entry": entry.as_str(),
            "steps": Each(steps, StepObject),
        })
    }
}

struct StepObject<'a>(&'a CallStep);

impl Serialize for StepObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CallStep { function, package, version, is_local, file, line, call } = self.0;
        object!(serializer, {
            "function": function,
            "package": package,
            "version": version,
            "local": is_local,
            "file": file,
            "line": line,
            "kind": call.map(|it| it.kind.as_str()),
            "certainty": call.map(|it| it.certainty.as_str()),
            "call_line": call.and_then(|it| it.line),
        })
    }
}

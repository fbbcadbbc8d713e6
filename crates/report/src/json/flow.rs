//! Facts about behaviour: operations, texts, conditions, flows, capabilities.
//!
//! Operations and gates refer to each other by their position in the document's own arrays; files and functions are named, as
//! everywhere. Enumerations are written by the words that the model gives them.

use cratekeeper_model::facts::{
    CapabilityUse, ConstantText, ExternalCall, Flow, FlowFacts, FlowStep, Gate, Operation,
};
use serde::{Serialize, Serializer};

use super::object::object;
use super::source::{In, Place};

pub(super) struct FlowObject<'a>(pub(super) &'a FlowFacts, pub(super) Place<'a>);

impl Serialize for FlowObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let FlowObject(it, place) = self;
        object!(serializer, {
            "operations": place.each(&it.operations),
            "texts": place.each(&it.texts),
            "gates": place.each(&it.gates),
            "flows": place.each(&it.flows),
            "external_calls": place.each(&it.external_calls),
            "problems": it.problems,
        })
    }
}

impl Serialize for In<'_, Operation> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "kind": it.kind,
            "path": it.path,
            "file": place.file(it.file),
            "line": it.line,
            "function": place.function(it.function),
            "function_index": it.function,
            "arguments": it.arguments,
            "qualities": it.qualities,
            "gates": it.gates,
            "phases": it.phases,
            "chain": it.chain.iter().map(|function| place.function(Some(*function))).collect::<Vec<_>>(),
        })
    }
}

impl Serialize for In<'_, ConstantText> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "value": it.value,
            "decodings": it.decodings,
            "topics": it.topics,
            "file": place.file(it.file),
            "line": it.line,
            "function": place.function(it.function),
            "function_index": it.function,
            "operation": it.operation,
        })
    }
}

impl Serialize for In<'_, Gate> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "kind": it.kind,
            "text": it.text,
            "file": place.file(it.file),
            "line": it.line,
            "function": place.function(it.function),
            "function_index": it.function,
        })
    }
}

impl Serialize for In<'_, Flow> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "source": it.source,
            "from": it.from,
            "into": it.into,
            "transformations": it.transformations,
            "steps": place.each(&it.steps),
        })
    }
}

impl Serialize for In<'_, FlowStep> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "file": place.file(it.file),
            "line": it.line,
            "function": place.function(it.function),
        })
    }
}

impl Serialize for In<'_, ExternalCall> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "path": it.path,
            "file": place.file(it.file),
            "line": it.line,
            "function": place.function(it.function),
            "function_index": it.function,
            "phases": it.phases,
        })
    }
}

impl Serialize for In<'_, CapabilityUse> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "capability": it.capability,
            "phase": it.phase,
            "path": it.path,
            "file": place.file(it.file),
            "line": it.line,
            "function": place.function(it.function),
            "places": it.places,
        })
    }
}

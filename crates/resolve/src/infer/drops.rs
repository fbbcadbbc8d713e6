//! What ends with a value: the `drop` of its type, and of what it holds.
//!
//! Moves are not followed, so nobody knows where a value ends, or whether it does: whoever binds one by value *may* drop it,
//! and every such call is a candidate. What the standard library drops is left out, but not what its containers hold.

use cratekeeper_model::graph::{Certainty, EdgeKind};

use super::implementations::AppliedTrait;
use super::{Body, Found, Target};
use crate::definitions::{AdtId, FunctionId, ImplementationId};
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

/// Values inside values that are looked into.
const DEPTH: u32 = 4;

/// Most functions that one value's end is said to call.
const FUNCTIONS: usize = 6;

/// Most bindings of one body that are looked at.
const BINDINGS: usize = 256;

impl Body<'_, '_> {
    /// Keeps that a value of a type was bound here.
    pub(super) fn bound_by_value(&mut self, of: TypeId, line: u32) {
        if self.owned.len() < BINDINGS {
            self.owned.push((of, line));
        }
    }

    /// The calls of `drop` that the end of what was bound may make.
    pub(super) fn drops(&mut self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for (of, line) in std::mem::take(&mut self.owned) {
            let mut functions = Vec::new();
            let mut seen = Vec::new();
            self.dropped(of, &mut functions, &mut seen, 0);
            for id in functions {
                let known =
                    found.iter().any(|it| matches!(it.target, Target::Function(other) if other == id));
                if !known {
                    found.push(Found {
                        line,
                        target: Target::Function(id),
                        kind: EdgeKind::Drop,
                        certainty: Certainty::Candidate,
                        in_unsafe: false,
                    });
                }
            }
        }
        found
    }

    fn dropped(&mut self, of: TypeId, functions: &mut Vec<FunctionId>, seen: &mut Vec<AdtId>, depth: u32) {
        if depth > DEPTH || functions.len() >= FUNCTIONS || !self.burn(8) {
            return;
        }
        match self.table.of(of).clone() {
            Type::Adt(id, arguments) => {
                let of_standard =
                    self.context.standard.is_some_and(|it| [it.core, it.alloc, it.std].contains(&id.krate));
                if of_standard {
                    arguments.iter().for_each(|it| self.dropped(*it, functions, seen, depth + 1));
                    return;
                }
                if seen.contains(&id) {
                    return;
                }
                seen.push(id);
                functions.extend(self.drop_of(of));
                self.drop_fields(id, &arguments, functions, seen, depth);
            }
            Type::Tuple(parts) => parts.iter().for_each(|it| self.dropped(*it, functions, seen, depth + 1)),
            Type::Array(inner) | Type::Slice(inner) => self.dropped(inner, functions, seen, depth + 1),
            _ => {}
        }
    }

    fn drop_fields(
        &mut self,
        id: AdtId,
        arguments: &[TypeId],
        functions: &mut Vec<FunctionId>,
        seen: &mut Vec<AdtId>,
        depth: u32,
    ) {
        let view = self.view();
        let from = &view.krate(id.krate).types;
        for (_, field) in view.adt(id).variants.iter().flat_map(|it| &it.fields) {
            if functions.len() >= FUNCTIONS {
                return;
            }
            if matches!(from.of(*field), Type::Adt(..) | Type::Parameter(_) | Type::Tuple(_)) {
                let field = substitute::copy(Some(from), *field, arguments, &mut self.table.pool);
                self.dropped(field, functions, seen, depth + 1);
            }
        }
    }

    /// `drop` of the type itself.
    fn drop_of(&mut self, of: TypeId) -> Option<FunctionId> {
        let id = self.context.known.drop?;
        let reference = AppliedTrait { id, arguments: &[] };
        let implementation: ImplementationId = *self.fitting(of, reference, 0).first()?;
        let functions = &self.view().implementation(implementation).functions;
        let number = functions.get(&Symbol::new("drop"))?;
        Some(FunctionId { krate: implementation.krate, index: *number })
    }
}

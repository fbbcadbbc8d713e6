//! How much may be read again: by expressions, by loops, by elements of sequences.
//!
//! A budget alone would be spent on whatever stands first, so what nothing depends on is left out once some of it is spent.

use std::rc::Rc;

use super::super::ir::Id;
use super::super::slice::Slice;
use super::super::value::{Known, Value};
use super::{Frame, ITERATIONS, Machine};

/// Expressions that may be read again in one package: about 50 ms. From half of that on, by slices alone.
pub(super) const STEPS: u64 = 250_000;
/// Expressions that one function may read again. From a quarter of that on, by slices alone.
const STEPS_OF_ROOT: u64 = 20_000;
/// Elements of sequences that are taken apart in one package, some 0.2 s. None of 360 real crates gets there.
const ELEMENTS: usize = 1 << 20;
/// Sequences up to this length are taken apart in any case, so that long ones before a payload do not hide it.
const SHORT_SEQUENCE: usize = 128;
/// Steps that one loop may take of those of its root: enough for a thousand bytes of a decoder.
const STEPS_OF_LOOP: u64 = 8_000;
/// Steps of a loop after which it must be good for something.
const PATIENCE: u64 = 500;

impl<'p> Machine<'p> {
    pub(super) fn may_repeat(&mut self) -> bool {
        let may = self.steps < STEPS && self.root_steps < STEPS_OF_ROOT;
        if !may {
            self.found.truncated.insert("repetitions");
        }
        may
    }

    /// Whether a loop that began at this many steps may go on: one loop must not use up what is left for the rest.
    pub(super) fn may_go_on(&mut self, began: u64) -> bool {
        let may = self.root_steps - began < STEPS_OF_LOOP;
        if !may {
            self.found.truncated.insert("repetitions");
        }
        may && self.may_repeat()
    }

    /// Whether a sequence of this length may be taken apart.
    pub(super) fn may_expand(&mut self, length: usize) -> bool {
        if self.once > 0 && length > 1 {
            return false;
        }
        self.elements = self.elements.saturating_add(length);
        let may = self.elements <= ELEMENTS || length <= SHORT_SEQUENCE;
        if !may {
            self.found.truncated.insert("long sequences");
        }
        may
    }

    /// The elements of a sequence, if they are known and may be taken apart.
    pub(super) fn elements(&mut self, sequence: &Value) -> Option<Vec<Value>> {
        let length = match &sequence.known {
            Known::Bytes(bytes) => bytes.len(),
            Known::List(list) => list.len(),
            _ => return None,
        };
        if length > ITERATIONS || !self.may_expand(length) {
            return None;
        }
        sequence.elements(ITERATIONS)
    }

    /// Whether nothing that matters depends on a statement. Slices are looked at where a body is large, or much was repeated before.
    pub(super) fn is_padding(&mut self, frame: &mut Frame, statement: Id) -> bool {
        if frame.slice.is_none()
            && (self.steps > STEPS / 2 || self.root_steps > STEPS_OF_ROOT / 4 || self.elements > ELEMENTS / 2)
            && let Some(body) = frame.body
        {
            frame.slice = self.slice(body);
        }
        frame.slice.as_ref().is_some_and(|slice| slice.leaves_out(statement))
    }

    /// Whether a loop that began at this many steps has taken a while, and nothing that matters depends on it.
    pub(super) fn is_idle(&mut self, frame: &Frame, id: Id, began: u64) -> bool {
        self.root_steps - began > PATIENCE
            && frame.body.and_then(|body| self.slice(body)).is_some_and(|slice| slice.leaves_out(id))
    }

    pub(super) fn slice(&mut self, number: usize) -> Option<Rc<Slice>> {
        if let Some(slice) = self.slices.get(&number) {
            return Some(slice.clone());
        }
        let place = &self.program.bodies[number];
        let (body, ir) = (self.program.ir_body(place)?, self.program.irs[place.file as usize]?);
        let (program, relevance) = (self.program, &self.relevance);
        let mut is_harmless = |path: &str| {
            super::super::slice::makes_value(path) || {
                let resolved = program.resolve(&place.module, path);
                let callees = resolved.strip_prefix("crate::").map(|local| program.functions_at(local));
                callees.is_some_and(|callees| {
                    let touches =
                        |callee: &u32| program.body(*callee).is_none_or(|body| relevance.bodies[body]);
                    !callees.is_empty() && !callees.iter().any(touches)
                })
            }
        };
        let slice = Rc::new(Slice::of(ir, body, &mut is_harmless));
        self.slices.insert(number, slice.clone());
        Some(slice)
    }
}

//! What is known of a value while functions are read: its constant parts, how they were put together, and where the
//! rest comes from.

use std::rc::Rc;

use cratekeeper_model::facts::Decoding;

use super::ir::{Id, Text};

/// Most sources of one value that are told apart.
const TAINTS: usize = 16;

/// A value, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    pub(super) known: Known,
    /// How the known part was put together.
    pub(super) steps: Steps,
    /// Topics that the parts of a joined text show without being joined, as bits.
    pub(super) visible: u32,
    pub(super) taints: Taints,
    /// Path of its type, if a constructor or an annotation shows it.
    pub(super) kind: Option<Text>,
    /// The operation that it stands for: a command, a connection, an open file.
    pub(super) operation: Option<u32>,
}

/// The constant part of a [`Value`].
#[derive(Debug, Clone, Default)]
pub(super) enum Known {
    #[default]
    Nothing,
    Integer(i64),
    Byte(u8),
    Boolean(bool),
    /// What is not constant in it is written `{}`; the flag says that nothing is missing.
    Text(Text, bool),
    Bytes(Rc<[u8]>),
    List(Rc<Vec<Value>>),
    /// Fields by name.
    Record(Rc<Vec<(Text, Value)>>),
    /// Path of a function, resolved.
    Function(Text),
    /// File and number of the closure.
    Closure(u32, Id),
}

/// Decodings in order, up to 16, in four bits each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Steps(u64);

const DECODINGS: [Decoding; 9] = [
    Decoding::Joined,
    Decoding::Reversed,
    Decoding::Base64,
    Decoding::Hex,
    Decoding::Xor,
    Decoding::Rotated,
    Decoding::Numbers,
    Decoding::Replaced,
    Decoding::Evaluated,
];

impl Steps {
    /// These steps with one more; the same step twice is one.
    pub(super) fn with(self, step: Decoding) -> Steps {
        let number = DECODINGS.iter().position(|it| *it == step).unwrap_or(0) as u64 + 1;
        let mut at = 0;
        while at < 16 && (self.0 >> (4 * at)) & 15 != 0 {
            if (self.0 >> (4 * at)) & 15 == number {
                return self;
            }
            at += 1;
        }
        if at == 16 { self } else { Steps(self.0 | number << (4 * at)) }
    }

    pub(super) fn and(self, other: Steps) -> Steps {
        other.list().into_iter().fold(self, Steps::with)
    }

    pub(super) fn list(self) -> Vec<Decoding> {
        let numbers = (0..16).map(|at| (self.0 >> (4 * at)) & 15).take_while(|it| *it != 0);
        numbers.filter_map(|number| DECODINGS.get(number as usize - 1).copied()).collect()
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// More than joining: the value cannot be read in the source.
    pub(super) fn hides(self) -> bool {
        self.list().iter().any(|it| !matches!(it, Decoding::Joined | Decoding::Numbers | Decoding::Replaced))
    }
}

/// A source and what happened to the value since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Taint {
    /// Number of the origin.
    pub(super) origin: u32,
    pub(super) steps: Steps,
}

/// Where a value comes from.
#[derive(Debug, Clone, Default)]
pub(super) struct Taints(Option<Rc<Vec<Taint>>>);

impl Taints {
    pub(super) fn of(origin: u32) -> Taints {
        Taints(Some(Rc::new(vec![Taint { origin, steps: Steps::default() }])))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Taint> {
        self.0.iter().flat_map(|it| it.iter())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn add(&mut self, other: &Taints) {
        let Some(more) = &other.0 else { return };
        let Some(own) = &mut self.0 else {
            self.0 = Some(more.clone());
            return;
        };
        if Rc::ptr_eq(own, more) {
            return;
        }
        for taint in more.iter() {
            if own.len() < TAINTS && !own.iter().any(|it| it.origin == taint.origin) {
                Rc::make_mut(own).push(*taint);
            }
        }
    }

    pub(super) fn without(&self, keep: impl Fn(&Taint) -> bool) -> Taints {
        let kept: Vec<Taint> = self.iter().copied().filter(|it| keep(it)).collect();
        Taints((!kept.is_empty()).then(|| Rc::new(kept)))
    }

    pub(super) fn transformed(&self, step: Decoding) -> Taints {
        Taints(self.0.as_ref().map(|own| {
            Rc::new(own.iter().map(|it| Taint { origin: it.origin, steps: it.steps.with(step) }).collect())
        }))
    }
}

impl Value {
    pub(super) fn known(known: Known) -> Value {
        Value { known, ..Value::default() }
    }

    pub(super) fn text(text: impl Into<Text>) -> Value {
        Value::known(Known::Text(text.into(), true))
    }

    pub(super) fn tainted(taints: Taints) -> Value {
        Value { taints, ..Value::default() }
    }

    /// Only where it comes from.
    pub(super) fn shadow(&self) -> Value {
        Value { taints: self.taints.clone(), operation: self.operation, ..Value::default() }
    }

    pub(super) fn is_known(&self) -> bool {
        !matches!(self.known, Known::Nothing)
    }

    /// Whether a function that gets it may do something else than without.
    pub(super) fn matters(&self) -> bool {
        // Numbers and flags alone say nothing; with a text they come along.
        let says =
            !matches!(self.known, Known::Nothing | Known::Integer(_) | Known::Byte(_) | Known::Boolean(_));
        says || !self.taints.is_empty() || self.operation.is_some()
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match &self.known {
            Known::Integer(value) => Some(*value),
            Known::Byte(value) => Some(i64::from(*value)),
            Known::Text(text, true) => {
                let mut characters = text.chars();
                let first = characters.next()?;
                characters.next().is_none().then_some(i64::from(u32::from(first)))
            }
            _ => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.known {
            Known::Boolean(value) => Some(value),
            _ => None,
        }
    }

    /// As text, if it is one or a sequence of characters; the flag says that nothing is missing.
    pub(super) fn as_text(&self) -> Option<(Text, bool)> {
        match &self.known {
            Known::Text(text, whole) => Some((text.clone(), *whole)),
            Known::Bytes(bytes) => {
                let text = std::str::from_utf8(bytes).ok()?;
                let printable = text.chars().all(|it| !it.is_control() || it.is_whitespace());
                (printable && !text.is_empty()).then(|| (text.into(), true))
            }
            Known::List(list) => {
                if list.is_empty() || list.len() > 4096 {
                    return None;
                }
                if let Some(bytes) = list
                    .iter()
                    .map(|it| match it.known {
                        Known::Byte(byte) => Some(byte),
                        _ => None,
                    })
                    .collect::<Option<Vec<u8>>>()
                {
                    return Value::known(Known::Bytes(bytes.into())).as_text();
                }
                let mut joined = String::new();
                let whole = true;
                for part in list.iter() {
                    match &part.known {
                        // Longer ones are texts of their own.
                        Known::Text(text, true) if text.chars().nth(1).is_none() => joined.push_str(text),
                        Known::Integer(value) if (1..128).contains(value) => {
                            joined.push(*value as u8 as char);
                        }
                        _ => return None,
                    }
                }
                Some((joined.into(), whole))
            }
            Known::Integer(value) => Some((value.to_string().into(), true)),
            Known::Byte(value) => Some((value.to_string().into(), true)),
            Known::Boolean(value) => Some((if *value { "true" } else { "false" }.into(), true)),
            _ => None,
        }
    }

    /// As bytes, if all of them are known.
    pub(super) fn as_bytes(&self) -> Option<Rc<[u8]>> {
        match &self.known {
            Known::Bytes(bytes) => Some(bytes.clone()),
            Known::Text(text, true) => Some(text.as_bytes().into()),
            Known::List(list) => {
                let bytes: Option<Vec<u8>> =
                    list.iter().map(|it| it.integer().and_then(|value| u8::try_from(value).ok())).collect();
                bytes.map(Into::into)
            }
            _ => None,
        }
    }

    /// As a sequence of values, if it is one.
    pub(super) fn elements(&self, limit: usize) -> Option<Vec<Value>> {
        match &self.known {
            Known::Bytes(bytes) if bytes.len() <= limit => {
                Some(bytes.iter().map(|it| self.part(Known::Byte(*it))).collect())
            }
            Known::List(list) if list.len() <= limit => Some(list.to_vec()),
            _ => None,
        }
    }

    /// A part of this value: what it is, with the history of the whole.
    pub(super) fn part(&self, known: Known) -> Value {
        Value {
            known,
            steps: self.steps,
            visible: self.visible,
            taints: self.taints.clone(),
            kind: None,
            operation: None,
        }
    }

    /// The texts in it: itself, or those of a list.
    pub(super) fn texts(&self) -> Vec<Text> {
        match &self.known {
            Known::List(list) if self.as_text().is_none() => {
                list.iter().take(64).filter_map(Value::as_text).map(|it| it.0).collect()
            }
            _ => self.as_text().map(|it| it.0).into_iter().collect(),
        }
    }

    pub(super) fn with_step(mut self, step: Decoding) -> Value {
        self.steps = self.steps.with(step);
        self
    }

    /// Takes over what is known of where `other` comes from.
    pub(super) fn absorb(&mut self, other: &Value) {
        self.taints.add(&other.taints);
        if self.operation.is_none() {
            self.operation = other.operation;
        }
    }
}

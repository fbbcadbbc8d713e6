//! Evaluates conditions, with three truth values and a budget.
//!
//! Unknown is a value: it spreads through every operation, but `false && unknown` is false and `true || unknown` is true,
//! whichever stands first. Only `known(x)` turns it into an answer.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::expression::{Arithmetic, Comparison, Node, Search};

/// Most steps that one condition may take. The largest case has a few hundred findings; a condition that looks at each of them
/// twice stays below a hundredth of this.
pub const BUDGET: u32 = 1_000_000;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Int(i64),
    Text(Arc<str>),
    List(Arc<[Value]>),
    Record(Arc<[(&'static str, Value)]>),
    /// There is none, for this reason.
    Unknown(Arc<str>),
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EvaluationError {
    #[error("the condition took more than {BUDGET} steps")]
    Budget,
    #[error("a number became too large")]
    Overflow,
    #[error("division by zero")]
    Division,
    /// Cannot happen after the check of types; an error rather than a panic.
    #[error("a value has another type than was checked")]
    Type,
}

/// Evaluates a condition: whether it holds, or the reason why that is not known.
pub(crate) fn condition(node: &Node, variables: &Value) -> Result<Result<bool, Arc<str>>, EvaluationError> {
    let mut evaluation = Evaluation { variables, locals: Vec::new(), left: BUDGET };
    match evaluation.value(node)? {
        Value::Bool(holds) => Ok(Ok(holds)),
        Value::Unknown(reason) => Ok(Err(reason)),
        _ => Err(EvaluationError::Type),
    }
}

struct Evaluation<'a> {
    variables: &'a Value,
    /// Elements of the lists that are being walked, innermost last.
    locals: Vec<Value>,
    left: u32,
}

impl Evaluation<'_> {
    /// The depth of recursion is that of the expression, which the parser bounds.
    fn value(&mut self, node: &Node) -> Result<Value, EvaluationError> {
        self.pay(1)?;
        match node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Variables => Ok(self.variables.clone()),
            Node::Local(index) => self.locals.get(*index).cloned().ok_or(EvaluationError::Type),
            Node::Field(of, name) => match self.value(of)? {
                Value::Record(fields) => {
                    let found = fields.iter().find(|(field, _)| field == name);
                    found.map(|(_, value)| value.clone()).ok_or(EvaluationError::Type)
                }
                unknown @ Value::Unknown(_) => Ok(unknown),
                _ => Err(EvaluationError::Type),
            },
            Node::Known(of) => Ok(Value::Bool(!matches!(self.value(of)?, Value::Unknown(_)))),
            Node::Not(of) => match self.value(of)? {
                Value::Bool(it) => Ok(Value::Bool(!it)),
                unknown @ Value::Unknown(_) => Ok(unknown),
                _ => Err(EvaluationError::Type),
            },
            Node::Both(one, other) => self.decided_by(false, one, other),
            Node::Either(one, other) => self.decided_by(true, one, other),
            Node::Choice(condition, one, other) => match self.value(condition)? {
                Value::Bool(true) => self.value(one),
                Value::Bool(false) => self.value(other),
                unknown @ Value::Unknown(_) => Ok(unknown),
                _ => Err(EvaluationError::Type),
            },
            Node::Compare(comparison, one, other) => {
                let (one, other) = (self.value(one)?, self.value(other)?);
                self.compare(*comparison, &one, &other)
            }
            Node::Arithmetic(operation, one, other) => {
                let (one, other) = (self.value(one)?, self.value(other)?);
                arithmetic(*operation, one, other)
            }
            Node::List(elements) => {
                let values: Result<Vec<Value>, _> = elements.iter().map(|it| self.value(it)).collect();
                Ok(Value::List(values?.into()))
            }
            Node::Size(of) => match self.value(of)? {
                Value::Text(text) => {
                    self.pay(text.len())?;
                    Ok(Value::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)))
                }
                Value::List(list) => Ok(Value::Int(i64::try_from(list.len()).unwrap_or(i64::MAX))),
                unknown @ Value::Unknown(_) => Ok(unknown),
                _ => Err(EvaluationError::Type),
            },
            Node::Search(search, text, part) => {
                let (text, part) = (self.value(text)?, self.value(part)?);
                self.search(*search, text, part)
            }
            Node::Member(element, list) => {
                let (element, list) = (self.value(element)?, self.value(list)?);
                self.member(&element, list)
            }
            Node::Any(list, predicate) => self.quantify(true, list, predicate),
            Node::All(list, predicate) => self.quantify(false, list, predicate),
            Node::Collect { list, keep, element } => self.collect(list, keep.as_deref(), element),
        }
    }

    fn pay(&mut self, steps: usize) -> Result<(), EvaluationError> {
        let steps = u32::try_from(steps).map_err(|_| EvaluationError::Budget)?;
        self.left = self.left.checked_sub(steps).ok_or(EvaluationError::Budget)?;
        Ok(())
    }

    /// `&&` (`decider` false) and `||` (true): one side that is the decider decides, whatever the other is.
    fn decided_by(&mut self, decider: bool, one: &Node, other: &Node) -> Result<Value, EvaluationError> {
        let one = self.value(one)?;
        if one == Value::Bool(decider) {
            return Ok(one);
        }
        let other = self.value(other)?;
        match (one, other) {
            (_, Value::Bool(it)) if it == decider => Ok(Value::Bool(decider)),
            (unknown @ Value::Unknown(_), _) | (_, unknown @ Value::Unknown(_)) => Ok(unknown),
            (Value::Bool(_), Value::Bool(_)) => Ok(Value::Bool(!decider)),
            _ => Err(EvaluationError::Type),
        }
    }

    fn quantify(&mut self, decider: bool, list: &Node, predicate: &Node) -> Result<Value, EvaluationError> {
        let list = match self.value(list)? {
            Value::List(list) => list,
            unknown @ Value::Unknown(_) => return Ok(unknown),
            _ => return Err(EvaluationError::Type),
        };
        let mut answer = Value::Bool(!decider);
        for element in list.iter() {
            match self.with_local(element, predicate)? {
                Value::Bool(it) if it == decider => return Ok(Value::Bool(decider)),
                unknown @ Value::Unknown(_) => answer = unknown,
                _ => {}
            }
        }
        Ok(answer)
    }

    fn collect(
        &mut self,
        list: &Node,
        keep: Option<&Node>,
        element: &Node,
    ) -> Result<Value, EvaluationError> {
        let list = match self.value(list)? {
            Value::List(list) => list,
            unknown @ Value::Unknown(_) => return Ok(unknown),
            _ => return Err(EvaluationError::Type),
        };
        let mut collected = Vec::new();
        for value in list.iter() {
            match keep.map(|keep| self.with_local(value, keep)).transpose()? {
                Some(Value::Bool(false)) => continue,
                Some(unknown @ Value::Unknown(_)) => return Ok(unknown),
                _ => collected.push(self.with_local(value, element)?),
            }
        }
        Ok(Value::List(collected.into()))
    }

    fn with_local(&mut self, value: &Value, node: &Node) -> Result<Value, EvaluationError> {
        self.locals.push(value.clone());
        let result = self.value(node);
        self.locals.pop();
        result
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        one: &Value,
        other: &Value,
    ) -> Result<Value, EvaluationError> {
        if let Some(unknown) = first_unknown(one, other) {
            return Ok(unknown);
        }
        self.pay(size(one) + size(other))?;
        let ordering = match (one, other) {
            (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
            (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
            _ => None,
        };
        let holds = match (comparison, ordering) {
            (Comparison::Equal, _) => one == other,
            (Comparison::Unequal, _) => one != other,
            (Comparison::Less, Some(it)) => it == Ordering::Less,
            (Comparison::LessOrEqual, Some(it)) => it != Ordering::Greater,
            (Comparison::Greater, Some(it)) => it == Ordering::Greater,
            (Comparison::GreaterOrEqual, Some(it)) => it != Ordering::Less,
            (_, None) => return Err(EvaluationError::Type),
        };
        Ok(Value::Bool(holds))
    }

    fn search(&mut self, search: Search, text: Value, part: Value) -> Result<Value, EvaluationError> {
        if let Some(unknown) = first_unknown(&text, &part) {
            return Ok(unknown);
        }
        let (Value::Text(text), Value::Text(part)) = (text, part) else { return Err(EvaluationError::Type) };
        self.pay(text.len() + part.len())?;
        Ok(Value::Bool(match search {
            Search::StartsWith => text.starts_with(&*part),
            Search::EndsWith => text.ends_with(&*part),
            Search::Contains => text.contains(&*part),
        }))
    }

    fn member(&mut self, element: &Value, list: Value) -> Result<Value, EvaluationError> {
        if let Some(unknown) = first_unknown(element, &list) {
            return Ok(unknown);
        }
        let Value::List(list) = list else { return Err(EvaluationError::Type) };
        self.pay(list.iter().map(size).sum())?;
        Ok(Value::Bool(list.contains(element)))
    }
}

fn first_unknown(one: &Value, other: &Value) -> Option<Value> {
    [one, other].into_iter().find(|it| matches!(it, Value::Unknown(_))).cloned()
}

/// What comparing a value costs.
fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => 1 + text.len() / 16,
        Value::List(list) => list.iter().map(size).sum::<usize>() + 1,
        Value::Record(fields) => fields.iter().map(|(_, it)| size(it)).sum::<usize>() + 1,
        Value::Bool(_) | Value::Int(_) | Value::Unknown(_) => 1,
    }
}

fn arithmetic(operation: Arithmetic, one: Value, other: Value) -> Result<Value, EvaluationError> {
    if let Some(unknown) = first_unknown(&one, &other) {
        return Ok(unknown);
    }
    let (Value::Int(one), Value::Int(other)) = (one, other) else { return Err(EvaluationError::Type) };
    let result = match operation {
        Arithmetic::Add => one.checked_add(other),
        Arithmetic::Subtract => one.checked_sub(other),
        Arithmetic::Multiply => one.checked_mul(other),
        Arithmetic::Divide | Arithmetic::Remainder if other == 0 => return Err(EvaluationError::Division),
        Arithmetic::Divide => one.checked_div(other),
        Arithmetic::Remainder => one.checked_rem(other),
    };
    result.map(Value::Int).ok_or(EvaluationError::Overflow)
}

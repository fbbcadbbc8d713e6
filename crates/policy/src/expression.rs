//! Conditions, parsed and checked.
//!
//! The library's syntax tree is turned into a small one of our own, in which macros are what they mean again: what is not in
//! [`Node`] cannot be written.

use cel::parser::Parser;

use crate::check;
use crate::evaluate::Value;

/// Longest condition, in bytes: a screen of text. The parser's own limit of nesting bounds the depth.
pub(crate) const LONGEST: usize = 4096;

/// A mistake in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Line in the condition, from 0, and column in it, from 0, in characters.
    pub(crate) place: (usize, usize),
    pub(crate) message: String,
}

/// A checked condition, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Literal(Value),
    /// The record of all variables.
    Variables,
    /// The element that is being looked at, by the depth of its list.
    Local(usize),
    Field(Box<Node>, &'static str),
    Known(Box<Node>),
    Not(Box<Node>),
    Both(Box<Node>, Box<Node>),
    Either(Box<Node>, Box<Node>),
    Choice(Box<Node>, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    List(Vec<Node>),
    Size(Box<Node>),
    Search(Search, Box<Node>, Box<Node>),
    /// Whether the first is an element of the second.
    Member(Box<Node>, Box<Node>),
    Any(Box<Node>, Box<Node>),
    All(Box<Node>, Box<Node>),
    /// `filter` and `map`.
    Collect {
        list: Box<Node>,
        keep: Option<Box<Node>>,
        element: Box<Node>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search {
    StartsWith,
    EndsWith,
    Contains,
}

/// Parses and checks a condition; all of its mistakes.
pub(crate) fn parse(text: &str) -> Result<Node, Vec<Mistake>> {
    if text.len() > LONGEST {
        let message = format!("the condition has more than {LONGEST} bytes");
        return Err(vec![Mistake { place: (0, 0), message }]);
    }
    match Parser::new().parse_with_source_info(text) {
        Ok((tree, places)) => check::condition(&tree, &places),
        Err(errors) => Err(errors.errors.iter().map(syntax).collect()),
    }
}

fn syntax(error: &cel::ParseError) -> Mistake {
    let (line, column) = error.pos;
    let message = error.msg.lines().next().unwrap_or("it cannot be read");
    let message = message.trim_start_matches("Syntax error: ").to_owned();
    let from_zero = |it: isize| usize::try_from(it).unwrap_or(0).saturating_sub(1);
    Mistake { place: (from_zero(line), from_zero(column)), message }
}

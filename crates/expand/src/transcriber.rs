//! The right side of a rule, read once: text with holes.
//!
//! What is no variable of the rule is text, `$` included: rules may hold definitions with rules and variables of
//! their own. For the same reason a repetition in which nothing repeats stays as it is written.

use std::collections::HashMap;

use cratekeeper_syntax::SyntaxKind;

use crate::definition::{Dollar, REPETITION_NESTING, Suffix};
use crate::fragment::Steps;
use crate::matcher::{Binding, Variable};
use crate::tokens::Tokens;
use crate::transcription::Run;
use crate::writer::Writer;
use crate::{ExpandError, Limits, ParseError};

/// The right side of a rule.
#[derive(Debug, Clone)]
pub(crate) struct Transcriber {
    elements: Vec<Element>,
    names: Vec<Box<str>>,
}

#[derive(Debug, Clone)]
pub(crate) enum Element {
    Text(Box<str>),
    Crate,
    Variable {
        variable: u32,
        /// Inside the delimiters of a macro call, where fragments must stay groups.
        in_call: bool,
        follow: Follow,
    },
    Repeat {
        elements: Vec<Element>,
        separator: Box<str>,
        /// The variables that repeat with it.
        drivers: Vec<u32>,
    },
    /// `${count(x)}`
    Count {
        variable: u32,
    },
    /// `${index(depth)}`
    Index {
        depth: u32,
    },
    /// `${len(depth)}`
    Length {
        depth: u32,
    },
    /// `${concat(…)}`
    Concat(Vec<Part>),
}

#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(Box<str>),
    Variable(u32),
}

/// What stands behind a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    Nothing,
    /// `.`, `?`, `as`
    Postfix,
    /// `(`, `[`
    Call,
    /// `::`
    Path,
    /// `<`, which behind `as T` would begin its arguments.
    Less,
    Operator,
    /// `;`
    Semicolon,
}

impl Follow {
    fn of(element: &Element) -> Follow {
        let Element::Text(text) = element else { return Follow::Nothing };
        let mut bytes = text.bytes();
        match bytes.next() {
            Some(b'.' | b'?') => Follow::Postfix,
            Some(b'a') if text.starts_with("as ") || &**text == "as" => Follow::Postfix,
            Some(b'(' | b'[') => Follow::Call,
            Some(b'<') => Follow::Less,
            Some(b';') => Follow::Semicolon,
            Some(b':') if bytes.next() == Some(b':') => Follow::Path,
            Some(b'=') if bytes.next() == Some(b'>') => Follow::Nothing,
            Some(b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'&' | b'|' | b'>' | b'=' | b'!') => {
                Follow::Operator
            }
            _ => Follow::Nothing,
        }
    }
}

impl Transcriber {
    pub(crate) fn parse(
        tokens: &Tokens<'_>,
        from: usize,
        to: usize,
        variables: &[Variable],
    ) -> Result<Transcriber, ParseError> {
        let mut names = HashMap::with_capacity(variables.len());
        for (number, variable) in variables.iter().enumerate() {
            names.entry(&*variable.name).or_insert(number as u32);
        }
        let mut parser = Parser { tokens, variables, names, calls: Vec::new() };
        let elements = parser.sequence(from, to, 0, 0)?;
        Ok(Transcriber { elements, names: variables.iter().map(|it| it.name.clone()).collect() })
    }

    pub(crate) fn write(
        &self,
        tokens: &Tokens<'_>,
        bindings: &[Binding],
        crate_root: &str,
        limits: &Limits,
        steps: &mut Steps,
    ) -> Result<String, ExpandError> {
        let mut run = Run::new(tokens, bindings, &self.names, crate_root, limits, steps);
        run.elements(&self.elements)?;
        Ok(run.finish())
    }
}

struct Parser<'a, 't> {
    tokens: &'a Tokens<'t>,
    variables: &'a [Variable],
    names: HashMap<&'a str, u32>,
    /// Where the macro calls around end.
    calls: Vec<usize>,
}

/// Elements, and the text that will be the next one.
struct Elements {
    done: Vec<Element>,
    text: Writer,
}

impl Elements {
    fn new() -> Elements {
        Elements { done: Vec::new(), text: Writer::new(usize::MAX) }
    }

    fn text(&mut self, text: &str, glued: bool) {
        // Without a limit nothing is refused.
        let _ = if glued { self.text.glued(text) } else { self.text.piece(text) };
    }

    fn push(&mut self, element: Element) {
        let text = std::mem::replace(&mut self.text, Writer::new(usize::MAX)).finish();
        if !text.is_empty() {
            self.done.push(Element::Text(text.into()));
        }
        self.done.push(element);
    }

    /// `behind` is what follows the last one.
    fn finish(mut self, behind: Follow) -> Vec<Element> {
        self.push(Element::Text("".into()));
        self.done.pop();
        for index in 0..self.done.len() {
            let next = self.done.get(index + 1).map_or(behind, Follow::of);
            if let Element::Variable { follow, .. } = &mut self.done[index] {
                *follow = next;
            }
        }
        self.done
    }
}

impl Parser<'_, '_> {
    /// `depth`: repetitions around that repeat; `nesting`: all of them.
    fn sequence(
        &mut self,
        from: usize,
        to: usize,
        depth: u32,
        nesting: u32,
    ) -> Result<Vec<Element>, ParseError> {
        let mut elements = Elements::new();
        self.into(&mut elements, from, to, depth, nesting)?;
        Ok(elements.finish(Follow::Nothing))
    }

    fn into(
        &mut self,
        elements: &mut Elements,
        from: usize,
        to: usize,
        depth: u32,
        nesting: u32,
    ) -> Result<(), ParseError> {
        let mut at = from;
        // Whether the text so far ends with the token before.
        let mut glue = false;
        while at < to {
            while self.calls.last().is_some_and(|end| *end <= at) {
                self.calls.pop();
            }
            let before = at;
            let mut is_text = false;
            at = match Dollar::at(self.tokens, at) {
                Some(Dollar::Crate) => {
                    elements.push(Element::Crate);
                    at + 2
                }
                Some(Dollar::Escaped) => {
                    elements.text("$", false);
                    at + 2
                }
                Some(Dollar::Name) if self.find(self.tokens.text(at + 1, at + 2)).is_some() => {
                    let variable = self.find(self.tokens.text(at + 1, at + 2)).unwrap_or_default();
                    let in_call = !self.calls.is_empty();
                    elements.push(Element::Variable { variable, in_call, follow: Follow::Nothing });
                    at + 2
                }
                Some(Dollar::Repetition) => self.repetition(elements, at, depth, nesting)?,
                Some(Dollar::Expression) => {
                    if let Some(element) = self.expression(at + 2, self.tokens.after_tree(at + 1) - 1)? {
                        elements.push(element);
                    }
                    self.tokens.after_tree(at + 1)
                }
                // Of an unknown name the `$` is meant for a definition that is written here.
                Some(Dollar::Name) | None => {
                    is_text = true;
                    elements.text(self.tokens.text(at, at + 1), glue);
                    self.note_call(at);
                    at + 1
                }
            };
            glue = is_text && self.tokens.touches_next(before);
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// `name!(`, `$name!(`, `macro_rules! name {`
    fn note_call(&mut self, at: usize) {
        use SyntaxKind::*;
        let kind = |back: usize| at.checked_sub(back).map_or(EOF, |at| self.tokens.kind(at));
        let is_call = matches!(self.tokens.kind(at), L_PAREN | L_BRACK | L_CURLY)
            && (kind(1) == BANG && (kind(2) == IDENT || kind(3) == DOLLAR)
                || kind(1) == IDENT && kind(2) == BANG);
        if is_call {
            self.calls.push(self.tokens.after_tree(at));
        }
    }

    fn repetition(
        &mut self,
        elements: &mut Elements,
        at: usize,
        depth: u32,
        nesting: u32,
    ) -> Result<usize, ParseError> {
        if nesting >= REPETITION_NESTING {
            return Err(ParseError::TooLarge);
        }
        let close = self.tokens.after_tree(at + 1);
        let drivers = self.drivers(at + 2, close - 1, depth);
        let suffix = Suffix::at(self.tokens, close);
        if drivers.is_empty() {
            // Nothing repeats: a repetition of a definition that is written here.
            elements.text("$(", false);
            self.into(elements, at + 2, close - 1, depth, nesting + 1)?;
            elements.text(")", false);
            return Ok(close);
        }
        let suffix = suffix.ok_or(ParseError::Repetition)?;
        let separator = self.tokens.text(suffix.separator.0, suffix.separator.1);
        let mut inside = Elements::new();
        self.into(&mut inside, at + 2, close - 1, depth + 1, nesting + 1)?;
        let behind = Follow::of(&Element::Text(separator.into()));
        let repeated = inside.finish(behind);
        elements.push(Element::Repeat { elements: repeated, separator: separator.into(), drivers });
        Ok(suffix.end)
    }

    /// The variables between two tokens that still repeat at this depth.
    fn drivers(&self, from: usize, to: usize, depth: u32) -> Vec<u32> {
        let mut drivers: Vec<u32> = (from..to)
            .filter(|at| self.tokens.kind(*at).is_any_identifier())
            .filter(|at| self.tokens.kind(at - 1) == SyntaxKind::DOLLAR || self.is_in_expression(*at))
            .filter_map(|at| self.find(self.tokens.text(at, at + 1)))
            .filter(|variable| self.variables[*variable as usize].depth > depth)
            .collect();
        drivers.sort_unstable();
        drivers.dedup();
        drivers
    }

    /// `${ignore(name)}`, `${count(name)}`
    fn is_in_expression(&self, at: usize) -> bool {
        at >= 4
            && self.tokens.kind(at - 1) == SyntaxKind::L_PAREN
            && self.tokens.kind(at - 3) == SyntaxKind::L_CURLY
            && self.tokens.kind(at - 4) == SyntaxKind::DOLLAR
    }

    /// `name(arguments)`; nothing for `ignore`, which only repeats.
    fn expression(&self, at: usize, to: usize) -> Result<Option<Element>, ParseError> {
        let tokens = self.tokens;
        let name = tokens.text(at, at + 1);
        let error = || ParseError::Expression(name.to_owned());
        if tokens.kind(at + 1) != SyntaxKind::L_PAREN || tokens.after_tree(at + 1) != to {
            return Err(error());
        }
        let (first, end) = (at + 2, to - 1);
        let number = || match tokens.text(first, end) {
            "" => Ok(0),
            text => text.parse::<u32>().map_err(|_| error()),
        };
        let variable = |at: usize| {
            let at = at + usize::from(tokens.kind(at) == SyntaxKind::DOLLAR);
            self.find(tokens.text(at, at + 1))
        };
        match name {
            "ignore" => Ok(None),
            "index" => Ok(Some(Element::Index { depth: number()? })),
            "len" | "length" => Ok(Some(Element::Length { depth: number()? })),
            "count" => Ok(Some(Element::Count { variable: variable(first).ok_or_else(error)? })),
            "concat" => {
                let mut parts = Vec::new();
                let mut at = first;
                while at < end {
                    let is_variable = tokens.kind(at) == SyntaxKind::DOLLAR;
                    let text = || tokens.text(at, at + 1).trim_matches('"');
                    match tokens.kind(at) {
                        SyntaxKind::COMMA => {}
                        SyntaxKind::DOLLAR => parts.push(Part::Variable(variable(at).ok_or_else(error)?)),
                        _ => parts.push(Part::Text(text().into())),
                    }
                    at += 1 + usize::from(is_variable);
                }
                Ok(Some(Element::Concat(parts)))
            }
            _ => Err(error()),
        }
    }
}

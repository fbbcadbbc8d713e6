//! Writes the right side of a rule, and puts fragments into its holes.
//!
//! A fragment is one thing to the compiler however it is written. In text it must be made one, with parentheses, but only
//! where something would tear it apart: `$e` may also be a path that names a type, or an argument of another macro.

use crate::fragment::{Fragment, Shape, Steps};
use crate::matcher::Binding;
use crate::tokens::{GROUP_BEGIN, GROUP_END, Tokens};
use crate::transcriber::{Element, Follow, Part};
use crate::writer::Writer;
use crate::{ExpandError, Limits};

/// One expansion on its way.
pub(crate) struct Run<'a, 't> {
    tokens: &'a Tokens<'t>,
    bindings: &'a [Binding],
    names: &'a [Box<str>],
    crate_root: &'a str,
    steps: &'a mut Steps,
    writer: Writer,
    /// Of each repetition around, the round, and how many there will be.
    rounds: Vec<(usize, usize)>,
}

impl<'a, 't> Run<'a, 't> {
    pub(crate) fn new(
        tokens: &'a Tokens<'t>,
        bindings: &'a [Binding],
        names: &'a [Box<str>],
        crate_root: &'a str,
        limits: &Limits,
        steps: &'a mut Steps,
    ) -> Run<'a, 't> {
        let writer = Writer::new(limits.output_bytes);
        Run { tokens, bindings, names, crate_root, steps, writer, rounds: Vec::new() }
    }

    pub(crate) fn finish(self) -> String {
        self.writer.finish()
    }

    pub(crate) fn elements(&mut self, elements: &[Element]) -> Result<(), ExpandError> {
        for element in elements {
            self.steps.take(1)?;
            match element {
                Element::Text(text) => self.writer.piece(text)?,
                Element::Crate => self.writer.piece(self.crate_root)?,
                Element::Variable { variable, in_call, follow } => {
                    let fragment = self.fragment(*variable)?;
                    self.write(fragment, *in_call, *follow)?;
                }
                Element::Repeat { elements, separator, drivers } => {
                    self.repeat(elements, separator, drivers)?;
                }
                Element::Count { variable } => {
                    let count = self.count(*variable)?;
                    self.writer.piece(&count.to_string())?;
                }
                Element::Index { depth } => {
                    let (round, _) = self.round(*depth)?;
                    self.writer.piece(&round.to_string())?;
                }
                Element::Length { depth } => {
                    let (_, length) = self.round(*depth)?;
                    self.writer.piece(&length.to_string())?;
                }
                Element::Concat(parts) => self.concat(parts)?,
            }
        }
        Ok(())
    }

    fn repeat(&mut self, elements: &[Element], separator: &str, drivers: &[u32]) -> Result<(), ExpandError> {
        self.steps.take(drivers.len())?;
        let mut length = None;
        for driver in drivers {
            // One that has stopped repeating outside drives nothing here.
            let Binding::Many(list) = self.binding(*driver) else { continue };
            if *length.get_or_insert(list.len()) != list.len() {
                return Err(self.error(*driver));
            }
        }
        let Some(length) = length else {
            return Err(ExpandError::Repetition(String::new()));
        };
        for round in 0..length {
            self.steps.take(1)?;
            if round > 0 {
                self.writer.piece(separator)?;
            }
            self.rounds.push((round, length));
            let written = self.elements(elements);
            self.rounds.pop();
            written?;
        }
        Ok(())
    }

    /// What the variable stands for in the rounds around.
    fn binding(&self, variable: u32) -> &'a Binding {
        let mut binding = &self.bindings[variable as usize];
        for (round, _) in &self.rounds {
            match binding {
                Binding::Many(list) => match list.get(*round) {
                    Some(next) => binding = next,
                    None => break,
                },
                Binding::One(_) => break,
            }
        }
        binding
    }

    fn fragment(&self, variable: u32) -> Result<Fragment, ExpandError> {
        match self.binding(variable) {
            Binding::One(fragment) => Ok(*fragment),
            Binding::Many(_) => Err(self.error(variable)),
        }
    }

    fn error(&self, variable: u32) -> ExpandError {
        ExpandError::Repetition(self.names[variable as usize].to_string())
    }

    fn round(&self, depth: u32) -> Result<(usize, usize), ExpandError> {
        let round = self.rounds.iter().rev().nth(depth as usize).copied();
        round.ok_or_else(|| ExpandError::Repetition(String::new()))
    }

    /// How many there are, in repetitions inside as well.
    fn count(&mut self, variable: u32) -> Result<usize, ExpandError> {
        let mut count = 0;
        let mut left = vec![self.binding(variable)];
        while let Some(binding) = left.pop() {
            self.steps.take(1)?;
            match binding {
                Binding::One(_) => count += 1,
                Binding::Many(list) => left.extend(list),
            }
        }
        Ok(count)
    }

    fn concat(&mut self, parts: &[Part]) -> Result<(), ExpandError> {
        for (index, part) in parts.iter().enumerate() {
            let text = match part {
                Part::Text(text) => text,
                Part::Variable(variable) => {
                    let fragment = self.fragment(*variable)?;
                    self.tokens.text(fragment.start as usize, fragment.end as usize).trim_matches('"')
                }
            };
            if index == 0 { self.writer.piece(text)? } else { self.writer.glued(text)? }
        }
        Ok(())
    }

    fn write(&mut self, fragment: Fragment, in_call: bool, follow: Follow) -> Result<(), ExpandError> {
        let text = self.tokens.text_with_groups(fragment.start as usize, fragment.end as usize);
        let (open, close) = match fragment.shape {
            Shape::Compound => ("(", ")"),
            Shape::Field if follow == Follow::Call => ("(", ")"),
            Shape::Block if !matches!(follow, Follow::Nothing | Follow::Semicolon) => ("(", ")"),
            Shape::Negative if follow == Follow::Postfix => ("(", ")"),
            // `u8::MAX` is as good, and shorter to resolve.
            Shape::Type | Shape::Sum if follow == Follow::Path => ("<", ">"),
            Shape::TypeName | Shape::Type | Shape::Sum if follow == Follow::Less => ("(", ")"),
            Shape::Sum if matches!(self.writer.last(), b'&' | b't') => ("(", ")"),
            Shape::Alternatives if matches!(self.writer.last(), b'&' | b'|' | b'@') => ("(", ")"),
            Shape::Let if follow != Follow::Semicolon && !in_call => ("", ";"),
            _ => ("", ""),
        };
        let is_group = in_call && fragment.grouped;
        if is_group {
            self.writer.comment(GROUP_BEGIN)?;
        }
        if !open.is_empty() {
            self.writer.piece(open)?;
        }
        self.writer.piece(&text)?;
        if !close.is_empty() {
            self.writer.piece(close)?;
        }
        if is_group {
            self.writer.comment(GROUP_END)?;
        }
        Ok(())
    }
}

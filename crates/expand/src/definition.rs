//! A definition's text as rules: matchers become programs, transcribers become pieces of text with holes.
//!
//! More lenient than the compiler, which has judged the definition before anyone published it: separators of rules may be
//! missing, and what may follow a fragment is not checked.

use cratekeeper_syntax::{Edition, SyntaxKind};

use crate::fragment::{Specifier, Steps};
use crate::matcher::{Instruction, Matcher, Next, Room, Variable};
use crate::tokens::Tokens;
use crate::transcriber::Transcriber;
use crate::{ExpandError, Expansion, Limits, ParseError};

/// Repetitions inside each other. Real definitions have up to 5; each is a recursion here.
pub(crate) const REPETITION_NESTING: u32 = 24;

/// Longest text that is read: positions have 32 bits, and doc comments grow as they become attributes.
const TEXT_BYTES: usize = u32::MAX as usize / 8;

/// The rules of a macro, parsed once.
#[derive(Debug, Clone)]
pub struct MacroDefinition {
    rules: Vec<Rule>,
    edition: Edition,
}

#[derive(Debug, Clone)]
struct Rule {
    matcher: Matcher,
    transcriber: Transcriber,
}

impl MacroDefinition {
    /// `body`: of `macro_rules! name { … }` and `macro name { … }` what stands between the outer delimiters; of
    /// `macro name(…) {…}` all behind the name. `edition` is the defining crate's.
    ///
    /// # Errors
    ///
    /// What the first mistake is. The compiler would refuse the definition as well, though perhaps not before it is used.
    pub fn parse(body: &str, edition: Edition) -> Result<MacroDefinition, ParseError> {
        if body.len() > TEXT_BYTES {
            return Err(ParseError::TooLarge);
        }
        let tokens = Tokens::new(body, edition).map_err(|_| ParseError::Unbalanced)?;
        let mut rules = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let error = ParseError::Rule(rules.len());
            let (matcher, arrow) = tree(&tokens, at).ok_or_else(|| error.clone())?;
            let has_arrow =
                tokens.kind(arrow) == SyntaxKind::EQ && tokens.kind(arrow + 1) == SyntaxKind::R_ANGLE;
            let (transcriber, end) = tree(&tokens, if has_arrow { arrow + 2 } else { arrow }).ok_or(error)?;
            let matcher = compile_matcher(&tokens, matcher.0, matcher.1)?;
            let transcriber = Transcriber::parse(&tokens, transcriber.0, transcriber.1, &matcher.variables)?;
            rules.push(Rule { matcher, transcriber });
            at = end;
            while matches!(tokens.kind(at), SyntaxKind::SEMICOLON | SyntaxKind::COMMA) {
                at += 1;
            }
        }
        Ok(MacroDefinition { rules, edition })
    }

    /// `arguments`: what stands between the delimiters of a call. `crate_root`: an identifier to write for `$crate`.
    ///
    /// A fragment that cannot be parsed makes the next rule be tried; the compiler would stop there.
    ///
    /// # Errors
    ///
    /// Why there is no expansion.
    pub fn expand(
        &self,
        arguments: &str,
        crate_root: &str,
        limits: &Limits,
    ) -> Result<Expansion, ExpandError> {
        self.expand_counting(arguments, crate_root, limits, &mut { limits.steps })
    }

    /// As [`MacroDefinition::expand`], with `steps` in place of those of the limits: counted down, whatever comes out.
    ///
    /// # Errors
    ///
    /// Why there is no expansion.
    pub fn expand_counting(
        &self,
        arguments: &str,
        crate_root: &str,
        limits: &Limits,
        steps: &mut usize,
    ) -> Result<Expansion, ExpandError> {
        let mut counted = Steps(*steps);
        let expanded = self.expand_within(arguments, crate_root, limits, &mut counted);
        *steps = counted.0;
        expanded
    }

    fn expand_within(
        &self,
        arguments: &str,
        crate_root: &str,
        limits: &Limits,
        steps: &mut Steps,
    ) -> Result<Expansion, ExpandError> {
        if arguments.len() > TEXT_BYTES {
            return Err(ExpandError::Limit("steps"));
        }
        let tokens = Tokens::new(arguments, self.edition).map_err(|_| ExpandError::Unbalanced)?;
        steps.take(tokens.len())?;
        let mut room = Room::default();
        for (number, rule) in self.rules.iter().enumerate() {
            if let Some(bindings) = rule.matcher.run(&mut room, &tokens, crate_root, limits, steps)? {
                let text = rule.transcriber.write(&tokens, &bindings, crate_root, limits, steps)?;
                return Ok(Expansion { text, rule: number });
            }
        }
        Err(ExpandError::NoRule)
    }
}

/// The inside of the delimiters that open here, and what is behind them.
fn tree(tokens: &Tokens<'_>, at: usize) -> Option<((usize, usize), usize)> {
    let end = tokens.after_tree(at);
    (end > at + 1).then(|| ((at + 1, end - 1), end))
}

fn compile_matcher(tokens: &Tokens<'_>, from: usize, to: usize) -> Result<Matcher, ParseError> {
    let mut compiler = Compiler { tokens, matcher: Matcher::default(), around: Vec::new() };
    compiler.sequence(from, to)?;
    compiler.matcher.program.push(Instruction::Accept);
    Ok(compiler.matcher)
}

struct Compiler<'a, 't> {
    tokens: &'a Tokens<'t>,
    matcher: Matcher,
    /// Numbers of the repetitions around.
    around: Vec<u32>,
}

impl Compiler<'_, '_> {
    fn sequence(&mut self, from: usize, to: usize) -> Result<(), ParseError> {
        let mut at = from;
        while at < to {
            at = match Dollar::at(self.tokens, at) {
                Some(Dollar::Repetition) => self.repetition(at)?,
                Some(Dollar::Name) => self.variable(at)?,
                Some(Dollar::Crate) => {
                    self.matcher.program.push(Instruction::Crate);
                    at + 2
                }
                Some(Dollar::Escaped) => {
                    self.matcher.program.push(Instruction::Token("$".into()));
                    at + 2
                }
                Some(Dollar::Expression) => return Err(ParseError::Expression(String::new())),
                None => {
                    let end = at + self.tokens.operator_length(at);
                    self.matcher.program.push(Instruction::Token(self.tokens.text(at, end).into()));
                    end
                }
            };
        }
        Ok(())
    }

    fn variable(&mut self, at: usize) -> Result<usize, ParseError> {
        let tokens = self.tokens;
        let name = tokens.text(at + 1, at + 2);
        let is_specified = tokens.kind(at + 2) == SyntaxKind::COLON && tokens.operator_length(at + 2) == 1;
        let specifier = if is_specified { tokens.text(at + 3, at + 4) } else { "" };
        let Some(specifier) = Specifier::named(specifier, tokens.edition) else {
            return Err(ParseError::Specifier(specifier.to_owned()));
        };
        let variable = self.matcher.variables.len() as u32;
        self.matcher.variables.push(Variable { name: name.into(), depth: self.around.len() as u32 });
        for repetition in &self.around {
            self.matcher.repetitions[*repetition as usize].push(variable);
        }
        self.matcher.program.push(Instruction::Fragment { variable, specifier });
        Ok(at + 4)
    }

    fn repetition(&mut self, at: usize) -> Result<usize, ParseError> {
        if self.around.len() as u32 >= REPETITION_NESTING {
            return Err(ParseError::TooLarge);
        }
        let close = self.tokens.after_tree(at + 1);
        let suffix = Suffix::at(self.tokens, close).ok_or(ParseError::Repetition)?;
        let repetition = self.matcher.repetitions.len() as u32;
        self.matcher.repetitions.push(Vec::new());
        let enter = self.place();
        // Replaced when it is known what is behind.
        self.matcher.program.push(Instruction::Accept);
        self.around.push(repetition);
        self.sequence(at + 2, close - 1)?;
        self.around.pop();
        let start = enter + 1;
        let separator = self.tokens.text(suffix.separator.0, suffix.separator.1);
        let next = match (suffix.operator, separator.is_empty()) {
            (SyntaxKind::QUESTION, _) => Next::Nothing,
            (_, true) => Next::Body,
            (_, false) => Next::Separator,
        };
        let after = self.place() + 1 + u32::from(next == Next::Separator);
        self.matcher.program.push(Instruction::Again { repetition, start, next, after });
        if next == Next::Separator {
            self.matcher.program.push(Instruction::Separator { token: separator.into(), start });
        }
        let may_be_empty = suffix.operator != SyntaxKind::PLUS;
        self.matcher.program[enter as usize] = Instruction::Enter { repetition, after, may_be_empty };
        Ok(suffix.end)
    }

    fn place(&self) -> u32 {
        self.matcher.program.len() as u32
    }
}

/// What a `$` begins.
pub(crate) enum Dollar {
    /// `$(`
    Repetition,
    /// `$name`
    Name,
    /// `$crate`
    Crate,
    /// `$$`
    Escaped,
    /// `${`
    Expression,
}

impl Dollar {
    /// Nothing if there is no `$` here, or one that stands for itself.
    pub(crate) fn at(tokens: &Tokens<'_>, at: usize) -> Option<Dollar> {
        if tokens.kind(at) != SyntaxKind::DOLLAR {
            return None;
        }
        match tokens.kind(at + 1) {
            SyntaxKind::L_PAREN => Some(Dollar::Repetition),
            SyntaxKind::L_CURLY => Some(Dollar::Expression),
            SyntaxKind::CRATE_KW => Some(Dollar::Crate),
            SyntaxKind::DOLLAR => Some(Dollar::Escaped),
            kind => (kind.is_any_identifier() || kind == SyntaxKind::UNDERSCORE).then_some(Dollar::Name),
        }
    }
}

/// What stands behind the parentheses of a repetition.
pub(crate) struct Suffix {
    /// From and to; empty if there is none.
    pub(crate) separator: (usize, usize),
    /// `*`, `+` or `?`.
    pub(crate) operator: SyntaxKind,
    pub(crate) end: usize,
}

impl Suffix {
    pub(crate) fn at(tokens: &Tokens<'_>, at: usize) -> Option<Suffix> {
        let operator = |at: usize| {
            let kind = tokens.kind(at);
            matches!(kind, SyntaxKind::STAR | SyntaxKind::PLUS | SyntaxKind::QUESTION).then_some(kind)
        };
        let length = tokens.operator_length(at);
        if length == 1
            && let Some(operator) = operator(at)
        {
            return Some(Suffix { separator: (at, at), operator, end: at + 1 });
        }
        let behind = at + length;
        if let Some(operator) = operator(behind) {
            return Some(Suffix { separator: (at, behind), operator, end: behind + 1 });
        }
        // `$(…)*=`, which the compiler refuses.
        Some(Suffix { separator: (at, at), operator: operator(at)?, end: at + 1 })
    }
}

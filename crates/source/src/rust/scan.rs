//! Reads tokens where there is no tree: calls and `unsafe` by their shapes.
//!
//! Used for macro definitions, for macro arguments that are not Rust, and for files that the parser would not survive.
//! One pass with explicit stacks, so that nesting of any depth costs no machine stack and no second look.

use std::ops::Range;

use cratekeeper_model::facts::{
    CallKind, Function, FunctionContainer, Include, IncludeKind, LinkageAttribute, SourceFileStatus,
    UnsafeCounters,
};
use cratekeeper_syntax::{LexedStr, SyntaxKind};

use super::ModuleDeclaration;
use super::attributes::LINKAGE;
use super::visitor::{Context, Visitor};
use crate::literals;
use crate::text::{PATH_BYTES, cut, excerpt};

/// Most tokens of a computed argument that are kept.
const ARGUMENT_TOKENS: usize = 60;

/// An open delimiter.
struct Open {
    /// The call whose arguments it holds, as an index into the visitor's calls.
    call: Option<usize>,
    commas: u16,
    /// Whether anything but a trailing comma stands after the last comma.
    pending: bool,
    in_unsafe: bool,
}

struct Scanner<'l, 't> {
    lexed: &'l LexedStr<'t>,
    /// Tokens that are not trivia.
    tokens: Vec<u32>,
    open: Vec<Open>,
    in_unsafe: bool,
}

impl<'t> Visitor<'t> {
    /// A whole file by tokens.
    pub(super) fn scan_file(&mut self, lexed: &LexedStr<'_>) {
        self.scan(lexed, Visitor::top());
    }

    pub(super) fn scan(&mut self, lexed: &LexedStr<'_>, context: Context) {
        self.scan_range(lexed, 0..lexed.len(), context);
    }

    pub(super) fn scan_range(&mut self, lexed: &LexedStr<'_>, range: Range<usize>, context: Context) {
        let tokens =
            range.filter(|index| !lexed.kind(*index).is_trivia()).map(|index| index as u32).collect();
        let mut scanner = Scanner { lexed, tokens, open: Vec::new(), in_unsafe: context.in_unsafe };
        for position in 0..scanner.tokens.len() {
            self.scan_token(&mut scanner, position, context);
        }
    }

    fn scan_token(&mut self, scanner: &mut Scanner<'_, '_>, position: usize, context: Context) {
        use SyntaxKind::*;
        let kind = scanner.kind(position);
        let call = match kind {
            L_PAREN | L_BRACK | L_CURLY => self.scan_call(scanner, position, context),
            _ => None,
        };
        match kind {
            L_PAREN | L_BRACK | L_CURLY => {
                if let Some(top) = scanner.open.last_mut() {
                    top.pending = true;
                }
                scanner.open.push(Open { call, commas: 0, pending: false, in_unsafe: scanner.in_unsafe });
                if kind == L_CURLY && scanner.before(position, 1) == UNSAFE_KW {
                    scanner.in_unsafe = true;
                }
            }
            R_PAREN | R_BRACK | R_CURLY => {
                if let Some(top) = scanner.open.pop() {
                    scanner.in_unsafe = top.in_unsafe;
                    if let Some(call) = top.call {
                        self.extract.calls[call].arity = top.commas.saturating_add(u16::from(top.pending));
                    }
                }
            }
            COMMA => {
                if let Some(top) = scanner.open.last_mut() {
                    top.commas = top.commas.saturating_add(1);
                    top.pending = false;
                }
            }
            _ => {
                if let Some(top) = scanner.open.last_mut() {
                    top.pending = true;
                }
                if matches!(kind, STRING | BYTE_STRING | C_STRING) {
                    self.literal(scanner.text(position), scanner.start(position), context);
                }
                if kind == IDENT {
                    self.scan_linkage(scanner, position);
                }
                self.scan_item(scanner, position, context);
            }
        }
    }

    /// Files and variables that the compiler reads for a macro whose arguments open here: what a definition holds, every call
    /// of it reads.
    fn scan_compiler_macro(&mut self, scanner: &Scanner<'_, '_>, open: usize, start: u32) {
        use SyntaxKind::*;
        let kind = match scanner.text(open - 2) {
            "include" => IncludeKind::Include,
            "include_str" => IncludeKind::IncludeStr,
            "include_bytes" => IncludeKind::IncludeBytes,
            "env" => IncludeKind::Env,
            "option_env" => IncludeKind::OptionEnv,
            _ => return,
        };
        let single = scanner.kind(open + 1) == STRING
            && matches!(scanner.kind(open + 2), COMMA | R_PAREN | R_BRACK | R_CURLY);
        let argument = if single {
            literals::value(scanner.text(open + 1))
        } else {
            let mut depth = 1_i32;
            let inside = (open + 1..open + 1 + ARGUMENT_TOKENS).take_while(|at| {
                depth += match scanner.kind(*at) {
                    L_PAREN | L_BRACK | L_CURLY => 1,
                    R_PAREN | R_BRACK | R_CURLY | EOF => -1,
                    _ => 0,
                };
                depth > 0
            });
            literals::spelled(inside.map(|at| scanner.text(at)))
        };
        let line = self.line(start);
        let include = Include { file: 0, line, kind, argument: excerpt(&argument), literal: single };
        if self.afford(&include, include.argument.len()) {
            self.extract.includes.push(include);
        }
    }

    /// Attributes that speak to the linker: what a macro's definition holds, every call of it writes.
    fn scan_linkage(&mut self, scanner: &Scanner<'_, '_>, position: usize) {
        use SyntaxKind::*;
        let name = scanner.text(position);
        let is_attribute = matches!(scanner.before(position, 1), L_BRACK | L_PAREN | COMMA);
        if !is_attribute || !LINKAGE.contains(&name) {
            return;
        }
        let value = match (scanner.kind(position + 1), scanner.kind(position + 2)) {
            (EQ, STRING) => Some(excerpt(&literals::value(scanner.text(position + 2)))),
            (R_BRACK | R_PAREN, _) => {
                // The item's name stands a few words behind its attributes.
                let item =
                    (position + 1..position + 24).find(|at| matches!(scanner.kind(*at), FN_KW | STATIC_KW));
                let named = item.map(|at| at + 1 + usize::from(scanner.kind(at + 1) == MUT_KW));
                named
                    .filter(|at| scanner.kind(*at) == IDENT)
                    .map(|at| cut(scanner.text(at).to_owned(), PATH_BYTES))
            }
            _ => return,
        };
        let line = self.line(scanner.start(position));
        let found = LinkageAttribute { file: 0, line, attribute: name.to_owned(), value };
        if self.afford(&found, found.value.as_ref().map_or(0, String::len)) {
            self.extract.linkage.push(found);
        }
    }

    /// The call whose arguments open here, if this is one.
    fn scan_call(&mut self, scanner: &Scanner<'_, '_>, position: usize, context: Context) -> Option<usize> {
        use SyntaxKind::*;
        let context = Context { in_unsafe: scanner.in_unsafe, ..context };
        if scanner.before(position, 1) == BANG && scanner.before(position, 2) == IDENT {
            let (name, start) = scanner.path_ending_at(position - 2);
            self.scan_compiler_macro(scanner, position, start);
            let _ = self.add_call(CallKind::Macro, name, 0, start, context);
            return None;
        }
        if scanner.kind(position) != L_PAREN {
            return None;
        }
        let end = scanner.without_generics(position.checked_sub(1)?);
        if !matches!(scanner.kind(end), IDENT | SELF_TYPE_KW | SUPER_KW) {
            return None;
        }
        let (name, start) = scanner.path_ending_at(end);
        let first = scanner.path_start(end);
        let kind = match scanner.before(first, 1) {
            // The name that a declaration or a pattern in a macro definition introduces is not called.
            FN_KW | STRUCT_KW | UNION_KW | ENUM_KW | POUND | BANG => return None,
            L_BRACK if scanner.before(first, 2) == POUND => return None,
            // `$name:kind (`, in the pattern of a macro.
            COLON if scanner.before(first, 3) == DOLLAR => return None,
            DOT if scanner.before(first, 2) != DOT => CallKind::Method,
            _ => CallKind::Path,
        };
        self.extract.counters.exprs.add(scanner.in_unsafe);
        // Without room for more facts there is no call to give its arity to.
        self.add_call(kind, name, 0, start, context).then(|| self.extract.calls.len() - 1)
    }

    /// Items as far as tokens show them: all in whole files, `mod name;` in macro definitions, so that the files of modules that
    /// a macro declares are linked.
    fn scan_item(&mut self, scanner: &Scanner<'_, '_>, position: usize, context: Context) {
        use SyntaxKind::*;
        let whole_file = self.extract.status == SourceFileStatus::TokensOnly && context.macro_depth == 0;
        let module_of_macro = context.in_definition && scanner.kind(position) == MOD_KW;
        if !(whole_file || module_of_macro) {
            return;
        }
        let is_unsafe =
            |words_back: usize| (1..=words_back).any(|back| scanner.before(position, back) == UNSAFE_KW);
        let named = |kind| kind == IDENT;
        match scanner.kind(position) {
            IMPL_KW => self.extract.counters.item_impls.add(is_unsafe(1)),
            TRAIT_KW => self.extract.counters.item_traits.add(is_unsafe(2)),
            FN_KW if named(scanner.kind(position + 1)) => self.scan_function(scanner, position, is_unsafe(3)),
            MOD_KW if scanner.kind(position + 1) == DOLLAR && scanner.kind(position + 3) == SEMICOLON => {
                let what = format!("`mod ${}` of a macro", cut(scanner.text(position + 2).to_owned(), 100));
                self.add_unfollowed(scanner.start(position), what);
            }
            MOD_KW if named(scanner.kind(position + 1)) && scanner.kind(position + 2) == SEMICOLON => {
                let module = ModuleDeclaration {
                    parent: String::new(),
                    name: scanner.text(position + 1).to_owned(),
                    inline: false,
                    directory: String::new(),
                    paths: Vec::new(),
                    path_is_certain: false,
                    certain: false,
                    cfg: None,
                    line: self.line(scanner.start(position)),
                };
                if self.afford(&module, module.name.len()) {
                    self.extract.modules.push(module);
                }
            }
            _ => {}
        }
    }

    fn scan_function(&mut self, scanner: &Scanner<'_, '_>, position: usize, is_unsafe: bool) {
        let start = scanner.start(position);
        let path = crate::text::join_path("", scanner.text(position + 1));
        self.extract.counters.functions.add(is_unsafe);
        let function = function(path, self.base + start, self.line(start), is_unsafe);
        if self.afford(&function, function.path.len()) {
            self.extract.functions.push(function);
        }
    }
}

/// What is known of a function from its `fn` alone.
pub(super) fn function(path: String, start: u32, line: u32, is_unsafe: bool) -> Function {
    Function {
        path,
        disambiguator: 0,
        file: 0,
        targets: Vec::new(),
        line,
        end_line: line,
        start,
        end: start,
        visibility: String::new(),
        container: FunctionContainer::Free,
        r#unsafe: is_unsafe,
        abi: None,
        r#async: false,
        r#const: false,
        generic: false,
        receiver: false,
        arity: 0,
        has_body: true,
        cfg: None,
        counters: UnsafeCounters::default(),
    }
}

impl Scanner<'_, '_> {
    /// Kind of a token; `EOF` beyond the last.
    fn kind(&self, position: usize) -> SyntaxKind {
        self.tokens.get(position).map_or(SyntaxKind::EOF, |index| self.lexed.kind(*index as usize))
    }

    fn before(&self, position: usize, back: usize) -> SyntaxKind {
        position.checked_sub(back).map_or(SyntaxKind::EOF, |position| self.kind(position))
    }

    fn text(&self, position: usize) -> &str {
        self.tokens.get(position).map_or("", |index| self.lexed.text(*index as usize))
    }

    fn start(&self, position: usize) -> u32 {
        self.tokens.get(position).map_or(0, |index| self.lexed.text_start(*index as usize) as u32)
    }

    /// The last token before a turbofish that ends at `end`, or `end` itself.
    fn without_generics(&self, end: usize) -> usize {
        use SyntaxKind::{COLON, L_ANGLE, L_CURLY, R_ANGLE, SEMICOLON};
        if self.kind(end) != R_ANGLE {
            return end;
        }
        let mut depth = 0_usize;
        // Real turbofish are short; without an end a hostile file would cost a look at all tokens for each `>`.
        for position in (end.saturating_sub(200)..=end).rev() {
            match self.kind(position) {
                R_ANGLE => depth += 1,
                L_ANGLE if depth == 1 => {
                    let turbofish = self.before(position, 1) == COLON && self.before(position, 2) == COLON;
                    return if turbofish && position > 2 { position - 3 } else { end };
                }
                L_ANGLE => depth -= 1,
                SEMICOLON | L_CURLY => return end,
                _ => {}
            }
        }
        end
    }

    /// Position of the first token of the path whose last name is at `end`.
    fn path_start(&self, end: usize) -> usize {
        use SyntaxKind::{COLON, CRATE_KW, DOLLAR, IDENT, SELF_KW, SELF_TYPE_KW, SUPER_KW};
        let mut first = end;
        let mut length = self.text(end).len();
        while first >= 3
            && self.kind(first - 1) == COLON
            && self.kind(first - 2) == COLON
            && length < PATH_BYTES
        {
            let name = first - 3;
            if !matches!(self.kind(name), IDENT | CRATE_KW | SELF_KW | SELF_TYPE_KW | SUPER_KW) {
                break;
            }
            length += self.text(name).len() + 2;
            first = name;
        }
        if first > 0 && self.kind(first - 1) == DOLLAR { first - 1 } else { first }
    }

    /// Text and offset of the path whose last name is at `end`.
    fn path_ending_at(&self, end: usize) -> (String, u32) {
        let first = self.path_start(end);
        let text = (first..=end).map(|position| self.text(position)).collect();
        (text, self.start(first))
    }
}

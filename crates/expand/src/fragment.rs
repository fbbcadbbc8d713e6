//! Fragments: what `$e:expr` takes of the arguments, and what must be known of it to write it elsewhere.
//!
//! The parser is not given all that is left of the arguments: a list of a thousand expressions would be read a thousand
//! times. It gets a window up to the next comma or so, and a larger one when it complains. What a larger window
//! could not change is accepted.

use cratekeeper_syntax::{Edition, ParserToken, PrefixEntryPoint, SyntaxKind, prefix};

use crate::tokens::Tokens;
use crate::{ExpandError, Limits};

/// Tokens of the first window, if nothing ends it before.
const FIRST_WINDOW: usize = 32;

/// How far the parser looks ahead of what it takes.
const LOOKAHEAD: usize = 4;

/// What a variable of a matcher stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Specifier {
    Ident,
    Lifetime,
    Literal,
    TokenTree,
    Expr,
    /// An expression that is neither `_` nor a `const` block.
    Expr2021,
    Type,
    /// With alternatives at its top.
    Pattern,
    PatternParameter,
    Path,
    Statement,
    Block,
    Item,
    Meta,
    Visibility,
}

impl Specifier {
    pub(crate) fn named(name: &str, edition: Edition) -> Option<Specifier> {
        Some(match name {
            "ident" => Specifier::Ident,
            "lifetime" => Specifier::Lifetime,
            "literal" => Specifier::Literal,
            "tt" => Specifier::TokenTree,
            "expr" if edition.at_least_2024() => Specifier::Expr,
            "expr" | "expr_2021" => Specifier::Expr2021,
            "ty" => Specifier::Type,
            "pat" if edition.at_least_2021() => Specifier::Pattern,
            "pat" | "pat_param" => Specifier::PatternParameter,
            "path" => Specifier::Path,
            "stmt" => Specifier::Statement,
            "block" => Specifier::Block,
            "item" => Specifier::Item,
            "meta" => Specifier::Meta,
            "vis" => Specifier::Visibility,
            _ => return None,
        })
    }
}

/// How a fragment may be written beside other tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As it is.
    Plain,
    /// A field: in front of `(` it would be a method.
    Field,
    /// An expression that ends a statement with its brace.
    Block,
    /// An expression that operators around it would tear apart.
    Compound,
    /// `-1`, which only `.` and its like tear apart.
    Negative,
    /// A type that is a path without arguments.
    TypeName,
    /// Another type.
    Type,
    /// A type with `+`.
    Sum,
    /// A pattern with `|` or a range.
    Alternatives,
    /// A `let` statement, which the fragment holds without its semicolon.
    Let,
}

/// Tokens that a fragment took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fragment {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) shape: Shape,
    /// Another macro sees it as one token that only a fragment matches, even if it is a single word.
    pub(crate) grouped: bool,
}

/// What is left of [`Limits::steps`].
pub(crate) struct Steps(pub(crate) usize);

impl Steps {
    pub(crate) fn take(&mut self, number: usize) -> Result<(), ExpandError> {
        self.0 = self.0.checked_sub(number).ok_or(ExpandError::Limit("steps"))?;
        Ok(())
    }
}

/// The fragment that begins at a token, if one does.
pub(crate) fn take(
    specifier: Specifier,
    tokens: &Tokens<'_>,
    at: usize,
    limits: &Limits,
    steps: &mut Steps,
) -> Result<Option<Fragment>, ExpandError> {
    if !can_begin(specifier, tokens, at) {
        return Ok(None);
    }
    let mut parse = |entry: PrefixEntryPoint| parse(&entry, specifier, tokens, at, limits, steps);
    let simple = is_single(specifier, tokens, at);
    let found = match specifier {
        Specifier::Ident | Specifier::Lifetime => Some((at + 1, Shape::Plain)),
        Specifier::Literal if tokens.kind(at) == SyntaxKind::MINUS => Some((at + 2, Shape::Negative)),
        Specifier::Literal => Some((at + 1, Shape::Plain)),
        Specifier::TokenTree => Some((after_tree(tokens, at), Shape::Plain)),
        Specifier::Block => Some((tokens.after_tree(at), Shape::Plain)),
        Specifier::Meta => match after_meta_path(tokens, at) {
            Meta::Ends(end) => Some((end, Shape::Plain)),
            Meta::Value(value) => parse_value(tokens, value, limits, steps)?.map(|end| (end, Shape::Plain)),
        },
        Specifier::Type if simple => Some((at + 1, Shape::TypeName)),
        _ if simple => Some((at + 1, Shape::Plain)),
        Specifier::Expr | Specifier::Expr2021 => parse(PrefixEntryPoint::Expr)?
            .map(|(end, root)| (end, shape_of_expression(tokens, at, end, root))),
        Specifier::Type => {
            parse(PrefixEntryPoint::Ty)?.map(|(end, root)| (end, shape_of_type(tokens, at, end, root)))
        }
        Specifier::Pattern => {
            parse(PrefixEntryPoint::PatTop)?.map(|(end, root)| (end, shape_of_pattern(root)))
        }
        Specifier::PatternParameter => {
            parse(PrefixEntryPoint::Pat)?.map(|(end, root)| (end, shape_of_pattern(root)))
        }
        Specifier::Path => parse(PrefixEntryPoint::Path)?.map(|(end, _)| (end, Shape::Plain)),
        Specifier::Statement => {
            let shape = |root| if root == SyntaxKind::LET_STMT { Shape::Let } else { Shape::Plain };
            parse(PrefixEntryPoint::Stmt)?.map(|(end, root)| (end, shape(root)))
        }
        Specifier::Item => parse(PrefixEntryPoint::Item)?.map(|(end, _)| (end, Shape::Plain)),
        Specifier::Visibility => {
            Some((parse(PrefixEntryPoint::Vis)?.map_or(at, |(end, _)| end), Shape::Plain))
        }
    };
    Ok(found.map(|(end, shape)| {
        let grouped = match specifier {
            Specifier::Ident | Specifier::Lifetime => false,
            Specifier::TokenTree => tokens.after_group(at).is_some(),
            _ => end > at,
        };
        Fragment { start: at as u32, end: end as u32, shape, grouped }
    }))
}

fn after_tree(tokens: &Tokens<'_>, at: usize) -> usize {
    if let Some(end) = tokens.after_group(at) {
        return end;
    }
    let tree = tokens.after_tree(at);
    if tree > at + 1 { tree } else { at + tokens.operator_length(at) }
}

/// A word or literal that nothing can continue: most fragments, and no work for the parser.
fn is_single(specifier: Specifier, tokens: &Tokens<'_>, at: usize) -> bool {
    use SyntaxKind::*;
    let ends = match tokens.kind(at + 1) {
        COMMA | SEMICOLON | EOF | R_PAREN | R_BRACK | R_CURLY => true,
        EQ => tokens.kind(at + 2) == R_ANGLE && tokens.touches_next(at + 1),
        _ => false,
    };
    let kind = tokens.kind(at);
    match specifier {
        Specifier::Expr | Specifier::Expr2021 => ends && (kind == IDENT || kind.is_literal()),
        Specifier::Pattern | Specifier::PatternParameter => ends && (kind == IDENT || kind.is_literal()),
        Specifier::Type | Specifier::Path => ends && kind == IDENT,
        _ => false,
    }
}

/// Whether the compiler would look for such a fragment here, rather than for something else.
fn can_begin(specifier: Specifier, tokens: &Tokens<'_>, at: usize) -> bool {
    use SyntaxKind::*;
    let kind = tokens.kind(at);
    let in_group = tokens.after_group(at).is_some();
    let operator = |text: &[SyntaxKind]| {
        tokens.operator_length(at) == text.len() && (0..text.len()).all(|it| tokens.kind(at + it) == text[it])
    };
    let path = matches!(kind, IDENT | SELF_KW | SELF_TYPE_KW | SUPER_KW | CRATE_KW)
        || operator(&[COLON, COLON])
        || operator(&[L_ANGLE])
        || operator(&[L_ANGLE, L_ANGLE]);
    match specifier {
        Specifier::Visibility => true,
        _ if kind == EOF => false,
        Specifier::Ident => !in_group && kind.is_any_identifier(),
        Specifier::Lifetime => kind == LIFETIME_IDENT,
        Specifier::Literal => {
            let boolean = matches!(kind, TRUE_KW | FALSE_KW);
            let behind = tokens.kind(at + 1);
            // The compiler takes `-true` for one, and complains later.
            let negative = kind == MINUS && (behind.is_literal() || matches!(behind, TRUE_KW | FALSE_KW));
            let whole = tokens.after_group(at).is_none_or(|end| end == at + 1 + usize::from(kind == MINUS));
            whole && (kind.is_literal() || boolean || negative)
        }
        Specifier::TokenTree => !matches!(kind, R_PAREN | R_BRACK | R_CURLY),
        Specifier::Item | Specifier::Statement => {
            !matches!(kind, R_PAREN | R_BRACK | R_CURLY | SEMICOLON | COMMA)
        }
        Specifier::Block => kind == L_CURLY,
        Specifier::Meta => kind.is_any_identifier() || operator(&[COLON, COLON]),
        Specifier::Path => path,
        Specifier::Type => {
            let keyword = matches!(kind, FOR_KW | IMPL_KW | FN_KW | UNSAFE_KW | EXTERN_KW | DYN_KW);
            let other = matches!(
                kind,
                UNDERSCORE | L_PAREN | L_BRACK | STAR | AMP | QUESTION | LIFETIME_IDENT | BANG
            );
            path || keyword || other && !ends_with_equals(tokens, at)
        }
        Specifier::Pattern | Specifier::PatternParameter => {
            let keyword =
                matches!(kind, MUT_KW | REF_KW | BOX_KW | CONST_KW | TRUE_KW | FALSE_KW | UNDERSCORE);
            let other = matches!(kind, L_PAREN | L_BRACK | AMP | MINUS | DOT | BANG);
            path || keyword
                || kind.is_literal()
                || other && !ends_with_equals(tokens, at)
                || specifier == Specifier::Pattern && operator(&[PIPE])
        }
        Specifier::Expr2021 if kind == UNDERSCORE => false,
        Specifier::Expr2021 if kind == CONST_KW => tokens.kind(at + 1) != L_CURLY,
        Specifier::Expr | Specifier::Expr2021 => path || begins_expression(tokens, at),
    }
}

fn begins_expression(tokens: &Tokens<'_>, at: usize) -> bool {
    use SyntaxKind::*;
    match tokens.kind(at) {
        ASYNC_KW | DO_KW | BOX_KW | BREAK_KW | CONST_KW | CONTINUE_KW | FALSE_KW | FOR_KW | GEN_KW
        | IF_KW | LOOP_KW | MATCH_KW | MOVE_KW | RETURN_KW | TRUE_KW | TRY_KW | UNSAFE_KW | WHILE_KW
        | YIELD_KW | STATIC_KW | BECOME_KW | UNDERSCORE | L_PAREN | L_BRACK | L_CURLY | LIFETIME_IDENT
        | POUND => true,
        BANG | MINUS | STAR | PIPE | AMP => !ends_with_equals(tokens, at),
        DOT => tokens.operator_length(at) > 1,
        kind => kind.is_literal(),
    }
}

/// `!=`, `->` and the like: no prefix operator.
fn ends_with_equals(tokens: &Tokens<'_>, at: usize) -> bool {
    let length = tokens.operator_length(at);
    length > 1
        && matches!(tokens.kind(at + length - 1), SyntaxKind::EQ | SyntaxKind::R_ANGLE)
        && tokens.kind(at) != SyntaxKind::DOT
}

enum Meta {
    Ends(usize),
    /// `path = `, and there begins an expression.
    Value(usize),
}

fn after_meta_path(tokens: &Tokens<'_>, at: usize) -> Meta {
    use SyntaxKind::*;
    let mut end = at;
    loop {
        if tokens.operator_length(end) == 2 && tokens.kind(end) == COLON {
            end += 2;
        } else if tokens.kind(end).is_any_identifier() && (end == at || tokens.kind(end - 1) == COLON) {
            end += 1;
        } else {
            break;
        }
    }
    match tokens.kind(end) {
        L_PAREN | L_BRACK | L_CURLY => Meta::Ends(tokens.after_tree(end)),
        EQ if tokens.operator_length(end) == 1 => Meta::Value(end + 1),
        _ => Meta::Ends(end),
    }
}

fn parse_value(
    tokens: &Tokens<'_>,
    at: usize,
    limits: &Limits,
    steps: &mut Steps,
) -> Result<Option<usize>, ExpandError> {
    let found = parse(&PrefixEntryPoint::Expr, Specifier::Expr, tokens, at, limits, steps)?;
    Ok(found.map(|(end, _)| end))
}

/// Where it ends, and its outermost node.
fn parse(
    entry: &PrefixEntryPoint,
    specifier: Specifier,
    tokens: &Tokens<'_>,
    at: usize,
    limits: &Limits,
    steps: &mut Steps,
) -> Result<Option<(usize, SyntaxKind)>, ExpandError> {
    let mut end = at;
    let mut size = FIRST_WINDOW;
    loop {
        let window = extend_window(specifier, tokens, end, at + size);
        end = window.end;
        let input: &[ParserToken] = tokens.parser_tokens(at, end);
        steps.take(input.len())?;
        let found = prefix(entry, input, tokens.edition, limits.nesting)
            .map_err(|_| ExpandError::Limit("nesting"))?;
        let is_certain =
            !found.has_errors && (window.ends != WindowEnd::Size || found.tokens + LOOKAHEAD <= input.len());
        if is_certain {
            return Ok((found.tokens > 0).then_some((at + found.tokens, found.root)));
        }
        if window.ends == WindowEnd::Tokens {
            return Ok(None);
        }
        size = (input.len() * 2).max(FIRST_WINDOW);
    }
}

#[derive(PartialEq, Eq)]
enum WindowEnd {
    /// A token that ends most fragments.
    Stop,
    Size,
    /// The end of the arguments, or of the delimiters around.
    Tokens,
}

struct Window {
    end: usize,
    ends: WindowEnd,
}

/// The window that goes on from `from` and ends at the first stop; behind `size`, at any token.
fn extend_window(specifier: Specifier, tokens: &Tokens<'_>, from: usize, size: usize) -> Window {
    use SyntaxKind::*;
    let is_item = matches!(specifier, Specifier::Item | Specifier::Statement);
    let mut end = from;
    loop {
        let kind = tokens.kind(end);
        if matches!(kind, EOF | R_PAREN | R_BRACK | R_CURLY) {
            return Window { end, ends: WindowEnd::Tokens };
        }
        // The token that the last window stopped at is part of this one.
        let stops = end > from
            && match kind {
                COMMA => !is_item,
                SEMICOLON => true,
                EQ => tokens.operator_length(end) == 2 && tokens.kind(end + 1) == R_ANGLE,
                _ => false,
            };
        if stops && !is_item {
            return Window { end, ends: WindowEnd::Stop };
        }
        if end >= size {
            return Window { end, ends: WindowEnd::Size };
        }
        end = tokens.after_group(end).unwrap_or_else(|| tokens.after_tree(end));
        if is_item && (stops || kind == L_CURLY) {
            return Window { end, ends: WindowEnd::Stop };
        }
    }
}

fn shape_of_expression(tokens: &Tokens<'_>, at: usize, end: usize, root: SyntaxKind) -> Shape {
    use SyntaxKind::*;
    let has_braces = || trees(tokens, at, end).any(|it| tokens.kind(it) == L_CURLY);
    match root {
        BLOCK_EXPR | IF_EXPR | MATCH_EXPR | LOOP_EXPR | WHILE_EXPR | FOR_EXPR => Shape::Block,
        MACRO_EXPR if has_braces() => Shape::Block,
        PATH_EXPR | LITERAL | PAREN_EXPR | TUPLE_EXPR | ARRAY_EXPR | MACRO_EXPR | UNDERSCORE_EXPR => {
            Shape::Plain
        }
        CALL_EXPR | METHOD_CALL_EXPR | INDEX_EXPR | TRY_EXPR | AWAIT_EXPR if !has_braces() => Shape::Plain,
        FIELD_EXPR if !has_braces() => Shape::Field,
        PREFIX_EXPR if tokens.kind(at) == MINUS && end == at + 2 && tokens.kind(at + 1).is_literal() => {
            Shape::Negative
        }
        _ => Shape::Compound,
    }
}

fn shape_of_type(tokens: &Tokens<'_>, at: usize, end: usize, root: SyntaxKind) -> Shape {
    use SyntaxKind::*;
    let has = |kind| (at..end).any(|it| tokens.kind(it) == kind);
    match root {
        DYN_TRAIT_TYPE | IMPL_TRAIT_TYPE if trees(tokens, at, end).any(|it| tokens.kind(it) == PLUS) => {
            Shape::Sum
        }
        PATH_TYPE if !has(L_ANGLE) && !has(L_PAREN) => Shape::TypeName,
        _ => Shape::Type,
    }
}

fn shape_of_pattern(root: SyntaxKind) -> Shape {
    match root {
        SyntaxKind::OR_PAT | SyntaxKind::RANGE_PAT => Shape::Alternatives,
        _ => Shape::Plain,
    }
}

/// The tokens outside of delimiters.
fn trees(tokens: &Tokens<'_>, at: usize, end: usize) -> impl Iterator<Item = usize> {
    let mut next = at;
    std::iter::from_fn(move || {
        (next < end).then(|| {
            let found = next;
            next = tokens.after_tree(next);
            found
        })
    })
}

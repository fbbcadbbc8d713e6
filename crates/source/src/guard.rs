//! Looks at tokens before the parser does, and refuses what the parser would not survive.
//!
//! *Tested*: 10,000 nested `(` abort a process with a stack overflow that nothing can catch. The parser recurses
//! for delimiters, for prefix operators (`&&&&x`), for keywords that begin an expression or a type (`return return`,
//! `else if`, `dyn`), for `<` and for closures. So this counts, for each open delimiter, such tokens since the last
//! end of a statement or list item, and refuses when the sum over all open delimiters exceeds a limit.
//! Binary operators are read in a loop; only their number is limited, because they nest the tree.

use ra_ap_parser::{LexedStr, SyntaxKind};

use crate::limits::Limits;

/// Why a text is not parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TooDeep {
    /// Byte offset where the limit was passed.
    pub(crate) offset: u32,
    pub(crate) reason: String,
}

/// What is open at one level of delimiters since the last end of a statement or list item.
#[derive(Default)]
struct Level {
    /// Tokens that make the parser call itself.
    nested: u32,
    /// Tokens that lengthen a chain.
    chained: u32,
}

/// Whether the parser may have the text.
pub(crate) fn check(lexed: &LexedStr<'_>, limits: &Limits) -> Result<(), TooDeep> {
    let depths = deepest(lexed, limits.nesting, limits.chain);
    let (what, limit) = match depths {
        Depths { nesting, .. } if nesting > limits.nesting => ("nesting", limits.nesting),
        Depths { chain, .. } if chain > limits.chain => ("a chain of operators", limits.chain),
        _ => return Ok(()),
    };
    Err(TooDeep { offset: depths.offset, reason: format!("{what} is deeper than {limit}") })
}

/// How deep a text goes.
#[derive(Debug, Default)]
struct Depths {
    nesting: u32,
    chain: u32,
    /// Where the deepest place is.
    offset: u32,
}

/// The deepest nesting and longest chain, or the first beyond the given limits.
fn deepest(lexed: &LexedStr<'_>, nesting_limit: u32, chain_limit: u32) -> Depths {
    use SyntaxKind::{
        COMMA, DOT, EQ, L_BRACK, L_CURLY, L_PAREN, R_ANGLE, R_BRACK, R_CURLY, R_PAREN, SEMICOLON,
    };
    let mut deepest = Depths::default();
    let mut levels = vec![Level::default()];
    // Open delimiters plus `nested` of all levels: what the parser's stack holds.
    let mut depth = 0;
    let mut previous = SEMICOLON;
    for index in 0..lexed.len() {
        let kind = lexed.kind(index);
        if kind.is_trivia() {
            continue;
        }
        let next = if index + 1 < lexed.len() { lexed.kind(index + 1) } else { SyntaxKind::EOF };
        let level = levels.last_mut().expect("the outermost level is never popped");
        let begins_anew = matches!(kind, SEMICOLON | COMMA)
            // After `}` comes a new statement, unless the block goes on as an expression.
            || previous == R_CURLY && begins_statement(kind)
            // `=>`: an arm of a match. The lexer gives single characters.
            || previous == EQ && kind == R_ANGLE;
        if begins_anew {
            depth -= level.nested;
            *level = Level::default();
        }
        match kind {
            L_PAREN | L_BRACK | L_CURLY => {
                levels.push(Level::default());
                depth += 1;
            }
            R_PAREN | R_BRACK | R_CURLY => {
                if levels.len() > 1 {
                    depth -= 1 + levels.pop().map_or(0, |level| level.nested);
                }
            }
            // The second dot of `a..b` is no operator of its own.
            DOT if previous == DOT
                && index > 0
                && lexed.kind(index - 1) == DOT
                && !is_third_dot(lexed, index) => {}
            _ if recurses(kind, previous, next) => {
                level.nested += 1;
                depth += 1;
            }
            _ if chains(kind) => level.chained += 1,
            _ => {}
        }
        previous = kind;
        let chain = levels.last().map_or(0, |level| level.chained);
        if depth > deepest.nesting || chain > deepest.chain {
            deepest = Depths {
                nesting: depth.max(deepest.nesting),
                chain: chain.max(deepest.chain),
                offset: lexed.text_start(index) as u32,
            };
        }
        if depth > nesting_limit || chain > chain_limit {
            break;
        }
    }
    deepest
}

fn is_third_dot(lexed: &LexedStr<'_>, index: usize) -> bool {
    index > 1 && lexed.kind(index - 2) == SyntaxKind::DOT
}

/// Whether the parser calls itself for a token.
fn recurses(kind: SyntaxKind, previous: SyntaxKind, next: SyntaxKind) -> bool {
    use SyntaxKind::*;
    match kind {
        // Prefix operators and closures. After an operand they are binary, and read in a loop.
        AMP | STAR | BANG | MINUS | PIPE | DOT => !ends_operand(previous),
        // Generic arguments; a comparison cannot be told apart here.
        L_ANGLE => true,
        // `a = b = c` nests to the right; `==`, `=>` and `+=` do not.
        EQ => ends_operand(previous) && !matches!(next, EQ | R_ANGLE),
        // Expressions and types that begin with a keyword and contain another one of their kind.
        RETURN_KW | BREAK_KW | IF_KW | ELSE_KW | MATCH_KW | WHILE_KW | FOR_KW | LOOP_KW | LET_KW
        | MOVE_KW | MUT_KW | REF_KW | IMPL_KW | DYN_KW | FN_KW | CONST_KW | UNSAFE_KW | ASYNC_KW
        | YIELD_KW | BOX_KW | BECOME_KW | STATIC_KW | DO_KW | EXTERN_KW => true,
        // Contextual keywords are identifiers to the lexer: `yeet yeet x`, `dyn dyn`, `async async`.
        IDENT => previous == IDENT,
        _ => false,
    }
}

/// Tokens after which an operator is binary.
fn ends_operand(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    kind.is_literal()
        || matches!(
            kind,
            IDENT
                | R_PAREN
                | R_BRACK
                | R_CURLY
                | R_ANGLE
                | QUESTION
                | SELF_KW
                | SELF_TYPE_KW
                | SUPER_KW
                | CRATE_KW
                | UNDERSCORE
                | LIFETIME_IDENT
        )
}

/// Tokens that lengthen a chain: it is read in a loop, and nests the tree.
fn chains(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        PLUS | MINUS
            | STAR
            | SLASH
            | PERCENT
            | CARET
            | AMP
            | PIPE
            | DOT
            | EQ
            | BANG
            | QUESTION
            | AS_KW
            | R_ANGLE
    )
}

/// Tokens that, after `}`, begin something new rather than continue an expression.
fn begins_statement(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    !matches!(
        kind,
        ELSE_KW
            | DOT
            | QUESTION
            | AS_KW
            | PLUS
            | MINUS
            | STAR
            | SLASH
            | PERCENT
            | CARET
            | AMP
            | PIPE
            | EQ
            | L_ANGLE
            | R_ANGLE
            | BANG
            | R_PAREN
            | R_BRACK
            | R_CURLY
            | COLON
            | L_PAREN
            | L_BRACK
    )
}

#[cfg(test)]
mod tests {
    use ra_ap_parser::Edition;

    use super::*;

    fn nesting(text: &str) -> u32 {
        deepest(&LexedStr::new(Edition::Edition2024, text), u32::MAX, u32::MAX).nesting
    }

    fn chain(text: &str) -> u32 {
        deepest(&LexedStr::new(Edition::Edition2024, text), u32::MAX, u32::MAX).chain
    }

    #[test]
    fn what_recurses_is_counted() {
        for unit in [
            "(",
            "[",
            "{",
            "&",
            "*",
            "!",
            "-",
            "|| ",
            "A<",
            "return ",
            "if a {} else ",
            "mod a {",
            "m!(",
            "break ",
            "dyn ",
            "&mut ",
            "a = ",
            "move || ",
            "unsafe {",
            "match a { _ => ",
            "fn() -> ",
            "..",
            "async ",
            "impl ",
        ] {
            let text = format!("fn f() {{ {} }}", unit.repeat(100));
            assert!(nesting(&text) >= 100, "{unit}: {}", nesting(&text));
        }
    }

    #[test]
    fn ordinary_code_stays_shallow() {
        let statements = "if a { b(); } let c: Vec<Vec<u8>> = d.e(&f)?; *g = h == i && j != k || -l < m;\n";
        assert!(nesting(&format!("fn f() {{ {} }}", statements.repeat(200))) < 20);
        assert!(nesting(&format!("const F: u8 = A {};", "| B".repeat(1000))) < 5);
        assert!(nesting(&format!("fn f() {{ match a {{ {} }} }}", "A | B => &&c,".repeat(500))) < 10);
        assert!(nesting(&"impl A<B> for C<D> { fn e(&self) -> F { self.g } }".repeat(500)) < 20);
    }

    #[test]
    fn chains_are_counted() {
        assert_eq!(chain(&format!("const A: u8 = 1{};", "+1".repeat(100))), 100);
        assert_eq!(chain(&format!("fn f() {{ a{}; }}", ".b()".repeat(100))), 100);
        assert_eq!(chain(&"const A: u8 = 1 + 1;".repeat(100)), 1);
    }
}

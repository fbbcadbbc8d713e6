//! Asks the parser how far one construct reaches: what a macro's `$e:expr` takes of the arguments.
//!
//! Tokens instead of text, because a macro looks at the same arguments many times, each time from another place. The
//! guard looks at every such piece anew: what it found of the whole does not bound what a piece nests.

use ra_ap_parser::{Edition, Input, PrefixEntryPoint, Step, SyntaxKind};

use crate::guard::{self, TooDeep};

/// A token as the parser sees it: no text, and trivia are no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParserToken {
    /// Operators are one token for each character.
    pub kind: SyntaxKind,
    /// The keyword that an identifier is in some places, otherwise `EOF`.
    pub contextual: SyntaxKind,
    /// Nothing stands between this token and the next; of a float, that it has digits behind its dot.
    pub joint: bool,
}

impl ParserToken {
    /// A token of this kind and text; `touches_next` tells that the next one follows at once.
    #[must_use]
    pub fn new(kind: SyntaxKind, text: &str, touches_next: bool, edition: Edition) -> ParserToken {
        let contextual = match kind {
            SyntaxKind::IDENT => {
                SyntaxKind::from_contextual_keyword(text, edition).unwrap_or(SyntaxKind::IDENT)
            }
            _ => SyntaxKind::EOF,
        };
        let joint = if kind == SyntaxKind::FLOAT_NUMBER { !text.ends_with('.') } else { touches_next };
        ParserToken { kind, contextual, joint }
    }
}

/// What a construct takes of the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// Number of tokens.
    pub tokens: usize,
    /// The outermost node; `EOF` if there is none.
    pub root: SyntaxKind,
    /// The parser complained, perhaps because more tokens are needed.
    pub has_errors: bool,
}

/// How many of `tokens` the construct takes.
///
/// # Errors
///
/// They are nested deeper than `nesting`. That the parser gave up is an error in the [`Prefix`].
pub fn prefix(
    entry: &PrefixEntryPoint,
    tokens: &[ParserToken],
    edition: Edition,
    nesting: u32,
) -> Result<Prefix, TooDeep> {
    guard::check_tokens(tokens, nesting)?;
    let mut input = Input::with_capacity(tokens.len());
    for token in tokens {
        match token.kind {
            SyntaxKind::IDENT => input.push_ident(token.contextual, edition),
            kind => input.push(kind, edition),
        }
        if token.joint {
            input.was_joint();
        }
    }
    // As in `Tree::parse`: the parser asserts that it makes progress.
    let output = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| entry.parse(&input)));
    let Ok(output) = output else {
        return Ok(Prefix { tokens: 0, root: SyntaxKind::EOF, has_errors: true });
    };
    let mut found = Prefix { tokens: 0, root: SyntaxKind::EOF, has_errors: false };
    for step in output.iter() {
        match step {
            Step::Token { n_input_tokens, .. } => found.tokens += usize::from(n_input_tokens),
            Step::FloatSplit { .. } => found.tokens += 1,
            Step::Enter { kind } if found.root == SyntaxKind::EOF => found.root = kind,
            Step::Error { .. } => found.has_errors = true,
            Step::Enter { .. } | Step::Exit => {}
        }
    }
    found.tokens = found.tokens.min(tokens.len());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use ra_ap_parser::LexedStr;

    use super::*;

    fn parse(entry: &PrefixEntryPoint, text: &str) -> Prefix {
        let edition = Edition::Edition2021;
        let lexed = LexedStr::new(edition, text);
        let tokens: Vec<_> = (0..lexed.len())
            .filter(|at| !lexed.kind(*at).is_trivia())
            .map(|at| {
                let touches = at + 1 < lexed.len() && !lexed.kind(at + 1).is_trivia();
                ParserToken::new(lexed.kind(at), lexed.text(at), touches, edition)
            })
            .collect();
        prefix(entry, &tokens, edition, 100).unwrap()
    }

    #[test]
    fn a_construct_ends_where_it_cannot_go_on() {
        let found = parse(&PrefixEntryPoint::Expr, "a + b.0.1(c), d");
        assert_eq!(found, Prefix { tokens: 8, root: SyntaxKind::BIN_EXPR, has_errors: false });
        let found = parse(&PrefixEntryPoint::Ty, "A<B<C>>> d");
        assert_eq!((found.tokens, found.has_errors), (7, false));
        assert_eq!(parse(&PrefixEntryPoint::Vis, "fn a() {}").tokens, 0);
    }

    #[test]
    fn what_is_missing_is_an_error() {
        assert!(parse(&PrefixEntryPoint::Expr, "a +").has_errors);
        assert!(parse(&PrefixEntryPoint::Ty, "").has_errors);
        assert!(parse(&PrefixEntryPoint::Item, "fn a").has_errors);
    }

    #[test]
    fn nesting_is_refused() {
        let token = ParserToken::new(SyntaxKind::L_PAREN, "(", true, Edition::Edition2021);
        assert!(prefix(&PrefixEntryPoint::Expr, &[token; 101], Edition::Edition2021, 100).is_err());
    }
}

//! Looks at tokens before the parser does, and refuses what the parser would not survive.
//!
//! The parser calls itself for whatever can stand inside itself, and a stack overflow aborts the process: nothing can
//! catch it. *Tested*: 10,000 nested `(` need more than 8 MiB. So this counts what is open at each token, and refuses when it
//! is more than the limit. Delimiters are easy; the rest has no end of its own: prefix operators, keywords that
//! an expression, type or pattern follows, `<`, `=` and closures count from their token to the next `;`, `,`, `=>` or statement
//! in the same delimiters.
//!
//! The count must not be too small for *any* text, because the parser accepts any, and takes one wrong token for a missing
//! operand: in `if if if ; {` all three are still open at the brace. Hence the one rule behind the details: what is open ends
//! only where a complete operand stood before (`is_settled`). Where that cannot be known, the count stays too large, which
//! costs an odd file its tree and nothing else. The attack tests of `source` have the texts that once got through, and tries random ones.

use ra_ap_parser::{LexedStr, SyntaxKind};

use crate::prefix::ParserToken;

/// Why a text is not parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooDeep {
    /// Byte offset where the limit was passed.
    pub offset: u32,
    /// Sentence fragment.
    pub reason: String,
}

/// Whether the parser may have the text: no more than `nesting` things are open at the same time.
///
/// # Errors
///
/// The place where more are.
pub fn check(lexed: &LexedStr<'_>, nesting: u32) -> Result<(), TooDeep> {
    let (depth, offset) = deepest(lexed, nesting);
    if depth <= nesting {
        return Ok(());
    }
    Err(TooDeep { offset, reason: format!("nesting is deeper than {nesting}") })
}

/// The same for tokens without a text; the offset is a token's number.
pub(crate) fn check_tokens(tokens: &[ParserToken], nesting: u32) -> Result<(), TooDeep> {
    let mut guard = Guard::new();
    let mut joint = false;
    for (index, token) in tokens.iter().enumerate() {
        // Only operators are looked at in pairs, and of those it is known what touches what.
        let next = tokens.get(index + 1).filter(|_| token.joint).map_or(SyntaxKind::EOF, |next| next.kind);
        guard.token(token.kind, next, joint);
        joint = token.joint;
        if guard.depth > nesting {
            return Err(TooDeep {
                offset: index as u32,
                reason: format!("nesting is deeper than {nesting}"),
            });
        }
    }
    Ok(())
}

/// The deepest nesting, or the first beyond `limit`, and the byte offset of it.
fn deepest(lexed: &LexedStr<'_>, limit: u32) -> (u32, u32) {
    let mut guard = Guard::new();
    let mut deepest = (0, 0);
    let at = |index| if index < lexed.len() { lexed.kind(index) } else { SyntaxKind::EOF };
    let mut next = at(0);
    let mut behind_trivia = true;
    for index in 0..lexed.len() {
        let kind = std::mem::replace(&mut next, at(index + 1));
        let joint = !std::mem::replace(&mut behind_trivia, kind.is_trivia());
        if kind.is_trivia() {
            continue;
        }
        guard.token(kind, next, joint);
        if guard.depth > deepest.0 {
            deepest = (guard.depth, lexed.text_start(index) as u32);
            if guard.depth > limit {
                break;
            }
        }
    }
    deepest
}

/// What is open inside one pair of delimiters.
struct Level {
    closer: SyntaxKind,
    /// `#[` or `#![`: what stands before is no operand.
    attribute: bool,
    /// Tokens that made the parser call itself since it was last known not to be inside any.
    nested: u32,
    /// Where this level's entries begin in [`Guard::lists`].
    lists: usize,
    /// `let` or `for` without its `=` or `in` yet: where that is missing, the parser looks for the operand all the same.
    awaiting: bool,
    /// Something that a block follows, and that takes a block behind a missing operand all the same.
    before_block: bool,
    /// Between `impl`, with nothing open around it, and its `for`.
    implementing: bool,
}

impl Level {
    fn new(closer: SyntaxKind, attribute: bool, lists: usize) -> Level {
        Level {
            closer,
            attribute,
            nested: 0,
            lists,
            awaiting: false,
            before_block: false,
            implementing: false,
        }
    }
}

/// A list without delimiters of its own: a comma does not end it.
struct List {
    /// `<`, which `>` ends; otherwise the parameters of a closure.
    angle: bool,
    /// Behind a keyword or a name that a keyword introduces: generic parameters, perhaps.
    parameters: bool,
    /// [`Level::nested`] before it.
    before: u32,
}

/// What a closing delimiter closes.
enum Closes {
    Level,
    Nothing,
    /// The level, or nothing and then it ends with what it is an operand of.
    Perhaps,
}

struct Guard {
    levels: Vec<Level>,
    lists: Vec<List>,
    /// Delimiters and nested tokens of all levels: what the parser's stack holds.
    depth: u32,
    /// The token before; `ATTR` for the end of an attribute, `ERROR` for one after which nothing is settled, whatever
    /// its kind.
    previous: SyntaxKind,
    /// The one before that.
    before: SyntaxKind,
    /// The token that, directly behind the one before, is the second half of a binary `&&`, `||`, `==` or `!=`.
    second_half: SyntaxKind,
}

impl Guard {
    fn new() -> Guard {
        Guard {
            levels: vec![Level::new(SyntaxKind::EOF, false, 0)],
            lists: Vec::new(),
            depth: 0,
            previous: SyntaxKind::SEMICOLON,
            before: SyntaxKind::SEMICOLON,
            second_half: SyntaxKind::EOF,
        }
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level is never popped")
    }

    /// `next` is what directly follows, trivia included; `joint` tells that no trivia stand before.
    fn token(&mut self, kind: SyntaxKind, next: SyntaxKind, joint: bool) {
        use SyntaxKind::*;
        let previous = self.previous;
        let settled = is_settled(previous);
        let is_second_half = std::mem::replace(&mut self.second_half, EOF) == kind && joint;
        if previous == R_CURLY && begins_statement(kind) {
            self.end_of_element();
        }
        if matches!(kind, R_PAREN | R_BRACK | R_CURLY) {
            return self.close(kind);
        }
        let before = std::mem::replace(&mut self.before, previous);
        // `>` ends a type, or is a comparison without its right side.
        let ends = settled || previous == R_ANGLE && !self.level().before_block;
        self.previous = kind;
        match kind {
            L_PAREN => self.open(R_PAREN, false),
            L_BRACK => self.open(R_BRACK, previous == POUND),
            L_CURLY => self.open(R_CURLY, false),
            // Behind `return` and its like the parser looks for an operand only if there is one.
            SEMICOLON if ends || matches!(previous, RETURN_KW | BREAK_KW | CONTINUE_KW) => {
                self.end_of_statement();
            }
            COMMA if ends => self.end_of_element(),
            // `#![`
            BANG if previous == POUND => {
                self.previous = POUND;
                self.nest(1);
            }
            // `->`: types nest to the right of it.
            R_ANGLE if joint && previous == MINUS => {
                self.previous = ERROR;
                self.nest(1);
            }
            // The end of `=>`.
            R_ANGLE if joint && previous == EQ => self.previous = ERROR,
            R_ANGLE if settled || matches!(previous, COMMA | L_ANGLE | R_ANGLE | LIFETIME_IDENT) => {
                self.end_of_angle();
            }
            EQ if next == R_ANGLE => self.arrow(settled),
            // Of `..=` there is a third.
            DOT if is_second_half => self.second_half = EQ,
            _ if is_second_half => {}
            // Not `<=`, which cannot be told from the end of `<<=`.
            EQ | BANG if settled && next == EQ => self.second_half = EQ,
            EQ => {
                self.level().awaiting = false;
                self.nest(1);
            }
            IN_KW => self.level().awaiting = false,
            L_ANGLE => {
                let operand = settled && !is_keyword(before) && before != IDENT;
                // `T![<]`
                let in_macro = before == BANG && matches!(previous, L_PAREN | L_BRACK | L_CURLY);
                self.open_list(true, !operand && !in_macro);
            }
            PIPE if !settled => {
                self.level().before_block = true;
                self.open_list(false, false);
            }
            AMP | PIPE if settled => self.second_half = kind,
            // The second dot of `a..b` is no operator of its own.
            DOT if next == DOT => {
                self.second_half = DOT;
                self.nest(u32::from(!settled));
            }
            LET_KW | FOR_KW => {
                let level = self.level();
                let of_implementation =
                    std::mem::take(&mut level.implementing) || settled && previous != R_CURLY;
                let of_lifetimes = next == L_ANGLE;
                level.awaiting |= kind == LET_KW || !of_implementation && !of_lifetimes;
                level.before_block = true;
                self.nest(1);
            }
            IF_KW | WHILE_KW | MATCH_KW => {
                self.level().before_block = true;
                self.nest(1);
            }
            IMPL_KW => {
                let level = self.level();
                level.implementing = level.nested == 0;
                self.nest(1);
            }
            _ if recurses(kind, previous, settled) => self.nest(1),
            _ => {}
        }
    }

    fn nest(&mut self, by: u32) {
        self.level().nested += by;
        self.depth += by;
    }

    fn open(&mut self, closer: SyntaxKind, attribute: bool) {
        let lists = self.lists.len();
        self.levels.push(Level::new(closer, attribute, lists));
        self.depth += 1;
    }

    /// A closing delimiter. One that does not match is an error token to the parser, or ends less than it seems to.
    fn close(&mut self, closer: SyntaxKind) {
        let previous = self.previous;
        self.previous = closer;
        let level = self.level();
        if level.closer != closer {
            self.previous = SyntaxKind::ERROR;
            return;
        }
        match self.what_closes(closer, previous) {
            Closes::Level => self.pop_level(),
            Closes::Nothing => self.previous = SyntaxKind::ERROR,
            Closes::Perhaps => {
                let kept = self.level().nested + 1;
                self.pop_level();
                self.nest(kept);
                self.previous = SyntaxKind::ERROR;
            }
        }
    }

    /// What a delimiter closes for the parser, which takes some of them for an operand that is missing.
    fn what_closes(&mut self, closer: SyntaxKind, previous: SyntaxKind) -> Closes {
        use SyntaxKind::*;
        let lists = self.level().lists;
        let innermost = self.lists[lists..].last();
        if is_settled(previous) || matches!(previous, SEMICOLON | R_ANGLE | L_PAREN | L_BRACK | L_CURLY) {
            return Closes::Level;
        }
        let is_list = matches!(previous, COMMA | L_ANGLE);
        match closer {
            // A list of generic parameters takes anything for one.
            _ if is_list && self.lists[lists..].iter().any(|list| list.parameters) => Closes::Nothing,
            _ if previous == COMMA => Closes::Level,
            R_BRACK if previous == L_ANGLE => Closes::Perhaps,
            _ if previous == L_ANGLE => Closes::Level,
            // An attribute, `pub` and `use a::` take it for their item.
            R_CURLY if matches!(previous, ATTR | POUND | USE_KW | PUB_KW | COLON) => Closes::Nothing,
            R_CURLY => Closes::Level,
            // `A<B = )`
            _ if innermost.is_some_and(|list| list.angle) => Closes::Nothing,
            R_PAREN if !matches!(previous, COLON) => Closes::Level,
            R_BRACK if previous == DOT => Closes::Level,
            _ => Closes::Perhaps,
        }
    }

    fn pop_level(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.lists.truncate(level.lists);
            self.depth -= level.nested + 1;
            if level.attribute {
                self.previous = SyntaxKind::ATTR;
            }
        }
    }

    fn open_list(&mut self, angle: bool, parameters: bool) {
        let before = self.level().nested;
        self.lists.push(List { angle, parameters, before });
        self.nest(1);
    }

    /// `>`: closes the innermost list, if it is one of angles, and nothing else that may be open since: it may have been a
    /// comparison. Whether there was one.
    fn end_of_angle(&mut self) -> bool {
        let first = self.level().lists;
        if self.lists.len() == first {
            return false;
        }
        let Some(list) = self.lists.pop_if(|list| list.angle) else { return false };
        self.level().nested -= 1;
        self.depth -= 1;
        if list.parameters {
            // `for<'a>`: a type or closure is still to come.
            self.previous = SyntaxKind::ERROR;
        }
        true
    }

    /// `=>`: `A<B =>` without what `B` is, or the arrow of a match.
    fn arrow(&mut self, settled: bool) {
        if settled && !self.end_of_angle() {
            self.end_of_element();
        }
    }

    /// All but the lists is closed: `,`, `=>`, a statement behind a block.
    fn end_of_element(&mut self) {
        let first = self.level().lists;
        let kept = self.lists[first..].last().map_or(0, |list| list.before + 1);
        let level = self.level();
        if !level.awaiting {
            let ended = level.nested - kept;
            level.nested = kept;
            level.before_block &= kept > 0;
            level.implementing &= kept > 0;
            self.depth -= ended;
        }
    }

    /// `;`: nothing is open that began in these delimiters.
    fn end_of_statement(&mut self) {
        if !self.level().awaiting {
            let first = self.level().lists;
            self.lists.truncate(first);
            let level = self.level();
            let ended = std::mem::take(&mut level.nested);
            level.before_block = false;
            level.implementing = false;
            self.depth -= ended;
        }
    }
}

/// Whether the parser calls itself for a token.
fn recurses(kind: SyntaxKind, previous: SyntaxKind, settled: bool) -> bool {
    use SyntaxKind::*;
    match kind {
        // Prefix operators. Behind an operand they are binary, and read in a loop.
        AMP | STAR | BANG | MINUS | DOT => !settled,
        // Expressions, types and patterns that begin with a keyword and contain another one of their kind.
        RETURN_KW | BREAK_KW | LOOP_KW | MOVE_KW | MUT_KW | REF_KW | DYN_KW | FN_KW | CONST_KW
        | UNSAFE_KW | ASYNC_KW | YIELD_KW | BOX_KW | BECOME_KW | STATIC_KW | DO_KW | EXTERN_KW | AT => true,
        // Contextual keywords are identifiers to the lexer: `yeet yeet x`, `dyn dyn`, `async async`.
        IDENT => previous == IDENT,
        _ => false,
    }
}

/// Tokens that end an operand: no construct looks for one behind them. `>` is not among them: in `a < b > ;` it is a
/// comparison, and the parser takes the semicolon for its right side.
fn is_settled(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    kind.is_literal()
        || matches!(
            kind,
            IDENT
                | R_PAREN
                | R_BRACK
                | R_CURLY
                | QUESTION
                | SELF_KW
                | SELF_TYPE_KW
                | SUPER_KW
                | CRATE_KW
                | UNDERSCORE
                | TRUE_KW
                | FALSE_KW
                | AWAIT_KW
        )
}

fn is_keyword(kind: SyntaxKind) -> bool {
    kind.is_keyword(ra_ap_parser::Edition::LATEST)
}

/// Tokens that, behind `}`, begin something new rather than continue what the block was part of.
fn begins_statement(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    kind.is_literal()
        || is_keyword(kind) && !matches!(kind, ELSE_KW | AS_KW | IN_KW)
        || matches!(kind, IDENT | POUND | LIFETIME_IDENT)
}

#[cfg(test)]
mod tests {
    use ra_ap_parser::Edition;

    use super::*;

    fn nesting(text: &str) -> u32 {
        deepest(&LexedStr::new(Edition::Edition2024, text), u32::MAX).0
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
}

//! Text as the tokens that macros see.
//!
//! Doc comments become the attributes that they stand for; delimiters know their partners; operators of several
//! characters are put together where they are looked at, because `>>` is one token to a macro until a type has
//! taken half of it. Comments `/*«*/` and `/*»*/` enclose a *group*: a fragment that an outer macro has already matched
//! and that the compiler keeps as one token.

use std::borrow::Cow;

use cratekeeper_syntax::{Edition, LexedStr, ParserToken, SyntaxKind};

/// Begins a group.
pub(crate) const GROUP_BEGIN: &str = "/*«*/";
/// Ends a group.
pub(crate) const GROUP_END: &str = "/*»*/";

/// Operators of several characters, the longest first.
const OPERATORS: [&[SyntaxKind]; 24] = {
    use SyntaxKind::*;
    [
        &[DOT, DOT, DOT],
        &[DOT, DOT, EQ],
        &[L_ANGLE, L_ANGLE, EQ],
        &[R_ANGLE, R_ANGLE, EQ],
        &[MINUS, EQ],
        &[MINUS, R_ANGLE],
        &[L_ANGLE, MINUS],
        &[COLON, COLON],
        &[BANG, EQ],
        &[DOT, DOT],
        &[STAR, EQ],
        &[SLASH, EQ],
        &[AMP, AMP],
        &[AMP, EQ],
        &[PERCENT, EQ],
        &[CARET, EQ],
        &[PLUS, EQ],
        &[L_ANGLE, L_ANGLE],
        &[L_ANGLE, EQ],
        &[EQ, EQ],
        &[EQ, R_ANGLE],
        &[R_ANGLE, EQ],
        &[R_ANGLE, R_ANGLE],
        &[PIPE, EQ],
    ]
};

/// What is known of a token beside its kind.
#[derive(Debug, Clone, Copy)]
struct Token {
    start: u32,
    end: u32,
    /// Of an opening delimiter, the number of its partner.
    closer: u32,
    /// Number of the first token behind the group that begins here; 0 if none does.
    group_end: u32,
}

/// A text's tokens. They are numbered; a number equal to [`Tokens::len`] is the end.
pub(crate) struct Tokens<'t> {
    text: Cow<'t, str>,
    tokens: Vec<Token>,
    parser_tokens: Vec<ParserToken>,
    has_groups: bool,
    pub(crate) edition: Edition,
}

/// A group without its end yet.
struct Open {
    /// The first token of it.
    begin: u32,
    /// The delimiters around it: how many, and the number of the innermost.
    around: (usize, Option<u32>),
}

/// A delimiter without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unbalanced;

impl<'t> Tokens<'t> {
    pub(crate) fn new(text: &'t str, edition: Edition) -> Result<Tokens<'t>, Unbalanced> {
        let text = with_attributes(text, edition);
        let lexed = LexedStr::new(edition, &text);
        let mut tokens = Vec::with_capacity(lexed.len());
        let mut parser_tokens = Vec::with_capacity(lexed.len());
        let (mut open, mut groups) = (Vec::<(u32, SyntaxKind)>::new(), Vec::new());
        let mut has_groups = false;
        for index in 0..lexed.len() {
            let kind = lexed.kind(index);
            if kind.is_trivia() {
                if kind == SyntaxKind::COMMENT {
                    let around = (open.len(), open.last().map(|it| it.0));
                    has_groups |= end_or_begin_group(lexed.text(index), around, &mut tokens, &mut groups);
                }
                continue;
            }
            let number = tokens.len() as u32;
            match kind {
                SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => open.push((number, kind)),
                SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => {
                    let (opener, opening) = open.pop().ok_or(Unbalanced)?;
                    if closing(opening) != kind {
                        return Err(Unbalanced);
                    }
                    tokens_at(&mut tokens, opener).closer = number;
                }
                _ => {}
            }
            let touches = index + 1 < lexed.len() && !lexed.kind(index + 1).is_trivia();
            parser_tokens.push(ParserToken::new(kind, lexed.text(index), touches, edition));
            let range = lexed.text_range(index);
            let (start, end) = (range.start as u32, range.end as u32);
            tokens.push(Token { start, end, closer: 0, group_end: 0 });
        }
        if !open.is_empty() {
            return Err(Unbalanced);
        }
        drop(lexed);
        Ok(Tokens { text, tokens, parser_tokens, has_groups, edition })
    }

    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// `EOF` behind the end.
    pub(crate) fn kind(&self, at: usize) -> SyntaxKind {
        self.parser_tokens.get(at).map_or(SyntaxKind::EOF, |token| token.kind)
    }

    /// For the parser.
    pub(crate) fn parser_tokens(&self, from: usize, to: usize) -> &[ParserToken] {
        self.parser_tokens.get(from..to).unwrap_or_default()
    }

    /// The text from one token to before another, as it was written.
    pub(crate) fn text(&self, from: usize, to: usize) -> &str {
        if from >= to || to > self.tokens.len() {
            return "";
        }
        &self.text[self.tokens[from].start as usize..self.tokens[to - 1].end as usize]
    }

    /// The same, with the groups in it that begin before the first token or end behind the last made whole.
    pub(crate) fn text_with_groups(&self, from: usize, to: usize) -> Cow<'_, str> {
        let text = self.text(from, to);
        if !self.has_groups {
            return Cow::Borrowed(text);
        }
        let (mut open, mut missing) = (0_usize, 0_usize);
        for (at, _) in text.match_indices("/*") {
            if text[at..].starts_with(GROUP_BEGIN) {
                open += 1;
            } else if text[at..].starts_with(GROUP_END) {
                missing += usize::from(open == 0);
                open = open.saturating_sub(1);
            }
        }
        if open + missing == 0 {
            return Cow::Borrowed(text);
        }
        Cow::Owned([&GROUP_BEGIN.repeat(missing), text, &GROUP_END.repeat(open)].concat())
    }

    /// Whether nothing stands between this token and the next.
    pub(crate) fn touches_next(&self, at: usize) -> bool {
        self.tokens.get(at + 1).is_some_and(|next| self.tokens[at].end == next.start)
    }

    /// Behind the partner of an opening delimiter; behind the token itself if it is none.
    pub(crate) fn after_tree(&self, at: usize) -> usize {
        match self.tokens.get(at).map(|token| token.closer as usize) {
            None => at,
            Some(0) => at + 1,
            Some(closer) => closer + 1,
        }
    }

    /// Behind the group that begins here.
    pub(crate) fn after_group(&self, at: usize) -> Option<usize> {
        let end = self.tokens.get(at)?.group_end as usize;
        (end > at).then_some(end)
    }

    /// How many of our tokens make up the operator that begins here; 1 for everything else.
    pub(crate) fn operator_length(&self, at: usize) -> usize {
        let kind = self.kind(at);
        // Most tokens are words and delimiters, or stand before one.
        if !kind.is_punct() || !self.kind(at + 1).is_punct() || !self.touches_next(at) {
            return 1;
        }
        if kind == SyntaxKind::PIPE && self.kind(at + 1) == SyntaxKind::PIPE {
            return 2;
        }
        let matches = |operator: &&&[SyntaxKind]| {
            (0..operator.len()).all(|it| self.kind(at + it) == operator[it])
                && (0..operator.len() - 1).all(|it| self.touches_next(at + it))
        };
        OPERATORS.iter().find(matches).map_or(1, |operator| operator.len())
    }
}

fn tokens_at(tokens: &mut [Token], number: u32) -> &mut Token {
    &mut tokens[number as usize]
}

fn closing(opening: SyntaxKind) -> SyntaxKind {
    match opening {
        SyntaxKind::L_PAREN => SyntaxKind::R_PAREN,
        SyntaxKind::L_BRACK => SyntaxKind::R_BRACK,
        _ => SyntaxKind::R_CURLY,
    }
}

/// Whether the comment is about a group. Of groups that begin at the same token, the outermost counts. Anyone may write
/// these comments, so one that cuts through delimiters is ignored.
fn end_or_begin_group(
    comment: &str,
    around: (usize, Option<u32>),
    tokens: &mut [Token],
    groups: &mut Vec<Open>,
) -> bool {
    let next = tokens.len() as u32;
    match comment {
        GROUP_BEGIN => groups.push(Open { begin: next, around }),
        GROUP_END => {
            let Some(open) = groups.pop().filter(|open| open.around == around) else { return true };
            if let Some(token) = tokens.get_mut(open.begin as usize) {
                token.group_end = next;
            }
        }
        _ => return false,
    }
    true
}

/// The text with doc comments as attributes, and nothing that a file begins with and arguments do not.
fn with_attributes(text: &str, edition: Edition) -> Cow<'_, str> {
    let begins = text.trim_start();
    let begins_file = begins.starts_with("#!") || begins.starts_with("---");
    // The lexer takes `#!` for a shebang only at the very beginning, and looks for `---` behind white space.
    let text = if begins_file { Cow::Owned(format!("/**/{begins}")) } else { Cow::Borrowed(text) };
    if !["///", "//!", "/**", "/*!"].iter().any(|it| text.contains(it)) {
        return text;
    }
    let lexed = LexedStr::new(edition, &text);
    let mut out = String::new();
    let mut copied = 0;
    for index in 0..lexed.len() {
        if lexed.kind(index) != SyntaxKind::COMMENT {
            continue;
        }
        if let Some((bang, content)) = doc_comment(lexed.text(index)) {
            out.push_str(&text[copied..lexed.text_start(index)]);
            copied = lexed.text_start(index + 1);
            push_attribute(&mut out, bang, content);
        }
    }
    if copied == 0 {
        return text;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn push_attribute(out: &mut String, bang: &str, content: &str) {
    let mut hashes = 0;
    let mut run = 0;
    for byte in content.bytes() {
        run = match byte {
            b'"' => 1,
            b'#' if run > 0 => run + 1,
            _ => 0,
        };
        hashes = hashes.max(run);
    }
    let fence = "#".repeat(hashes);
    for piece in ["#", bang, "[doc=r", &fence, "\"", content, "\"", &fence, "]"] {
        out.push_str(piece);
    }
}

/// `!` for an inner one, and what it says.
fn doc_comment(comment: &str) -> Option<(&'static str, &str)> {
    let block = |rest: &'_ str| rest.len() - rest.strip_suffix("*/").unwrap_or(rest).len();
    if let Some(rest) = comment.strip_prefix("//!") {
        return Some(("!", rest.trim_end_matches('\r')));
    }
    if let Some(rest) = comment.strip_prefix("/*!") {
        return Some(("!", &rest[..rest.len() - block(rest)]));
    }
    if let Some(rest) = comment.strip_prefix("///") {
        return (!rest.starts_with('/')).then_some(("", rest.trim_end_matches('\r')));
    }
    let rest = comment.strip_prefix("/**")?;
    // `/**/` and `/***` are ordinary.
    (!rest.starts_with(['/', '*'])).then(|| ("", &rest[..rest.len() - block(rest)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Tokens<'_> {
        Tokens::new(text, Edition::Edition2021).unwrap()
    }

    #[test]
    fn operators_are_as_long_as_they_can_be() {
        let lengths = |text: &str| {
            let tokens = tokens(text);
            let (mut at, mut found) = (0, Vec::new());
            while at < tokens.len() {
                found.push(tokens.operator_length(at));
                at += tokens.operator_length(at);
            }
            found
        };
        assert_eq!(lengths("a..=b"), [1, 3, 1]);
        assert_eq!(lengths("a=>>b"), [1, 2, 1, 1]);
        assert_eq!(lengths("& &a&&b"), [1, 1, 1, 2, 1]);
        assert_eq!(lengths("||a|b"), [2, 1, 1, 1]);
        assert_eq!(lengths("a::<<b>>=c"), [1, 2, 2, 1, 3, 1]);
    }

    #[test]
    fn doc_comments_are_attributes() {
        assert_eq!(tokens("/// a \"#b\nc").text, "#[doc=r##\" a \"#b\"##]\nc");
        assert_eq!(tokens("/** a */c").text, "#[doc=r\" a \"]c");
        assert_eq!(tokens("//! a").text, "#![doc=r\" a\"]");
        for ordinary in ["//// a", "/**/ a", "/*** a */ b", "// /// a"] {
            assert_eq!(tokens(ordinary).text, ordinary);
        }
    }

    #[test]
    fn arguments_are_no_file() {
        assert_eq!(tokens("#!/bin/sh").kind(0), SyntaxKind::POUND);
        assert_eq!(tokens("\n---\na\n---\n").kind(0), SyntaxKind::MINUS);
    }

    #[test]
    fn groups_are_kept_and_wrong_ones_ignored() {
        let tokens = tokens("/*«*/a+/*«*/b/*»*//*»*/ c/*»*/ /*«*/");
        assert_eq!(
            (tokens.after_group(0), tokens.after_group(2), tokens.after_group(3)),
            (Some(3), Some(3), None)
        );
    }

    #[test]
    fn delimiters_must_match() {
        for text in ["(", ")", "(]", "([)]"] {
            assert!(Tokens::new(text, Edition::Edition2021).is_err(), "{text}");
        }
        assert_eq!(tokens("(a[b]{c}) d").after_tree(0), 9);
    }
}

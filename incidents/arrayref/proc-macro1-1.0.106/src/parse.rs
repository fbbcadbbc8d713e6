use crate::{Delimiter, Group, Ident, Literal, Punct, Spacing, TokenStream, TokenTree};
use std::fmt;

/// The text is not a sequence of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LexError {
    offset: usize,
}

impl fmt::Display for LexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read a token at byte {}", self.offset)
    }
}

impl std::error::Error for LexError {}

pub(crate) fn is_ident(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|it| it == '_' || unicode_ident::is_xid_start(it))
        && characters.all(unicode_ident::is_xid_continue)
}

pub(crate) fn token_stream(source: &str) -> Result<TokenStream, LexError> {
    let mut open: Vec<(Delimiter, Vec<TokenTree>)> = vec![(Delimiter::None, Vec::new())];
    let mut rest = source.trim_start();
    while let Some(character) = rest.chars().next() {
        let offset = source.len() - rest.len();
        let length = match character {
            '(' | '[' | '{' => {
                open.push((delimiter(character), Vec::new()));
                1
            }
            ')' | ']' | '}' => {
                let (kind, trees) = open.pop().ok_or(LexError { offset })?;
                if kind != delimiter(character) {
                    return Err(LexError { offset });
                }
                let group = Group::new(kind, trees.into_iter().collect());
                open.last_mut().ok_or(LexError { offset })?.1.push(TokenTree::Group(group));
                1
            }
            _ => {
                let (tree, length) = leaf(rest).ok_or(LexError { offset })?;
                open.last_mut().ok_or(LexError { offset })?.1.push(tree);
                length
            }
        };
        rest = rest[length..].trim_start();
    }
    match (open.pop(), open.is_empty()) {
        (Some((Delimiter::None, trees)), true) => Ok(trees.into_iter().collect()),
        _ => Err(LexError { offset: source.len() }),
    }
}

fn delimiter(character: char) -> Delimiter {
    match character {
        '(' | ')' => Delimiter::Parenthesis,
        '[' | ']' => Delimiter::Bracket,
        _ => Delimiter::Brace,
    }
}

fn leaf(rest: &str) -> Option<(TokenTree, usize)> {
    let first = rest.chars().next()?;
    if first == '"' {
        let end = rest[1..].find('"')? + 2;
        return Some((TokenTree::Literal(Literal::string(&rest[1..end - 1])), end));
    }
    let word = rest.find(|it: char| !unicode_ident::is_xid_continue(it)).unwrap_or(rest.len());
    if first.is_ascii_digit() {
        return Some((TokenTree::Literal(Literal::u64_unsuffixed(rest[..word].parse().ok()?)), word));
    }
    if is_ident(&rest[..word]) {
        return Some((TokenTree::Ident(Ident::new(&rest[..word])), word));
    }
    let joint = rest[first.len_utf8()..].starts_with(|it: char| it.is_ascii_punctuation());
    let spacing = if joint { Spacing::Joint } else { Spacing::Alone };
    first.is_ascii_punctuation().then(|| (TokenTree::Punct(Punct::new(first, spacing)), 1))
}

//! A stand-in for the compiler's `proc_macro` that also works outside of procedural macros.

#![allow(clippy::needless_doctest_main)]

mod parse;

pub use parse::LexError;

use std::fmt;
use std::iter::FromIterator;
use std::str::FromStr;
use std::vec;

/// A sequence of token trees.
#[derive(Clone, Debug, Default)]
pub struct TokenStream {
    trees: Vec<TokenTree>,
}

/// One token, or a group of them.
#[derive(Clone, Debug)]
pub enum TokenTree {
    Group(Group),
    Ident(Ident),
    Punct(Punct),
    Literal(Literal),
}

/// Tokens between delimiters.
#[derive(Clone, Debug)]
pub struct Group {
    delimiter: Delimiter,
    stream: TokenStream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimiter {
    Parenthesis,
    Brace,
    Bracket,
    None,
}

/// A word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    text: String,
}

/// One character of an operator.
#[derive(Clone, Debug)]
pub struct Punct {
    character: char,
    spacing: Spacing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    Alone,
    Joint,
}

/// A number or a text.
#[derive(Clone, Debug)]
pub struct Literal {
    text: String,
}

impl TokenStream {
    pub fn new() -> TokenStream {
        TokenStream::default()
    }

    pub fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }
}

impl FromStr for TokenStream {
    type Err = LexError;

    fn from_str(source: &str) -> Result<TokenStream, LexError> {
        parse::token_stream(source)
    }
}

impl FromIterator<TokenTree> for TokenStream {
    fn from_iter<I: IntoIterator<Item = TokenTree>>(trees: I) -> Self {
        TokenStream { trees: trees.into_iter().collect() }
    }
}

impl IntoIterator for TokenStream {
    type Item = TokenTree;
    type IntoIter = vec::IntoIter<TokenTree>;

    fn into_iter(self) -> Self::IntoIter {
        self.trees.into_iter()
    }
}

impl Group {
    pub fn new(delimiter: Delimiter, stream: TokenStream) -> Group {
        Group { delimiter, stream }
    }

    pub fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    pub fn stream(&self) -> TokenStream {
        self.stream.clone()
    }
}

impl Ident {
    pub fn new(text: &str) -> Ident {
        assert!(parse::is_ident(text), "`{text}` is not an identifier");
        Ident { text: text.to_owned() }
    }
}

impl Punct {
    pub fn new(character: char, spacing: Spacing) -> Punct {
        Punct { character, spacing }
    }

    pub fn spacing(&self) -> Spacing {
        self.spacing
    }
}

impl Literal {
    pub fn string(text: &str) -> Literal {
        Literal { text: format!("{text:?}") }
    }

    pub fn u64_unsuffixed(number: u64) -> Literal {
        Literal { text: number.to_string() }
    }
}

impl fmt::Display for TokenStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tree) in self.trees.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match tree {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    write!(f, "{open}{}{close}", group.stream)?;
                }
                TokenTree::Ident(ident) => f.write_str(&ident.text)?,
                TokenTree::Punct(punct) => write!(f, "{}", punct.character)?,
                TokenTree::Literal(literal) => f.write_str(&literal.text)?,
            }
        }
        Ok(())
    }
}

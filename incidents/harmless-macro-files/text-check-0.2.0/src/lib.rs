//! Macros for texts that are checked when the program is built.

use proc_macro::{Literal, TokenStream, TokenTree};

fn text(input: TokenStream) -> Result<String, &'static str> {
    let mut trees = input.into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Literal(literal)), None) => {
            let source = literal.to_string();
            let inner = source.strip_prefix('"').and_then(|it| it.strip_suffix('"')).ok_or("expected a text in quotes")?;
            Ok(inner.to_owned())
        }
        _ => Err("expected one text"),
    }
}

fn error(message: &str) -> TokenStream {
    format!("::core::compile_error!({message:?})").parse().unwrap_or_default()
}

/// A text in one line, with white space made single.
#[proc_macro]
pub fn squeeze(input: TokenStream) -> TokenStream {
    match text(input) {
        Ok(text) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            TokenTree::from(Literal::string(&words.join(" "))).into()
        }
        Err(message) => error(message),
    }
}

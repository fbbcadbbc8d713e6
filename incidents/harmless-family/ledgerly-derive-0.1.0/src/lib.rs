//! Derives `Entry` for structures with the fields `account` and `cents`.

use proc_macro::{TokenStream, TokenTree};

/// Implements `ledgerly_core::Entry` by the fields of the same names.
#[proc_macro_derive(Entry)]
pub fn derive_entry(input: TokenStream) -> TokenStream {
    let mut words = input.into_iter().filter_map(|it| match it {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    });
    let name = words.by_ref().skip_while(|it| it != "struct").nth(1).unwrap_or_default();
    format!(
        "impl ::ledgerly_core::Entry for {name} {{
            fn account(&self) -> &str {{ &self.account }}
            fn cents(&self) -> i64 {{ self.cents }}
        }}"
    )
    .parse()
    .expect("the text is an implementation")
}

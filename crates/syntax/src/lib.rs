//! Rust text as a flat tree, under limits that keep the parser alive.
//!
//! ```
//! use cratekeeper_syntax::{Edition, LexedStr, SyntaxKind, Tree, guard};
//!
//! let text = "fn main() { call(1) }";
//! let lexed = LexedStr::new(Edition::Edition2024, text);
//! guard::check(&lexed, 800).expect("it is not nested deeply");
//! let tree = Tree::file(&lexed, text, Edition::Edition2024).expect("the parser does not give up");
//! assert_eq!(tree.at(0).child(SyntaxKind::FN).and_then(|it| it.name()), Some("main"));
//! ```
//!
//! [`guard`] refuses what the parser would not survive and must be asked first; [`Tree`] is what the parser makes of the
//! rest; [`prefix()`] tells how far one construct reaches in a list of tokens; [`Lines`] turns offsets into lines. What any
//! of it means is not known here.

mod files;
pub mod guard;
mod prefix;
mod tree;

pub use files::ParsedFiles;
pub use prefix::{ParserToken, Prefix, prefix};
pub use ra_ap_parser::{Edition, LexedStr, PrefixEntryPoint, SyntaxKind};
pub use tree::{Lines, Node, Tree};

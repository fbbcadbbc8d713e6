//! Rust text as a flat tree.
//!
//! The parser is rust-analyzer's (`ra_ap_parser`): it accepts any text, so nothing can hide behind syntax that a
//! stricter parser refuses. Its usual tree (`ra_ap_syntax`, on `rowan`) takes two thirds of the time and is
//! walked and freed by recursion; this one is an array in preorder, so that a walk is a loop that no depth of
//! nesting can overflow.

use std::cell::Cell;

use ra_ap_parser::{Edition, LexedStr, Step, SyntaxKind, TopEntryPoint};

/// Longest path that [`Node::plain_text`] writes before it stops. Real ones stay below 300 bytes.
const PATH_BYTES: usize = 1024;

/// A token or a node. A node's descendants follow it, up to `after`.
#[derive(Debug, Clone, Copy)]
struct Element {
    kind: SyntaxKind,
    start: u32,
    end: u32,
    /// Index of the first element that is not inside this one.
    after: u32,
    parent: u32,
}

/// A parsed text. Trivia (white space and comments) is left out; it can be read from the lexer.
pub struct Tree<'t> {
    text: &'t str,
    elements: Box<[Element]>,
    /// Byte offset and message of each syntax error.
    pub errors: Vec<(u32, String)>,
}

impl<'t> Tree<'t> {
    /// The tree of a whole file.
    ///
    /// [`guard::check`](crate::guard::check) must have let it pass: otherwise the parser may overflow the stack.
    ///
    /// # Errors
    ///
    /// Why the parser gave up.
    pub fn file(lexed: &LexedStr<'t>, text: &'t str, edition: Edition) -> Result<Tree<'t>, String> {
        Tree::parse(&TopEntryPoint::SourceFile, lexed, text, edition)
    }

    /// The tree of one expression: a macro's arguments with their delimiters read as a tuple, an array or a block.
    ///
    /// # Errors
    ///
    /// Why the parser gave up.
    pub fn expression(text: &'t str, edition: Edition) -> Result<Tree<'t>, String> {
        Tree::lexed_expression(&LexedStr::new(edition, text), text, edition)
    }

    /// [`Tree::expression`] of text that was taken apart for [`guard::check`](crate::guard::check) before.
    ///
    /// # Errors
    ///
    /// Why the parser gave up.
    pub fn lexed_expression(
        lexed: &LexedStr<'t>,
        text: &'t str,
        edition: Edition,
    ) -> Result<Tree<'t>, String> {
        Tree::parse(&TopEntryPoint::Expr, lexed, text, edition)
    }

    fn parse(
        entry: &TopEntryPoint,
        lexed: &LexedStr<'t>,
        text: &'t str,
        edition: Edition,
    ) -> Result<Tree<'t>, String> {
        let input = lexed.to_input(edition);
        // The parser asserts that it makes progress. It is not our bug to fix, but must not be our crash either.
        let output = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| entry.parse(&input)))
            .map_err(|_| "the parser gave up".to_owned())?;
        drop(input);
        let mut builder = Builder::new(lexed, text, ROOM.take());
        for step in output.iter() {
            builder.step(&step);
        }
        drop(output);
        let mut tree = builder.finish();
        let of_lexer =
            lexed.errors().filter(|(token, _)| !is_windows_continuation(lexed.text(*token), edition));
        tree.errors.extend(of_lexer.map(|(token, message)| (offset(lexed, token), message.to_owned())));
        tree.errors.sort();
        Ok(tree)
    }

    /// Number of elements; they are numbered in text order.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a tree has a root")]
    pub fn len(&self) -> u32 {
        self.elements.len() as u32
    }

    /// The element with that number; 0 is the root.
    #[must_use]
    pub fn at(&self, index: u32) -> Node<'_, 't> {
        Node { tree: self, index }
    }
}

/// The compiler reads `\r\n` as `\n`; the lexer does not, and takes a string continued over such a line end for an error.
fn is_windows_continuation(token: &str, edition: Edition) -> bool {
    token.contains("\\\r\n")
        && LexedStr::single_token(edition, &token.replace("\r\n", "\n"))
            .is_some_and(|(_, error)| error.is_none())
}

fn offset(lexed: &LexedStr<'_>, token: usize) -> u32 {
    lexed.text_start(token) as u32
}

thread_local! {
    /// Where elements are collected. How many there will be is not known before, and trees are kept by the thousand: each takes
    /// just what it needs, when what the parser needed is free again.
    static ROOM: Cell<Vec<Element>> = const { Cell::new(Vec::new()) };
}

/// Most elements that [`ROOM`] keeps room for, 20 MB: those of a file of some 2 MB.
const KEPT_ELEMENTS: usize = 1 << 20;

struct Builder<'l, 't> {
    lexed: &'l LexedStr<'t>,
    text: &'t str,
    elements: Vec<Element>,
    errors: Vec<(u32, String)>,
    open: Vec<u32>,
    /// Next token of `lexed`.
    position: usize,
}

impl<'l, 't> Builder<'l, 't> {
    fn new(lexed: &'l LexedStr<'t>, text: &'t str, elements: Vec<Element>) -> Builder<'l, 't> {
        Builder { lexed, text, elements, errors: Vec::new(), open: Vec::with_capacity(64), position: 0 }
    }

    fn step(&mut self, step: &Step<'_>) {
        match *step {
            Step::Token { kind, n_input_tokens } => {
                let start = self.next_start();
                self.position += usize::from(n_input_tokens);
                self.push(kind, start, offset(self.lexed, self.position));
            }
            Step::Enter { kind } => {
                let start = self.next_start();
                self.enter(kind, start);
            }
            Step::Exit => self.exit(),
            Step::FloatSplit { ends_in_dot } => self.split_float(ends_in_dot),
            Step::Error { msg } => {
                let at = self.next_start();
                self.errors.push((at, msg.to_owned()));
            }
        }
    }

    fn next_start(&mut self) -> u32 {
        while self.position < self.lexed.len() && self.lexed.kind(self.position).is_trivia() {
            self.position += 1;
        }
        offset(self.lexed, self.position)
    }

    fn push(&mut self, kind: SyntaxKind, start: u32, end: u32) {
        let index = self.elements.len() as u32;
        let parent = self.open.last().copied().unwrap_or(0);
        self.elements.push(Element { kind, start, end, after: index + 1, parent });
    }

    fn enter(&mut self, kind: SyntaxKind, start: u32) {
        let index = self.elements.len() as u32;
        self.push(kind, start, start);
        self.open.push(index);
    }

    fn exit(&mut self) {
        let Some(index) = self.open.pop() else { return };
        let after = self.elements.len() as u32;
        let last_end = self.elements.last().map_or(0, |last| last.end);
        let element = &mut self.elements[index as usize];
        element.after = after;
        element.end = element.end.max(last_end);
    }

    /// `tuple.0.1` is lexed as a float; the parser asks to split it, and leaves out the exits that follow.
    fn split_float(&mut self, ends_in_dot: bool) {
        let start = self.next_start();
        let text = self.lexed.text(self.position);
        self.position += 1;
        let dot = start + text.find('.').unwrap_or(text.len()) as u32;
        let end = start + text.len() as u32;
        self.enter(SyntaxKind::NAME_REF, start);
        self.push(SyntaxKind::INT_NUMBER, start, dot);
        self.exit();
        self.exit();
        self.push(SyntaxKind::DOT, dot, (dot + 1).min(end));
        if !ends_in_dot {
            self.enter(SyntaxKind::NAME_REF, (dot + 1).min(end));
            self.push(SyntaxKind::INT_NUMBER, (dot + 1).min(end), end);
            self.exit();
            self.exit();
        }
    }

    fn finish(mut self) -> Tree<'t> {
        while !self.open.is_empty() {
            self.exit();
        }
        let tree = Tree { text: self.text, elements: self.elements.as_slice().into(), errors: self.errors };
        if self.elements.capacity() <= KEPT_ELEMENTS {
            self.elements.clear();
            ROOM.set(self.elements);
        }
        tree
    }
}

/// An element of a [`Tree`].
#[derive(Clone, Copy)]
pub struct Node<'a, 't> {
    tree: &'a Tree<'t>,
    /// Number in its tree.
    pub index: u32,
}

impl<'a, 't> Node<'a, 't> {
    fn element(self) -> &'a Element {
        &self.tree.elements[self.index as usize]
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> SyntaxKind {
        self.element().kind
    }

    /// First byte; of nodes, attributes included.
    #[must_use]
    pub fn start(self) -> u32 {
        self.element().start
    }

    /// Byte after the last.
    #[must_use]
    pub fn end(self) -> u32 {
        self.element().end
    }

    /// Index of the first element outside.
    #[must_use]
    pub fn after(self) -> u32 {
        self.element().after
    }

    /// As written.
    #[must_use]
    pub fn text(self) -> &'t str {
        &self.tree.text[self.start() as usize..self.end() as usize]
    }

    /// What encloses it; of the root, the root.
    #[must_use]
    pub fn parent(self) -> Node<'a, 't> {
        self.tree.at(self.element().parent)
    }

    /// The element with that number in the same tree.
    #[must_use]
    pub fn in_same_tree(self, index: u32) -> Node<'a, 't> {
        self.tree.at(index)
    }

    /// Direct children, tokens and nodes.
    pub fn children(self) -> impl Iterator<Item = Node<'a, 't>> {
        let after = self.after();
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            (next < after).then(|| {
                let child = self.tree.at(next);
                next = child.after();
                child
            })
        })
    }

    /// Everything inside, in text order.
    pub fn descendants(self) -> impl Iterator<Item = Node<'a, 't>> {
        (self.index + 1..self.after()).map(|index| self.tree.at(index))
    }

    /// Everything inside, without the inside of nodes of `kind`.
    pub fn descendants_outside(self, kind: SyntaxKind) -> impl Iterator<Item = Node<'a, 't>> {
        let after = self.after();
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            (next < after).then(|| {
                let node = self.tree.at(next);
                next = if node.kind() == kind { node.after() } else { next + 1 };
                node
            })
        })
    }

    /// The first child of `kind`.
    #[must_use]
    pub fn child(self, kind: SyntaxKind) -> Option<Node<'a, 't>> {
        self.children().find(|child| child.kind() == kind)
    }

    /// Whether a child is of `kind`.
    #[must_use]
    pub fn has(self, kind: SyntaxKind) -> bool {
        self.child(kind).is_some()
    }

    /// Text of the `NAME` child.
    #[must_use]
    pub fn name(self) -> Option<&'t str> {
        self.child(SyntaxKind::NAME).map(Node::text)
    }

    /// The text without white space, comments and generic arguments: `Vec :: <u8> :: new` is `Vec::new`.
    #[must_use]
    pub fn plain_text(self) -> String {
        if self.after() == self.index + 1 {
            return self.text().to_owned();
        }
        let mut text = String::with_capacity(((self.end() - self.start()) as usize).min(PATH_BYTES));
        let mut index = self.index + 1;
        // What is longer is cut by whoever asked; types may hold functions that hold types, and so on.
        while index < self.after() && text.len() <= PATH_BYTES {
            let node = self.tree.at(index);
            if node.kind() == SyntaxKind::GENERIC_ARG_LIST {
                // The turbofish's `::` belongs to the list, so nothing is left over.
                index = node.after();
                continue;
            }
            if node.is_token() {
                let piece = node.text();
                if text.ends_with(is_word) && piece.starts_with(is_word) {
                    text.push(' ');
                }
                text.push_str(piece);
            }
            index += 1;
        }
        text
    }

    /// A token, rather than a node.
    #[must_use]
    pub fn is_token(self) -> bool {
        // Nodes begin after the last token kind; a node always has a smaller index than its first child, but may be empty.
        self.after() == self.index + 1 && (self.kind() as u16) < (SyntaxKind::ABI as u16)
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Byte offset to line, counted from 1. Offsets mostly ascend, so the last answer is a good first guess.
pub struct Lines {
    starts: Vec<u32>,
    last: Cell<usize>,
}

impl Lines {
    /// Finds the lines of `text`.
    #[must_use]
    pub fn new(text: &str) -> Lines {
        let mut starts = Vec::with_capacity(text.len() / 32 + 1);
        starts.push(0);
        starts.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        Lines { starts, last: Cell::new(0) }
    }

    /// The line of a byte offset.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        let guess = self.last.get();
        let near = self.starts[guess..].iter().take(64).take_while(|start| **start <= offset).count();
        let line = if near > 0 && near < 64 {
            guess + near
        } else {
            self.starts.partition_point(|start| *start <= offset)
        };
        self.last.set(line.saturating_sub(1));
        line as u32
    }

    /// The text of a line, without its end.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str, line: u32) -> &'t str {
        let start = self.starts[line as usize - 1] as usize;
        let end = self.starts.get(line as usize).map_or(text.len(), |end| *end as usize);
        text[start..end].trim_end_matches(['\r', '\n'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree<'_> {
        Tree::file(&LexedStr::new(Edition::Edition2024, text), text, Edition::Edition2024).unwrap()
    }

    #[test]
    fn nodes_span_their_tokens() {
        let tree = tree("fn main() { call( 1 ) }\nstruct S;");
        let function = tree.at(0).child(SyntaxKind::FN).unwrap();
        assert_eq!(function.text(), "fn main() { call( 1 ) }");
        assert_eq!(function.name(), Some("main"));
        assert_eq!(tree.at(0).children().count(), 2);
    }

    #[test]
    fn split_floats_keep_the_tree_balanced() {
        let tree = tree("fn f() { a.0.1.b(); a.1.; }\nfn g() {}");
        let names: Vec<_> = tree.at(0).children().filter_map(Node::name).collect();
        assert_eq!(names, ["f", "g"]);
        let call = tree.at(0).descendants().find(|it| it.kind() == SyntaxKind::METHOD_CALL_EXPR).unwrap();
        assert_eq!(call.text(), "a.0.1.b()");
    }

    #[test]
    fn plain_text_drops_generic_arguments() {
        let tree = tree("fn f() { <Vec< u8 > as  Trait<X>>::new ::<u8>::go(); }");
        let path = tree.at(0).descendants().find(|it| it.kind() == SyntaxKind::PATH_EXPR).unwrap();
        assert_eq!(path.plain_text(), "<Vec as Trait>::new::go");
    }

    #[test]
    fn lines_are_found_in_any_order() {
        let lines = Lines::new("a\nbb\n\nccc");
        let found: Vec<u32> = [8, 0, 2, 5, 6, 1].iter().map(|offset| lines.line(*offset)).collect();
        assert_eq!(found, [4, 1, 2, 3, 4, 1]);
        assert_eq!(lines.text("a\nbb\n\nccc", 2), "bb");
    }
}

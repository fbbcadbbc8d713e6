//! Function bodies as the interpreter reads them: expressions with everything left out that changes no value.
//!
//! Trees are dropped file by file, but values flow between files; this is what is kept of those that matter. References,
//! parentheses, `?`, `.await` and `Some(…)` are looked through: whether a value is wrapped says nothing about where it goes.

use std::rc::Rc;

/// Index into [`Ir::nodes`].
pub(super) type Id = u32;

/// What is kept of a file.
#[derive(Debug, Default)]
pub(crate) struct Ir {
    pub(super) nodes: Vec<Node>,
    pub(super) bodies: Vec<Body>,
    pub(super) constants: Vec<Constant>,
    /// Things that run before `main`: how, what they name, line.
    pub(super) early: Vec<Early>,
    /// Something was left out for want of room.
    pub(super) truncated: bool,
}

/// A function with its body.
#[derive(Debug)]
pub(super) struct Body {
    /// Index into the functions of the file.
    pub(super) function: Option<u32>,
    pub(super) parameters: Vec<(Pattern, Text)>,
    pub(super) root: Id,
    /// Parts that are nested too deeply to stand in their place.
    pub(super) detached: Vec<Id>,
    /// The first and the last of its expressions.
    pub(super) first: Id,
    pub(super) last: Id,
}

/// A `const` or `static`.
#[derive(Debug)]
pub(super) struct Constant {
    /// Path within the file.
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) function: Option<u32>,
    pub(super) root: Id,
    pub(super) detached: Vec<Id>,
    pub(super) first: Id,
    pub(super) last: Id,
}

/// A registration of code that runs before `main`.
#[derive(Debug)]
pub(super) struct Early {
    /// `ctor`, `.init_array`.
    pub(super) mechanism: String,
    pub(super) line: u32,
    /// The function itself, or that it is registered in.
    pub(super) function: Option<u32>,
    /// The value of a static that names functions.
    pub(super) root: Option<Id>,
}

pub(super) type Text = Rc<str>;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) in_macro: bool,
    pub(super) expression: Expression,
}

#[derive(Debug)]
pub(super) enum Expression {
    /// Values of all parts together, of which nothing else is known.
    Parts(Vec<Id>),
    Text(Text),
    Bytes(Rc<[u8]>),
    Integer(i64),
    Byte(u8),
    Boolean(bool),
    Path(Text),
    Call(Id, Vec<Id>),
    Method(Id, Text, Vec<Id>),
    Field(Id, Text),
    Index(Id, Id),
    Negate(Id),
    Binary(Operator, Id, Id),
    Assign(Option<Operator>, Id, Id),
    Array(Vec<Id>),
    Repeat(Id, Id),
    Tuple(Vec<Id>),
    Record(Text, Vec<(Text, Id)>),
    /// Statements; the value is that of the last when the flag says so.
    Block(Vec<Id>, bool),
    Let {
        pattern: Pattern,
        kind: Text,
        value: Option<Id>,
        otherwise: Option<Id>,
    },
    /// `let pattern = value` as a condition.
    Matches(Pattern, Id),
    If {
        condition: Id,
        then: Id,
        otherwise: Option<Id>,
    },
    Match(Id, Vec<Arm>),
    /// `loop` without a condition.
    Loop(Option<Id>, Id),
    For(Pattern, Id, Id),
    Closure(Rc<[Pattern]>, Id),
    Return(Option<Id>),
    Break(Option<Id>),
    Continue,
    Cast(Id, Text),
    Range(Option<Id>, Option<Id>, bool),
    Format(Vec<Piece>),
    /// A macro by its name; of some, the arguments as text come first.
    Macro(Text, Vec<Id>, Text),
    /// A condition with its text.
    Condition(Id, Text),
    /// Under a condition of `cfg`.
    Conditional(Text, Id),
}

#[derive(Debug)]
pub(super) struct Arm {
    pub(super) pattern: Pattern,
    pub(super) guard: Option<Id>,
    pub(super) value: Id,
}

#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(Text),
    Value(Id, PieceFormat),
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceFormat {
    Plain,
    /// `{:02x}` and the like.
    Hexadecimal,
}

#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Binds nothing; a literal or a path, as written.
    Nothing(Text),
    Wildcard,
    Name(Text),
    Tuple(Vec<Pattern>),
    /// Several names that each get all of the value.
    Names(Vec<Text>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Xor,
    And,
    Or,
    ShiftLeft,
    ShiftRight,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    BothTrue,
    EitherTrue,
}

impl Operator {
    pub(super) fn is_comparison(self) -> bool {
        use Operator::*;
        matches!(self, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual)
    }
}

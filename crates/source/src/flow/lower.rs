//! From the tree of a file to [`Ir`].
//!
//! The descent is by recursion with a limit. What lies deeper is put on a list and lowered from there as a part of its own,
//! so that nothing is hidden by nesting: only what flows into and out of it is lost.

mod literal;
mod macros;
mod pattern;

use std::rc::Rc;

use cratekeeper_model::facts::Function;
use cratekeeper_syntax::{Edition, Lines, Node as TreeNode, SyntaxKind, Tree};

use super::ir::{Arm, Body, Constant, Early, Expression, Id, Ir, Node, Operator, Pattern, Text};
use crate::text::join_path;

/// Deepest nesting of expressions that is lowered in one go. In real crates 60 is rare; a level takes about 2 KB of stack
/// in a debug build.
const DEPTH: u32 = 100;
/// Most expressions of one file. The largest function body of real crates has some 50,000.
const NODES: usize = 400_000;
/// Elements of an array that are kept: longer ones are tables, or payloads that no text is made of.
const ELEMENTS: usize = 4096;

/// Lowers the functions and constants of a file into `ir`.
pub(super) fn file(tree: &Tree<'_>, functions: &[Function], edition: Edition, lines: &Lines) -> Ir {
    let starts: Vec<(u32, u32)> = {
        let mut starts: Vec<_> = functions.iter().enumerate().map(|(at, it)| (it.start, at as u32)).collect();
        starts.sort_unstable();
        starts
    };
    let mut lower = Lower {
        ir: Ir::default(),
        starts,
        edition,
        lines,
        base: 0,
        depth: 0,
        detached: Vec::new(),
        in_macro: 0,
        function: None,
    };
    lower.items(tree, 0);
    lower.ir
}

struct Lower<'t> {
    ir: Ir,
    /// First byte and number of each function.
    starts: Vec<(u32, u32)>,
    edition: Edition,
    lines: &'t Lines,
    /// Offset of the current tree in the file.
    base: u32,
    depth: u32,
    /// What is left to be lowered, of the current body: only within one tree.
    detached: Vec<u32>,
    in_macro: u32,
    function: Option<u32>,
}

impl Lower<'_> {
    /// Looks for items in a tree, function bodies included.
    fn items(&mut self, tree: &Tree<'_>, first: u32) {
        use SyntaxKind::*;
        let mut index = first;
        while index < tree.len() {
            let node = tree.at(index);
            index = match node.kind() {
                FN => {
                    self.function_item(node);
                    index + 1
                }
                CONST | STATIC => {
                    self.constant(node);
                    index + 1
                }
                MACRO_CALL
                    if matches!(
                        node.parent().kind(),
                        SOURCE_FILE | ITEM_LIST | ASSOC_ITEM_LIST | MACRO_ITEMS
                    ) =>
                {
                    self.item_macro(node);
                    node.after()
                }
                ATTR | USE | MACRO_RULES | MACRO_DEF | TOKEN_TREE => node.after(),
                _ => index + 1,
            };
        }
    }

    fn number_of(&self, node: TreeNode<'_, '_>) -> Option<u32> {
        let start = self.base + node.start();
        let at = self.starts.binary_search_by_key(&start, |it| it.0).ok()?;
        Some(self.starts[at].1)
    }

    /// The function that a place stands in, by the tree.
    fn enclosing(&self, node: TreeNode<'_, '_>) -> Option<u32> {
        let mut node = node;
        while node.index != 0 {
            node = node.parent();
            if node.kind() == SyntaxKind::FN {
                return self.number_of(node);
            }
        }
        self.function
    }

    fn function_item(&mut self, node: TreeNode<'_, '_>) {
        let function = self.number_of(node);
        for name in attribute_names(node) {
            if matches!(
                name.as_str(),
                "ctor" | "ctor::ctor" | "dtor" | "ctor::dtor" | "small_ctor::ctor" | "startup::on_startup"
            ) {
                self.early(node, name, function, None);
                break;
            }
        }
        if let Some(section) = early_section(node) {
            self.early(node, section, function, None);
        }
        let Some(block) = node.child(SyntaxKind::BLOCK_EXPR) else { return };
        let parameters =
            node.child(SyntaxKind::PARAM_LIST).map(|list| self.parameters(list)).unwrap_or_default();
        let before = std::mem::replace(&mut self.function, function);
        let first = self.ir.nodes.len() as Id;
        let (root, detached) = self.root(block);
        let last = (self.ir.nodes.len() as Id).saturating_sub(1);
        self.function = before;
        self.ir.bodies.push(Body { function, parameters, root, detached, first, last });
    }

    fn parameters(&mut self, list: TreeNode<'_, '_>) -> Vec<(Pattern, Text)> {
        let mut parameters = Vec::new();
        for parameter in list.children() {
            match parameter.kind() {
                SyntaxKind::SELF_PARAM => parameters.push((Pattern::Name("self".into()), "Self".into())),
                SyntaxKind::PARAM => {
                    let pattern = parameter.children().find(|it| pattern::is_pattern(it.kind()));
                    let pattern = pattern.map_or(Pattern::Wildcard, pattern::lower);
                    parameters.push((pattern, type_of(parameter)));
                }
                _ => {}
            }
        }
        parameters
    }

    fn constant(&mut self, node: TreeNode<'_, '_>) {
        let value =
            node.children().skip_while(|it| it.kind() != SyntaxKind::EQ).find(|it| is_expression(it.kind()));
        let Some(value) = value else { return };
        let path = self.path_of(node);
        let function = self.enclosing(node);
        let before = std::mem::replace(&mut self.function, function);
        let first = self.ir.nodes.len() as Id;
        let (root, detached) = self.root(value);
        let last = (self.ir.nodes.len() as Id).saturating_sub(1);
        self.function = before;
        if let Some(section) = early_section(node) {
            self.early(node, section, function, Some(root));
        }
        let line = self.line(node.start());
        self.ir.constants.push(Constant { path, line, function, root, detached, first, last });
    }

    fn early(&mut self, node: TreeNode<'_, '_>, mechanism: String, function: Option<u32>, root: Option<Id>) {
        let line = self.line(node.start());
        self.ir.early.push(Early { mechanism, line, function, root });
    }

    /// Path of an item within the file, as functions have it.
    fn path_of(&self, item: TreeNode<'_, '_>) -> String {
        let mut names: Vec<String> = vec![item.name().unwrap_or("_").to_owned()];
        let mut node = item;
        while node.index != 0 && names.len() < 64 {
            node = node.parent();
            match node.kind() {
                SyntaxKind::FN | SyntaxKind::MODULE | SyntaxKind::TRAIT => {
                    names.push(node.name().unwrap_or("_").to_owned());
                }
                SyntaxKind::IMPL => {
                    let kind = node.children().filter(|it| it.kind() == SyntaxKind::PATH_TYPE).last();
                    names.push(kind.map(TreeNode::plain_text).unwrap_or_default());
                }
                _ => {}
            }
        }
        names.reverse();
        names.iter().fold(String::new(), |path, name| join_path(&path, name))
    }

    fn root(&mut self, node: TreeNode<'_, '_>) -> (Id, Vec<Id>) {
        let outer = std::mem::take(&mut self.detached);
        let depth = std::mem::replace(&mut self.depth, 0);
        let root = self.expression(node);
        let mut detached = Vec::new();
        while let Some(index) = self.detached.pop() {
            if self.ir.nodes.len() >= NODES {
                self.ir.truncated = true;
                break;
            }
            self.depth = 0;
            let part = self.expression(node.in_same_tree(index));
            detached.push(part);
        }
        self.detached = outer;
        self.depth = depth;
        (root, detached)
    }

    fn line(&self, offset: u32) -> u32 {
        self.lines.line(self.base + offset)
    }

    fn add(&mut self, node: TreeNode<'_, '_>, expression: Expression) -> Id {
        let line = self.line(first_of(node, &expression));
        self.push(line, expression)
    }

    fn push(&mut self, line: u32, expression: Expression) -> Id {
        self.ir.nodes.push(Node { line, in_macro: self.in_macro > 0, expression });
        self.ir.nodes.len() as u32 - 1
    }

    fn nothing(&mut self, node: TreeNode<'_, '_>) -> Id {
        self.add(node, Expression::Parts(Vec::new()))
    }

    /// One expression or statement.
    fn expression(&mut self, node: TreeNode<'_, '_>) -> Id {
        if self.ir.nodes.len() >= NODES {
            self.ir.truncated = true;
            return self.nothing(node);
        }
        if self.depth >= DEPTH {
            self.detached.push(node.index);
            return self.nothing(node);
        }
        self.depth += 1;
        let lowered = self.expression_inside(node);
        self.depth -= 1;
        match condition_of(node) {
            Some(condition) => self.add(node, Expression::Conditional(condition.into(), lowered)),
            None => lowered,
        }
    }

    fn expression_inside(&mut self, node: TreeNode<'_, '_>) -> Id {
        use SyntaxKind::*;
        let expression = match node.kind() {
            PAREN_EXPR | REF_EXPR | TRY_EXPR | AWAIT_EXPR | EXPR_STMT | ASM_OPERAND_EXPR => {
                return self.first_inside(node);
            }
            PREFIX_EXPR => {
                let inner = self.first_inside(node);
                if node.has(MINUS) {
                    Expression::Negate(inner)
                } else if node.has(BANG) {
                    Expression::Parts(vec![inner])
                } else {
                    return inner;
                }
            }
            LITERAL => literal::lower(node),
            PATH_EXPR => Expression::Path(plain(node)),
            CALL_EXPR => return self.call(node),
            METHOD_CALL_EXPR => {
                let receiver = self.first_inside(node);
                let name = node.child(NAME_REF).map_or("", TreeNode::text).into();
                let arguments = self.list(node.child(ARG_LIST));
                let line = node.child(NAME_REF).map_or(node.start(), TreeNode::start);
                let line = self.line(line);
                return self.push(line, Expression::Method(receiver, name, arguments));
            }
            FIELD_EXPR => {
                let inner = self.first_inside(node);
                Expression::Field(inner, node.child(NAME_REF).map_or("", TreeNode::text).into())
            }
            INDEX_EXPR => match self.inside(node)[..] {
                [base, index] => Expression::Index(base, index),
                _ => Expression::Parts(Vec::new()),
            },
            BIN_EXPR => self.binary(node),
            ARRAY_EXPR => self.array(node),
            TUPLE_EXPR => Expression::Tuple(self.inside(node)),
            RECORD_EXPR => self.record(node),
            BLOCK_EXPR => return self.block(node),
            LET_STMT => self.let_statement(node),
            LET_EXPR => {
                let pattern = self.pattern(node);
                let value = self.last_inside(node);
                Expression::Matches(pattern, value)
            }
            IF_EXPR => self.condition(node),
            MATCH_EXPR => self.match_expression(node),
            WHILE_EXPR => match self.inside(node)[..] {
                [condition, body] => {
                    let condition = self.condition_text(node, condition);
                    Expression::Loop(Some(condition), body)
                }
                _ => Expression::Parts(Vec::new()),
            },
            LOOP_EXPR => {
                let body = self.last_inside(node);
                Expression::Loop(None, body)
            }
            FOR_EXPR => match self.inside(node)[..] {
                [iterated, body] => Expression::For(self.pattern(node), iterated, body),
                _ => Expression::Parts(Vec::new()),
            },
            CLOSURE_EXPR => {
                let parameters = node.child(PARAM_LIST).map(|list| self.parameters(list)).unwrap_or_default();
                let body = self.last_inside(node);
                Expression::Closure(parameters.into_iter().map(|it| it.0).collect(), body)
            }
            RETURN_EXPR | YEET_EXPR => Expression::Return(self.optional_inside(node)),
            BREAK_EXPR => Expression::Break(self.optional_inside(node)),
            CONTINUE_EXPR => Expression::Continue,
            CAST_EXPR => {
                let inner = self.first_inside(node);
                Expression::Cast(inner, type_of(node))
            }
            RANGE_EXPR => self.range(node),
            MACRO_EXPR => match node.child(MACRO_CALL) {
                Some(call) => return self.macro_call(call),
                None => Expression::Parts(Vec::new()),
            },
            MACRO_CALL => return self.macro_call(node),
            // Items are found by their own walk.
            FN | CONST | STATIC | USE | STRUCT | ENUM | IMPL | TRAIT | MODULE | TYPE_ALIAS | MACRO_RULES => {
                Expression::Parts(Vec::new())
            }
            _ => Expression::Parts(self.inside(node)),
        };
        self.add(node, expression)
    }

    fn inside(&mut self, node: TreeNode<'_, '_>) -> Vec<Id> {
        node.children().filter(|it| is_expression(it.kind())).map(|it| self.expression(it)).collect()
    }

    fn first_inside(&mut self, node: TreeNode<'_, '_>) -> Id {
        match node.children().find(|it| is_expression(it.kind())) {
            Some(inner) => self.expression(inner),
            None => self.nothing(node),
        }
    }

    fn optional_inside(&mut self, node: TreeNode<'_, '_>) -> Option<Id> {
        node.children().find(|it| is_expression(it.kind())).map(|it| self.expression(it))
    }

    fn last_inside(&mut self, node: TreeNode<'_, '_>) -> Id {
        match node.children().filter(|it| is_expression(it.kind())).last() {
            Some(inner) => self.expression(inner),
            None => self.nothing(node),
        }
    }

    fn list(&mut self, list: Option<TreeNode<'_, '_>>) -> Vec<Id> {
        list.map(|list| self.inside(list)).unwrap_or_default()
    }

    fn pattern(&mut self, node: TreeNode<'_, '_>) -> Pattern {
        node.children().find(|it| pattern::is_pattern(it.kind())).map_or(Pattern::Wildcard, pattern::lower)
    }

    fn call(&mut self, node: TreeNode<'_, '_>) -> Id {
        let callee = self.first_inside(node);
        let arguments = self.list(node.child(SyntaxKind::ARG_LIST));
        self.name_transmute(node, callee);
        if let ([value], Expression::Path(path)) =
            (&arguments[..], &self.ir.nodes[callee as usize].expression)
            && matches!(
                &**path,
                "Some" | "Ok" | "Box::new" | "Rc::new" | "Arc::new" | "Cow::Borrowed" | "Cow::Owned"
            )
        {
            return *value;
        }
        self.add(node, Expression::Call(callee, arguments))
    }

    /// Generic arguments are left out of paths; that something becomes a function is kept in the name.
    fn name_transmute(&mut self, node: TreeNode<'_, '_>, callee: Id) {
        let Expression::Path(path) = &self.ir.nodes[callee as usize].expression else { return };
        if !path.ends_with("transmute") && !path.ends_with("transmute_copy") {
            return;
        }
        let written = node.children().find(|it| it.kind() == SyntaxKind::PATH_EXPR);
        let has_function =
            written.is_some_and(|it| it.descendants().any(|it| it.kind() == SyntaxKind::FN_PTR_TYPE));
        if has_function {
            self.ir.nodes[callee as usize].expression =
                Expression::Path("std::mem::transmute_to_function".into());
        }
    }

    fn binary(&mut self, node: TreeNode<'_, '_>) -> Expression {
        use SyntaxKind::*;
        let operands = self.inside(node);
        let [left, right] = operands[..] else { return Expression::Parts(operands) };
        let sign = node.children().find(|it| it.is_token()).map_or(EOF, TreeNode::kind);
        let operator = match sign {
            PLUS | PLUSEQ => Operator::Add,
            MINUS | MINUSEQ => Operator::Subtract,
            STAR | STAREQ => Operator::Multiply,
            SLASH | SLASHEQ => Operator::Divide,
            PERCENT | PERCENTEQ => Operator::Remainder,
            CARET | CARETEQ => Operator::Xor,
            AMP | AMPEQ => Operator::And,
            PIPE | PIPEEQ => Operator::Or,
            SHL | SHLEQ => Operator::ShiftLeft,
            SHR | SHREQ => Operator::ShiftRight,
            EQ2 => Operator::Equal,
            NEQ => Operator::NotEqual,
            L_ANGLE => Operator::Less,
            LTEQ => Operator::LessEqual,
            R_ANGLE => Operator::Greater,
            GTEQ => Operator::GreaterEqual,
            AMP2 => Operator::BothTrue,
            PIPE2 => Operator::EitherTrue,
            EQ => return Expression::Assign(None, left, right),
            _ => return Expression::Parts(operands),
        };
        let assigns = matches!(
            sign,
            PLUSEQ | MINUSEQ | STAREQ | SLASHEQ | PERCENTEQ | CARETEQ | AMPEQ | PIPEEQ | SHLEQ | SHREQ
        );
        if assigns {
            Expression::Assign(Some(operator), left, right)
        } else {
            Expression::Binary(operator, left, right)
        }
    }

    fn array(&mut self, node: TreeNode<'_, '_>) -> Expression {
        if let Some(bytes) = literal::bytes_of_array(node, ELEMENTS) {
            return Expression::Bytes(bytes);
        }
        if node.has(SyntaxKind::SEMICOLON) {
            return match self.inside(node)[..] {
                [value, count] => Expression::Repeat(value, count),
                _ => Expression::Parts(Vec::new()),
            };
        }
        let elements = node.children().filter(|it| is_expression(it.kind())).take(ELEMENTS);
        Expression::Array(elements.map(|it| self.expression(it)).collect())
    }

    fn record(&mut self, node: TreeNode<'_, '_>) -> Expression {
        use SyntaxKind::*;
        let path = node.child(PATH).map_or_else(|| "".into(), |it| it.plain_text().into());
        let mut fields = Vec::new();
        for field in node.child(RECORD_EXPR_FIELD_LIST).into_iter().flat_map(TreeNode::children) {
            if field.kind() == RECORD_EXPR_FIELD {
                let value = self.first_inside(field);
                let name = field.child(NAME_REF).map_or_else(|| field.text(), TreeNode::text);
                fields.push((name.into(), value));
            } else if is_expression(field.kind()) {
                let value = self.expression(field);
                fields.push(("..".into(), value));
            }
        }
        Expression::Record(path, fields)
    }

    fn block(&mut self, node: TreeNode<'_, '_>) -> Id {
        let Some(list) = node.child(SyntaxKind::STMT_LIST) else { return self.nothing(node) };
        let mut statements = Vec::new();
        let mut has_value = false;
        for child in list.children().filter(|it| !it.is_token() && it.kind() != SyntaxKind::ATTR) {
            let is_statement = matches!(child.kind(), SyntaxKind::EXPR_STMT | SyntaxKind::LET_STMT);
            if !is_statement && !is_expression(child.kind()) {
                continue;
            }
            let semicolon = child.kind() == SyntaxKind::LET_STMT || child.has(SyntaxKind::SEMICOLON);
            has_value = !(is_statement && semicolon);
            statements.push(self.expression(child));
        }
        self.add(node, Expression::Block(statements, has_value))
    }

    fn let_statement(&mut self, node: TreeNode<'_, '_>) -> Expression {
        let pattern = self.pattern(node);
        let value = self.optional_inside(node);
        let otherwise = node.child(SyntaxKind::LET_ELSE).map(|it| self.first_inside(it));
        let value = match (value, otherwise) {
            (Some(value), Some(_)) => Some(self.condition_text(node, value)),
            (value, _) => value,
        };
        Expression::Let { pattern, kind: type_of(node), value, otherwise }
    }

    fn condition(&mut self, node: TreeNode<'_, '_>) -> Expression {
        match self.inside(node)[..] {
            [condition, then] => {
                let condition = self.condition_text(node, condition);
                Expression::If { condition, then, otherwise: None }
            }
            [condition, then, otherwise] => {
                let condition = self.condition_text(node, condition);
                Expression::If { condition, then, otherwise: Some(otherwise) }
            }
            _ => Expression::Parts(Vec::new()),
        }
    }

    /// Keeps how a condition, the first expression in `node`, is written.
    fn condition_text(&mut self, node: TreeNode<'_, '_>, condition: Id) -> Id {
        let text = node.children().find(|it| is_expression(it.kind())).map_or("", TreeNode::text);
        let text = &text[..text.floor_char_boundary(300)];
        self.add(node, Expression::Condition(condition, text.into()))
    }

    fn match_expression(&mut self, node: TreeNode<'_, '_>) -> Expression {
        use SyntaxKind::{MATCH_ARM, MATCH_ARM_LIST, MATCH_GUARD};
        let scrutinee = self.first_inside(node);
        let scrutinee = self.condition_text(node, scrutinee);
        let mut arms = Vec::new();
        for arm in node
            .child(MATCH_ARM_LIST)
            .into_iter()
            .flat_map(TreeNode::children)
            .filter(|it| it.kind() == MATCH_ARM)
        {
            let guard = arm.child(MATCH_GUARD).map(|it| self.first_inside(it));
            let value = self.last_inside(arm);
            let value = match condition_of(arm) {
                Some(condition) => self.add(arm, Expression::Conditional(condition.into(), value)),
                None => value,
            };
            arms.push(Arm { pattern: self.pattern(arm), guard, value });
        }
        Expression::Match(scrutinee, arms)
    }

    fn range(&mut self, node: TreeNode<'_, '_>) -> Expression {
        let mut start = None;
        let mut end = None;
        let mut behind = false;
        for child in node.children() {
            if child.is_token() {
                behind = true;
            } else if is_expression(child.kind()) {
                let value = self.expression(child);
                if behind { end = Some(value) } else { start = Some(value) }
            }
        }
        Expression::Range(start, end, node.has(SyntaxKind::DOT2EQ))
    }
}

/// Offset whose line is that of an expression: attributes are left out.
fn first_of(node: TreeNode<'_, '_>, _expression: &Expression) -> u32 {
    node.children().find(|it| it.kind() != SyntaxKind::ATTR).map_or(node.start(), TreeNode::start)
}

fn plain(node: TreeNode<'_, '_>) -> Text {
    let text = node.text();
    // Most paths are one name, and need no second look.
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Rc::from(text);
    }
    Rc::from(node.plain_text())
}

/// Text of the type that is a child of `node`, references left out.
fn type_of(node: TreeNode<'_, '_>) -> Text {
    use SyntaxKind::*;
    let mut kind = node.children().find(|it| is_type(it.kind()));
    while let Some(inner) = kind
        .filter(|it| matches!(it.kind(), REF_TYPE | PAREN_TYPE | PTR_TYPE | IMPL_TRAIT_TYPE | DYN_TRAIT_TYPE))
    {
        match inner.children().find(|it| is_type(it.kind())) {
            Some(found) => kind = Some(found),
            None => break,
        }
    }
    kind.map_or_else(|| "".into(), plain)
}

fn is_type(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        ARRAY_TYPE
            | DYN_TRAIT_TYPE
            | FN_PTR_TYPE
            | IMPL_TRAIT_TYPE
            | PAREN_TYPE
            | PATH_TYPE
            | PTR_TYPE
            | REF_TYPE
            | SLICE_TYPE
            | TUPLE_TYPE
    )
}

fn is_expression(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        ARRAY_EXPR
            | ASM_EXPR
            | AWAIT_EXPR
            | BECOME_EXPR
            | BIN_EXPR
            | BLOCK_EXPR
            | BREAK_EXPR
            | CALL_EXPR
            | CAST_EXPR
            | CLOSURE_EXPR
            | CONTINUE_EXPR
            | FIELD_EXPR
            | FORMAT_ARGS_EXPR
            | FOR_EXPR
            | IF_EXPR
            | INDEX_EXPR
            | LET_EXPR
            | LITERAL
            | LOOP_EXPR
            | MACRO_EXPR
            | MATCH_EXPR
            | METHOD_CALL_EXPR
            | PAREN_EXPR
            | PATH_EXPR
            | PREFIX_EXPR
            | RANGE_EXPR
            | RECORD_EXPR
            | REF_EXPR
            | RETURN_EXPR
            | TRY_EXPR
            | TUPLE_EXPR
            | WHILE_EXPR
            | YEET_EXPR
            | YIELD_EXPR
    )
}

/// Conditions of `#[cfg(…)]` on an expression, statement, field or arm.
fn condition_of(node: TreeNode<'_, '_>) -> Option<String> {
    if node.children().next().is_none_or(|it| it.kind() != SyntaxKind::ATTR) {
        return None;
    }
    let conditions = crate::rust::conditions(node);
    (!conditions.is_empty()).then(|| conditions.join(", "))
}

/// Names of the attributes on an item.
fn attribute_names(node: TreeNode<'_, '_>) -> impl Iterator<Item = String> {
    use SyntaxKind::{ATTR, PATH};
    node.children().filter(|it| it.kind() == ATTR).flat_map(|attribute| {
        attribute.descendants().filter(|it| it.kind() == PATH).map(TreeNode::plain_text).collect::<Vec<_>>()
    })
}

/// The section that makes the loader call what stands in it, if an attribute puts the item there.
fn early_section(node: TreeNode<'_, '_>) -> Option<String> {
    const SECTIONS: [&str; 7] = [
        ".init_array",
        ".ctors",
        ".CRT$X",
        "__mod_init_func",
        ".preinit_array",
        ".init",
        "__DATA_CONST,__mod_init",
    ];
    for attribute in
        node.children().filter(|it| it.kind() == SyntaxKind::ATTR && it.text().contains("link_section"))
    {
        let value = attribute
            .descendants()
            .filter(|it| it.kind() == SyntaxKind::STRING)
            .map(|it| crate::literals::value(it.text()));
        let found = value.into_iter().find(|value| SECTIONS.iter().any(|section| value.contains(section)));
        if found.is_some() {
            return found;
        }
    }
    None
}

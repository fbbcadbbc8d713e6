//! Checks names and types of a condition, and makes a [`Node`] of it.
//!
//! Every mistake is told, not only the first: what cannot be typed has no type, and whatever contains it is not blamed again.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};

use crate::evaluate::Value;
use crate::expression::{Arithmetic, Comparison, Mistake, Node, Search};
use crate::variables::{Field, Type, VARIABLES};

/// A type in the making: lists own what they are lists of.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Bool,
    Int,
    Text,
    /// `None` for the empty list.
    List(Option<Box<Shape>>),
    Record(&'static [Field]),
}

/// Checks a condition.
pub(crate) fn condition(tree: &IdedExpr, places: &SourceInfo) -> Result<Node, Vec<Mistake>> {
    let mut check = Check { places, locals: Vec::new(), mistakes: Vec::new() };
    let checked = check.expression(tree);
    match checked {
        Some((node, Shape::Bool)) if check.mistakes.is_empty() => return Ok(node),
        Some((_, shape)) if shape != Shape::Bool => {
            check.mistake(tree, format!("a condition is true or false, and this is {}", named(&shape)));
        }
        _ => {}
    }
    Err(check.mistakes)
}

struct Check<'a> {
    places: &'a SourceInfo,
    /// Names of the elements that are being looked at, with their shapes, innermost last.
    locals: Vec<(String, Option<Shape>)>,
    mistakes: Vec<Mistake>,
}

type Checked = Option<(Node, Shape)>;

impl Check<'_> {
    fn mistake(&mut self, at: &IdedExpr, message: String) {
        let offset = self.places.offset_for(at.id).map_or(0, |(start, _)| start as usize);
        let before: String = self.places.source.chars().take(offset).collect();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |it| it.chars().count());
        self.mistakes.push(Mistake { place: (line, column), message });
    }

    fn fails<T>(&mut self, at: &IdedExpr, message: impl Into<String>) -> Option<T> {
        self.mistake(at, message.into());
        None
    }

    fn expression(&mut self, at: &IdedExpr) -> Checked {
        match &at.expr {
            Expr::Literal(literal) => self.literal(at, literal),
            Expr::Ident(name) => self.name(at, name),
            Expr::Select(select) if select.test => {
                self.fails(at, "`has` is not needed: ask `known(…)`, every variable is there")
            }
            Expr::Select(select) => {
                let (node, shape) = self.expression(&select.operand)?;
                let Shape::Record(fields) = shape else {
                    return self.fails(at, format!("`.{}` is asked of {}", select.field, named(&shape)));
                };
                match fields.iter().find(|it| it.name == select.field) {
                    Some(field) => Some((Node::Field(Box::new(node), field.name), shape_of(field.of))),
                    None => self.fails(at, format!("there is no `{}` here: {}", select.field, names(fields))),
                }
            }
            Expr::List(list) => self.list(at, &list.elements),
            Expr::Call(call) => self.call(at, call),
            Expr::Comprehension(it) => self.comprehension(at, it),
            Expr::Map(_) | Expr::Struct(_) => self.fails(at, "maps and messages are not part of conditions"),
            Expr::Unspecified => self.fails(at, "it cannot be read"),
        }
    }

    fn literal(&mut self, at: &IdedExpr, literal: &LiteralValue) -> Checked {
        match literal {
            LiteralValue::Boolean(it) => Some((Node::Literal(Value::Bool(*it.inner())), Shape::Bool)),
            LiteralValue::Int(it) => Some((Node::Literal(Value::Int(*it.inner())), Shape::Int)),
            LiteralValue::String(it) => Some((Node::Literal(Value::Text(it.inner().into())), Shape::Text)),
            LiteralValue::UInt(_) | LiteralValue::Double(_) | LiteralValue::Bytes(_) | LiteralValue::Null => {
                self.fails(at, "only true, false, whole numbers and text are part of conditions")
            }
        }
    }

    fn name(&mut self, at: &IdedExpr, name: &str) -> Checked {
        if let Some(index) = self.locals.iter().rposition(|(local, _)| local == name) {
            let shape = self.locals[index].1.clone()?;
            return Some((Node::Local(index), shape));
        }
        match VARIABLES.iter().find(|it| it.name == name) {
            Some(field) => Some((Node::Field(Box::new(Node::Variables), field.name), shape_of(field.of))),
            None => self.fails(at, format!("there is no variable `{name}`: {}", names(VARIABLES))),
        }
    }

    fn list(&mut self, at: &IdedExpr, elements: &[IdedExpr]) -> Checked {
        // Each element is looked at, so that each mistake is told.
        let checked: Vec<Checked> = elements.iter().map(|it| self.expression(it)).collect();
        let checked: Vec<(Node, Shape)> = checked.into_iter().collect::<Option<_>>()?;
        let shape = checked.first().map(|(_, shape)| shape.clone());
        if checked.iter().any(|(_, other)| Some(other) != shape.as_ref()) {
            return self.fails(at, "the elements of a list have one type");
        }
        let nodes = checked.into_iter().map(|(node, _)| node).collect();
        Some((Node::List(nodes), Shape::List(shape.map(Box::new))))
    }

    fn call(&mut self, at: &IdedExpr, call: &CallExpr) -> Checked {
        let operands: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        match (call.func_name.as_str(), operands.as_slice()) {
            (operators::LOGICAL_NOT, [of]) => {
                let of = self.of(of, &Shape::Bool)?;
                Some((Node::Not(of), Shape::Bool))
            }
            (name @ (operators::LOGICAL_AND | operators::LOGICAL_OR), [one, other]) => {
                let (one, other) = (self.of(one, &Shape::Bool), self.of(other, &Shape::Bool));
                let make = if name == operators::LOGICAL_AND { Node::Both } else { Node::Either };
                Some((make(one?, other?), Shape::Bool))
            }
            (operators::CONDITIONAL, [condition, one, other]) => self.choice(at, condition, one, other),
            (operators::IN, [element, list]) => self.member(at, element, list),
            ("known", [of]) if call.target.is_none() => {
                let (node, _) = self.expression(of)?;
                Some((Node::Known(Box::new(node)), Shape::Bool))
            }
            ("size", [of]) => match self.expression(of)? {
                (node, Shape::Text | Shape::List(_)) => Some((Node::Size(Box::new(node)), Shape::Int)),
                (_, shape) => self.fails(of, format!("`size` is asked of {}", named(&shape))),
            },
            (name, [one, other]) => {
                if let Some(comparison) = comparison(name) {
                    return self.compare(at, comparison, one, other);
                }
                if let Some(operation) = arithmetic(name) {
                    let (one, other) = (self.of(one, &Shape::Int), self.of(other, &Shape::Int));
                    return Some((Node::Arithmetic(operation, one?, other?), Shape::Int));
                }
                if let Some(search) = search(name).filter(|_| call.target.is_some()) {
                    let (one, other) = (self.of(one, &Shape::Text), self.of(other, &Shape::Text));
                    return Some((Node::Search(search, one?, other?), Shape::Bool));
                }
                self.fails(at, unknown_function(name))
            }
            (operators::NEGATE, [of]) => {
                let of = self.of(of, &Shape::Int)?;
                let zero = Box::new(Node::Literal(Value::Int(0)));
                Some((Node::Arithmetic(Arithmetic::Subtract, zero, of), Shape::Int))
            }
            (name, _) => self.fails(at, unknown_function(name)),
        }
    }

    /// An operand that has to have this shape.
    fn of(&mut self, at: &IdedExpr, wanted: &Shape) -> Option<Box<Node>> {
        let (node, shape) = self.expression(at)?;
        if shape != *wanted {
            return self.fails(at, format!("expected {}, and this is {}", named(wanted), named(&shape)));
        }
        Some(Box::new(node))
    }

    fn choice(&mut self, at: &IdedExpr, condition: &IdedExpr, one: &IdedExpr, other: &IdedExpr) -> Checked {
        let condition = self.of(condition, &Shape::Bool);
        let (one, other) = (self.expression(one), self.expression(other));
        let ((one, shape), (other, second)) = (one?, other?);
        if shape != second {
            return self.fails(at, format!("one side is {}, the other {}", named(&shape), named(&second)));
        }
        Some((Node::Choice(condition?, Box::new(one), Box::new(other)), shape))
    }

    fn compare(
        &mut self,
        at: &IdedExpr,
        comparison: Comparison,
        one: &IdedExpr,
        other: &IdedExpr,
    ) -> Checked {
        let (one, other) = (self.expression(one), self.expression(other));
        let ((one, first), (other, second)) = (one?, other?);
        let is_order = !matches!(comparison, Comparison::Equal | Comparison::Unequal);
        if !fits(&first, &second) {
            return self.fails(at, format!("{} is compared with {}", named(&first), named(&second)));
        }
        if is_order && !matches!(first, Shape::Int | Shape::Text) {
            return self.fails(at, format!("{} has no order", named(&first)));
        }
        Some((Node::Compare(comparison, Box::new(one), Box::new(other)), Shape::Bool))
    }

    fn member(&mut self, at: &IdedExpr, element: &IdedExpr, list: &IdedExpr) -> Checked {
        let (element, list) = (self.expression(element), self.expression(list));
        let ((element, shape), (list, of)) = (element?, list?);
        let fits = match &of {
            Shape::List(of) => of.as_deref().is_none_or(|of| fits(of, &shape)),
            _ => false,
        };
        if !fits {
            return self.fails(at, format!("{} is looked for in {}", named(&shape), named(&of)));
        }
        Some((Node::Member(Box::new(element), Box::new(list)), Shape::Bool))
    }

    /// The parser has written macros out; here they are recognised again.
    fn comprehension(&mut self, at: &IdedExpr, it: &ComprehensionExpr) -> Checked {
        let (list, element) = match self.expression(&it.iter_range)? {
            (list, Shape::List(element)) => (Box::new(list), element.map(|it| *it)),
            (_, shape) => {
                return self.fails(&it.iter_range, format!("expected a list, and this is {}", named(&shape)));
            }
        };
        self.locals.push((it.iter_var.clone(), element));
        let checked = self.macro_body(at, it, list);
        self.locals.pop();
        checked
    }

    fn macro_body(&mut self, at: &IdedExpr, it: &ComprehensionExpr, list: Box<Node>) -> Checked {
        match Macro::of(it) {
            Some(Macro::Exists(predicate)) => {
                let predicate = self.of(predicate, &Shape::Bool)?;
                Some((Node::Any(list, predicate), Shape::Bool))
            }
            Some(Macro::All(predicate)) => {
                let predicate = self.of(predicate, &Shape::Bool)?;
                Some((Node::All(list, predicate), Shape::Bool))
            }
            Some(Macro::Collect { keep, element }) => {
                let keep = match keep {
                    Some(keep) => Some(self.of(keep, &Shape::Bool)?),
                    None => None,
                };
                let (element, shape) = self.expression(element)?;
                let element = Box::new(element);
                Some((Node::Collect { list, keep, element }, Shape::List(Some(Box::new(shape)))))
            }
            None => {
                self.fails(at, "of the macros, `exists`, `all`, `filter` and `map` are part of conditions")
            }
        }
    }
}

/// A macro of the language, as it was written.
enum Macro<'a> {
    Exists(&'a IdedExpr),
    All(&'a IdedExpr),
    Collect { keep: Option<&'a IdedExpr>, element: &'a IdedExpr },
}

impl<'a> Macro<'a> {
    fn of(it: &'a ComprehensionExpr) -> Option<Macro<'a>> {
        let is_result = |expr: &IdedExpr| matches!(&expr.expr, Expr::Ident(name) if *name == it.accu_var);
        if it.iter_var2.is_some() || !is_result(&it.result) {
            return None;
        }
        let Expr::Call(step) = &it.loop_step.expr else { return None };
        match (&it.accu_init.expr, step.func_name.as_str(), step.args.as_slice()) {
            (Expr::Literal(LiteralValue::Boolean(start)), operators::LOGICAL_OR, [result, predicate])
                if !*start.inner() && is_result(result) =>
            {
                Some(Macro::Exists(predicate))
            }
            (Expr::Literal(LiteralValue::Boolean(start)), operators::LOGICAL_AND, [result, predicate])
                if *start.inner() && is_result(result) =>
            {
                Some(Macro::All(predicate))
            }
            (Expr::List(_), operators::ADD, args) => {
                Some(Macro::Collect { keep: None, element: added(args, is_result)? })
            }
            (Expr::List(_), operators::CONDITIONAL, [keep, add, result]) if is_result(result) => {
                let Expr::Call(add) = &add.expr else { return None };
                let element = added(&add.args, is_result)?;
                Some(Macro::Collect { keep: Some(keep), element })
            }
            _ => None,
        }
    }
}

/// `x` of `@result + [x]`.
fn added(args: &[IdedExpr], is_result: impl Fn(&IdedExpr) -> bool) -> Option<&IdedExpr> {
    let [result, list] = args else { return None };
    match &list.expr {
        Expr::List(list) if is_result(result) && list.elements.len() == 1 => list.elements.first(),
        _ => None,
    }
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::Unequal,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}

fn search(name: &str) -> Option<Search> {
    Some(match name {
        "startsWith" => Search::StartsWith,
        "endsWith" => Search::EndsWith,
        "contains" => Search::Contains,
        _ => return None,
    })
}

fn unknown_function(name: &str) -> String {
    format!("there is no function `{name}` of these arguments: known, size, startsWith, endsWith, contains")
}

fn shape_of(of: Type) -> Shape {
    match of {
        Type::Bool => Shape::Bool,
        Type::Int => Shape::Int,
        Type::Text => Shape::Text,
        Type::List(of) => Shape::List(Some(Box::new(shape_of(*of)))),
        Type::Record(fields) => Shape::Record(fields),
    }
}

/// Whether values of both can be equal.
fn fits(one: &Shape, other: &Shape) -> bool {
    match (one, other) {
        (Shape::List(None), Shape::List(_)) | (Shape::List(_), Shape::List(None)) => true,
        (Shape::List(Some(one)), Shape::List(Some(other))) => fits(one, other),
        (Shape::Record(_), _) | (_, Shape::Record(_)) => false,
        _ => one == other,
    }
}

fn named(shape: &Shape) -> &'static str {
    match shape {
        Shape::Bool => "true or false",
        Shape::Int => "a number",
        Shape::Text => "text",
        Shape::List(_) => "a list",
        Shape::Record(_) => "a group of variables",
    }
}

fn names(fields: &[Field]) -> String {
    let names: Vec<&str> = fields.iter().map(|it| it.name).collect();
    names.join(", ")
}

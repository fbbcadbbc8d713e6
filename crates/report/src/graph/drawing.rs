//! Answers as drawings: DOT for Graphviz, and SVG where a drawing is small enough to be read.
//!
//! The layout of the SVG is the simplest that shows who calls whom: a row for each distance from where nothing leads to, nodes in
//! the order in which they come, straight lines. Larger drawings are Graphviz' business.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

use cratekeeper_graph::answer::{Answer, List, Value};

use super::text;
use crate::sanitize;

/// An answer as nodes and arrows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawing {
    nodes: Vec<String>,
    /// From, to, label, certainty.
    arrows: Vec<(usize, usize, String, String)>,
}

/// Width of a character of the SVG's font, and the other measures of its layout, in pixels.
const CHARACTER: usize = 7;
const NODE_HEIGHT: usize = 24;
const GAP: usize = 16;
const ROW: usize = 90;

impl Drawing {
    /// Nodes that an SVG may have; more do not fit on a screen.
    pub const LARGEST_SVG: usize = 60;

    /// The drawing of an answer whose main list is calls, steps or dependencies; `None` for others.
    #[must_use]
    pub fn of(answer: &Answer) -> Option<Drawing> {
        let list = answer.lists.first()?;
        let mut drawing = Drawing::default();
        let mut known = BTreeMap::new();
        for row in &list.rows {
            let (from, to) = ends(list, row)?;
            let mut node = |name: String| {
                *known.entry(name.clone()).or_insert_with(|| {
                    drawing.nodes.push(name);
                    drawing.nodes.len() - 1
                })
            };
            let (from, to) = (node(from), node(to));
            let cell = |name| list.column(name).and_then(|at| row.get(at)).map_or_else(String::new, text);
            let arrow = (from, to, format!("{}{}", cell("kind"), cell("kinds")), cell("certainty"));
            if !drawing.arrows.contains(&arrow) {
                drawing.arrows.push(arrow);
            }
        }
        let is_drawable = list.column("caller").is_some() || list.name == "dependencies";
        is_drawable.then_some(drawing)
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Writes the drawing in Graphviz' language.
    ///
    /// # Errors
    ///
    /// Fails if `out` does.
    pub fn dot(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "digraph calls {{\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];")?;
        for (number, name) in self.nodes.iter().enumerate() {
            writeln!(out, "  n{number} [label=\"{}\"];", quoted(name))?;
        }
        for (from, to, kind, certainty) in &self.arrows {
            let (kind, certainty) = (quoted(kind), quoted(certainty));
            let style = style(&certainty).0;
            writeln!(out, "  n{from} -> n{to} [label=\"{kind}\", tooltip=\"{certainty}\", style={style}];")?;
        }
        writeln!(out, "}}")
    }

    /// Writes the drawing as SVG.
    ///
    /// # Errors
    ///
    /// Fails if `out` does.
    pub fn svg(&self, out: &mut dyn Write) -> io::Result<()> {
        let places = self.places();
        let right = |it: usize| places[it].0 + self.width(it) + GAP;
        let width = (0..self.nodes.len()).map(right).max().unwrap_or(0) + GAP;
        let height = places.iter().map(|it| it.1).max().unwrap_or(0) + NODE_HEIGHT + GAP;
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"monospace\" \
             font-size=\"11\">\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" \
             markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
        )?;
        for (from, to, kind, certainty) in &self.arrows {
            let middle = |it: usize| places[it].0 + self.width(it) / 2;
            let (x1, y1) = (middle(*from), places[*from].1 + NODE_HEIGHT);
            let (x2, y2) = (middle(*to), places[*to].1);
            let (y1, y2) = if y2 > y1 { (y1, y2) } else { (places[*from].1, places[*to].1 + NODE_HEIGHT) };
            writeln!(
                out,
                "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"black\"{} marker-end=\"url(#tip)\">\
                 <title>{} {}</title></line>",
                style(certainty).1,
                escaped(certainty),
                escaped(kind),
            )?;
        }
        for (number, name) in self.nodes.iter().enumerate() {
            let ((x, y), width) = (places[number], self.width(number));
            writeln!(
                out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{NODE_HEIGHT}\" fill=\"#f4f4f4\" \
                 stroke=\"black\"/><text x=\"{}\" y=\"{}\">{}</text>",
                x + CHARACTER,
                y + NODE_HEIGHT - 8,
                escaped(name),
            )?;
        }
        writeln!(out, "</svg>")
    }

    fn width(&self, node: usize) -> usize {
        (self.nodes[node].chars().count() + 2) * CHARACTER
    }

    /// Left upper corner of each node.
    fn places(&self) -> Vec<(usize, usize)> {
        let mut ends = Vec::new();
        self.rows()
            .into_iter()
            .enumerate()
            .map(|(node, row)| {
                if ends.len() <= row {
                    ends.resize(row + 1, GAP);
                }
                let x = ends[row];
                ends[row] += self.width(node) + GAP;
                (x, GAP + row * ROW)
            })
            .collect()
    }

    /// Row of each node: steps from a node that nothing leads to, or from the first node of a circle.
    fn rows(&self) -> Vec<usize> {
        let mut rows: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let is_target = |node: &usize| self.arrows.iter().any(|it| it.1 == *node && it.0 != *node);
        let sources: Vec<usize> = (0..self.nodes.len()).filter(|it| !is_target(it)).collect();
        for start in sources.into_iter().chain(0..self.nodes.len()) {
            if rows[start].is_some() {
                continue;
            }
            rows[start] = Some(0);
            let mut open = VecDeque::from([(start, 0)]);
            while let Some((node, row)) = open.pop_front() {
                for (_, to, ..) in self.arrows.iter().filter(|it| it.0 == node) {
                    if rows[*to].is_none() {
                        rows[*to] = Some(row + 1);
                        open.push_back((*to, row + 1));
                    }
                }
            }
        }
        rows.into_iter().map(Option::unwrap_or_default).collect()
    }
}

/// Both ends of a row.
fn ends(list: &List, row: &[Value]) -> Option<(String, String)> {
    let cell = |name| list.column(name).and_then(|at| row.get(at)).map(text);
    match (cell("caller"), cell("callee")) {
        (Some(caller), Some(callee)) => Some((caller, callee)),
        _ => Some((cell("of")?, format!("{}@{}", cell("package")?, cell("version")?))),
    }
}

/// Style of an arrow in DOT and in SVG: the less sure, the thinner.
fn style(certainty: &str) -> (&'static str, &'static str) {
    match certainty {
        "candidate" => ("dashed", " stroke-dasharray=\"6 3\""),
        "name" => ("dotted", " stroke-dasharray=\"2 3\""),
        _ => ("solid", ""),
    }
}

fn quoted(text: &str) -> String {
    sanitize(text).replace('\\', "\\\\").replace('"', "\\\"")
}

fn escaped(text: &str) -> String {
    sanitize(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

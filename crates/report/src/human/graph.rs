//! Answers about call graphs for people.
//!
//! Calls and ways have a layout of their own, because two paths do not fit on one line; everything else is a table of the columns
//! that say something.

use cratekeeper_graph::answer::{Answer, List, Question, Value};

use super::Detail;
use super::page::{Page, Tone};
use crate::graph::{Asked, text};
use crate::text::{count, cut, thousands};

/// Rows of a list that are shown unless everything was asked for.
const ROWS: usize = 40;

/// Widest column; paths of generated code have hundreds of characters.
const WIDEST: usize = 70;

pub(super) fn page(page: &mut Page, detail: Detail, asked: Asked<'_>, answer: &Answer) {
    let shown = if detail == Detail::Verbose { usize::MAX } else { ROWS };
    if answer.question == Question::Path {
        routes(page, answer);
    }
    for (position, list) in answer.lists.iter().enumerate() {
        // A way has been shown, and why something is not in the survey is shown below its figures.
        if answer.question == Question::Path
            || detail == Detail::Quiet && position > 0
            || list.rows.is_empty()
        {
            continue;
        }
        if answer.lists.len() > 1 {
            page.heading(Tone::Strong, &words(list.name));
        }
        match list.name {
            "calls" => calls(page, answer, list, shown),
            _ => table(page, list, shown),
        }
        if list.rows.len() > shown {
            let more = thousands(list.rows.len() - shown);
            page.line(2, &[(Tone::Dim, &format!("and {more} more (-v shows all)"))]);
        }
    }
    if detail != Detail::Quiet {
        fields(page, answer);
        for note in asked.notes {
            page.hanging(0, &[(Tone::Warning, "note: ")], note);
        }
    }
    result(page, answer);
    if detail != Detail::Quiet {
        next(page, asked, answer);
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn cell<'a>(list: &List, row: &'a [Value], name: &str) -> &'a Value {
    list.column(name).and_then(|at| row.get(at)).unwrap_or(&Value::Absent)
}

fn tone(certainty: &str) -> Tone {
    match certainty {
        "candidate" => Tone::Warning,
        "name" => Tone::Error,
        _ => Tone::Good,
    }
}

/// `typed call at src/lib.rs:12, in unsafe code`.
fn how(page: &mut Page, indent: usize, list: &List, row: &[Value]) {
    let certainty = text(cell(list, row, "certainty"));
    let kind = text(cell(list, row, "kind"));
    let mut place = match (cell(list, row, "file"), cell(list, row, "line")) {
        (Value::Text(file), Value::Number(line)) => format!(" at {file}:{line}"),
        _ => String::new(),
    };
    if *cell(list, row, "in_unsafe") == Value::Flag(true) {
        place.push_str(", in unsafe code");
    }
    if *cell(list, row, "active") == Value::Flag(false) {
        place.push_str(", not in the active configuration");
    }
    page.line(indent, &[(tone(&certainty), &certainty), (Tone::Plain, &format!(" {kind}{place}"))]);
}

/// Calls, those between the same two functions together, in the order of their distance.
fn calls(page: &mut Page, answer: &Answer, list: &List, shown: usize) {
    let (near, far, arrow) = match answer.question {
        Question::Callers => ("callee", "caller", "calls"),
        _ => ("caller", "callee", "called by"),
    };
    let mut previous = None;
    for row in list.rows.iter().take(shown) {
        let pair = (text(cell(list, row, far)), text(cell(list, row, near)));
        if previous.as_ref() != Some(&pair) {
            let distance = format!("{:>2}  ", text(cell(list, row, "distance")));
            let near = format!("  {arrow} {}", pair.1);
            page.line(0, &[(Tone::Dim, &distance), (Tone::Strong, &pair.0), (Tone::Dim, &near)]);
            previous = Some(pair);
        }
        how(page, 6, list, row);
    }
}

/// Ways, each as its functions from top to bottom with the call between them.
fn routes(page: &mut Page, answer: &Answer) {
    let [steps, routes] = answer.lists.as_slice() else { return };
    for route in &routes.rows {
        let number = cell(routes, route, "route");
        let length = match cell(routes, route, "length") {
            Value::Number(length) => *length,
            _ => 0,
        };
        let certainty = text(cell(routes, route, "certainty"));
        let head = format!("way {}: {}, ", text(number), count(length, "step"));
        if !page.is_empty() {
            page.blank();
        }
        page.line(
            0,
            &[(Tone::Strong, &head), (tone(&certainty), &certainty), (Tone::Plain, " at its weakest")],
        );
        page.line(2, &[(Tone::Strong, &text(cell(routes, route, "from")))]);
        for step in steps.rows.iter().filter(|it| cell(steps, it, "route") == number) {
            how(page, 4, steps, step);
            page.line(2, &[(Tone::Strong, &text(cell(steps, step, "callee")))]);
        }
    }
}

/// Columns that say something in some row, aligned; numbers to the right.
fn table(page: &mut Page, list: &List, shown: usize) {
    let rows: Vec<Vec<String>> = list.rows.iter().take(shown).map(|row| cells(list, row)).collect();
    let names: Vec<String> = cells_of_columns(list);
    let says = |at: &usize| rows.iter().any(|row| !row[*at].is_empty());
    let columns: Vec<usize> = (0..names.len()).filter(says).collect();
    let width = |at: usize| {
        let longest = rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        longest.max(names[at].chars().count()).min(WIDEST)
    };
    let widths: Vec<usize> = columns.iter().map(|at| width(*at)).collect();
    let is_number =
        |at: usize| rows.iter().all(|row| row[at].chars().all(|it| "0123456789,.% ".contains(it)));
    let mut line = |tone: Tone, row: &[String]| {
        let mut text = String::new();
        for (at, width) in columns.iter().zip(&widths) {
            let cell = crate::sanitize(&row[*at]).into_owned();
            let cell = cut(&cell, *width);
            text.push_str(&if is_number(*at) {
                format!("{cell:>width$}  ")
            } else {
                format!("{cell:<width$}  ")
            });
        }
        page.line(2, &[(tone, text.trim_end())]);
    };
    line(Tone::Dim, &names);
    rows.iter().for_each(|row| line(Tone::Plain, row));
}

/// Names of columns as shown: file and line are one.
fn cells_of_columns(list: &List) -> Vec<String> {
    let shown = list.columns.iter().filter(|it| **it != "line");
    shown.map(|it| if *it == "file" { "place".to_owned() } else { words(it) }).collect()
}

fn cells(list: &List, row: &[Value]) -> Vec<String> {
    let shown = list.columns.iter().zip(row).filter(|it| *it.0 != "line");
    shown
        .map(|(name, value)| match (*name, value) {
            ("file", Value::Text(file)) => format!("{file}:{}", text(cell(list, row, "line"))),
            ("figure", Value::Text(figure)) => words(figure),
            (name, Value::Quantity(share)) if name.ends_with("share") => format!("{:.1} %", share * 100.0),
            (_, value) => shown_value(value),
        })
        .collect()
}

fn shown_value(value: &Value) -> String {
    match value {
        Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => thousands(*number),
        Value::Quantity(quantity) if *quantity >= 100.0 => thousands(quantity.round() as u64),
        Value::Quantity(quantity) => format!("{quantity:.2}"),
        Value::Texts(texts) => texts.join(", "),
        Value::Counts(counts) => {
            let counts = counts.iter().filter(|it| it.1 > 0);
            counts.map(|it| format!("{} {}", words(&it.0), thousands(it.1))).collect::<Vec<_>>().join(", ")
        }
        value => text(value),
    }
}

fn fields(page: &mut Page, answer: &Answer) {
    page.heading(Tone::Strong, "summary");
    let width = answer.fields.iter().map(|it| it.0.len()).max().unwrap_or(0);
    for (name, value) in answer.fields.iter().filter(|it| it.1 != Value::Absent) {
        let head = format!("{:<width$}  ", words(name));
        page.hanging(2, &[(Tone::Plain, &head)], &shown_value(value));
    }
}

fn result(page: &mut Page, answer: &Answer) {
    let rows = answer.lists.first().map_or(0, |it| it.rows.len());
    let (one, tone) = match answer.question {
        Question::Path => {
            let found = answer.lists.get(1).map_or(0, |it| it.rows.len());
            let tone = if found == 0 { Tone::Notice } else { Tone::Strong };
            (if found == 0 { "no way was found".to_owned() } else { count(found, "way") }, tone)
        }
        Question::Callers | Question::Callees => (count(rows, "call"), Tone::Strong),
        Question::Diff if rows == 0 => ("no differences".to_owned(), Tone::Good),
        Question::Diff => (count(rows, "difference"), Tone::Strong),
        Question::Search => (count(rows, "function"), Tone::Strong),
        Question::Stats | Question::Survey => return,
        _ => (count(rows, "row"), Tone::Strong),
    };
    if !page.is_empty() {
        page.blank();
    }
    let more = if answer.truncated { ", and more: a limit was reached (--limit)" } else { "" };
    page.line(0, &[(Tone::Strong, "result: "), (tone, &one), (Tone::Plain, more)]);
}

/// A question that follows from the answer, as a command.
fn next(page: &mut Page, asked: Asked<'_>, answer: &Answer) {
    if answer.question == Question::Export {
        let text = "in that directory: neo4j-admin database import full, with --nodes=FILE for the first three files and \
                    --relationships=FILE for the others, and the name of a new database";
        page.blank();
        return page.hanging(0, &[(Tone::Strong, "next: ")], text);
    }
    let source = asked.source;
    // A path with other characters would have to be quoted; readers know what they typed.
    let is_plain = source.chars().all(|it| it.is_ascii_alphanumeric() || "-_./=".contains(it));
    let source = if is_plain { source } else { "STORE" };
    let (command, what) = match answer.question {
        Question::Callers | Question::Callees => {
            ("path", "FROM TO  # shows how one function comes to call another")
        }
        Question::Path if answer.is_empty() => {
            ("path", "FROM TO --all-configurations  # includes tests and other platforms")
        }
        Question::Path => ("path", "FROM TO -k 10 --weakest typed  # shows more ways, and only sure ones"),
        Question::Reach => ("callees", "FUNCTION --depth 2  # shows the first steps with their lines"),
        Question::Blast => ("path", "FROM TO  # shows how one of these versions gets there"),
        Question::Unsafe | Question::Top => ("reach", "FUNCTION  # shows what a function may run"),
        Question::Ffi => ("callers", "FUNCTION --depth 3  # shows who gets there"),
        Question::Search => ("callers", "FUNCTION  # shows who calls one of these"),
        Question::Stats => ("unsafe", "  # shows which crates use unsafe code, and who gets there"),
        Question::Diff => ("callees", "NAME@VERSION::FUNCTION  # shows what a new function calls"),
        Question::Dependents => ("blast", "CRATE  # shows who calls it, and not only depends on it"),
        Question::Dependencies => ("dependents", "CRATE  # shows who else depends on one of these"),
        Question::Latest | Question::Duplicates => {
            ("diff", "NAME@OLD NAME@NEW  # shows what changed between two versions")
        }
        Question::Survey | Question::Export => ("stats", "  # shows the figures of the graph"),
    };
    let command = format!("cratekeeper graph {command} {source} ");
    let (arguments, what) = what.split_once("  # ").unwrap_or((what, ""));
    page.blank();
    page.line(0, &[(Tone::Strong, "next:")]);
    let command = format!("{}{}", command, arguments.trim());
    page.line(2, &[(Tone::Notice, command.trim_end()), (Tone::Dim, "  # "), (Tone::Dim, what)]);
}

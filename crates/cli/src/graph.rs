//! `cratekeeper graph`: questions about calls, to a store or to the workspace.

mod export;
mod source;

use cratekeeper_graph::answer::{Answer, Asker, Question};
use cratekeeper_graph::{EdgeOptions, GraphError, Search};
use cratekeeper_report::graph::{Drawing, EdgeFormat};

use self::source::Opened;
use crate::arguments::{Format, Global, GraphArguments, GraphCommand, GraphFormat, Source};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(arguments: &GraphArguments, global: &Global) -> anyhow::Result<Exit> {
    use GraphCommand as Ask;
    match &arguments.command {
        Ask::Callers(it) => answer(&it.source, global, ["PATTERN"], |ask, [of]| ask.callers(of, it.depth)),
        Ask::Callees(it) => answer(&it.source, global, ["PATTERN"], |ask, [of]| ask.callees(of, it.depth)),
        Ask::Path(it) => answer(&it.source, global, ["FROM", "TO"], |ask, [from, to]| {
            ask.paths(from, to, it.ways as usize, it.depth)
        }),
        Ask::Reach(it) => answer(&it.source, global, ["FROM"], |ask, [from]| ask.reach(from)),
        Ask::Blast(it) => answer(&it.source, global, ["CRATE[@REQ][::PATH]"], |ask, [of]| ask.blast(of)),
        Ask::Unsafe(it) => answer(&it.source, global, [], |ask, []| ask.unsafe_usage()),
        Ask::Ffi(it) => answer(&it.source, global, [], |ask, []| ask.foreign()),
        Ask::Search(it) => answer(&it.source, global, ["TEXT"], |ask, [text]| {
            ask.search(match (it.regex, it.prefix) {
                (true, _) => Search::Regex(text),
                (_, true) => Search::Prefix(text),
                _ => Search::Substring(text),
            })
        }),
        Ask::Stats(it) => {
            let opened = Opened::open(&it.source, global, &[])?;
            let answer = opened.asker().statistics(&opened.store).map_err(hinted)?;
            finish(&it.source, global, &opened, &answer)
        }
        Ask::Diff(it) => answer(&it.source, global, ["NAME@OLD", "NAME@NEW"], |ask, [a, b]| ask.diff(a, b)),
        Ask::Edges(it) => edges(it, global),
        Ask::Dependents(it) => {
            answer(&it.source, global, ["CRATE[@REQ]"], |ask, [of]| ask.dependents(of, it.transitive))
        }
        Ask::Dependencies(it) => {
            answer(&it.source, global, ["CRATE[@REQ]"], |ask, [of]| ask.dependencies(of, it.transitive))
        }
        Ask::Top(it) => answer(&it.source, global, [], |ask, []| ask.top(it.by.into())),
        Ask::Latest(it) => answer(&it.source, global, [], |ask, []| ask.latest()),
        Ask::Duplicates(it) => answer(&it.source, global, [], |ask, []| ask.duplicates()),
        Ask::Export(it) => export::run(it, global),
    }
}

/// Opens the graph, asks, and prints the answer.
fn answer<const N: usize>(
    source: &Source,
    global: &Global,
    words: [&str; N],
    ask: impl FnOnce(Asker<'_>, [&str; N]) -> Result<Answer, GraphError>,
) -> anyhow::Result<Exit> {
    let opened = Opened::open(source, global, &words)?;
    let mut given = [""; N];
    given.iter_mut().zip(&opened.words).for_each(|(place, word)| *place = word.as_str());
    let answer = ask(opened.asker(), given).map_err(hinted)?;
    finish(source, global, &opened, &answer)
}

fn finish(source: &Source, global: &Global, opened: &Opened, answer: &Answer) -> anyhow::Result<Exit> {
    print(answer, opened.asked(), global)?;
    if opened.is_incomplete && !source.allow_unchecked {
        report_incomplete();
        return Ok(Exit::CouldNotCheck);
    }
    Ok(match answer.question {
        Question::Path | Question::Search if is_nothing(answer) => Exit::Findings,
        Question::Diff if !answer.is_empty() => Exit::Findings,
        _ => Exit::Clean,
    })
}

/// Of `path`, that there is no way: a way without steps, from a function to itself, is one.
fn is_nothing(answer: &Answer) -> bool {
    answer.lists.iter().all(|it| it.rows.is_empty())
}

fn report_incomplete() {
    let message = "failed to read every package completely: calls may be missing from the answer".to_owned();
    let hint = "the notes name the packages; pass --allow-unchecked to accept it";
    crate::error::print(&Hinted::message(message, hint).into());
}

/// Writes an answer in the form that was asked for.
pub(crate) fn print(
    answer: &Answer,
    asked: cratekeeper_report::graph::Asked<'_>,
    global: &Global,
) -> anyhow::Result<()> {
    use cratekeeper_report::{graph, human};
    let drawing = match global.format {
        Format::Graph(form @ (GraphFormat::Dot | GraphFormat::Svg)) => Some(drawing(answer, form)?),
        Format::Sarif | Format::Vex => {
            return Err(no_form(answer.question, global.format, "human, json, jsonl or tsv").into());
        }
        _ => None,
    };
    output::write(|out| match (global.format, drawing) {
        (Format::Graph(GraphFormat::Svg), Some(drawing)) => drawing.svg(out),
        (_, Some(drawing)) => drawing.dot(out),
        (Format::Graph(GraphFormat::Tsv), _) => graph::tsv(answer, out),
        (Format::Graph(_), _) => graph::json_lines(answer, out),
        (Format::Json | Format::Sarif | Format::Vex, _) => graph::json(output::TOOL, asked, answer, out),
        (Format::Human, _) => human::graph(output::terminal(), output::detail(global), asked, answer, out),
    })
}

fn drawing(answer: &Answer, form: GraphFormat) -> anyhow::Result<Drawing> {
    let format = Format::Graph(form);
    let Some(drawing) = Drawing::of(answer) else {
        return Err(no_form(answer.question, format, "human, json, jsonl or tsv").into());
    };
    if form == GraphFormat::Svg && drawing.len() > Drawing::LARGEST_SVG {
        let most = Drawing::LARGEST_SVG;
        let message = format!("failed to draw {} functions: an SVG has at most {most}", drawing.len());
        let hint = "narrow the question with --depth, --limit or --weakest, or give --format dot to Graphviz";
        return Err(Hinted::message(message, hint).into());
    }
    Ok(drawing)
}

fn no_form(question: Question, format: Format, others: &str) -> Hinted {
    let message = format!("failed to answer as {}: `{}` has no such form", format.name(), question.as_str());
    Hinted::message(message, &format!("use --format {others}"))
}

fn edges(arguments: &crate::arguments::EdgesArguments, global: &Global) -> anyhow::Result<Exit> {
    let source = &arguments.source;
    let format = match global.format {
        Format::Human | Format::Graph(GraphFormat::Tsv) => EdgeFormat::Tsv,
        Format::Graph(GraphFormat::JsonLines) => EdgeFormat::JsonLines,
        other => {
            let message = format!("failed to answer as {}: `edges` has no such form", other.name());
            return Err(Hinted::message(message, "use --format tsv or jsonl").into());
        }
    };
    let opened = Opened::open(source, global, &[])?;
    let callers =
        arguments.of.as_deref().map(|it| opened.asker().versions_of(it)).transpose().map_err(hinted)?;
    let options = EdgeOptions {
        callers,
        with_versions: arguments.with_versions,
        active_only: !source.all_configurations,
        without_tests: !source.all_configurations,
    };
    let weakest = source.weakest.into();
    let edges = opened.graph.edges(&options).map_err(hinted)?;
    let edges = edges.filter(|it| it.as_ref().map_or(true, |edge| edge.certainty <= weakest));
    output::write(|out| cratekeeper_report::graph::edges(edges, format, out).map(|_| ()))?;
    if opened.is_incomplete && !source.allow_unchecked {
        report_incomplete();
        return Ok(Exit::CouldNotCheck);
    }
    Ok(Exit::Clean)
}

/// An error of the store with what to do about it.
pub(crate) fn hinted(error: GraphError) -> Hinted {
    let quoted = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|it| format!("`{it}`")).collect();
        texts.join(", ")
    };
    let hint = match &error {
        GraphError::NothingMatches { similar, .. } if similar.is_empty() => {
            "look for a part of the name: cratekeeper graph search STORE TEXT".to_owned()
        }
        GraphError::NothingMatches { similar, .. } => format!("did you mean {}?", quoted(similar)),
        GraphError::Ambiguous { similar, .. } => format!("name one of them, as in {}", quoted(similar)),
        GraphError::NoTable { .. } => "name one of these with --table".to_owned(),
        GraphError::NoStore { .. } => {
            "give the directory that `cratekeeper survey -o` wrote, or ask a workspace with --workspace".to_owned()
        }
        GraphError::Pattern { .. } => {
            "patterns are `crate::path`, `crate@REQ::path`, `::ending`, `with*wildcards` and `/regular expressions/`".to_owned()
        }
        other => {
            let hint = other.hint().map(str::to_owned);
            return Hinted::new(error, hint);
        }
    };
    Hinted::new(error, Some(hint))
}

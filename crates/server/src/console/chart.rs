//! Charts as SVG, drawn here: no script and no library. Shape and text carry the meaning, colour repeats it.

use std::fmt::Write as _;

/// Something that happened, on a line of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: i64,
    pub(super) kind: MarkKind,
    /// What it is; not escaped.
    pub(super) text: String,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkKind {
    /// A version came.
    Version,
    /// The version that the page is about came.
    This,
    /// A version was withdrawn.
    Yank,
    /// Owners changed.
    Owner,
}

/// Width and height of a picture, in its own units.
const WIDTH: i64 = 760;
const HEIGHT: i64 = 96;
const EDGE: i64 = 24;

/// Marks that are drawn; of more, the newest.
const MARKS: usize = 400;

/// Text in SVG and HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            other => shown.push(other),
        }
    }
    shown
}

/// What happened to a crate, from its first version until now.
pub(super) fn history(marks: &[Mark], now: i64) -> String {
    let mut marks: Vec<&Mark> = marks.iter().collect();
    marks.sort_by_key(|it| it.at);
    let marks = &marks[marks.len().saturating_sub(MARKS)..];
    let Some(first) = marks.first().map(|it| it.at) else { return String::new() };
    let span = now.saturating_sub(first).max(1);
    // An upstream may state any time: the product does not fit into 64 bits.
    let place = |at: i64| {
        let along = i128::from(at.saturating_sub(first).clamp(0, span)) * i128::from(WIDTH - 2 * EDGE);
        EDGE + i64::try_from(along / i128::from(span)).unwrap_or(0)
    };
    let mut svg = format!(
        "<svg class=\"history\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} things that happened to the crate\">",
        marks.len()
    );
    let _ = write!(svg, "<line class=\"axis\" x1=\"{EDGE}\" y1=\"48\" x2=\"{}\" y2=\"48\"/>", WIDTH - EDGE);
    for mark in marks {
        let (x, label) = (place(mark.at), escaped(&mark.text));
        let when = super::layout::moment(mark.at);
        let _ = write!(svg, "<g><title>{label}, {when}</title>");
        let shape = match mark.kind {
            MarkKind::Version => format!("<circle class=\"version\" cx=\"{x}\" cy=\"48\" r=\"5\"/>"),
            MarkKind::This => format!(
                "<circle class=\"this\" cx=\"{x}\" cy=\"48\" r=\"8\"/><text x=\"{x}\" y=\"28\" text-anchor=\"middle\">{label}</text>"
            ),
            MarkKind::Yank => format!("<path class=\"yank\" d=\"M{} 62l10 10m0 -10l-10 10\"/>", x - 5),
            MarkKind::Owner => format!("<path class=\"owner\" d=\"M{x} 60l6 6l-6 6l-6 -6z\"/>"),
        };
        svg.push_str(&shape);
        svg.push_str("</g>");
    }
    let day = super::layout::moment(first);
    let _ = write!(
        svg,
        "<text x=\"{EDGE}\" y=\"92\">{}</text><text x=\"{}\" y=\"92\" text-anchor=\"end\">now</text></svg>",
        day.get(..10).unwrap_or(&day),
        WIDTH - EDGE
    );
    svg
}

/// Bars, one for each row: a name, a number, and what the number is of. A row without a number has no bar: nothing known is not 0, which would be
/// the best of all. `gap` says in its place why there is none.
pub(super) fn bars(rows: &[(String, Option<u64>)], unit: &str, gap: &str) -> String {
    let largest = rows.iter().filter_map(|it| it.1).max().unwrap_or(0).max(1);
    let height = 8 + 24 * i64::try_from(rows.len()).unwrap_or(0);
    let gaps = rows.iter().filter(|it| it.1.is_none()).count();
    let missing = if gaps == 0 { String::new() } else { format!("; {gaps} of {}: {gap}", rows.len()) };
    let mut svg = format!(
        "<svg class=\"bars\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
        escaped(&format!("{unit}{missing}"))
    );
    for (index, (name, count)) in rows.iter().enumerate() {
        let y = 4 + 24 * index;
        let line = y + 14;
        let _ = write!(svg, "<text x=\"200\" y=\"{line}\" text-anchor=\"end\">{}</text>", escaped(name));
        let _ = match count {
            None => write!(svg, "<text class=\"gap\" x=\"208\" y=\"{line}\">{}</text>", escaped(gap)),
            Some(count) => {
                let width = count.saturating_mul(420) / largest;
                write!(
                    svg,
                    "<rect class=\"bar\" x=\"208\" y=\"{y}\" width=\"{width}\" height=\"18\"/><text x=\"{}\" y=\"{line}\">{count}</text>",
                    216 + width
                )
            }
        };
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_publishers_write_is_text_in_pictures_too() {
        let marks = [Mark { at: 0, kind: MarkKind::This, text: "<script>\"&'".to_owned() }];
        let svg = history(&marks, 100);
        assert!(svg.contains("&lt;script&gt;&quot;&amp;&#39;") && !svg.contains("<script"), "{svg}");
        assert!(bars(&[("<b>".to_owned(), Some(3))], "\"", "").contains("&lt;b&gt;"));
    }

    #[test]
    fn what_is_not_known_is_a_gap_and_no_0() {
        let rows = [("a", Some(0)), ("b", None), ("c", Some(7))].map(|(name, it)| (name.to_owned(), it));
        let svg = bars(&rows, "Minutes", "no decision");
        assert_eq!(svg.matches("<rect").count(), 2, "{svg}");
        assert_eq!(svg.matches(">0</text>").count(), 1, "a 0 that was counted stays one: {svg}");
        assert!(
            svg.contains(">no decision</text>")
                && svg.contains("aria-label=\"Minutes; 1 of 3: no decision\"")
        );
    }

    #[test]
    fn any_times_are_drawn_inside() {
        assert_eq!(history(&[], 0), "");
        let marks = [i64::MIN / 4, 0, i64::MAX / 4_000].map(|at| Mark {
            at,
            kind: MarkKind::Version,
            text: String::new(),
        });
        assert!(history(&marks, 5).contains("</svg>"));
    }
}

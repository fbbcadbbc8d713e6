//! Likeness as text.

use cratekeeper_model::SimilarCrate;

use super::findings;
use super::page::{Page, Tone};
use crate::similar::{Built, Likes};
use crate::text::count;

pub(super) fn likes(page: &mut Page, likes: &Likes<'_>) {
    let package = likes.package;
    let version = format!(" {}", package.version);
    page.line(0, &[(Tone::Strong, &package.name), (Tone::Strong, &version)]);
    if likes.similar.is_empty() {
        page.line(
            2,
            &[(Tone::Good, "shares no larger part of its text with another crate that is known here")],
        );
    }
    for it in likes.similar {
        one(page, it);
    }
}

fn one(page: &mut Page, it: &SimilarCrate) {
    let version = format!(" {}  ", it.version);
    let parts = [
        (it.source, "source"),
        (it.structure, "structure"),
        (it.readme, "README"),
        (it.description, "description"),
    ];
    let shares = parts.iter().filter_map(|(share, what)| Some(format!("{} % of the {what}", (*share)?)));
    page.hanging(
        2,
        &[(Tone::Notice, "like "), (Tone::Strong, &it.name), (Tone::Strong, &version)],
        &shares.collect::<Vec<_>>().join(", "),
    );
    let mut more = Vec::new();
    if it.same_repository {
        more.push("both name the same repository".to_owned());
    }
    more.extend(
        it.same_owner.map(
            |same| {
                if same { "the same owner".to_owned() } else { "no owner in common".to_owned() }
            },
        ),
    );
    more.extend(
        it.other_is_older.map(
            |older| {
                if older { "it was first".to_owned() } else { "it came later".to_owned() }
            },
        ),
    );
    let (same, all) = it.shared_functions;
    more.push(format!("{same} of {} are in both", count(all as usize, "function")));
    page.paragraph(4, &more.join("; "));
    for evidence in &it.differing {
        findings::place(page, evidence);
    }
}

pub(super) fn index(page: &mut Page, built: &Built<'_>) {
    let text = format!("{} in `{}`", count(built.versions, "version"), built.index);
    page.hanging(0, &[(Tone::Strong, "index: ")], &text);
    for (file, reason) in built.refused {
        page.hanging(2, &[(Tone::Error, "not read: ")], &format!("{file}: {reason}"));
    }
}

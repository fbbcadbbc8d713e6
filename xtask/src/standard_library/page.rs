//! The source text inside a page that rustdoc made of it.
//!
//! A page shows the text with a link before each line, colours around tokens, and `&`, `<` and `>` escaped. Everything else is the
//! text as the compiler read it, so undoing these three gives it back. That it does is checked: the number of lines must be
//! the last link's, and who calls this parses the result.

use anyhow::{Context as _, bail};

/// A file of the standard library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Path below `library/`, with `..` resolved: `core/src/iter/mod.rs`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// The file that a page shows.
pub(crate) fn source_file(page: &str) -> anyhow::Result<SourceFile> {
    let path =
        between(page, "Source of the Rust file `library/", "`").context("failed to find the file's path")?;
    let code =
        between(page, "<pre class=\"rust\"><code>", "</code></pre>").context("failed to find the code")?;
    Ok(SourceFile { path: normalize(path)?, text: plain_text(code)? })
}

fn between<'p>(page: &'p str, before: &str, after: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(before)?;
    rest.split_once(after).map(|(inner, _)| inner)
}

/// `core/src/../../stdarch/x.rs` is `stdarch/x.rs`. A path that leaves the library is refused: it would be written elsewhere.
pub(crate) fn normalize(path: &str) -> anyhow::Result<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            ".." => bail!("`{path}` leads out of the library"),
            part if part.contains(':') => bail!("`{path}` is not a relative path"),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// The text of the code, with tags and line numbers left out.
fn plain_text(code: &str) -> anyhow::Result<String> {
    let mut text = String::with_capacity(code.len() / 2);
    let (mut rest, mut lines) = (code, 0);
    while let Some(at) = rest.find('<') {
        unescape(&rest[..at], &mut text)?;
        let tag;
        (tag, rest) = split_tag(&rest[at..]).context("failed to find the end of a tag")?;
        if tag.starts_with("<a ") && tag.contains("data-nosnippet") {
            let (number, after) =
                rest.split_once("</a>").context("failed to find the end of a line number")?;
            lines += 1;
            if number.parse() != Ok(lines) {
                bail!("line {lines} has the number `{number}`");
            }
            rest = after;
        }
    }
    unescape(rest, &mut text)?;
    let found = text.lines().count();
    if found != lines {
        bail!("{found} lines of text were found, and {lines} line numbers");
    }
    Ok(text)
}

/// The tag at the beginning, and what follows. Attributes may hold `>` in quotes.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (None, '>') => return Some(text.split_at(at + 1)),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    None
}

fn unescape(mut escaped: &str, text: &mut String) -> anyhow::Result<()> {
    while let Some(at) = escaped.find('&') {
        text.push_str(&escaped[..at]);
        let (entity, rest) =
            escaped[at + 1..].split_once(';').context("failed to find the end of an entity")?;
        text.push(character(entity).with_context(|| format!("`&{entity};` is not known"))?);
        escaped = rest;
    }
    text.push_str(escaped);
    Ok(())
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        _ => {}
    }
    let number = entity.strip_prefix('#')?;
    let number = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

    use super::*;

    fn page(path: &str, code: &str) -> String {
        format!(
            "<meta content=\"Source of the Rust file `library/{path}`.\"><pre class=\"rust\"><code>{code}</code></pre></div>"
        )
    }

    fn text(code: &str) -> anyhow::Result<String> {
        source_file(&page("core/src/any.rs", code)).map(|file| file.text)
    }

    #[test]
    fn colours_and_line_numbers_are_left_out() {
        let code = "<a href=#1 id=1 data-nosnippet>1</a><span class=\"kw\">fn </span>f() {\n<a href=#2 id=2 data-nosnippet>2</a>}\n";
        assert_eq!(text(code).unwrap(), "fn f() {\n}\n");
    }

    #[test]
    fn escaped_characters_become_themselves_once() {
        let code = "<a href=#1 id=1 data-nosnippet>1</a>&amp;lt; &lt;T&gt; &quot;&#39;&#x2014;\n";
        assert_eq!(text(code).unwrap(), "&lt; <T> \"'\u{2014}\n");
    }

    #[test]
    fn a_link_in_the_text_keeps_its_words_and_its_title_may_hold_any_character() {
        let code = "<a href=#1 id=1 data-nosnippet>1</a><a href=\"../x.html\" title=\"struct A<T>\">Vec</a>::new()\n";
        assert_eq!(text(code).unwrap(), "Vec::new()\n");
    }

    #[test]
    fn a_missing_line_is_an_error() {
        assert!(text("<a href=#1 id=1 data-nosnippet>1</a>a\nb\n").is_err());
        assert!(text("<a href=#2 id=2 data-nosnippet>2</a>a\n").is_err());
        assert!(text("<a href=#1 id=1 data-nosnippet>1</a>&unknown;\n").is_err());
        assert!(source_file("<html></html>").is_err());
    }

    #[test]
    fn paths_stay_inside_the_library() {
        let path = |path| source_file(&page(path, "")).map(|file| file.path).ok();
        assert_eq!(path("core/src/../../stdarch/a.rs").as_deref(), Some("stdarch/a.rs"));
        assert_eq!(path("core/src/iter/mod.rs").as_deref(), Some("core/src/iter/mod.rs"));
        assert_eq!(path("core/../../etc/passwd"), None);
    }
}

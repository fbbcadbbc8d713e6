//! One package: its files analysed one by one, then put together.

use std::borrow::Cow;
use std::collections::HashMap;

use cratekeeper_model::Facts;
use cratekeeper_model::facts::{
    Call, CallFacts, ConstantText, FileFacts, Function, ManifestFacts, SourceFacts, SourceFile,
    SourceFileStatus, SpecialRole, SuspiciousCharacter,
};
use cratekeeper_syntax::{Edition, LexedStr, Tree};

use crate::fingerprint::{Fingerprinter, Tokens};
use crate::flow::Behaviour;
use crate::limits::Limits;
use crate::modules::{Files, Place, Places, join_cfg};
use crate::remarks::{Instructions, Remarks, RustScan};
use crate::rust::FileExtract;
use crate::text::join_path;
use crate::{Extent, Trees, characters, files, flow, manifest, modules, rust, special};

/// Most module paths under which the functions of one file are listed; `#[path]` can give it any number.
const PLACES: usize = 16;

/// Documentation above this size is not looked at; the longest change logs have below 1 MiB.
const DOCUMENTATION_BYTES: usize = 2 << 20;

/// A file of a package, as it was packed.
#[derive(Debug, Clone, Copy)]
pub struct PackageFile<'a> {
    /// Path inside the package, with `/`.
    pub path: &'a str,
    /// Content.
    pub content: &'a [u8],
    /// Whether the archive or the file system marks it executable.
    pub executable: bool,
}

impl<'a> PackageFile<'a> {
    /// A file that is not marked executable.
    #[must_use]
    pub fn new(path: &'a str, content: &'a [u8]) -> PackageFile<'a> {
        PackageFile { path, content, executable: false }
    }
}

pub(crate) fn analyze<'t>(
    files: &[PackageFile<'_>],
    limits: &Limits,
    trees: &Trees<'_, 't>,
    extent: Extent,
) -> Facts {
    let sorted = sorted(files);
    let manifest = manifest_of(&sorted);
    let mut package = Package::new(&sorted, edition(&manifest), limits, trees, extent);
    package.read_rust_files();
    let tree = modules::link(&manifest.targets, &mut package, limits);
    let places = Places::new(&tree, PLACES);
    package.scan_other_text();
    package.remark_documentation(&manifest);
    let mut file_facts = FileFacts {
        unpacked_size: sorted.iter().map(|file| file.content.len() as u64).sum(),
        entries: sorted.iter().map(|file| files::entry(file)).collect(),
        characters: package.characters,
        characters_total: package.characters_total,
        special: special::files(&sorted),
        remarks: package.remarks.found,
        remarks_total: package.remarks.total,
        ..FileFacts::default()
    };
    let mut assembled =
        Assembled { room: package.room, truncated: package.truncated, ..Assembled::default() };
    for (number, read) in package.rust.into_iter().enumerate() {
        assembled.add(number as u32, read, places.of(number as u32));
    }
    let (readme, description) = (readme(&sorted), manifest.description.as_deref().unwrap_or_default());
    file_facts.fingerprint = package.fingerprinter.finish(&readme, description, assembled.fingerprints);
    assembled.source.modules = tree.modules;
    assembled.source.problems = tree.problems;
    if assembled.truncated {
        let problem =
            format!("the facts take more than {} MiB; the rest was left out", limits.fact_bytes >> 20);
        assembled.source.problems.push(problem);
    }
    let flow = match extent {
        Extent::All => flow::analyze(&flow::Input {
            manifest: &manifest,
            source: &assembled.source,
            calls: &assembled.calls,
            irs: assembled.irs,
            modules: assembled.file_modules,
            texts: assembled.texts,
        }),
        Extent::Structure => cratekeeper_model::facts::FlowFacts::default(),
    };
    Facts {
        manifest,
        files: file_facts,
        source: assembled.source,
        calls: Some(CallFacts { calls: assembled.calls }),
        flow,
    }
}

pub(crate) fn manifest_alone(files: &[PackageFile<'_>]) -> ManifestFacts {
    manifest_of(&sorted(files))
}

fn sorted<'s, 'f>(files: &'s [PackageFile<'f>]) -> Vec<&'s PackageFile<'f>> {
    let mut sorted: Vec<&PackageFile<'_>> = files.iter().collect();
    sorted.sort_by_key(|file| file.path);
    sorted.dedup_by_key(|file| file.path);
    sorted
}

fn manifest_of(sorted: &[&PackageFile<'_>]) -> ManifestFacts {
    let paths: Vec<&str> = sorted.iter().map(|file| file.path).collect();
    let content = |path: &str| paths.binary_search(&path).ok().map(|index| sorted[index].content);
    manifest::read(content("Cargo.toml"), content("Cargo.toml.orig"), content(".cargo_vcs_info.json"), &paths)
}

/// The edition to parse with. An unknown one is read as the newest: the parser only differs in keywords.
pub(crate) fn edition(manifest: &ManifestFacts) -> Edition {
    match manifest.edition.as_deref() {
        None | Some("2015") => Edition::Edition2015,
        Some("2018") => Edition::Edition2018,
        Some("2021") => Edition::Edition2021,
        Some(_) => Edition::Edition2024,
    }
}

/// The largest README at the root; empty when there is none.
fn readme<'f>(files: &[&PackageFile<'f>]) -> Cow<'f, str> {
    let is_readme = |path: &str| path.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("readme"));
    let readmes = files.iter().filter(|file| !file.path.contains('/') && is_readme(file.path));
    let largest = readmes.max_by_key(|file| file.content.len());
    largest.map_or(Cow::Borrowed(""), |file| String::from_utf8_lossy(file.content))
}

/// A Rust file that was read.
struct RustFile {
    path: String,
    size: u64,
    extract: FileExtract,
    /// Of each function of the extract.
    fingerprints: Vec<u64>,
}

struct Package<'f, 't> {
    files: &'f [&'f PackageFile<'f>],
    edition: Edition,
    limits: &'f Limits,
    /// Trees that were made before.
    trees: &'f Trees<'f, 't>,
    /// Each Rust file, in order of discovery.
    rust: Vec<RustFile>,
    fingerprinter: Fingerprinter,
    by_path: HashMap<&'f str, u32>,
    characters: Vec<SuspiciousCharacter>,
    characters_total: u64,
    remarks: Remarks,
    /// Bytes that facts may still take.
    room: usize,
    /// There was no room for all facts.
    truncated: bool,
    /// What is looked at for behaviour.
    behaviour: Behaviour,
}

impl<'f, 't> Package<'f, 't> {
    fn new(
        files: &'f [&'f PackageFile<'f>],
        edition: Edition,
        limits: &'f Limits,
        trees: &'f Trees<'f, 't>,
        extent: Extent,
    ) -> Package<'f, 't> {
        let size = || -> u64 {
            files.iter().filter(|file| is_rust(file.path)).map(|file| file.content.len() as u64).sum()
        };
        Package {
            files,
            edition,
            limits,
            trees,
            rust: Vec::new(),
            fingerprinter: Fingerprinter::new(),
            by_path: HashMap::new(),
            characters: Vec::new(),
            characters_total: 0,
            remarks: Remarks::default(),
            room: limits.fact_bytes,
            truncated: false,
            behaviour: match extent {
                Extent::Structure => Behaviour::Ignored,
                Extent::All if size() <= flow::SMALL_PACKAGE => Behaviour::OfEveryFile,
                Extent::All => Behaviour::OfTellingFiles,
            },
        }
    }

    fn read_rust_files(&mut self) {
        for file in self.files.iter().filter(|file| is_rust(file.path)) {
            self.read_rust_file(file);
        }
    }

    fn read_rust_file(&mut self, file: &'f PackageFile<'f>) -> u32 {
        let (text, is_utf8) = match std::str::from_utf8(file.content) {
            Ok(text) => (Cow::Borrowed(text), true),
            Err(_) => (String::from_utf8_lossy(file.content), false),
        };
        let text = without_byte_order_mark(text);
        let mut scan = characters::Scan {
            file: file.path,
            found: &mut self.characters,
            total: &mut self.characters_total,
            limit: self.limits.characters,
            lines_before: 0,
        };
        let fingerprinter = &mut self.fingerprinter;
        let mut fingerprints = Vec::new();
        let mut extract = if text.len() > self.limits.tree_bytes {
            rust::extract_large(&text, self.edition, self.limits, &mut self.room, |piece, lexed| {
                scan.rust(piece, lexed);
                let remarks = self.remarks.rust(file.path, piece, scan.lines_before);
                fingerprinter.add(&tokens_of(piece, lexed, remarks));
                scan.lines_before += piece.bytes().filter(|byte| *byte == b'\n').count() as u32;
            })
        } else if let (Behaviour::Ignored, true, Some(tree)) =
            (self.behaviour, text.is_ascii(), known_tree(self.trees, file.path, &text, self.limits))
        {
            rust::extract_tree(&text, tree, self.edition, self.limits, &mut self.room, self.behaviour)
        } else {
            // Tokens cost a tenth of a tree: they are made anew where the tree was made before.
            let lexed = LexedStr::new(self.edition, &text);
            let extract = if let Some(tree) = known_tree(self.trees, file.path, &text, self.limits) {
                if !text.is_ascii() {
                    scan.rust(&text, &lexed);
                }
                rust::extract_tree(&text, tree, self.edition, self.limits, &mut self.room, self.behaviour)
            } else {
                scan.rust(&text, &lexed);
                rust::extract(&text, &lexed, self.edition, self.limits, &mut self.room, self.behaviour)
            };
            let tokens = tokens_of(&text, &lexed, self.remarks.rust(file.path, &text, 0));
            fingerprinter.add(&tokens);
            fingerprints.extend(extract.functions.iter().map(|it| tokens.hash(it.start, it.end)));
            extract
        };
        if extract.truncated {
            self.truncated = true;
        }
        if !is_utf8 {
            extract.status = SourceFileStatus::NotUtf8;
            extract.problem = Some("the file is not UTF-8".to_owned());
            extract.problem_line = extract.problem_line.max(1);
        }
        let number = self.rust.len() as u32;
        let (path, size) = (file.path.to_owned(), file.content.len() as u64);
        self.rust.push(RustFile { path, size, extract, fingerprints });
        self.by_path.insert(file.path, number);
        number
    }

    /// Text that is not Rust; Rust files were scanned when they were read.
    fn scan_other_text(&mut self) {
        for file in self.files.iter().filter(|file| !self.by_path.contains_key(file.path)) {
            if !file.content.is_ascii()
                && !file.content.contains(&0)
                && let Ok(text) = std::str::from_utf8(file.content)
            {
                let mut scan = characters::Scan {
                    file: file.path,
                    found: &mut self.characters,
                    total: &mut self.characters_total,
                    limit: self.limits.characters,
                    lines_before: 0,
                };
                scan.text(text);
            }
        }
    }

    /// Markdown, the pages that docs.rs is told to add, and what assistants obey. A browser's pages of an application are
    /// supposed to do something.
    fn remark_documentation(&mut self, manifest: &ManifestFacts) {
        for file in self.files.iter().filter(|file| !self.by_path.contains_key(file.path)) {
            let obeyed = special::role(file.path) == Some(SpecialRole::AssistantInstructions);
            let added = manifest.documentation_arguments.iter().any(|it| it.ends_with(file.path));
            if (obeyed || added || is_markdown(file.path))
                && file.content.len() <= DOCUMENTATION_BYTES
                && let Ok(text) = std::str::from_utf8(file.content)
            {
                let instructions = if obeyed { Instructions::Obeyed } else { Instructions::Read };
                self.remarks.documentation(file.path, text, instructions);
            }
        }
    }
}

fn is_markdown(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["md", "markdown", "mdx", "mdc"].iter().any(|it| extension.eq_ignore_ascii_case(it))
}

/// A tree that was made before, where reading the file anew would lead to the same: no more tokens than the limit, of which there are
/// at most as many as bytes, and no errors, behind which a single expression might be.
fn known_tree<'t>(trees: &Trees<'_, 't>, path: &str, text: &str, limits: &Limits) -> Option<&'t Tree<'t>> {
    let may_be = text.len() <= limits.tree_tokens;
    trees(path, text).filter(|tree| may_be && tree.errors.is_empty())
}

/// The compiler leaves a byte order mark out, the parser does not know it. Positions stay what they were: it is replaced by
/// space, or by the beginning of a comment where a `#!` line follows that would no longer be the first thing.
fn without_byte_order_mark(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.strip_prefix('\u{FEFF}') {
        Some(rest) if rest.starts_with("#!") && !rest.starts_with("#![") => format!("// {rest}").into(),
        Some(rest) => format!("   {rest}").into(),
        None => text,
    }
}

/// Goes through the tokens of a text once, for its remarks and its fingerprint.
fn tokens_of(text: &str, lexed: &LexedStr<'_>, mut remarks: RustScan<'_>) -> Tokens {
    let mut tokens = Tokens::with_capacity(lexed.len());
    let mut start = lexed.text_start(0);
    for index in 0..lexed.len() {
        let (kind, end) = (lexed.kind(index), lexed.text_start(index + 1));
        let token = &text[start..end];
        remarks.token(kind, start, token);
        tokens.push(kind, start, token);
        start = end;
    }
    tokens
}

fn is_rust(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("rs"))
}

impl Files for Package<'_, '_> {
    fn find(&mut self, path: &str) -> Option<u32> {
        if let Some(number) = self.by_path.get(path) {
            return Some(*number);
        }
        let index = self.files.binary_search_by_key(&path, |file| file.path).ok()?;
        let file = self.files[index];
        Some(self.read_rust_file(file))
    }

    fn path(&self, file: u32) -> &str {
        &self.rust[file as usize].path
    }

    fn extract(&self, file: u32) -> &FileExtract {
        &self.rust[file as usize].extract
    }
}

/// Facts of all files, with file and function numbers that hold for the package.
#[derive(Default)]
struct Assembled {
    source: SourceFacts,
    calls: Vec<Call>,
    /// Of each function.
    fingerprints: Vec<u64>,
    texts: Vec<ConstantText>,
    irs: Vec<Option<Box<flow::Ir>>>,
    /// Module path of each file: the first, if it has several.
    file_modules: Vec<String>,
    /// How many functions of a path there are, by path and first target.
    seen: HashMap<(String, Option<u16>), u32>,
    room: usize,
    truncated: bool,
}

impl Assembled {
    fn add(&mut self, file: u32, read: RustFile, places: &[Place]) {
        let RustFile { path, size, extract, fingerprints } = read;
        let unlinked = Place { module: String::new(), targets: Vec::new(), cfg: None };
        let first_function = self.source.functions.len() as u32;
        let places = if places.is_empty() { std::slice::from_ref(&unlinked) } else { places };
        for place in places {
            self.functions(file, &extract.functions, &fingerprints, place);
        }
        let functions = self.source.functions.len() as u32;
        self.count_file(&extract, places);
        let in_package = |function: Option<u32>| {
            function.map(|local| first_function + local).filter(|index| *index < functions)
        };
        self.calls.extend(extract.calls.into_iter().map(|call| Call {
            file,
            function: in_package(call.function),
            ..call
        }));
        self.source.rust_files.push(SourceFile {
            path,
            size,
            status: extract.status,
            errors: extract.errors,
            problem: extract.problem,
            problem_line: extract.problem_line,
            targets: targets_of(places),
            r#unsafe: extract.counters,
            forbids_unsafe: extract.forbids_unsafe,
        });
        let source = &mut self.source;
        source.foreign_blocks.extend(extract.foreign_blocks.into_iter().map(|it| with_file(it, file)));
        source.linkage.extend(extract.linkage.into_iter().map(|it| with_file(it, file)));
        source.uses.extend(extract.uses.into_iter().map(|it| with_file(it, file)));
        source.includes.extend(extract.includes.into_iter().map(|it| with_file(it, file)));
        source.macros.extend(extract.macros.into_iter().map(|it| with_file(it, file)));
        self.file_modules.push(places[0].module.clone());
        self.irs.push(extract.flow);
        for mut text in extract.texts {
            text.function = in_package(text.function);
            self.texts.push(with_file(text, file));
        }
        for mut site in extract.assembly {
            site.function = in_package(site.function);
            source.assembly.push(with_file(site, file));
        }
        for mut literal in extract.literals {
            literal.function = in_package(literal.function);
            source.literals.push(with_file(literal, file));
        }
    }

    fn count_file(&mut self, extract: &FileExtract, places: &[Place]) {
        self.source.files_total += 1;
        self.source.files_unlinked += u32::from(places.iter().all(|place| place.targets.is_empty()));
        self.source.r#unsafe.merge(&extract.counters);
        match extract.status {
            SourceFileStatus::Parsed => self.source.files_parsed += 1,
            _ => self.source.files_with_errors += 1,
        }
    }

    fn functions(&mut self, file: u32, functions: &[Function], fingerprints: &[u64], place: &Place) {
        for (number, function) in functions.iter().enumerate() {
            if self.truncated {
                return;
            }
            let path = join_path(&place.module, &function.path);
            let bytes = size_of::<Function>() + 2 * path.len() + 2 * place.targets.len();
            if bytes > self.room {
                self.truncated = true;
                return;
            }
            self.room -= bytes;
            let count = self.seen.entry((path.clone(), place.targets.first().copied())).or_default();
            let disambiguator = *count;
            *count += 1;
            self.fingerprints.push(fingerprints.get(number).copied().unwrap_or_default());
            self.source.functions.push(Function {
                path,
                disambiguator,
                file,
                targets: place.targets.clone(),
                cfg: join_cfg(place.cfg.as_deref(), function.cfg.as_deref()),
                ..function.clone()
            });
        }
    }
}

fn targets_of(places: &[Place]) -> Vec<u16> {
    let mut targets: Vec<u16> = places.iter().flat_map(|place| place.targets.iter().copied()).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Facts that carry a file number.
trait InFile {
    fn set_file(&mut self, file: u32);
}

fn with_file<T: InFile>(mut fact: T, file: u32) -> T {
    fact.set_file(file);
    fact
}

macro_rules! in_file {
    ($($kind:ident),*) => {
        $(impl InFile for cratekeeper_model::facts::$kind {
            fn set_file(&mut self, file: u32) {
                self.file = file;
            }
        })*
    };
}

in_file!(
    ForeignBlock,
    LinkageAttribute,
    UseImport,
    Include,
    MacroDefinition,
    AssemblySite,
    Literal,
    ConstantText
);

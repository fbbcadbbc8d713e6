//! Packs crates for tests, well-formed and hostile ones.
//!
//! Headers are filled in by hand: `tar::Builder` refuses to write most of what is wanted here.

use std::io::Write;

use flate2::{Compression, GzBuilder};
use tar::Header;

use crate::input::BLOCK;

/// Builds a `.crate` file in memory, for tests.
///
/// Every method adds to the archive in the order of the calls. The result depends on nothing else: no clock,
/// no user, no file. A small `Cargo.toml` is put first, unless [`without_manifest`] or [`empty`] says
/// otherwise, or a file of that name is added.
///
/// [`empty`]: CrateBuilder::empty
/// [`without_manifest`]: CrateBuilder::without_manifest
#[derive(Debug, Clone)]
pub struct CrateBuilder {
    root: String,
    manifest: Option<String>,
    tar: Vec<u8>,
    end: Vec<u8>,
    after: Vec<u8>,
    keep: Option<usize>,
}

impl CrateBuilder {
    /// A crate with this name and version in its root directory and manifest.
    #[must_use]
    pub fn new(name: &str, version: &str) -> CrateBuilder {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n");
        CrateBuilder { root: format!("{name}-{version}"), manifest: Some(manifest), ..CrateBuilder::empty() }
    }

    /// A tar archive with nothing in it and no root directory.
    #[must_use]
    pub fn empty() -> CrateBuilder {
        CrateBuilder {
            root: String::new(),
            manifest: None,
            tar: Vec::new(),
            end: vec![0; 2 * BLOCK],
            after: Vec::new(),
            keep: None,
        }
    }

    /// Leaves out the manifest that would be put first.
    #[must_use]
    pub fn without_manifest(self) -> CrateBuilder {
        CrateBuilder { manifest: None, ..self }
    }

    /// A file with mode 644. A path of more than 100 bytes gets a GNU long name, as cargo writes it.
    #[must_use]
    pub fn file(self, path: &str, contents: impl AsRef<[u8]>) -> CrateBuilder {
        self.file_with_mode(path, contents, 0o644)
    }

    /// A file with mode 755.
    #[must_use]
    pub fn executable(self, path: &str, contents: impl AsRef<[u8]>) -> CrateBuilder {
        self.file_with_mode(path, contents, 0o755)
    }

    /// A file with any mode.
    #[must_use]
    pub fn file_with_mode(mut self, path: &str, contents: impl AsRef<[u8]>, mode: u32) -> CrateBuilder {
        if path == "Cargo.toml" {
            self.manifest = None;
        }
        let path = self.below_root(path);
        if path.len() > NAME {
            self = self.gnu_long_name(path.as_bytes());
        }
        let mut header = header(path.as_bytes(), b'0', contents.as_ref().len() as u64);
        header.set_mode(mode);
        self.header(header).contents(contents.as_ref())
    }

    /// A directory entry, which cargo itself never writes.
    #[must_use]
    pub fn directory(self, path: &str) -> CrateBuilder {
        let path = format!("{}/", self.below_root(path));
        self.entry(b'5', path.as_bytes(), b"")
    }

    /// A file with the path exactly as given: no root is put before it. At most 100 bytes.
    #[must_use]
    pub fn raw_path(self, path: &[u8], contents: impl AsRef<[u8]>) -> CrateBuilder {
        self.entry(b'0', path, contents.as_ref())
    }

    /// An entry of any type, with the path exactly as given. At most 100 bytes of it are written.
    #[must_use]
    pub fn entry(self, entry_type: u8, path: &[u8], contents: &[u8]) -> CrateBuilder {
        self.header(header(path, entry_type, contents.len() as u64)).contents(contents)
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> CrateBuilder {
        self.link(b'2', path, target)
    }

    /// A hard link.
    #[must_use]
    pub fn hardlink(self, path: &str, target: &str) -> CrateBuilder {
        self.link(b'1', path, target)
    }

    /// A character device.
    #[must_use]
    pub fn device(self, path: &str) -> CrateBuilder {
        let path = self.below_root(path);
        self.entry(b'3', path.as_bytes(), b"")
    }

    /// A GNU long name for the next entry, in place of that entry's own path.
    #[must_use]
    pub fn gnu_long_name(self, path: &[u8]) -> CrateBuilder {
        let name = [path, b"\0"].concat();
        self.entry(b'L', b"././@LongLink", &name)
    }

    /// Pax records for the next entry.
    #[must_use]
    pub fn pax(self, records: &[(&str, &[u8])]) -> CrateBuilder {
        let records: Vec<u8> = records.iter().flat_map(|(key, value)| pax_record(key, value)).collect();
        self.entry(b'x', b"PaxHeaders/0", &records)
    }

    /// A file whose pax record claims another size than its header.
    #[must_use]
    pub fn pax_size(self, path: &str, contents: &[u8], claimed: u64) -> CrateBuilder {
        self.pax(&[("size", claimed.to_string().as_bytes())]).file(path, contents)
    }

    /// A sparse file in the old GNU form: a header that promises `size` bytes and has none.
    #[must_use]
    pub fn sparse(self, path: &str, size: u64) -> CrateBuilder {
        let path = self.below_root(path);
        let mut header = header(path.as_bytes(), b'S', 0);
        header.as_gnu_mut().expect("`header` makes GNU headers").set_real_size(size);
        self.header(header)
    }

    /// A file of `size` zero bytes, which compress a thousand times.
    #[must_use]
    pub fn bomb(self, path: &str, size: usize) -> CrateBuilder {
        self.file(path, vec![0; size])
    }

    /// A header as it is, with its checksum set.
    #[must_use]
    pub fn header(self, mut header: Header) -> CrateBuilder {
        header.set_cksum();
        self.raw(header.as_bytes())
    }

    /// Any bytes in the tar stream.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> CrateBuilder {
        self.tar.extend_from_slice(bytes);
        self
    }

    /// Any bytes in place of the two zero blocks that end the tar stream.
    #[must_use]
    pub fn end(self, bytes: &[u8]) -> CrateBuilder {
        CrateBuilder { end: bytes.to_vec(), ..self }
    }

    /// A second gzip member after the first, with these bytes in it.
    #[must_use]
    pub fn second_member(self, bytes: &[u8]) -> CrateBuilder {
        self.trailing(&gzip(bytes))
    }

    /// Bytes after the gzip stream.
    #[must_use]
    pub fn trailing(mut self, bytes: &[u8]) -> CrateBuilder {
        self.after.extend_from_slice(bytes);
        self
    }

    /// Keeps only the first `length` bytes of the finished file.
    #[must_use]
    pub fn truncate(self, length: usize) -> CrateBuilder {
        CrateBuilder { keep: Some(length), ..self }
    }

    /// The tar stream alone.
    #[must_use]
    pub fn build_tar(&self) -> Vec<u8> {
        let manifest = match &self.manifest {
            Some(text) => {
                let packed = CrateBuilder { root: self.root.clone(), ..CrateBuilder::empty() };
                packed.file("Cargo.toml", text).tar
            }
            None => Vec::new(),
        };
        [manifest.as_slice(), &self.tar, &self.end].concat()
    }

    /// The `.crate` file.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut bytes = gzip(&self.build_tar());
        bytes.extend_from_slice(&self.after);
        bytes.truncate(self.keep.unwrap_or(usize::MAX));
        bytes
    }

    fn below_root(&self, path: &str) -> String {
        if self.root.is_empty() { path.to_owned() } else { format!("{}/{path}", self.root) }
    }

    fn link(self, entry_type: u8, path: &str, target: &str) -> CrateBuilder {
        let path = self.below_root(path);
        let mut header = header(path.as_bytes(), entry_type, 0);
        header.set_link_name_literal(target).expect("link targets of tests are short");
        self.header(header)
    }

    fn contents(mut self, contents: &[u8]) -> CrateBuilder {
        self.tar.extend_from_slice(contents);
        self.tar.resize(self.tar.len().next_multiple_of(BLOCK), 0);
        self
    }
}

/// Length of a header's name field.
const NAME: usize = 100;

fn header(path: &[u8], entry_type: u8, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    let old = header.as_old_mut();
    old.linkflag = [entry_type];
    let length = path.len().min(NAME);
    old.name[..length].copy_from_slice(&path[..length]);
    header
}

/// `length key=value\n`, where the length counts its own digits.
fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// Compresses into one gzip member, the same bytes for the same input.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

//! What reading one package may cost.

/// What reading one package may cost. Going above any of these refuses the archive, a long path only its
/// entry.
///
/// All sizes are in bytes. The defaults let every crate through that the public registry would accept, with
/// its known exceptions to the upload limit, and stop everything that exists to exhaust the reader. A whole
/// package is held in memory, so `unpacked` times the number of packages that are read at once is the memory
/// that a machine needs in the worst case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of the `.crate` file. Default: 64 MiB. The public registry's limit is 10 MiB, raised by hand for
    /// a few dozen crates, of which none is known to need more than this.
    pub compressed: u64,
    /// Size of the tar stream, headers and padding included; of a directory, the sum of its files. Default:
    /// 512 MiB, as in the public registry. Cargo has the same, or twenty times the compressed size if that is
    /// more.
    pub unpacked: u64,
    /// Size of one file. Default: 256 MiB. The largest files in packages are static libraries of some ten
    /// megabytes; beyond this, one file would take most of the package's allowance.
    pub entry: u64,
    /// Number of tar headers, extension headers, directories and refused entries included. Default: 65,536.
    /// The largest generated crates have some ten thousand files. An empty file costs an attacker 512 bytes
    /// before compression and almost none after it, and costs us a path and a place in several lists.
    pub entries: u64,
    /// Length of a path, root included. Default: 1,024. Windows ends at 260 by default, Linux at 4,096; real
    /// packages stay below 300.
    pub path: u64,
    /// Size of one extension header: a GNU long name or a set of pax records. Default: 64 KiB, so that a
    /// path may be far too long and still be reported as such. `tar` itself reads these to memory at any size.
    pub extension: u64,
    /// How many times larger the tar stream may be than the compressed bytes read so far. Default: 200.
    /// Source compresses 4 to 10 times, generated tables up to 60 times; deflate ends at 1,032 times.
    pub ratio: u64,
    /// Size of the tar stream below which `ratio` is not looked at. Default: 32 MiB. Small archives consist
    /// of headers and padding, which compress a hundred times and harm nobody at this size.
    pub ratio_floor: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            compressed: 64 << 20,
            unpacked: 512 << 20,
            entry: 256 << 20,
            entries: 1 << 16,
            path: 1024,
            extension: 64 << 10,
            ratio: 200,
            ratio_floor: 32 << 20,
        }
    }
}

//! Every number the log refuses or bounds by, each with its reason.

/// Leaves of one log. A thousand a second fill it in 8,900 years, six levels of tiles hold it, and no
/// shift by whole tiles overflows a `u64` below it.
pub const LEAVES_MAX: u64 = 1 << 48;

/// Hashes of a full tile, and entries of a full bundle: the height of 8 that C2SP tlog-tiles fixes.
pub const TILE_WIDTH: u16 = 256;

/// Levels of the tree that one tile spans.
pub const TILE_HEIGHT: u32 = 8;

/// Bytes of a hash, of which a tile is a sequence.
pub const HASH_BYTES: usize = 32;

/// The highest level that a tile of this log can have: `LEAVES_MAX` is 256 to the power of six.
pub const TILE_LEVEL_MAX: u8 = 6;

/// Bytes of one entry of a bundle: its length is written in two bytes.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Bytes of a leaf of version 1: the version, a task's 16, five digests of 32, two times of 8.
pub const LEAF_BYTES: usize = 1 + 16 + 5 * 32 + 2 * 8;

/// Bytes of the name of a verifier's build: a program and the proof system's crates, each with its
/// version.
pub const BUILD_BYTES_MAX: usize = 128;

/// Tiles that a `Log` keeps while it makes proofs: one MiB with the hashes within them, and several
/// times the six levels that the proofs of one request touch. It forgets all when it has more.
pub const TILES_KEPT: usize = 64;

/// Bytes of an origin or of a key's name: a URL without its scheme, as a DNS name and a short path.
pub const NAME_BYTES_MAX: usize = 255;

/// Bytes of a whole signed note. The note format asks for room for sixteen signatures of up to
/// nearly 5 kB, which base64 makes 107 kB; this is twice that.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;

/// Signatures of one note. The format asks for at least sixteen; four times that leaves room for
/// every coordinator, a rotation of keys and a crowd of witnesses.
pub const SIGNATURES_MAX: usize = 64;

/// Lines of a checkpoint after its three. The format recommends none, and this log writes none.
pub const EXTENSIONS_MAX: usize = 16;

/// Keys that somebody trusts at once: the log's own through many rotations, and its witnesses.
pub const KEYS_MAX: usize = 256;

/// Bytes of the text of a key: its name, ten of an id, and the base64 of 33 bytes. Room to spare.
pub const KEY_TEXT_BYTES_MAX: usize = 512;

/// Bytes of a receipt's JSON: the largest note with every newline written in two, a path of 48
/// hashes in hexadecimal, and a leaf.
pub const RECEIPT_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 16 * 1024;

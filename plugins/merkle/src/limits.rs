//! The sizes a tree may have, each with the reason for its number.

/// Deepest tree: 2^32 positions are more than an application can fill, and 32 levels fit in
/// 2^11 rows.
pub const DEPTH_MAX: u32 = 32;

/// Depth when the parameters give none: 65,536 positions, which is also the most leaves that one
/// input may list. It fits in 2^10 rows.
pub const DEPTH_DEFAULT: u32 = 16;

/// Most leaves in one input. Each costs three permutations in the sandbox to rebuild the tree,
/// and 69 bytes of JSON: 65,536 of them are 4.5 MB, below the request limit of 8 MiB.
pub const LEAVES_MAX: usize = 65_536;

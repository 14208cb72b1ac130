//! What the tests share: leaves, keys, a shelf of tiles, and the RFC's definitions word for word.

use std::collections::BTreeMap;
use std::convert::Infallible;

use aureole_receipts::{
    Checkpoint, Digest, Hash, Head, Leaf, Opening, Salt, SignerKey, TaskId, Tile, TileKind,
    TileReader, Tree, TrustedKeys, Writer, commit, encode_bundle,
};

/// The log of the tests.
pub(crate) const ORIGIN: &str = "proofs.example/log";

/// A leaf like no other of another number.
pub(crate) fn leaf(number: u64) -> Leaf {
    let mut task = [0; 16];
    task[8..].copy_from_slice(&number.to_be_bytes());
    let digest = |what: &str| Digest::of(format!("{what} {number}").as_bytes());
    Leaf {
        task: TaskId::from_bytes(task),
        circuit: digest("circuit"),
        key: digest("key"),
        public_inputs: commit(&salt(number), &digest("inputs")),
        proof: digest("proof"),
        verifier: Digest::of(BUILD.as_bytes()),
        submitted_ms: 1_700_000_000_000 + number,
        finished_ms: 1_700_000_001_000 + number,
    }
}

/// Who verified the proofs of the tests.
pub(crate) const BUILD: &str = "aureole 0.1.0, halo2_proofs 0.4.1";

pub(crate) fn salt(number: u64) -> Salt {
    let mut salt = [7; 32];
    salt[..8].copy_from_slice(&number.to_be_bytes());
    Salt::from_bytes(salt)
}

/// What the leaf of a number keeps to itself.
pub(crate) fn opening(number: u64) -> Opening {
    Opening {
        salt: salt(number),
        public_inputs: Digest::of(format!("inputs {number}").as_bytes()),
        verifier: BUILD.to_owned(),
    }
}

pub(crate) fn hashes(count: u64) -> Vec<Hash> {
    (0..count).map(|number| leaf(number).hash()).collect()
}

pub(crate) fn tree(hashes: &[Hash]) -> Tree {
    let mut tree = Tree::new();
    for hash in hashes {
        tree.append(*hash).unwrap();
    }
    tree
}

/// The heads of all sizes from 0.
pub(crate) fn heads(hashes: &[Hash]) -> Vec<Head> {
    let mut tree = Tree::new();
    let mut heads = vec![tree.head()];
    for hash in hashes {
        tree.append(*hash).unwrap();
        heads.push(tree.head());
    }
    heads
}

pub(crate) fn signer(name: &str, seed: u8) -> SignerKey {
    SignerKey::from_seed(name, &[seed; 32]).unwrap()
}

pub(crate) fn trust(keys: &[&SignerKey]) -> TrustedKeys {
    TrustedKeys::new(keys.iter().map(|key| key.verifier().clone()).collect()).unwrap()
}

pub(crate) fn checkpoint(head: Head) -> Checkpoint {
    Checkpoint::new(ORIGIN, head).unwrap()
}

/// What a log keeps: every tile that appending leaves wrote, and the partial ones of its end.
pub(crate) fn written(leaves: impl IntoIterator<Item = Leaf>) -> (Writer, BTreeMap<Tile, Vec<u8>>) {
    let mut writer = Writer::new();
    let mut tiles = BTreeMap::new();
    for leaf in leaves {
        for done in writer.append(&leaf).unwrap().completed {
            assert!(tiles.insert(done.tile, done.bytes).is_none());
        }
    }
    tiles.extend(writer.partials().into_iter().map(|t| (t.tile, t.bytes)));
    (writer, tiles)
}

/// All tiles of all sizes of one log, cut by the specification's formula from every hash.
pub(crate) struct Shelf {
    levels: Vec<Vec<Hash>>,
    entries: Vec<Vec<u8>>,
}

impl Shelf {
    pub(crate) fn of(leaves: &[Leaf]) -> Self {
        let mut levels = vec![leaves.iter().map(Leaf::hash).collect::<Vec<_>>()];
        while levels.last().unwrap().len() >= 256 {
            let below = levels.last().unwrap();
            levels.push(below.chunks_exact(256).map(rfc::root).collect());
        }
        Self {
            levels,
            entries: leaves.iter().map(Leaf::encode).collect(),
        }
    }
}

impl TileReader for Shelf {
    type Error = Infallible;

    fn read(&self, tile: &Tile) -> Result<Option<Vec<u8>>, Infallible> {
        let start = usize::try_from(tile.index()).unwrap() * 256;
        let place = start..start + usize::from(tile.width());
        Ok(match tile.kind() {
            TileKind::Hashes { level } => self
                .levels
                .get(usize::from(level))
                .and_then(|hashes| hashes.get(place))
                .map(|hashes| hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()),
            TileKind::Entries => self
                .entries
                .get(place)
                .map(|entries| encode_bundle(entries).unwrap()),
        })
    }
}

/// RFC 6962, 2.1, and RFC 9162, 2.1, as they define things: slow and plain.
pub(crate) mod rfc {
    use aureole_receipts::Hash;

    fn split(size: usize) -> usize {
        size.next_power_of_two() / 2
    }

    pub(crate) fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::empty(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                Hash::of_node(&root(left), &root(right))
            }
        }
    }

    pub(crate) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        let (mut path, other) = if index < left.len() {
            (path(index, left), root(right))
        } else {
            (path(index - left.len(), right), root(left))
        };
        path.push(other);
        path
    }

    pub(crate) fn proof(old: usize, leaves: &[Hash]) -> Vec<Hash> {
        if old == 0 {
            return Vec::new();
        }
        subproof(old, leaves, true)
    }

    fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if whole {
                Vec::new()
            } else {
                vec![root(leaves)]
            };
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        let (mut proof, other) = if old <= left.len() {
            (subproof(old, left, whole), root(right))
        } else {
            (subproof(old - left.len(), right, false), root(left))
        };
        proof.push(other);
        proof
    }
}

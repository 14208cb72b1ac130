//! Tiles made anew from the leaves, by a member that has no others to ask.
//!
//! The hashes of a log follow from its leaves, and the facts say what they must come to. So whatever of
//! the hashes or of the frontier is lost or has rotted is made again from the entry bundles that are
//! there, and from the leaves that wait behind them. A bundle that is lost itself must be put back: from
//! a backup, or from anybody who keeps a copy of the log.

use aureole_receipts::limits::TILE_WIDTH;
use aureole_receipts::{Leaf, TileBytes, Tree, Writer, decode_bundle};

use super::{TileLog, TileLogError};

// === impl TileLog ===

impl TileLog {
    /// Makes every tile anew from the leaves that are here. Nothing is written unless they are, from
    /// the first to the last, the leaves of the facts.
    ///
    /// # Errors
    /// [`TileLogError::Behind`] if leaves are missing, [`TileLogError::Bundle`],
    /// [`TileLogError::Leaf`] and [`TileLogError::Root`] if some have rotted, and
    /// [`TileLogError::Io`].
    pub fn rebuild(&self, tree: &Tree) -> Result<(), TileLogError> {
        let mut edge = self.edge();
        // What was settled since the facts were read counts as well.
        let target = match edge.tree().size() > tree.size() {
            true => edge.tree().clone(),
            false => tree.clone(),
        };
        self.walk(&target, |_| Ok(()))?;
        // The same once more, now that it is known to be right.
        let writer = self.walk(&target, |tiles| self.keep(tiles))?;
        self.commit(&edge, &writer)?;
        self.waiting().reach(writer.tree().size());
        *edge = writer;
        Ok(())
    }

    /// Hashes the leaves that are here up to those of a tree, and hands out what they fill.
    fn walk(
        &self,
        target: &Tree,
        keep: impl Fn(&[TileBytes]) -> Result<(), TileLogError>,
    ) -> Result<Writer, TileLogError> {
        let mut writer = Writer::new();
        let needed = target.size();
        let take = |writer: &mut Writer, leaf: &Leaf| keep(&writer.append(leaf)?.completed);
        let width = u64::from(TILE_WIDTH);
        while let Some((bundle, bytes)) = self.folder.widest(writer.tree().size() / width)? {
            let index = bundle.index();
            let source = |source| TileLogError::Bundle { index, source };
            for entry in decode_bundle(&bytes).map_err(source)? {
                let index = writer.tree().size();
                if index == needed {
                    break;
                }
                let source = |source| TileLogError::Leaf { index, source };
                take(&mut writer, &Leaf::decode(entry).map_err(source)?)?;
            }
            let size = writer.tree().size();
            if size == needed || size % width != 0 {
                break;
            }
        }
        let have = writer.tree().size();
        for leaf in self.waiting().behind_of(have) {
            if writer.tree().size() < needed {
                take(&mut writer, &leaf)?;
            }
        }
        if writer.tree().size() < needed {
            return Err(TileLogError::Behind { have, needed });
        }
        if writer.tree() != target {
            return Err(TileLogError::Root {
                size: needed,
                found: writer.tree().root(),
                expected: target.root(),
            });
        }
        Ok(writer)
    }
}

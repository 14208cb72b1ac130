//! Checkpoints: the specification's example, signing and opening, what is refused.

use aureole_receipts::limits::LEAVES_MAX;
use aureole_receipts::{
    Checkpoint, CheckpointError, Hash, Head, Note, NoteError, TrustError, TrustedKeys,
};

use crate::kit::{ORIGIN, checkpoint, hashes, signer, tree, trust};

const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa \
    Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
    text.parse()
}

#[test]
fn the_specifications_example_is_read() {
    let note: Note = EXAMPLE.parse().unwrap();
    let read = parse(note.text()).unwrap();
    assert_eq!(read.origin(), "example.com/behind-the-sofa");
    assert_eq!(read.head().size, 20_852_163);
    assert!(read.head().root.to_string().starts_with("0ac5186a91863e8e"));
    assert_eq!(read.to_string(), note.text());
    assert_eq!(read.extensions(), [""; 0]);
}

#[test]
fn what_a_log_signs_opens_under_its_key() {
    let key = signer(ORIGIN, 1);
    let head = tree(&hashes(5)).head();
    let note = checkpoint(head).sign(&[&key]).unwrap().to_string();
    let opened = Checkpoint::open(&note, &trust(&[&key])).unwrap();
    assert_eq!(opened.checkpoint, checkpoint(head));
    assert_eq!(opened.signers, [key.verifier().clone()]);
}

#[test]
fn an_empty_log_has_a_checkpoint() {
    let empty = checkpoint(tree(&[]).head());
    assert!(
        empty
            .to_string()
            .starts_with("proofs.example/log\n0\n47DEQpj8")
    );
    assert_eq!(parse(&empty.to_string()), Ok(empty));
}

#[test]
fn an_old_and_a_new_key_overlap_while_they_rotate() {
    let (old, new) = (signer(ORIGIN, 1), signer(ORIGIN, 2));
    let head = tree(&hashes(9)).head();
    let note = checkpoint(head).sign(&[&old, &new]).unwrap().to_string();
    for key in [&old, &new] {
        assert_eq!(
            Checkpoint::open(&note, &trust(&[key]))
                .unwrap()
                .signers
                .len(),
            1
        );
    }
    let both = [&old, &new].map(|key| key.verifier().clone()).to_vec();
    let both = TrustedKeys::at_least(2, both).unwrap();
    assert_eq!(Checkpoint::open(&note, &both).unwrap().signers.len(), 2);
}

#[test]
fn the_key_of_one_log_vouches_for_no_other() {
    let (log, other) = (signer(ORIGIN, 1), signer("other.example/log", 2));
    let made = checkpoint(tree(&hashes(2)).head());
    let foreign = CheckpointError::Foreign {
        origin: ORIGIN.to_owned(),
    };
    assert_eq!(made.sign(&[&other]), Err(foreign.clone()));
    let note = Note::sign(&made.to_string(), &[&other])
        .unwrap()
        .to_string();
    assert_eq!(
        Checkpoint::open(&note, &trust(&[&other, &log])),
        Err(foreign)
    );
    // As a witness beside the log it may sign.
    let note = made.sign(&[&log, &other]).unwrap().to_string();
    let opened = Checkpoint::open(&note, &trust(&[&other, &log])).unwrap();
    assert_eq!(opened.signers.len(), 2);
}

#[test]
fn a_checkpoint_that_is_no_note_or_not_trusted_is_refused() {
    let key = signer(ORIGIN, 1);
    let made = checkpoint(tree(&hashes(2)).head());
    let open = |note: &str| Checkpoint::open(note, &trust(&[&key])).unwrap_err();
    let unsigned = CheckpointError::Note(NoteError::NoSignatures);
    assert_eq!(open(&made.to_string()), unsigned);
    let untrusted = CheckpointError::Trust(TrustError::TooFew {
        found: 0,
        wanted: 1,
    });
    assert_eq!(open(EXAMPLE), untrusted);
    let note = made.sign(&[&key]).unwrap().to_string();
    let forged = open(&note.replacen("\n2\n", "\n3\n", 1));
    assert!(matches!(
        forged,
        CheckpointError::Trust(TrustError::Forged { .. })
    ));
}

#[test]
fn texts_that_are_no_checkpoints_are_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for text in [
        "",
        "a\n",
        "a\n1\n",
        &format!("a\n1\n{root}"),
        &format!("a\n1\n{root}\n\nx\n"),
    ] {
        assert_eq!(parse(text), Err(CheckpointError::Lines), "{text:?}");
    }
    let origin = CheckpointError::Origin { max: 255 };
    assert_eq!(parse(&format!("\n1\n{root}\n")), Err(origin.clone()));
    let head = tree(&[]).head();
    assert_eq!(Checkpoint::new(&"x".repeat(256), head), Err(origin.clone()));
    assert_eq!(Checkpoint::new("a\nb", head), Err(origin));
    for size in ["", "01", "+1", "-1", "1 ", "0x1", "18446744073709551616"] {
        let refused = parse(&format!("a\n{size}\n{root}\n"));
        let expected = CheckpointError::Size {
            text: size.to_owned(),
        };
        assert_eq!(refused, Err(expected), "{size:?}");
    }
    for root in ["", "AAAA", &root[..43], &format!("{root}=")] {
        let refused = parse(&format!("a\n1\n{root}\n"));
        assert_eq!(refused, Err(CheckpointError::Root), "{root:?}");
    }
}

#[test]
fn sizes_and_extensions_are_bounded() {
    let head = Head {
        size: LEAVES_MAX + 1,
        root: Hash::empty(),
    };
    let too_large = CheckpointError::TooLarge {
        size: LEAVES_MAX + 1,
        max: LEAVES_MAX,
    };
    assert_eq!(Checkpoint::new("a", head), Err(too_large));
    let text = checkpoint(tree(&[]).head()).to_string() + "one\ntwo\n";
    let read = parse(&text).unwrap();
    assert_eq!(read.extensions(), ["one", "two"]);
    assert_eq!(read.to_string(), text);
    let extensions = CheckpointError::Extensions { found: 17, max: 16 };
    assert_eq!(parse(&(text + &"x\n".repeat(15))), Err(extensions));
}

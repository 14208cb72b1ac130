//! Keys and whom to trust: the published text forms, secrets that do not show, refusals.

use aureole_receipts::limits::KEYS_MAX;
use aureole_receipts::{KeyError, SignerKey, TrustError, TrustedKeys, VerifierKey};

use crate::kit::signer;

/// From the tests of Go's package for notes, which has had this form since before it was specified.
const SIGNER: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

/// From the specification.
const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

#[test]
fn published_keys_parse_and_print_as_they_were() {
    for text in [VERIFIER, EXAMPLE] {
        assert_eq!(text.parse::<VerifierKey>().unwrap().to_string(), text);
    }
    let signer = SignerKey::from_text(SIGNER).unwrap();
    assert_eq!(signer.to_text().as_str(), SIGNER);
    assert_eq!(signer.verifier().to_string(), VERIFIER);
    assert_eq!(signer.verifier().name(), "PeterNeumann");
    assert_eq!(signer.verifier().id(), 0xc74f_20a3);
}

#[test]
fn a_signer_does_not_show_its_secret() {
    let signer = SignerKey::from_text(SIGNER).unwrap();
    assert_eq!(format!("{signer:?}"), "SignerKey(PeterNeumann+c74f20a3)");
}

#[test]
fn a_key_whose_parts_do_not_belong_together_is_refused() {
    let id = KeyError::Id {
        found: 0x530d_903b,
        computed: 0x530d_903a,
    };
    let changed = EXAMPLE.replace("530d903a", "530d903b");
    assert_eq!(changed.parse::<VerifierKey>(), Err(id));
    let renamed = EXAMPLE.replace("/foo", "/bar").parse::<VerifierKey>();
    assert!(matches!(renamed, Err(KeyError::Id { .. })));
    let changed = SIGNER.replace("c74f20a3", "00000000");
    let refused = SignerKey::from_text(&changed).unwrap_err();
    assert!(matches!(refused, KeyError::Id { found: 0, .. }));
}

#[test]
fn texts_that_are_no_keys_are_refused() {
    let parse = |text: &str| text.parse::<VerifierKey>().unwrap_err();
    for text in [
        "name",
        "name+530d903a",
        "name+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "name+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "name+530d903a+",
        "name+530d903a+AekyeRrm56hApGFkyQR4",
        "name+530d903a+****",
    ] {
        assert_eq!(parse(text), KeyError::Format, "{text:?}");
    }
    assert_eq!(
        SignerKey::from_text(VERIFIER).unwrap_err(),
        KeyError::Format
    );
    assert_eq!(parse("name+530d903a+BAAA"), KeyError::Type { found: 4 });
    let too_long = KeyError::TooLong {
        bytes: 513,
        max: 512,
    };
    assert_eq!(parse(&"x".repeat(513)), too_long);
}

#[test]
fn names_have_no_space_plus_or_control_character() {
    for name in [
        "",
        "a b",
        "a\u{2003}b",
        "a+b",
        "a\nb",
        "a\u{7f}b",
        &"x".repeat(256),
    ] {
        let refused = SignerKey::from_seed(name, &[1; 32]).unwrap_err();
        assert_eq!(refused, KeyError::Name { max: 255 }, "{name:?}");
    }
}

#[test]
fn a_key_under_which_anything_is_signed_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let weak = KeyError::Weak {
        name: "log".to_owned(),
    };
    assert_eq!(VerifierKey::new("log", &identity), Err(weak.clone()));
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert_eq!(VerifierKey::new("log", &off_curve), Err(weak));
}

#[test]
fn keys_that_would_count_twice_or_never_suffice_are_refused() {
    let keys = |seeds: std::ops::Range<u8>| -> Vec<VerifierKey> {
        seeds
            .map(|seed| signer("log", seed).verifier().clone())
            .collect()
    };
    let unreachable = |wanted, keys| Err(TrustError::Unreachable { wanted, keys });
    assert_eq!(TrustedKeys::new(Vec::new()), unreachable(1, 0));
    assert_eq!(TrustedKeys::at_least(0, keys(0..2)), unreachable(0, 2));
    assert_eq!(TrustedKeys::at_least(3, keys(0..2)), unreachable(3, 2));
    let other = signer("other", 0).verifier().clone();
    for second in [keys(0..1).remove(0), other] {
        let repeated = TrustError::Repeated {
            name: second.name().to_owned(),
            id: second.id(),
        };
        let both = [keys(0..1), vec![second]].concat();
        assert_eq!(TrustedKeys::new(both), Err(repeated));
    }
    let many = vec![keys(0..1).remove(0); KEYS_MAX + 1];
    let too_many = TrustError::TooMany {
        found: 257,
        max: 256,
    };
    assert_eq!(TrustedKeys::new(many), Err(too_many));
}

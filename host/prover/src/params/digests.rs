//! SHA-256 of the parameter files for small k, so that a damaged or foreign file is noticed.
//!
//! The parameters are a hash of their index and nothing else: any correct machine computes these
//! bytes. `generated_parameters_have_the_known_digests` recomputes the small ones on every test
//! run; the example `params_digests` prints the whole table.

/// Least k of the table and of [`ParamsDir`](crate::ParamsDir): halo2's smallest circuit needs
/// eight rows.
pub(super) const K_MIN: u32 = 3;

/// For k = 3 and up.
const DIGESTS: [&str; 12] = [
    "0bd0df6b76a96eb97bf1de8d1ceb133dc1eb09560532f2874821e0520059e79b", // k = 3
    "5c0b8093a964af7191df4749a7310c00140ebc9977b118debe5715fda30efa7f", // k = 4
    "106977185e775dffe917fe065308d3469d747e79617911bfb7d3f78e2bcb552c", // k = 5
    "606ec71853588ea2414707e98ffb181091f6985d294d03d4165fb400a9a6b3a6", // k = 6
    "432e492288c43ccabdffb913625109ca76f66312cd4625c9a258a2e33a28c400", // k = 7
    "96d2448c483f4df37e69b4f72db328cd8520b09d49f5e7c801da7994150b9b33", // k = 8
    "b7ea13dd3cfe5db384fab28fd90c4ca7327fb20d3fde16c12eb8b3f81538cb62", // k = 9
    "65235f086265cdf98b12514ab36fe9b849198870918d73cd160903ceb0a954dc", // k = 10
    "1eab6f93a080ce41b908d935c04bd2e3ed1ac23f277c15d11c499d56d28fa0f7", // k = 11
    "1b97b06da453b9efb1ae18b9ba77c3d870f22dc72898297d5707e340c3f44865", // k = 12
    "76ebe6b75b5281cb1dcc2eb04888968573758672b521522f62abedf6366bb876", // k = 13
    "1cb278fe4d9cf5325e5cbc710d863c0deca3e961e1b8f6c8736890c43345c461", // k = 14
];

/// The digest of the file for k, if it is known.
pub(super) fn known_digest(k: u32) -> Option<&'static str> {
    let index = usize::try_from(k.checked_sub(K_MIN)?).ok()?;
    DIGESTS.get(index).copied()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first broken fact")]
mod tests {
    use halo2_proofs::poly::commitment::Params;
    use pasta_curves::EqAffine;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn generated_parameters_have_the_known_digests() {
        // Above k = 10 it takes seconds: the example does those.
        for k in K_MIN..=10 {
            let mut bytes = Vec::new();
            Params::<EqAffine>::new(k).write(&mut bytes).unwrap();
            assert_eq!(
                known_digest(k),
                Some(hex::encode(Sha256::digest(&bytes)).as_str())
            );
        }
    }

    #[test]
    fn the_table_ends_at_fourteen() {
        assert!(known_digest(K_MIN - 1).is_none());
        assert_eq!(known_digest(14).map(str::len), Some(64));
        assert!(known_digest(15).is_none());
    }
}

//! Every limit, with its reason.

use std::time::Duration;

/// Bytes of a discovery document or a key set. Those of the large providers have 2 to 20 KiB.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// Keys of a set that are looked at. Providers publish two or three, and some one for each tenant.
pub const KEYS_MAX: usize = 64;

/// Keys that one token is tried with: those without a `kid`, or with the same one.
pub const TRIED_MAX: usize = 4;

/// How long a document may take, with its connection.
pub const FETCH_MAX: Duration = Duration::from_secs(5);

/// How long keys count as fresh: a provider that takes a key back is believed within this time.
pub const FRESH_FOR: Duration = Duration::from_secs(600);

/// How long the issuer is left alone after a fetch, whatever came of it and whoever waited: tokens with made-up key ids
/// cost it six requests a minute at most.
pub const FETCH_EVERY: Duration = Duration::from_secs(10);

/// How long keys count while the issuer is away: longer than most outages, shorter than a weekend in
/// which nobody notices that a stolen key was taken back.
pub const STALE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Seconds that the clocks of the issuer and of this machine may differ.
pub const LEEWAY_SECONDS: u64 = 60;

/// Bytes of an RSA modulus: 2,048 bits, what NIST SP 800-131A asks for.
pub const RSA_BYTES_MIN: usize = 256;

/// Bytes of a subject (OpenID Connect Core 1.0, section 2).
pub const SUBJECT_BYTES_MAX: usize = 255;

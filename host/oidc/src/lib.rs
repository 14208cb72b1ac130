//! Tokens of an identity provider: whether they are its, and what they say.
//!
//! An [`Issuer`] follows [`Rules`] from the configuration: it finds the provider's keys by OpenID
//! Connect Discovery, and checks a token's signature, issuer, audience and times. What tenant and role
//! a [`Bearer`] has is for others to decide.

mod fetch;
mod issuer;
mod keyset;
pub mod limits;
mod rules;
mod token;

pub use issuer::{CheckError, ClientError, Issuer};
pub use rules::{Rules, RulesError};
pub use token::{Bearer, Refusal};

//! The first-party plugins, each for two sets of parameters or inputs.

use std::marker::PhantomData;

use aureole_ir::PublicInput;
use aureole_merkle::Merkle;
use aureole_preimage::Preimage;
use aureole_range::Range;
use aureole_sdk::{K, Plugin};
use pasta_curves::Fp;

use crate::{case::Case, conformance::conforms};

/// A plugin with parameters and an input.
pub trait Document {
    type Plugin: Plugin;
    const PARAMS: &'static str;
    const INPUT: &'static str;
}

/// The plugin's circuit as a case.
pub struct First<D>(PhantomData<D>);

impl<D: Document> Case for First<D> {
    type Circuit = <D::Plugin as Plugin>::Circuit;

    fn k() -> K {
        D::Plugin::k(&params::<D>())
    }

    fn public_inputs() -> Vec<PublicInput> {
        D::Plugin::public_inputs(&params::<D>())
    }

    fn empty() -> Self::Circuit {
        D::Plugin::shape(&params::<D>())
    }

    fn filled() -> (Self::Circuit, Vec<Vec<Fp>>) {
        let input = serde_json::from_str(D::INPUT).unwrap();
        let (circuit, values) = D::Plugin::assign(&params::<D>(), input).unwrap();
        let mut instance: Vec<Vec<Fp>> = Vec::new();
        let mut values = values.into_iter();
        for public_input in Self::public_inputs() {
            let column = public_input.column as usize;
            instance.resize(instance.len().max(column + 1), Vec::new());
            instance[column].extend(values.by_ref().take(public_input.rows as usize));
        }
        (circuit, instance)
    }
}

fn params<D: Document>() -> <D::Plugin as Plugin>::Params {
    serde_json::from_str(D::PARAMS).unwrap()
}

macro_rules! document {
    ($name:ident, $plugin:ty, $params:literal, $input:literal) => {
        pub struct $name;

        impl Document for $name {
            type Plugin = $plugin;
            const PARAMS: &'static str = $params;
            const INPUT: &'static str = $input;
        }
    };
}

document!(
    MerkleDefault,
    Merkle,
    "{}",
    r#"{"leaves":["0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef","0xfedcba0987654321fedcba0987654321fedcba0987654321fedcba0987654321"],"leaf_index":0}"#
);
document!(
    MerklePublic,
    Merkle,
    r#"{"depth":3,"public_leaf":true,"public_index":true}"#,
    r#"{"leaves":["0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff","0x0000000000000000000000000000000000000000000000000000000000000000","0x0000000000000000000000000000000000000000000000000000000000000001"],"leaf_index":2}"#
);
document!(
    Range64,
    Range,
    "{}",
    r#"{"value":"18","lo":"0","hi":"18446744073709551615","blinding":"0x0000000000000000000000000000000000000000000000000000000000000005"}"#
);
document!(
    Range10,
    Range,
    r#"{"bits":10}"#,
    r#"{"value":500,"lo":500,"hi":1000,"blinding":"0x0000000000000000000000000000000000000000000000000000000000000005"}"#
);
document!(
    PreimageOnly,
    Preimage,
    "{}",
    r#"{"message":["0x0000000000000000000000000000000000000000000000000000000000000001","0x0000000000000000000000000000000000000000000000000000000000000002"]}"#
);

conforms!(merkle_with_default_parameters, First<MerkleDefault>);
conforms!(
    merkle_of_depth_three_with_everything_public,
    First<MerklePublic>
);
conforms!(range_of_64_bits, First<Range64>);
conforms!(range_of_10_bits, First<Range10>);
conforms!(preimage, First<PreimageOnly>);

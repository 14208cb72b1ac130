//! The circuit under halo2's mock prover, natively: `cargo test`.

use aureole_audit::{tampered_cells, tampered_public_inputs};
use aureole_sdk::{Fp, native};
use __ident__::{ProductCircuit, ProductPlugin};

const K: u32 = 4;

fn good() -> (ProductCircuit, Vec<Vec<Fp>>) {
    let factors = [2, 3, 5].map(Fp::from);
    (ProductCircuit::new(&factors), vec![vec![Fp::from(30)]])
}

#[test]
fn factors_pass_under_their_product() {
    native::mock::<ProductPlugin>(r#"{"factors":3}"#, r#"{"factors":[2,3,5]}"#).unwrap();
}

#[test]
fn the_circuit_keeps_the_rules_of_the_platform() {
    native::check::<ProductPlugin>(r#"{"factors":3}"#).unwrap();
}

#[test]
fn the_circuit_grows_with_the_number_of_factors() {
    let k = |params| native::check::<ProductPlugin>(params).unwrap().shape().k;
    assert_eq!(k(r#"{"factors":3}"#), K);
    assert_eq!(k(r#"{"factors":1000}"#), 10);
}

#[test]
fn no_cell_can_be_changed_alone() {
    let (circuit, public) = good();
    assert_eq!(tampered_cells(K, circuit, &public).unwrap(), []);
}

#[test]
fn no_public_input_can_be_changed() {
    let (circuit, public) = good();
    assert_eq!(tampered_public_inputs(K, &circuit, &public).unwrap(), []);
}

#[test]
fn a_zero_is_refused_at_its_place() {
    let refused = native::witness::<ProductPlugin>(r#"{"factors":2}"#, r#"{"factors":[7,0]}"#);
    assert!(refused.unwrap_err().to_string().contains("/factors/1"));
}

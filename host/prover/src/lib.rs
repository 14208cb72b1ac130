//! A checked circuit to keys, proofs, verdicts and diagnoses, with stock halo2.

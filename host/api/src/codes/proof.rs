//! Codes of proofs and public inputs handed in for verification.

codes! {
    INVALID = "proof.invalid", 500, "a worker made a proof that does not verify",
        "Proofs are verified before they are accepted; this one was not, and the attempt failed.",
        "The task is tried again; if every attempt ends so, report the circuit.";
    ENCODING = "proof.encoding", 422, "the proof is not base64",
        "proof is standard base64 with padding and no white space.",
        "Encode the bytes of GET /api/v1/tasks/{id}/proof.";
    LENGTH = "proof.length", 422, "the proof has the wrong length",
        "A circuit's proofs have one exact length; stock halo2 would accept trailing bytes, this platform does not.",
        "The detail has both lengths.";
    PUBLIC_INPUTS_LENGTH = "public_inputs.length", 422, "the number of public inputs is wrong",
        "A name is missing, unknown, or has another number of elements than the circuit declares.",
        "GET /api/v1/circuits/{id} lists names and rows.";
    PUBLIC_INPUTS_ENCODING = "public_inputs.encoding", 422, "a public input is malformed",
        "An element is 0x and 64 lower-case hex digits, big-endian.",
        "Send it as the task showed it.";
    PUBLIC_INPUTS_NON_CANONICAL = "public_inputs.field_non_canonical", 422, "a public input is not below the field's modulus",
        "Elements have one form only.",
        "Reduce the number by the modulus.";
}

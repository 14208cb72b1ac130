//! Codes of verifying keys: names, rotation, revocation.

codes! {
    UNKNOWN = "verifying_key.unknown", 404, "no such key",
        "No key is published under this name, or no circuit has it.",
        "GET /api/v1/verifying-keys lists the names.";
    REVOKED = "verifying_key.revoked", 409, "the circuit's key is revoked",
        "Proofs under the key are worth nothing any more: its circuit or its verifier was found to be faulty.",
        "The detail has the reason; use the circuit that is current under the key's name.";
    NAME = "verifying_key.name", 422, "the name of the key is malformed",
        "A name has 1 to 63 of the characters a-z, 0-9 and -.",
        "Choose another name.";
    NAME_TAKEN = "verifying_key.name_taken", 409, "the name belongs to another tenant",
        "Keys are published under a name by the tenant that used it first.",
        "Choose another name.";
    REASON = "verifying_key.reason", 422, "the reason for the revocation is missing or too long",
        "A reason has 1 to 512 bytes.",
        "Say in a sentence why, with a link to more.";
}

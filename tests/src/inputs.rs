//! Inputs of the first-party plugins.

use serde_json::{Value, json};

/// The request that the README shows, byte for byte.
pub const MERKLE_REQUEST: &str = r#"{"leaves":["0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef","0xfedcba0987654321fedcba0987654321fedcba0987654321fedcba0987654321"],"leaf_index":0}"#;

/// Two leaves, of which the first is proved.
pub fn merkle_input() -> Value {
    json!({
        "leaves": [
            "0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef",
            "0xfedcba0987654321fedcba0987654321fedcba0987654321fedcba0987654321",
        ],
        "leaf_index": 0,
    })
}

/// A message whose first element is `number`.
pub fn preimage_input(number: u64) -> Value {
    json!({"message": [format!("0x{number:064x}"), format!("0x{:064x}", 42)]})
}

/// 18 lies between 0 and 100.
pub fn range_input() -> Value {
    json!({"value": 18, "lo": 0, "hi": 100, "blinding": format!("0x{:064x}", 5)})
}

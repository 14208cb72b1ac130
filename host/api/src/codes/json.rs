//! Codes of reading a JSON body.

codes! {
    SYNTAX = "json.syntax", 400, "the body is not JSON",
        "The body is empty, not JSON, or something follows the JSON value.",
        "The detail names line and column.";
    ENCODING = "json.encoding", 400, "the body is not UTF-8",
        "JSON is read as UTF-8, without a byte order mark.",
        "Encode the body as UTF-8.";
    DUPLICATE_KEY = "json.duplicate_key", 400, "a key stands twice in one object",
        "Readers disagree on which of two equal keys counts, so neither does.",
        "Remove one; the path names the key.";
    DEPTH = "json.depth", 400, "the JSON is nested too deeply",
        "Arrays and objects may be nested 64 deep.",
        "Flatten the document.";
    SIZE = "json.size", 422, "the JSON has too many values",
        "A document may have 1,000,000 values: every number, string, array, object, true, false and null counts.",
        "Send less in one request.";
    NUMBER = "json.number", 422, "a number cannot be held exactly",
        "An integer outside 64 bits, or a number with a magnitude of 2^53 or more written with an exponent or point, would lose digits.",
        "Write the number as a decimal string.";
    UNKNOWN_FIELD = "json.unknown_field", 422, "a field is unknown",
        "The object has a field that this request does not know.",
        "Remove it or correct its spelling; the detail lists the known ones.";
    MISSING_FIELD = "json.missing_field", 422, "a field is missing",
        "A required field is absent.",
        "Add the field that the detail names.";
    TYPE = "json.type", 422, "a value has the wrong type or form",
        "The value at the path is not what this field takes.",
        "The detail says what was expected.";
}

//! Codes of a plugin: its upload, its inspection, its calls.

codes! {
    UNKNOWN = "plugin.unknown", 404, "no such plugin",
        "No plugin has this name, version or digest.",
        "List the plugins with GET /api/v1/plugins.";
    RETIRED = "plugin.retired", 409, "the plugin is retired",
        "A retired plugin takes no new circuits and tasks; what it has proved stays.",
        "Use a newer version.";
    NOT_READY = "plugin.inspecting", 409, "the plugin is still being inspected",
        "An uploaded plugin can be used once its inspection has ended.",
        "Ask GET /api/v1/plugins/{digest}?wait=30s until it is ready.";
    REJECTED = "plugin.rejected", 409, "the plugin was rejected",
        "Its inspection found the reason that its record names.",
        "Read the record's problem, rebuild and upload again.";
    VERSION_REQUIRED = "plugin.version_required", 422, "the version must be named",
        "Retiring needs the exact plugin: a name alone may mean several.",
        "DELETE /api/v1/plugins/{name}/{version}, or name the component's digest.";
    VERSION_IMMUTABLE = "plugin.version_immutable", 409, "this version exists with other bytes",
        "The bytes published under a name and version never change.",
        "Raise the version in the plugin's Cargo.toml.";
    PUBLIC_NAME_TAKEN = "plugin.public_name_taken", 409, "another plugin is public under this name and version",
        "Everybody must mean the same by the name and version of a public plugin.",
        "Raise the version, or share the plugin with named tenants.";
    NOT_YOURS = "plugin.not_yours", 403, "the plugin is another tenant's",
        "It is shared with yours, which may use it, and neither share nor retire it.",
        "Ask the tenant that uploaded it.";
    EMPTY = "plugin.empty", 422, "the component is empty",
        "No bytes were uploaded.",
        "Send the component's bytes as the body.";
    TOO_LARGE = "plugin.too_large", 413, "the component is too large",
        "A component has at most 8 MiB.",
        "Build in release mode with strip and opt-level s.";
    NOT_COMPONENT = "plugin.not_component", 422, "the file is not a WebAssembly component",
        "It is a core module, or no WebAssembly at all.",
        "Build it as a component; cargo xtask plugins shows how.";
    MALFORMED = "plugin.malformed", 422, "the component is malformed",
        "It is truncated, or does not validate.",
        "Upload the file as the tools wrote it.";
    PRECOMPILED_REJECTED = "plugin.precompiled_rejected", 422, "precompiled code is not taken",
        "The file is machine code, which a node takes from itself only.",
        "Upload the component it was compiled from.";
    IMPORT_DENIED = "plugin.import_denied", 422, "the component imports what it may not",
        "A plugin may import aureole:circuit/log and nothing else: no WASI, no other host function.",
        "Build for wasm32-unknown-unknown and remove what needs the import that the detail names.";
    WORLD_MISMATCH = "plugin.world_mismatch", 422, "the component does not have the plugin's world",
        "An export is missing or has another signature.",
        "Build with an SDK of a released contract version.";
    FEATURE_DENIED = "plugin.feature_denied", 422, "the component uses a WebAssembly feature that is off",
        "Threads, GC, exceptions, 64-bit memories and async components are off.",
        "Turn the feature off in the plugin's build.";
    TOO_COMPLEX = "plugin.too_complex", 422, "the component is too complex to compile",
        "It has more functions, types, nested components, blocks or locals than the limit that the detail names.",
        "Make the plugin smaller.";
    LIMITS = "plugin.limits", 422, "the component asks for too much",
        "Its declared memories or tables are over the limit that the detail names.",
        "Lower the declared minimum.";
    COMPILE_TIMEOUT = "plugin.compile_timeout", 422, "compiling took too long",
        "Compilation has a budget of processor time and memory.",
        "Split very large functions.";
    COMPILE_FAILED = "plugin.compile_failed", 422, "the component does not compile",
        "The compiler refused it or ended without a result.",
        "The detail says why.";
    NAME = "plugin.name", 422, "the plugin's name is malformed",
        "A name has 1 to 63 lower-case letters, digits and dashes.",
        "Change NAME in the plugin.";
    VERSION = "plugin.version", 422, "the plugin's version is malformed",
        "A version is a semantic version such as 1.2.3.",
        "Change VERSION in the plugin.";
    DESCRIPTION = "plugin.description", 422, "the plugin's description is not acceptable",
        "What the plugin says of itself cannot be read or shown.",
        "The detail names the field.";
    TRAP = "plugin.trap", 422, "the plugin trapped",
        "The plugin's code ended with a WebAssembly trap, usually a Rust panic.",
        "The detail has the trap's kind; run the plugin's own tests with this input.";
    TIMEOUT = "plugin.timeout", 422, "the plugin ran too long",
        "A call has a deadline.",
        "The detail names the limit; look for a loop without end.";
    MEMORY_LIMIT = "plugin.memory_limit", 422, "the plugin used too much memory",
        "A plugin's memory is capped.",
        "The detail names the limit.";
    STACK_OVERFLOW = "plugin.stack_overflow", 422, "the plugin's stack overflowed",
        "A plugin's stack is capped.",
        "Look for recursion.";
    TABLE_LIMIT = "plugin.table_limit", 422, "the plugin's table grew too large",
        "Tables are capped.",
        "The detail names the limit.";
    ABI_VIOLATION = "plugin.abi_violation", 422, "the plugin broke the component ABI",
        "It returned a pointer, string, enum or list that is not what its type says.",
        "Build with the SDK.";
    HOSTCALL_LIMIT = "plugin.hostcall_limit", 422, "the plugin passed too much to the host",
        "The bytes that cross between plugin and host in one call are capped.",
        "Return less.";
    HANDLE_LIMIT = "plugin.handle_limit", 422, "the plugin holds too many handles",
        "Handles are capped.",
        "Drop what is not needed.";
    OUTPUT_LIMIT = "plugin.output_limit", 422, "the plugin's answer is too large",
        "A circuit and a witness have a limit in bytes.",
        "The detail names the limit.";
    NONDETERMINISTIC = "plugin.nondeterministic", 422, "the plugin changes its circuit from call to call",
        "A circuit is recorded twice with the same parameters, and the two must be equal.",
        "Let nothing but the parameters decide what the circuit is.";
    INTERNAL = "plugin.internal", 422, "the plugin reported a failure of its own",
        "The plugin answered an internal error; the detail is its text.",
        "Ask the plugin's author.";
    OUTPUT_MALFORMED = "plugin.output_malformed", 422, "the plugin's answer is malformed",
        "A byte list in the answer is not a whole number of entries.",
        "Build with the SDK.";
    SCHEMA = "plugin.schema", 422, "a schema of the plugin is not acceptable",
        "params-schema or input-schema is no JSON Schema, or over its limit in bytes.",
        "The detail names the schema; derive it with schemars.";
    DEFAULT_PARAMS = "plugin.default_params", 422, "the plugin's default parameters are not acceptable",
        "They are not JSON, or over their limit in bytes.",
        "Correct default_params in the plugin.";
    PUBLIC_INPUTS = "plugin.public_inputs", 422, "the plugin's public inputs are not acceptable",
        "There are too many, or a name is malformed or stands twice.",
        "Correct PUBLIC_INPUTS in the plugin.";
    UNSIGNED = "plugin.unsigned", 403, "the component is not signed",
        "This node takes components of trusted signers only.",
        "Publish with a trusted key: aureole plugin publish --key FILE.";
    SIGNATURE = "plugin.signature", 422, "the signature is not valid",
        "The header aureole-signature is malformed, or the signature is not of these bytes by this key.",
        "Sign the component as it is uploaded: aureole plugin publish --key FILE does both.";
    SIGNER_UNTRUSTED = "plugin.signer_untrusted", 403, "the signer is not trusted here",
        "The signature is valid, but its key is not among the node's trusted signers.",
        "Use another key, or have the operator add this one to trusted_signers in [plugins].";
    ARTIFACT = "plugin.artifact", 500, "the compiled plugin is not this node's own",
        "The cached machine code was damaged or made by another node or engine; it was not run.",
        "Nothing: the component is compiled again.";
}

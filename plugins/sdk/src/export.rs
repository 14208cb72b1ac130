//! The macro that makes a plugin of a crate.

/// Exports a [`Plugin`](crate::Plugin) as the component's world, `aureole:circuit/circuit-plugin`.
///
/// Call it once, in a crate whose `crate-type` includes `cdylib`. On any target but `wasm32` it
/// emits nothing, so the crate is an ordinary library in tests.
///
/// ```text
/// aureole_sdk::export!(MyPlugin);
/// ```
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::guest::Component<$plugin>;
    $crate::guest::bindings::export!(Component with_types_in $crate::guest::bindings);
        };
    };
}

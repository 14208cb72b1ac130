//! The assembly: configuration, telemetry, health, wiring and shutdown.

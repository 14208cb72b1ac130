//! REST over one trait: wire to domain, errors to responses.

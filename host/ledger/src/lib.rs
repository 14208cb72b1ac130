//! The replicated facts: commands, apply, plan, limits and ids, with no clock, randomness or IO.

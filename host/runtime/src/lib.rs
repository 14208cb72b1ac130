//! Component bytes to a checked circuit and witness, inside hard limits.

//! The prove loop: leases to witness to proof to completion, in child processes.

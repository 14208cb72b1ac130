//! Replicates the ledger by Raft and hands out leases.

//! What is said of figures beside them: what a bench leaves out, and why a promise does not hold.

/// What is known of a promise that does not hold: the bench, where its figure stands, and the reason.
pub(super) const REASONS: &[(&str, &str, &str)] = &[
    (
        "witness",
        "/ratio",
        "Field multiplication is what a witness is made of, and natively it is assembly, which a plugin \
         cannot have: its multiplications are compiled from WebAssembly's wide ones. Tried: those (seven \
         times faster than without), and plugins built with opt-level 3 (a tenth faster, larger).",
    ),
    (
        "witness",
        "/share_of_whole",
        "Natively built, the same witness is more than this part of the proof by itself, as `native_ms` in \
         the bench's line says. Three quarters of it are the fifth powers that halo2_gadgets' Poseidon takes \
         with an exponent of 256 bits: 512 multiplications in place of three, measured as 9.5 us in place of \
         0.06, for 80 of them a permutation and 34 permutations here. Without these the part would be about \
         0.03; they are the gadget's, and circuits run unmodified. Looked into: laying out in one pass. \
         halo2's first pass computes no value that a region makes itself, so that spares nothing.",
    ),
    (
        "transfer",
        "/transfer_over_copy",
        "No process that runs a plugin shares memory with one that proves, so the bytes go through two pipes, \
         by way of the node: the kernel copies them four times. They are copied out of the plugin's memory, \
         into one message and out of it besides, and each process overwrites what it held. No call is made \
         for a cell, and no byte is converted. Tried: pipes of 1 MiB in place of 64 KiB. Not tried: a file in \
         memory that the node hands from the one child to the other.",
    ),
    (
        "memory",
        "/worker_ratio",
        "The prover, with the keys that it keeps, holds the promise by itself. What is beside it, stock halo2 \
         does not do: the worker's own process, through which each witness goes from pipe to pipe, and two \
         sandboxes, each with a runtime for plugins and what its last calls took of memory. How much is \
         whose stands below the figure. What could go is one sandbox of a worker with one slot; it is there \
         so that no plugin waits for another.",
    ),
    (
        "control-plane",
        "/over_grpc_ratio",
        "The figure above it is the same members without the way to them. Over gRPC each step is an HTTP/2 request \
         and its answer at both ends, on the cores that three members and all clients have; PostgreSQL's \
         protocol is leaner. Tried, between the members: appends over a stream (decision 0018). Not tried, for \
         clients: several steps in one request.",
    ),
    (
        "cold-start",
        "/ratio",
        "By hand nothing is compiled: half of the platform's time is Cranelift on the component, the \
         rest the same keys made twice (by the prover, and by the verifier, which takes nobody's word) \
         and the proof. Tried: compilation on several threads, 0.7 of the time in all; the end of a task \
         told at once, 45 ms less. Not tried: code of a baseline compiler for the first proof.",
    ),
];

/// What the figures of a bench do not say by themselves.
pub(super) const NOTES: &[(&str, &str)] = &[
    (
        "overhead",
        "Proving and verifying are told by the tasks, each on all threads of this machine, so that cores for each \
         core are the one time over the other. Three machines of one kind have at most three cores that prove \
         for each of the leader's; four leave room for what else a leader does.",
    ),
    (
        "prove",
        "The limit is counted from the circuit's shape: the multiexponentiations of all commitments by buckets of \
         affine points that share their inversions (6 multiplications an addition), the transforms, and the \
         opening's multiples by the curve's endomorphism, with a squaring as a multiplication, on all \
         threads as if nothing kept one waiting. It leaves out the quotient's evaluation, the products \
         of permutations and lookups, every addition, hashing, randomness, and the way of all that through memory.",
    ),
    (
        "transfer",
        "The whole way of a node's attempt: out of the plugin's memory, encoded, through a pipe to the node, through \
         another to the prover, decoded there; the same way of a witness of one row is taken off. The copy is one \
         `memcpy` into memory that is there already.",
    ),
    (
        "memory",
        "Stock halo2 is one process with the same allocator; a worker is several: its own, its prover, and one \
         sandbox more than it has slots. Their peaks are added, though they are not at the same moment, and \
         pages of code that they share count for each. The prover's figure is all that it has resident, its keys \
         with it, at the making of the keys or in a proof, and the estimate is held against that: of `workload` \
         with k = 11, 12 and 14, and of six of the fixture `circuits`, each in a worker of its own.",
    ),
    (
        "cold-start",
        "The platform's time runs from the upload and has all that an upload brings: compiling, inspecting, the \
         verifier's keys, then the task. By hand are parameters from disk, both keys and the proof. A second \
         worker finds the plugin inspected and the verifier's keys made: it fetches, compiles, makes its keys \
         and proves. So does the first worker again when its folder is gone, and the second over that \
         compares like with like: no difference is 1.",
    ),
    (
        "control-plane",
        "A task is submitted, leased and completed, three durable steps on either side, and what has ended is \
         deleted 128 at a time. Our clients come by loopback TCP on three connections that they share, \
         members and clients in one process of two threads for the clients; PostgreSQL's come by its Unix \
         socket, a connection each, to processes of its own. Neither side has a gateway before it: no REST, \
         no access check, no input. Ours acknowledges when two of three members have fsynced, PostgreSQL when \
         one server has. Fewer clients have one turn of each side.",
    ),
    (
        "queue",
        "Clients are within the leader's process. Each step by itself is that of 20,000 tasks while the others \
         wait. A member's memory is a third of the process in which three members and their clients are. \
         The bound is what a member has without tasks and as many that wait as the ledger lets in \
         (`TASKS_MAX`), each at what it takes of 100,000; attempts, which a task that ran remembers, are not in it.",
    ),
];

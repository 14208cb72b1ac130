//! Codes of the HTTP request itself: route, method, headers, query, body size.

codes! {
    ROUTE = "request.route", 404, "no such route",
        "The path is none of this API's routes.",
        "Check the path; every route but /health/* stands under /api/v1.";
    METHOD = "request.method", 405, "the route does not take this method",
        "The route exists, the method does not belong to it.",
        "Use one of the methods in the Allow header.";
    PATH = "request.path", 400, "the path cannot be decoded",
        "A percent escape in the path is broken or does not decode to UTF-8.",
        "Send names and ids as they were given; none of them needs escaping.";
    ID = "request.id", 400, "the id is malformed",
        "A task id is tsk_ and 32 lower-case hex digits, a circuit id cir_ and 32, a digest 64, a plugin a name or name@version.",
        "Send the id exactly as the API gave it.";
    QUERY = "request.query", 422, "the query is not understood",
        "A query parameter is unknown, given twice, or has a value outside its range.",
        "Correct the parameter that the detail names.";
    WAIT = "request.wait", 422, "the wait is malformed or too long",
        "wait is a duration with its unit, such as 30s or 500ms, at most 60 s.",
        "Ask for at most 60s and ask again when the answer is not final.";
    CURSOR = "request.cursor", 422, "the cursor is not understood",
        "before must be the next value of an earlier page.",
        "Start again without a cursor.";
    IDEMPOTENCY_KEY = "request.idempotency_key", 422, "the Idempotency-Key is malformed",
        "The header is given twice, or is not 1 to 128 visible ASCII characters.",
        "Use a UUID or another short random text.";
    CONTENT_TYPE = "request.content_type", 415, "the content type is not taken here",
        "JSON routes take application/json in UTF-8; POST /plugins takes application/wasm or application/octet-stream.",
        "Set the content-type header that the detail names.";
    CONTENT_ENCODING = "request.content_encoding", 415, "compressed bodies are not taken",
        "The request has a Content-Encoding other than identity.",
        "Send the body as it is.";
    TOO_LARGE = "request.too_large", 413, "the body is too large",
        "The body is over the route's limit; it was not read further and the connection is closed.",
        "Send fewer bytes; the detail names the limit.";
    TIMEOUT = "request.timeout", 408, "the body did not arrive in time",
        "The body paused for too long, or its whole took too long.",
        "Send it again over a better line.";
    BODY = "request.body", 400, "the body could not be read",
        "The body ended early or its framing is broken.",
        "Send it again; check Content-Length if you set it yourself.";
    IDEMPOTENCY_CONFLICT = "request.idempotency_conflict", 409, "the Idempotency-Key was used for another request",
        "A task was submitted with this key and another circuit, input or priority.",
        "Use a fresh key for a new task.";
    PRECONDITION = "request.precondition", 412, "it has changed since",
        "If-Match names what the caller has seen, and that is not what is here now.",
        "Look at it again, and decide again.";
    BATCH = "request.batch", 422, "the batch is empty or too large",
        "A batch has 1 to 100 tasks, or 1 to 64 proofs.",
        "Send fewer, in several batches.";
    MESSAGE = "request.message", 400, "the gRPC message is malformed",
        "Its framing is broken, it is no message of the method, or a string in it is not UTF-8.",
        "Use generated code; the detail says what was found.";
    SERVICE = "request.service", 404, "no such gRPC service",
        "Health was asked for by the name of a service that is not here.",
        "Ask for the empty name, which is the node, or for a service that reflection lists.";
    DEADLINE = "request.deadline", 504, "the call's own deadline has passed",
        "grpc-timeout named it; what the call began may still happen.",
        "Ask what came of it, and give the next call more time.";
}

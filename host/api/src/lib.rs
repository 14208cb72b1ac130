//! The wire: generated protobuf types and the table of error codes.

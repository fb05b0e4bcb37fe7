//! Layer 0: pure functions between bytes and what people read or type. Knows nothing of the rest of the program.

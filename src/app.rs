//! Layer 3: the state machine. Keys and news in, state and effects out; knows no socket, file, terminal or clock.

//! Layer 4: pure rendering of the state. Holds no state, reads no clock, changes nothing.

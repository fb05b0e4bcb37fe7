//! Layer 3: the network worker. It stamps time at the wire, appends to the capture, then reports. Knows no screen.

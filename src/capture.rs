//! Layer 2: the recorder and the reader of the session file (pcapng). Knows no socket and no screen.

//! Layer 5: the loop, the terminal, the headless front end; every effect happens here.

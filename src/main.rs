//! The binary: parses the command line and maps errors to exit status; everything else is in the library.

fn main() {}

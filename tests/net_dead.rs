//! Addresses and resolvers that are dead, unreachable or refuse, at the real binary (P24). How fast is a benchmark.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/dead.rs"]
mod dead;

#[test]
fn every_failure_is_named_and_a_dead_family_is_passed_by() {
    dead::every_failure_is_named();
}

//! Proofs: what must not compile does not.
//!
//! The compiler's words are kept beside each proof; `TRYBUILD=overwrite` renews them.

#[test]
fn a_stage_cannot_be_left_out() {
    trybuild::TestCases::new().compile_fail("tests/proofs/*.rs");
}

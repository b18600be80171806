# What the functions need.

# bench/baseline.json is what they needed when somebody last looked. Instructions are counted by callgrind, and
# repeat however busy the machine is; a change that is meant is accepted by `cargo run -p bench -- guard --accept`.
step performance "No function needs over a tenth more instructions or bytes than it did"
check_performance() {
  debian_tool valgrind
  debian_tool faketime
  debian_tool openssl
  cargo run --quiet -p bench -- guard
}

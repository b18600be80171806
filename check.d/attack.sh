# What looks for trouble for as long as it is let.

# Without a sanitizer, since no code of ours is unsafe: the compiler at hand will do. What is found new is kept in
# target/fuzz/corpus; an input that breaks something goes into local/fuzz/corpus, where every test run replays it.
step fuzz "No input breaks a function (FUZZ_SECONDS a target, else 60)" long
check_fuzz() {
  cargo_tool cargo-fuzz
  local target name
  for target in local/fuzz/targets/*.rs; do
    name=$(basename "$target" .rs)
    mkdir -p "target/fuzz/corpus/$name"
    cargo fuzz run --fuzz-dir local/fuzz --target-dir target/fuzz --features libfuzzer --sanitizer none "$name" \
      "target/fuzz/corpus/$name" "local/fuzz/corpus/$name" -- \
      -max_total_time="${FUZZ_SECONDS:-60}" -timeout=20 -print_final_stats=1 2>&1 |
      grep -vE '^(INFO|#|\s*$)|pulse|NEW|REDUCE|RELOAD'
  done
}

# The sizes that the tests of races, faults and the passcode model have only here.
step exhaustive "Races, faults and the model of passcodes at full size" long
check_exhaustive() {
  EXHAUSTIVE=1 cargo test -p local --test api -- races:: guesses:: effects:: faults:: --nocapture
  cargo test -p local --test api -- --ignored
  cargo test -p shared --release --test passcode_model -- --ignored the_protocol
}

step timing "The time of a comparison tells nothing of the secret" long
check_timing() {
  cargo run --quiet -p shared --release --example timing | tee target/timing
  # dudect takes a |t| of 10 for a leak without doubt; a busy machine makes some of less.
  awk '/^bench .* max t = / {
         t = $0; sub(/.*max t = /, "", t); t += 0; if (t < 0) t = -t
         if ($2 ~ /naive/ ? t < 10 : t > 10) { print "unexpected: " $0; wrong = 1 }
         seen++
       } END { exit wrong || seen != 3 }' target/timing
}

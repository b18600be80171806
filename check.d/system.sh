# The running local system, for steps that call it.

# at_end COMMAND: runs it when the step ends, before what was asked for earlier.
ends=
at_end() {
  ends="$1; $ends"
  # shellcheck disable=SC2064 # What is asked for so far is meant.
  trap "$ends" EXIT
}

# end_process PROCESS: ends what this shell started, if it still runs.
end_process() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# start_local_system [OPTION...]: starts it on free ports and returns once everything answers. READY_FILE names the file
# with its addresses and the demo credentials. It ends with the step.
start_local_system() {
  cargo build --workspace --bins --quiet
  local folder process
  folder=$(mktemp -d)
  READY_FILE=$folder/ready.json
  "${CARGO_TARGET_DIR:-target}/debug/local" --api 127.0.0.1:0 --mail 127.0.0.1:0 --dynamodb 127.0.0.1:0 \
    --partner 127.0.0.1:0 --ready-file "$READY_FILE" "$@" >"$folder/log" 2>&1 &
  process=$!
  at_end "end_process $process; rm -rf '$folder'"
  until [[ -s $READY_FILE ]]; do
    kill -0 "$process" 2>/dev/null || { cat "$folder/log" >&2; return 1; }
    sleep 0.1
  done
}

# What other people's engines make of the built functions: the SAM CLI in containers, and cargo-lambda.

# docs/deploy.md has the commands; beside them stand the image, the ports, and that containers are used again.
step sam-local "Every event, the story and the edges are answered as expected in the SAM CLI's containers"
check_sam_local() {
  docker_engine || { echo "No Docker engine answers: nothing is run."; return; }
  python_tool sam
  [[ -d .aws-sam/build ]] || check_sam_build
  local machine host mail dynamodb api lambda
  machine=$(uname -m | sed s/aarch64/arm64/)
  host=$(ip -4 -o address show docker0 2>/dev/null | awk '{ sub(/\/.*/, "", $4); print $4 }')
  # The ports of events/env.json.
  mail=${host:-127.0.0.1}:9001 dynamodb=${host:-127.0.0.1}:9002
  lambda=127.0.0.1:$(free_port) api=127.0.0.1:$(free_port)
  runs_on_amazon_linux .aws-sam/build/*/bootstrap
  make_image "$SAM_IMAGE" "$machine"
  local options=(--parameter-overrides "Architecture=$machine" --add-host host.docker.internal:host-gateway
    --invoke-image "$SAM_IMAGE" --skip-pull-image)
  local found=(--env-vars events/env.json)

  # With credentials that reach nothing, should it ever call AWS.
  export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_ENDPOINT_URL_STS=http://127.0.0.1:9 AWS_MAX_ATTEMPTS=1
  local said tries=0
  # The SAM CLI begins to read what a container prints when it already runs, and may miss a line of its first moment.
  until said=$(sam local invoke OperatorFunction --event events/operator/list_apps.json "${options[@]}" 2>&1)
    grep --max-count=1 --only-matching "Nothing is called: under sam local, AWS_ENDPOINT_URL_DYNAMODB has to be set" <<<"$said"; do
    ((++tries < 5)) || { echo "Without --env-vars: $said"; return 1; }
  done

  start_engine "$lambda" sam local start-lambda --port "${lambda#*:}" --warm-containers LAZY "${options[@]}" "${found[@]}"
  cargo build --workspace --bins --quiet
  "${CARGO_TARGET_DIR:-target}/debug/tools" events --mail "$mail" --dynamodb "$dynamodb" \
    "http://$lambda/2015-03-31/functions/LOGICAL_ID/invocations"

  start_backends "$mail" "$dynamodb"
  said=$(sam local invoke GetCustomerFunction --event events/get-customer/by-its-app.json "${options[@]}" "${found[@]}" 2>&1)
  grep --only-matching '"statusCode": 200' <<<"$said" || { echo "sam local invoke: $said"; return 1; }
  start_engine "$api" sam local start-api --port "${api#*:}" --warm-containers LAZY "${options[@]}" "${found[@]}"
  API=http://$api MAILBOX=http://$mail through sam
}

SAM_IMAGE=atom-customers-check

step cargo-lambda "Every event, the story and the edges are answered as expected by cargo lambda watch"
check_cargo_lambda() {
  python_tool cargo-lambda
  local mail dynamodb api backends said folder
  mail=127.0.0.1:$(free_port) dynamodb=127.0.0.1:$(free_port) api=127.0.0.1:$(free_port)
  start_backends "$mail" "$dynamodb"
  backends=$ENGINE
  eval "$(sed -n '/^  export /p' "$ENGINE_LOG")"
  # It would have cargo compile each function with features of its own. This cargo has them compiled.
  folder=$(mktemp -d)
  at_end "rm -rf '$folder'"
  ready_made_cargo "$folder" "$(realpath "${CARGO_TARGET_DIR:-target}/debug")"
  PATH=$folder:$PATH start_engine "$api" \
    cargo-lambda lambda watch --disable-cors --ignore-changes --invoke-address 127.0.0.1 --invoke-port "${api#*:}"
  # What it would upload, and where; a zip stays beside the executable.
  cp "${CARGO_TARGET_DIR:-target}/debug/get-customer" "$folder/bootstrap"
  said=$(cargo lambda deploy --dry --region eu-west-1 --binary-path "$folder/bootstrap" get-customer 2>&1)
  grep --only-matching "deployment for function .get-customer." <<<"$said" || { echo "cargo lambda deploy: $said"; return 1; }
  said=$(cargo lambda invoke get-customer --invoke-address 127.0.0.1 --invoke-port "${api#*:}" \
    --data-file events/get-customer/by-its-app.json)
  grep --only-matching '"statusCode":200' <<<"$said" || { echo "cargo lambda invoke: $said"; return 1; }
  API=http://$api MAILBOX=http://$mail through cargo-lambda
  end_process "$backends"
  "${CARGO_TARGET_DIR:-target}/debug/tools" events --mail "$mail" --dynamodb "$dynamodb" \
    "http://$api/2015-03-31/functions/NAME/invocations"
}

# start_engine HOST:PORT COMMAND...: starts it and returns once it listens there. It ends with the step; ENGINE is its
# process and ENGINE_LOG what it prints.
start_engine() {
  local address=$1
  shift
  ENGINE_LOG=$(mktemp)
  "$@" >"$ENGINE_LOG" 2>&1 &
  ENGINE=$!
  at_end "end_process $ENGINE; rm -f '$ENGINE_LOG'"
  until (: <"/dev/tcp/${address%:*}/${address#*:}") 2>/dev/null; do
    kill -0 "$ENGINE" 2>/dev/null || { cat "$ENGINE_LOG" >&2; return 1; }
    sleep 0.1
  done
}

# ready_made_cargo FOLDER EXECUTABLES: writes a command `cargo` into the folder that has the functions' executables at hand
# where cargo-lambda would run what it compiles, and the local system would build them.
ready_made_cargo() {
  cat >"$1/cargo" <<SCRIPT
#!/usr/bin/env bash
case \$1 in
  run)
    while [[ \$1 != --bin ]]; do shift; done
    exec $2/\$2
    ;;
  build)
    for it in $2/*; do
      printf '{"target": {"kind": ["bin"], "name": "%s"}, "executable": "%s"}\n' "\${it##*/}" "\$it"
    done
    ;;
  *) exec $(type -P cargo) "\$@" ;;
esac
SCRIPT
  chmod +x "$1/cargo"
}

# start_backends MAIL DYNAMODB [EXECUTABLE]: starts the backends on these addresses, with the records of events/fixtures.json.
start_backends() {
  cargo build --workspace --bins --quiet
  start_engine "$1" "${3:-${CARGO_TARGET_DIR:-target}/debug/local}" --backends-only --mail "$1" --dynamodb "$2"
  until grep --quiet "Ctrl-C ends it" "$ENGINE_LOG"; do sleep 0.1; done
}

# through ENGINE: calls the API as the fixtures' demo App and platform.
through() {
  local exports
  exports=$(python3 - events/create-customer/created.json events/redeem-ticket/redeemed.json <<'PYTHON'
import json, sys

for file in sys.argv[1:]:
    for name, value in json.load(open(file))["headers"].items():
        if name.startswith("x-access-"):
            print(f"export {name.removeprefix('x-access-').upper()}={value}")
PYTHON
  )
  eval "$exports"
  python3 check.d/engines/through.py "$1"
}

free_port() { python3 -c 'import socket; it = socket.socket(); it.bind(("127.0.0.1", 0)); print(it.getsockname()[1])'; }

# runs_on_amazon_linux EXECUTABLE...: none asks for a later C library than the runtime's; this machine's may be later.
runs_on_amazon_linux() {
  debian_tool objdump binutils
  local needed
  needed=$(for it in "$@"; do objdump -T "$it"; done | grep --only-matching 'GLIBC_[0-9.]*' | sort --unique --version-sort | tail -n 1)
  echo "The functions ask for $needed at most; Amazon Linux 2023 has GLIBC_2.34."
  [[ $(printf '%s\n' "$needed" GLIBC_2.34 | sort --version-sort | tail -n 1) == GLIBC_2.34 ]]
}

# docker_engine: whether a Docker engine answers. In CI, where we are root on a machine of our own, one is installed and
# started, which ends with the step.
docker_engine() {
  if docker version >/dev/null 2>&1; then return; fi
  [[ -n ${CI:-} ]] && ((EUID == 0)) || return
  debian_tool dockerd docker.io iptables iproute2
  local folder process patience=$((SECONDS + 60))
  folder=$(mktemp -d)
  ip link show docker0 >/dev/null 2>&1 || at_end "ip link delete docker0 2>/dev/null || true"
  dockerd --data-root "$folder/data" --exec-root "$folder/run" --pidfile "$folder/pid" >"$folder/log" 2>&1 &
  process=$!
  # shellcheck disable=SC2064 # The process and the folder of now are meant.
  at_end "end_process $process; rm -rf '$folder'"
  until docker version >/dev/null 2>&1; do
    if ((SECONDS > patience)) || ! kill -0 "$process" 2>/dev/null; then
      tail -n 5 "$folder/log" >&2
      return 1
    fi
    sleep 0.2
  done
}

# make_image NAME PROCESSOR: the image that `sam local` would pull, as far as a function needs it: the emulator of Lambda's runtime,
# which the SAM CLI brings along, and this machine's C library.
make_image() {
  local root image=$1:rapid-$2 library
  root=$(mktemp -d)
  mkdir -p "$root"/{tmp,opt,lib64,var/{task,runtime,rapid}}
  chmod 1777 "$root/tmp"
  cp "$(rapid)/aws-lambda-rie-$2" "$root/var/rapid/aws-lambda-rie"
  # Every library and the loader, which stands under the path that executables name.
  ldd .aws-sam/build/OperatorFunction/bootstrap | grep --only-matching '/[^ ]*' | while read -r library; do
    cp --dereference "$library" "$root/lib64/"
    case $library in */ld-linux*) install -D "$library" "$root$library" ;; esac
  done
  tar --create --directory="$root" . |
    docker import --change 'WORKDIR /var/task' --change 'ENV LD_LIBRARY_PATH=/lib64' - "$image" >/dev/null
  rm -rf "$root"
  at_end "docker ps --all --quiet --filter ancestor=$image | xargs --no-run-if-empty docker rm --force >/dev/null; docker rmi $image >/dev/null"
}

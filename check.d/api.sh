# The API's description.

# redocly.yaml names the rules.
step openapi "The API's description is well-formed and its examples match it"
check_openapi() {
  node_tool redocly
  REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true redocly lint
}

# schemathesis.toml says which checks are off, and why.
step schemathesis "The running system answers as its description says, whatever it is sent"
check_schemathesis() {
  python_tool schemathesis
  cargo build --workspace --bins --quiet
  local folder
  folder=$(mktemp -d)
  # shellcheck disable=SC2064 # The folder and the process of now are meant.
  trap "rm -rf '$folder'" EXIT
  "${CARGO_TARGET_DIR:-target}/debug/local" --api 127.0.0.1:0 --mail 127.0.0.1:0 --dynamodb 127.0.0.1:0 \
    --ready-file "$folder/ready.json" >"$folder/log" 2>&1 &
  # shellcheck disable=SC2064
  trap "kill $!; wait $! || true; rm -rf '$folder'" EXIT
  until [[ -s $folder/ready.json ]]; do
    kill -0 $! 2>/dev/null || { cat "$folder/log"; return 1; }
    sleep 0.2
  done
  local credentials
  credentials=$(first_customer "$folder/ready.json")
  eval "$credentials"
  # The same cases each time: a change fails for what it changed.
  schemathesis run openapi.yaml --seed 1
}

# Creates a customer in the system that the ready file speaks of, and prints all credentials as assignments.
first_customer() {
  python3 - "$1" <<'PYTHON'
import json, shlex, sys, urllib.request

ready = json.load(open(sys.argv[1]))
app, platform = ready["app"], ready["platform"]
request = urllib.request.Request(
    ready["api"] + "/customer",
    headers={"x-access-superkey": app["superkey"], "x-access-supertoken": app["supertoken"]},
    data=json.dumps({"company": "Example Ltd", "email": "first@example.com"}).encode(),
)
names = {**app, **platform, **json.load(urllib.request.urlopen(request)), "api": ready["api"]}
for name, value in names.items():
    print(f"export {name.upper()}={shlex.quote(value)}")
PYTHON
}

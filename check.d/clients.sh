# Clients, by hand and generated: each against the running local system.

step clients "README's commands, every example and clients generated from openapi.yaml go through the whole story"
check_clients() {
  start_local_system
  python3 check.d/readme.py README.md "$READY_FILE"
  local exports
  exports=$(exported_credentials "$READY_FILE")
  eval "$exports"
  examples_credentials
  examples_sign_in
  mkdir -p target/clients
  generated_python
  generated_typescript
  generated_go
  generated_rust
}

step clients-more "Clients of openapi-generator that no example uses compile" long
check_clients_more() {
  mkdir -p target/clients
  generate typescript-fetch
  node_tool openapi-typescript
  tsc --strict --target es2022 --module nodenext --noEmit target/clients/typescript-fetch/index.ts
  generate rust
  printf '\n[workspace]\n' >>target/clients/rust/Cargo.toml
  "${GENERATED_RUST[@]}" cargo check --quiet --no-default-features --manifest-path target/clients/rust/Cargo.toml
}

# A build of its own, as small as it can be.
GENERATED_RUST=(env CARGO_TARGET_DIR="$PWD/.tools/generated-rust" CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
  CARGO_PROFILE_DEV_STRIP=symbols)

# What a person would export by hand.
exported_credentials() {
  python3 - "$1" <<'PYTHON'
import json, shlex, sys

ready = json.load(open(sys.argv[1]))
names = {"api": ready["api"], "mailbox": ready["mail"], **ready["app"], **ready["platform"]}
for name, value in names.items():
    print(f"export {name.upper()}={shlex.quote(value)}")
PYTHON
}

# Fetches them anew, as examples/README.md says.
examples_credentials() {
  local lines
  # shellcheck disable=SC2016 # The fences of Markdown are meant.
  lines=$(sed -n '/^```sh$/,/^```$/{//d;p}' examples/README.md)
  lines=${lines/http:\/\/127.0.0.1:9000/$API}
  unset SUPERKEY SUPERTOKEN
  eval "${lines/http:\/\/127.0.0.1:9001/$MAILBOX}"
}

examples_sign_in() {
  local file
  for file in examples/*.*; do
    case $file in
      *.sh) reads_a_record sh "$file" ;;
      *.mjs) reads_a_record node "$file" ;;
      *.py) reads_a_record python3 "$file" ;;
      *.rs | *.md) ;;
      *) echo "Nothing is known of how to run $file" >&2; return 1 ;;
    esac
  done
  reads_a_record cargo run --quiet -p partner-site --example sign-in
}

# reads_a_record COMMAND...: it succeeds, and its last words are the customer's record.
reads_a_record() {
  local said
  said=$("$@")
  if [[ $said != *created_at* ]]; then
    echo "$*: ${said:-said nothing}" >&2
    return 1
  fi
  echo "$*: ok"
}

# generate NAME [OPTION...]: writes openapi-generator's client for NAME to target/clients/NAME; its own words only where
# it fails.
generate() {
  local said
  python_tool openapi-generator
  rm -rf "target/clients/$1"
  if ! said=$(openapi-generator-cli generate -i openapi.yaml -g "$1" -o "target/clients/$1" "${@:2}" 2>&1); then
    echo "$said" >&2
    return 1
  fi
}

generated_python() {
  local home=target/clients/python
  python_tool openapi-python-client
  rm -rf "$home"
  # It is content with leaving out what it does not understand.
  openapi-python-client generate --path openapi.yaml --output-path "$home" --fail-on-warning >/dev/null
  cp examples/generated/python/story.py "$home"
  (cd "$home" && mypy --strict --no-error-summary atom_customers_client story.py)
  reads_a_record .tools/openapi-python-client/bin/python "$home/story.py"
}

generated_typescript() {
  local home=target/clients/typescript
  node_tool openapi-typescript
  rm -rf "$home"
  cp -r examples/generated/typescript "$home"
  ln -s "$PWD/.tools/openapi-typescript/node_modules" "$home/node_modules"
  # Not in the root, whose redocly.yaml it would take for its own.
  (cd "$home" && openapi-typescript ../../../openapi.yaml --output schema.ts >/dev/null && tsc)
  reads_a_record node "$home/out/story.js"
}

generated_go() {
  local home=target/clients/go-story
  debian_tool go golang-go
  # The client needs nothing but the standard library, so nothing is fetched.
  export GOPROXY=off GOFLAGS=-mod=mod GOCACHE=$PWD/.tools/go-cache
  generate go --additional-properties=packageName=atom
  rm -rf "$home"
  cp -r examples/generated/go "$home"
  cp -r target/clients/go "$home/atom"
  (cd "$home" && go vet ./... example.com/atom && go build -o story .)
  reads_a_record "$home/story"
}

generated_rust() {
  reads_a_record "${GENERATED_RUST[@]}" cargo run --quiet --locked --manifest-path examples/generated/rust/Cargo.toml
}

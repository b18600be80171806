# The examples of clients.

step clients "Every example signs a customer in against the local system"
check_clients() {
  start_local_system
  # What a person would export by hand.
  local exports file
  exports=$(python3 - "$READY_FILE" <<'PYTHON'
import json, shlex, sys

ready = json.load(open(sys.argv[1]))
names = {"API": ready["api"], "MAILBOX": ready["mail"]} | {name.upper(): value for name, value in ready["app"].items()}
for name, value in names.items():
    print(f"export {name}={shlex.quote(value)}")
PYTHON
  )
  eval "$exports"
  for file in examples/*.*; do
    case $file in
      *.sh) signs_in sh "$file" ;;
      *.mjs) signs_in node "$file" ;;
      *.py) signs_in python3 "$file" ;;
      *.rs | *.md) ;;
      *) echo "Nothing is known of how to run $file" >&2; return 1 ;;
    esac
  done
  signs_in cargo run --quiet -p partner-site --example sign-in
}

# signs_in COMMAND...: it succeeds, and its last words are the customer's record.
signs_in() {
  local said
  said=$("$@")
  if [[ $said != *created_at* ]]; then
    echo "$*: ${said:-said nothing}" >&2
    return 1
  fi
  echo "$*: ok"
}

# An AWS that is none, for check.d/rehearsal.sh: fakecloud, a stage that is deployed on it, and its callers.

# start_fakecloud: starts it, on loopback alone, with IAM enforced. From then on the SAM CLI and the AWS CLI speak to it.
start_fakecloud() {
  local address
  address=127.0.0.1:$(free_port)
  CLOUD_FOLDER=$(mktemp -d)
  export CONTAINERS=$CLOUD_FOLDER/containers RIE
  RIE=$(rapid)/aws-lambda-rie-$(uname -m | sed s/aarch64/arm64/)
  mkdir "$CONTAINERS"
  at_end "end_containers; rm -rf '$CLOUD_FOLDER'"
  export AWS_ENDPOINT_URL=http://$address AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=eu-west-1
  export AWS_DEFAULT_REGION=$AWS_REGION
  unset AWS_PROFILE AWS_SESSION_TOKEN
  FAKECLOUD_CONTAINER_CLI=$PWD/check.d/engines/container start_engine "$address" \
    fakecloud --addr "$address" --region "$AWS_REGION" --iam strict
}

end_containers() {
  local process
  for process in "$CONTAINERS"/*/process; do
    [[ ! -f $process ]] || kill -- "-$(<"$process")" 2>/dev/null || true
  done
}

# deploy SAMCONFIG: deploys stage dev by it.
deploy() {
  sam deploy --config-env dev --config-file "$(realpath "$1")" >"$CLOUD_FOLDER/deploy" 2>&1 ||
    { cat "$CLOUD_FOLDER/deploy"; return 1; }
  finds_the_stage
}

# finds_the_stage: HOST is where the API answers, and the file DEPLOYED what `tools deployed` and local/tests/api need.
finds_the_stage() {
  export HOST DEPLOYED=$CLOUD_FOLDER/deployed.json
  HOST=$(output ApiUrl)
  HOST=${HOST#https://}
  aws cloudformation list-stack-resources --stack-name "$STACK" --output json >"$CLOUD_FOLDER/resources.json"
  aws cloudformation describe-stacks --stack-name "$STACK" --output json >"$CLOUD_FOLDER/stack.json"
  python3 - "$CLOUD_FOLDER" >"$DEPLOYED" <<'PYTHON'
import json, os, sys

def read(name):
    with open(f"{sys.argv[1]}/{name}.json") as file:
        return json.load(file)

json.dump({
    "endpoint": os.environ["AWS_ENDPOINT_URL"],
    "host": os.environ["HOST"],
    "resources": {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in read("resources")["StackResourceSummaries"]},
    # fakecloud lists AWS::Region and its like among them.
    "parameters": {
        it["ParameterKey"]: it["ParameterValue"]
        for it in read("stack")["Stacks"][0]["Parameters"]
        if not it["ParameterKey"].startswith("AWS::")
    },
}, sys.stdout)
PYTHON
  echo "deployed: $HOST"
}

# resource LOGICAL_ID: the name that the stack has given to it.
resource() {
  aws cloudformation describe-stack-resource --stack-name "$STACK" --logical-resource-id "$1" \
    --query StackResourceDetail.PhysicalResourceId --output text
}

# block FILE HEADING N: the Nth block of commands below this heading.
block() {
  awk -v heading="$2" -v wanted="$3" '
    /^#+ / && !printed { below = $0 == heading }
    below && /^ *```sh$/ { printed = ++blocks == wanted; next }
    /^ *```$/ { printed = 0 }
    printed' "$1"
}

output() {
  aws cloudformation describe-stacks --stack-name "$STACK" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}

operate() { sam remote invoke OperatorFunction --stack-name "$STACK" --event "$1" 2>/dev/null; }

# learn COMMAND: gives the operator's command, and exports what it answers.
learn() {
  local exports
  exports=$(operate "$1" | python3 -c '
import json, shlex, sys

for name, value in json.load(sys.stdin).items():
    if isinstance(value, str):
        print(f"export {name.upper()}={shlex.quote(value)}")
')
  eval "$exports"
}

# first_app: SUPERKEY, SUPERTOKEN, PLATFORMKEY and PLATFORMTOKEN of a new App and its platform; with AS_APP the App calls.
first_app() {
  learn '{"command": "create_platform", "name": "Campaigns", "url": "https://platform.example.com/sso"}'
  learn '{"command": "create_app", "name": "Example Shop", "grants": ["passcode", "nopasscode"], "platform": "'"$PLATFORMKEY"'"}'
  AS_APP=(--header "x-access-superkey: $SUPERKEY" --header "x-access-supertoken: $SUPERTOKEN")
}

# says STATUS PATH [OPTION...]: the API answers with this status.
says() {
  local status
  status=$(curl --silent --output "$CLOUD_FOLDER/answer" --write-out '%{http_code}' "${@:3}" --header "host: $HOST" "$AWS_ENDPOINT_URL$2")
  [[ $status == "$1" ]] || { echo "$2: $status instead of $1: $(<"$CLOUD_FOLDER/answer")" >&2; return 1; }
}

# A deployment from the first to the last day, on an AWS that is none.

# fakecloud is others' work, and its gaps are listed in docs/fidelity.md. The commands are those of README.md,
# docs/deploy.md and docs/operations.md.
step rehearsal "Stage dev is deployed, used, updated, deleted and deployed again, on fakecloud" long
check_rehearsal() {
  python_tool awscli
  python_tool sam
  [[ -d .aws-sam/build ]] || check_sam_build
  # Less optimised, it builds in two thirds of the time, and is quick enough.
  CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 cargo_tool fakecloud --debug
  cargo build --workspace --bins --quiet
  start_fakecloud
  STACK=atom-customers-dev

  local samconfig=$CLOUD_FOLDER/samconfig.toml
  deploy samconfig.toml
  first_app
  API=$AWS_ENDPOINT_URL MAILBOX=$AWS_ENDPOINT_URL/_fakecloud/ses/emails python3 check.d/engines/through.py fakecloud
  operators_have_names
  a_bounce_comes_round

  says 200 "/customer?superkey=$SUPERKEY&supertoken=$SUPERTOKEN"
  sed '/^\[dev.global/,/^\]/s/"LogLevel=debug"/&, "AllowQueryCredentials=false"/' samconfig.toml >"$samconfig"
  deploy "$samconfig"
  says 400 "/customer?superkey=$SUPERKEY&supertoken=$SUPERTOKEN"
  says 200 /customer "${AS_APP[@]}"
  echo "an update took effect, and what was stored is there"

  sam delete --stack-name "$STACK" --region "$AWS_REGION" --no-prompts >"$CLOUD_FOLDER/delete" 2>&1 ||
    { cat "$CLOUD_FOLDER/delete"; return 1; }
  what_stays
  # As the page says: the stack cannot make the identity that was kept.
  sed 's/"CreateMailIdentity=true"/"CreateMailIdentity=false"/' samconfig.toml >"$samconfig"
  deploy "$samconfig"
  says 404 /customer "${AS_APP[@]}"
  first_app
  says 200 /customer "${AS_APP[@]}"
  echo "deployed again, with tables of its own"
}

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

# deploy SAMCONFIG: deploys stage dev by it. HOST is then where the API answers.
deploy() {
  sam deploy --config-env dev --config-file "$(realpath "$1")" >"$CLOUD_FOLDER/deploy" 2>&1 ||
    { cat "$CLOUD_FOLDER/deploy"; return 1; }
  export HOST
  HOST=$(output ApiUrl)
  HOST=${HOST#https://}
  echo "deployed: $HOST"
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

# operators_have_names: `operate` through the AWS CLI, by the names that docs/operations.md gives to operators.
operators_have_names() {
  local function said
  function=$(output OperatorFunctionName)
  as() { "${CARGO_TARGET_DIR:-target}/debug/operate" --function "$function$1" --json "${@:2}"; }
  as :look show_app superkey="$SUPERKEY" | grep --only-matching '"name": "Example Shop"'
  as :change suspend_app superkey="$SUPERKEY" >/dev/null
  says 401 /customer "${AS_APP[@]}"
  as :change resume_app superkey="$SUPERKEY" >/dev/null
  says 200 /customer "${AS_APP[@]}"
  if said=$(as "" show_app superkey=nobody 2>&1); then
    echo "nobody is shown: $said"
    return 1
  fi
  echo "$said"
}

# a_bounce_comes_round: from SES through EventBridge to mail-events, which notes it; the next passcode is refused.
a_bounce_comes_round() {
  local mailbox=bounce@simulator.amazonses.com patience=$((SECONDS + 60))
  says 201 /customer "${AS_APP[@]}" \
    -d '{"company": "Lost Mail", "email": "'$mailbox'"}'
  says 200 "/customer/$mailbox/passcode" "${AS_APP[@]}"
  until says 422 "/customer/$mailbox/passcode" "${AS_APP[@]}" 2>/dev/null; do
    ((SECONDS < patience)) || { echo "no bounce came round"; return 1; }
    sleep 1
  done
  echo "a bounce came round"
}

# says STATUS PATH [OPTION...]: the API answers with this status.
says() {
  local status
  status=$(curl --silent --output "$CLOUD_FOLDER/answer" --write-out '%{http_code}' "${@:3}" --header "host: $HOST" "$AWS_ENDPOINT_URL$2")
  [[ $status == "$1" ]] || { echo "$2: $status instead of $1: $(<"$CLOUD_FOLDER/answer")" >&2; return 1; }
}

# what_stays: what docs/deploy.md says of a stage that was removed.
what_stays() {
  local tables groups
  ! aws cloudformation describe-stacks --stack-name "$STACK" >/dev/null 2>&1
  tables=$(aws dynamodb list-tables --query 'length(TableNames)' --output text)
  groups=$(aws logs describe-log-groups --query "length(logGroups[?contains(logGroupName, 'FunctionLogs')])" --output text)
  aws sesv2 get-email-identity --email-identity dev.atom.example >/dev/null
  echo "after its deletion $tables tables, $groups log group of the functions and the SES identity are left"
  [[ $tables == 6 && $groups == 1 ]]
}

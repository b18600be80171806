# A deployment from the first to the last day, on an AWS that is none.

# fakecloud is others' work, and its gaps are listed in docs/fidelity.md. The commands are those of README.md,
# docs/deploy.md and docs/operations.md. What a step needs beside them stands in cloud.sh.
step rehearsal "Both stages are deployed, used, updated, restored, deleted and deployed again, on fakecloud" long
check_rehearsal() {
  python_tool awscli
  python_tool sam
  [[ -d .aws-sam/build ]] || check_sam_build
  # Less optimised, it builds in two thirds of the time, and is quick enough.
  CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 cargo_tool fakecloud --debug
  cargo test --workspace --no-run --quiet
  start_fakecloud
  a_first_stage
  a_protected_stage
}

# Stage dev, as fakecloud itself expands the template.
a_first_stage() {
  STACK=atom-customers-dev
  local samconfig=$CLOUD_FOLDER/samconfig.toml
  deploy samconfig.toml
  has_the_pepper_of_the_events
  first_app
  API=$AWS_ENDPOINT_URL MAILBOX=$AWS_ENDPOINT_URL/_fakecloud/ses/emails python3 check.d/engines/through.py fakecloud
  operators_have_names
  a_bounce_comes_round
  events_are_answered
  black_box
  first_app

  says 200 "/customer?superkey=$SUPERKEY&supertoken=$SUPERTOKEN"
  sed '/^\[dev.global/,/^\]/s/"LogLevel=debug"/&, "AllowQueryCredentials=false", "PasscodeCooldownSeconds=0"/' samconfig.toml >"$samconfig"
  deploy "$samconfig"
  says 400 "/customer?superkey=$SUPERKEY&supertoken=$SUPERTOKEN"
  says 200 /customer "${AS_APP[@]}"
  echo "an update took effect, and what was stored is there"
  black_box_after_the_update
  first_app
  two_tables_are_restored

  remove
  what_stays
  # As the page says: the stack cannot make the identity that was kept.
  sed 's/"CreateMailIdentity=true"/"CreateMailIdentity=false"/' samconfig.toml >"$samconfig"
  deploy "$samconfig"
  says 404 /customer "${AS_APP[@]}"
  first_app
  says 200 /customer "${AS_APP[@]}"
  echo "deployed again, with tables of its own"
}

# Stage prod, as AWS would expand the template: the permissions boundary is there. Tables and stack are protected.
a_protected_stage() {
  STACK=atom-customers
  aws s3 mb s3://expanded-templates >/dev/null
  deploy_expanded DeletionProtection=false
  deploy_expanded DeletionProtection=true
  first_app
  API=$AWS_ENDPOINT_URL MAILBOX=$AWS_ENDPOINT_URL/_fakecloud/ses/emails python3 check.d/engines/through.py fakecloud
  what_the_boundary_lacks_is_refused
  a_domain_of_its_own

  eval "$(block docs/deploy.md "## 6. Then prod" 1 | grep ^aws)"
  if remove >/dev/null; then echo "a protected stack was removed"; return 1; fi
  says 200 /customer "${AS_APP[@]}"
  aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name "$STACK" >/dev/null
  remove
  protected_tables_stay
}

# has_the_pepper_of_the_events: the passcodes of events/fixtures.json were made under this pepper.
has_the_pepper_of_the_events() {
  local pepper
  pepper=$(python3 -c 'import json; print(json.load(open("events/env.json"))["Parameters"]["PEPPER"].partition(":")[2])')
  aws secretsmanager put-secret-value --secret-id "$(resource Pepper)" --secret-string "{\"pepper\": \"$pepper\"}" >/dev/null
}

# black_box: the tests of local/tests/api over the API that is deployed, one after another, each with empty tables.
black_box() {
  local skipped=()
  mapfile -t skipped < <(sed -n 's/^[a-z].*/--skip=&/p' check.d/engines/own-system.txt)
  cargo test --quiet --workspace --test api -- --exact --test-threads=1 "${skipped[@]}"
}

# black_box_after_the_update: those that need what the update has set.
black_box_after_the_update() {
  local tests=()
  mapfile -t tests < <(awk '/^# / { group = $0 } /^[a-z]/ && group ~ /after its update/' check.d/engines/own-system.txt)
  cargo test --quiet --workspace --test api -- --exact --test-threads=1 "${tests[@]}"
}

# two_tables_are_restored: by the commands of docs/operations.md. fakecloud restores a table as it is now, whatever second is
# named; so the damage is done after the first block.
two_tables_are_restored() {
  local created
  says 201 /customer "${AS_APP[@]}" -d '{"company": "Kept", "email": "kept@example.com"}'
  created=$(<"$CLOUD_FOLDER/answer")
  as_kept() { says "$1" "/customer/$(field cuid)" --header "x-access-key: $(field key)" --header "x-access-token: $(field token)"; }
  field() { python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$created" "$1"; }
  as_kept 200
  local runbook=(block docs/operations.md "## Restore from a backup") TABLES table
  eval "$("${runbook[@]}" 1 | sed "1s/.*/STACK=$STACK SECOND=$(date --utc +%Y-%m-%dT%H:%M:%SZ)/")" >/dev/null
  operate '{"command": "erase_customer", "cuid": "'"$(field cuid)"'"}' >/dev/null
  as_kept 404
  eval "$("${runbook[@]}" 2)" >/dev/null
  eval "$("${runbook[@]}" 3)" >/dev/null
  says 200 "/customer?email=kept@example.com" "${AS_APP[@]}"
  grep --quiet kept@example.com "$CLOUD_FOLDER/answer"
  eval "$("${runbook[@]}" 4)" >/dev/null
  as_kept 403
  for table in $TABLES; do
    aws dynamodb describe-continuous-backups --table-name "$table" --output text \
      --query ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus | grep --quiet ENABLED
    aws dynamodb update-table --table-name "$table" --no-deletion-protection-enabled >/dev/null
    aws dynamodb delete-table --table-name "$table-restored" >/dev/null
  done
  echo "two tables were restored by the commands of the runbook"
}

# deploy_expanded PARAMETER=VALUE...: deploys stage prod, expanded as CloudFormation would, with its settings and these.
deploy_expanded() {
  local parameters
  sam package --config-env prod --resolve-s3 --output-template-file "$CLOUD_FOLDER/packaged.yaml" >"$CLOUD_FOLDER/deploy" 2>&1 ||
    { cat "$CLOUD_FOLDER/deploy"; return 1; }
  .tools/sam/bin/python check.d/engines/expand.py "$CLOUD_FOLDER/packaged.yaml" >"$CLOUD_FOLDER/expanded.json"
  mapfile -t parameters < <(python3 -c '
import tomllib

with open("samconfig.toml", "rb") as file:
    print(*tomllib.load(file)["prod"]["global"]["parameters"]["parameter_overrides"], sep="\n")')
  aws cloudformation deploy --stack-name "$STACK" --template-file "$CLOUD_FOLDER/expanded.json" --capabilities CAPABILITY_IAM \
    --s3-bucket expanded-templates \
    --parameter-overrides "${parameters[@]}" CreateMailIdentity=true "$@" >"$CLOUD_FOLDER/deploy" 2>&1 ||
    { cat "$CLOUD_FOLDER/deploy"; return 1; }
  finds_the_stage
}

# what_the_boundary_lacks_is_refused: every role has it, and what it does not allow no role may, whatever its own policy says.
what_the_boundary_lacks_is_refused() {
  local boundary role roles first
  boundary=$(resource FunctionsBoundary)
  roles=$(aws cloudformation list-stack-resources --stack-name "$STACK" --output text \
    --query "StackResourceSummaries[?ResourceType=='AWS::IAM::Role'].PhysicalResourceId")
  for role in $roles; do
    aws iam get-role --role-name "${role##*/}" --query Role.PermissionsBoundary.PermissionsBoundaryArn --output text |
      grep --quiet --fixed-strings --line-regexp "$boundary" || { echo "$role is not bounded"; return 1; }
  done
  first=$(aws iam get-policy --policy-arn "$boundary" --query Policy.DefaultVersionId --output text)
  aws iam get-policy-version --policy-arn "$boundary" --version-id "$first" --query PolicyVersion.Document --output json |
    sed 's/dynamodb:BatchGetItem/dynamodb:BatchNothing/' >"$CLOUD_FOLDER/narrower.json"
  aws iam create-policy-version --policy-arn "$boundary" --set-as-default --policy-document "file://$CLOUD_FOLDER/narrower.json" >/dev/null
  says 500 /customer "${AS_APP[@]}"
  aws iam set-default-policy-version --policy-arn "$boundary" --version-id "$first"
  says 200 /customer "${AS_APP[@]}"
  echo "$(wc -w <<<"$roles") roles carry the boundary, and may do nothing beyond it"
}

# a_domain_of_its_own: it, its mapping and its record are made, and go again. fakecloud does not answer under it.
a_domain_of_its_own() {
  local zone domain=api.atom.example
  zone=$(aws route53 create-hosted-zone --name atom.example --caller-reference zone --query HostedZone.Id --output text)
  deploy_expanded DeletionProtection=true DomainName=$domain HostedZoneId="${zone##*/}" \
    CertificateArn="arn:aws:acm:$AWS_REGION:123456789012:certificate/00000000-0000-0000-0000-000000000000"
  [[ $HOST == "$domain" ]]
  [[ $(aws apigatewayv2 get-api-mappings --domain-name $domain --query 'Items[].ApiId' --output text) == "$(resource Api)" ]]
  records() { aws route53 list-resource-record-sets --hosted-zone-id "$zone" --query "ResourceRecordSets[?Type=='A'].Name" --output text; }
  [[ $(records) == "$domain." ]]
  deploy_expanded DeletionProtection=true DomainName= HostedZoneId= CertificateArn=
  [[ -z $(records) ]]
  says 200 /customer "${AS_APP[@]}"
  echo "a domain came and went"
}

# events_are_answered: but for what depends on SES's tenants and on domains that somebody else has verified, which fakecloud has
# otherwise.
events_are_answered() {
  local event otherwise=()
  for event in create_app make_tenants set_sender set_sender-of-another-deployment; do
    otherwise+=(--otherwise "operator/$event")
  done
  "${CARGO_TARGET_DIR:-target}/debug/tools" deployed "$DEPLOYED" "${otherwise[@]}"
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

# what_stays: what docs/deploy.md says of a stage that was removed.
what_stays() {
  local tables groups
  if aws cloudformation describe-stacks --stack-name "$STACK" >/dev/null 2>&1; then echo "$STACK is still there"; return 1; fi
  tables=$(aws dynamodb list-tables --query 'length(TableNames)' --output text)
  groups=$(aws logs describe-log-groups --query "length(logGroups[?contains(logGroupName, 'FunctionLogs')])" --output text)
  aws sesv2 get-email-identity --email-identity dev.atom.example >/dev/null
  echo "after its deletion $tables tables, $groups log group of the functions and the SES identity are left"
  [[ $tables == 6 && $groups == 1 ]]
}

# remove: removes the stage.
remove() {
  sam delete --stack-name "$STACK" --region "$AWS_REGION" --no-prompts >"$CLOUD_FOLDER/delete" 2>&1 ||
    { cat "$CLOUD_FOLDER/delete"; return 1; }
}

# protected_tables_stay: they refuse to be deleted, until they are told that they may be.
protected_tables_stay() {
  local table tables
  tables=$(aws dynamodb list-tables --query "TableNames[?starts_with(@, '$STACK-') && !starts_with(@, '$STACK-dev')]" --output text)
  for table in $tables; do
    if aws dynamodb delete-table --table-name "$table" >/dev/null 2>&1; then echo "$table was not protected"; return 1; fi
    aws dynamodb update-table --table-name "$table" --no-deletion-protection-enabled >/dev/null
    aws dynamodb delete-table --table-name "$table" >/dev/null
  done
  echo "$(wc -w <<<"$tables") tables of prod stayed, protected"
  [[ $(wc -w <<<"$tables") == 6 ]]
}

# What is deployed: the template, its linters, and a build as `sam deploy` would take it.

export SAM_CLI_TELEMETRY=0

step sam-validate "The template is valid"
check_sam_validate() {
  python_tool sam
  sam validate --lint --region eu-west-1
}

# .cfnlintrc names the template, the Region, the serverless rules, and what is not followed, with the reasons.
step cfn-lint "The template follows the rules for serverless applications"
check_cfn_lint() {
  python_tool sam
  cfn-lint
}

# .checkov.yaml names what is not followed, with the reasons.
step checkov "The template follows the rules for secure infrastructure"
check_checkov() {
  python_tool checkov
  checkov --config-file .checkov.yaml
}

# In target/lambda. SAM would build one function after another, each with a long link on one core. So all of them are built
# first, side by side, and SAM finds them built.
step functions "Every function is compiled as it would be deployed"
check_functions() {
  (
    python_tool cargo-lambda
    one_build_at_a_time
    cargo lambda build --release
  )
}

# cargo-lambda moves what cargo built, and one that waited for cargo beside it finds nothing left to move. `.ci/run` has a
# build under way when the steps begin. Freed as the shell that holds it ends.
one_build_at_a_time() {
  mkdir -p target
  exec {BUILD_LOCK}>target/functions.lock
  python3 -c 'import fcntl, sys; fcntl.flock(int(sys.argv[1]), fcntl.LOCK_EX)' "$BUILD_LOCK"
}

# For the processor at hand: for the other one cargo-lambda would fetch a target of Rust's.
step sam-build "The SAM CLI builds every function"
check_sam_build() {
  python_tool sam
  # The SAM CLI calls it, and it the linker that came with it, as a module of the first Python of the PATH.
  python_tool cargo-lambda
  check_functions
  sam build --parameter-overrides "Architecture=$(uname -m | sed s/aarch64/arm64/)"
  local crate bootstrap
  for crate in functions/*/; do
    bootstrap=.aws-sam/build/$(logical_id "$(basename "$crate")")/bootstrap
    [[ -x $bootstrap ]] || { echo "sam build left no $bootstrap" >&2; return 1; }
    printf '%8d  %s\n' "$(stat -c %s "$bootstrap")" "$bootstrap"
  done
}

# The emulator is the one that `sam local invoke` runs in its container.
step emulator "Every event is answered as expected by the built functions under Lambda's own emulator"
check_emulator() {
  python_tool sam
  [[ -d .aws-sam/build ]] || check_sam_build
  cargo run --quiet -p tools -- emulator "$(rapid)/aws-lambda-rie-$(uname -m | sed s/aarch64/arm64/)" .aws-sam/build
}

# The folder of Lambda's Runtime Interface Emulator, which the SAM CLI brings along.
rapid() { .tools/sam/bin/python -c 'import pathlib, samcli; print(pathlib.Path(samcli.__file__).parent / "local/rapid")'; }

# send-passcode -> SendPasscodeFunction
logical_id() { sed -E 's/(^|-)([a-z])/\U\2/g; s/$/Function/' <<<"$1"; }

# The API's description.

# redocly.yaml names the rules.
step openapi "The API's description is well-formed and its examples match it"
check_openapi() {
  node_tool redocly
  REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true redocly lint
}

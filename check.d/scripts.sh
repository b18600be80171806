# The scripts of this repository.

step shell "Shell scripts hold no surprise"
check_shell() {
  python_tool shellcheck
  local scripts
  mapfile -t scripts < <(git ls-files '*.sh' ':!check.d')
  shellcheck --external-sources check check.d/lock check.d/pictures check.d/engines/container .ci/run "${scripts[@]}"
  # Their variables are one another's, and `check`'s.
  shellcheck --shell bash --exclude SC2034,SC2154 check.d/*.sh
}

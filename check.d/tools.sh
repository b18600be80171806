# Installs the tools that steps need, at the versions of check.d/tools/, into .tools/, which git ignores. What is there
# at the right version already is left alone. Debian's own packages go into the system.

# Every file of a package is compared with the hash that a lock file has of it, and no script of a package runs. `lock`
# writes the lock files.

# python_tool NAME: puts the commands of check.d/tools/NAME.txt on the PATH, with all that check.d/tools/NAME.lock names.
# One environment a tool: their dependencies contradict each other.
python_tool() {
  local home=$PWD/.tools/$1 pins=check.d/tools/$1 wanted
  if grep -vxFf <(sed 's/ .*//' "$pins.lock") "$pins.txt"; then
    echo "is not in $pins.lock: run check.d/lock $1" >&2
    return 1
  fi
  wanted=$(cat "$pins.txt" "$pins.lock" | sha256sum)
  if [[ $(cat "$home/.installed" 2>/dev/null) != "$wanted" ]]; then
    echo "Installing $(paste -sd' ' "$pins.txt") ..."
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps --require-hashes -r "$pins.lock"
    "$home/bin/python" -m pip check --quiet --disable-pip-version-check
    echo "$wanted" >"$home/.installed"
  fi
  PATH=$home/bin:$PATH
}

# node_tool NAME: puts the commands of the packages in check.d/tools/NAME/package.json on the PATH.
node_tool() {
  local home=$PWD/.tools/$1 pins=check.d/tools/$1 wanted
  wanted=$(cat "$pins/package.json" "$pins/package-lock.json" | sha256sum)
  if [[ $(cat "$home/.installed" 2>/dev/null) != "$wanted" ]]; then
    echo "Installing $1 ..."
    rm -rf "$home"
    mkdir -p "$home"
    cp "$pins/package.json" "$pins/package-lock.json" "$home"
    # Not by --prefix, which loses its way where .tools is a link.
    (cd -P "$home" && npm ci --ignore-scripts --silent --no-audit --no-fund)
    echo "$wanted" >"$home/.installed"
  fi
  PATH=$home/node_modules/.bin:$PATH
}

# cargo_tool NAME [OPTION...]: puts the commands of the crate in check.d/tools/NAME.txt on the PATH. The options are those of
# `cargo install`.
cargo_tool() {
  local home=$PWD/.tools/$1 wanted
  wanted=$(<"check.d/tools/$1.txt")
  if [[ $(cat "$home/.installed" 2>/dev/null) != "$wanted" ]]; then
    echo "Installing $wanted ..."
    cargo install --quiet --locked --root "$home" "$wanted" "${@:2}"
    echo "$wanted" >"$home/.installed"
  fi
  PATH=$home/bin:$PATH
}

# debian_tool COMMAND [PACKAGE...]: installs the packages, or the one of the command's name, unless the command is there.
debian_tool() {
  local packages=("${@:2}") as_root=()
  if ! command -v "$1" >/dev/null; then
    echo "Installing ${packages[*]:-$1} ..."
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" apt-get update --quiet --quiet
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install --quiet --quiet --yes --no-install-recommends "${packages[@]:-$1}" >/dev/null
  fi
}

# What is built and installed takes, and what the disk has left.
disk() {
  du --dereference-args --summarize --human-readable target .tools .aws-sam 2>/dev/null | awk '{ printf "%s %s, ", $2, $1 }'
  df --human-readable --output=avail . | awk 'END { print $1 " free" }'
}

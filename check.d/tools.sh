# Installs the tools that steps need, at the versions of check.d/tools/, into .tools/, which git ignores. What is there
# at the right version already is left alone. Debian's own packages go into the system.

# python_tool NAME: puts the commands of check.d/tools/NAME.txt on the PATH. One environment a tool: their dependencies
# contradict each other. NAME.lock pins what they bring along.
python_tool() {
  local home=$PWD/.tools/$1 pins=check.d/tools/$1 wanted
  wanted=$(cat "$pins.txt" "$pins.lock" | sha256sum)
  if [[ $(cat "$home/.installed" 2>/dev/null) != "$wanted" ]]; then
    echo "Installing $(paste -sd' ' "$pins.txt") ..."
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check -r "$pins.txt" -c "$pins.lock"
    echo "$wanted" >"$home/.installed"
  fi
  PATH=$home/bin:$PATH
}

# node_tool NAME: puts the commands of the packages in check.d/tools/NAME.txt on the PATH.
node_tool() {
  local home=$PWD/.tools/$1 wanted packages
  mapfile -t packages <"check.d/tools/$1.txt"
  wanted=${packages[*]}
  if [[ $(cat "$home/.installed" 2>/dev/null) != "$wanted" ]]; then
    echo "Installing $wanted ..."
    rm -rf "$home"
    mkdir -p "$home"
    npm install --silent --no-audit --no-fund --prefix "$home" "${packages[@]}"
    echo "$wanted" >"$home/.installed"
  fi
  PATH=$home/node_modules/.bin:$PATH
}

# cargo_tool NAME: puts the commands of the crate in check.d/tools/NAME.txt on the PATH.
cargo_tool() {
  local home=$PWD/.tools/$1 wanted
  wanted=$(<"check.d/tools/$1.txt")
  if [[ $(cat "$home/.installed" 2>/dev/null) != "$wanted" ]]; then
    echo "Installing $wanted ..."
    cargo install --quiet --locked --root "$home" "$wanted"
    echo "$wanted" >"$home/.installed"
  fi
  PATH=$home/bin:$PATH
}

# debian_tool COMMAND [PACKAGE...]: installs the packages, or the one of the command's name, unless the command is there.
debian_tool() {
  local packages=("${@:2}")
  if ! command -v "$1" >/dev/null; then
    echo "Installing ${packages[*]:-$1} ..."
    apt-get update --quiet --quiet
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends "${packages[@]:-$1}" >/dev/null
  fi
}

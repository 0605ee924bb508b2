# shellcheck shell=bash
# Shared by the scripts of deploy/: where things are, what is missing, a broker for as long as a
# script runs. Sourced, never run.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools="$repository/.baton/tools"
noida_version=0.2.3
buf_version=1.75.0
# What reads the topics in tests without a line of ours; BATON_READERS is where it is imported from.
readers=(confluent-kafka==2.16.1 protobuf==7.36.2 grpcio-tools==1.85.1 jsonschema==4.26.0
  cloudevents==2.2.0)
export BATON_READERS="${BATON_READERS:-$tools/readers}"
buf="$tools/buf/bin/buf"
export BATON_NOIDA_DB="${BATON_NOIDA_DB:-$tools/noida/bin/noida-db}"
# Nobody answers prompts here: what would ask fails and says why.
export DEBIAN_FRONTEND=noninteractive
exec </dev/null

say() { printf '\n▸ %s\n' "$*"; }

# give_up SENTENCE [ADVICE [CODE]]: the same shape and codes as the command line's own faults.
give_up() {
  printf 'baton: %s\n' "$1" >&2
  if [ -n "${2:-}" ]; then printf '  → %s\n' "$2" >&2; fi
  exit "${3:-69}"
}

# Prints how to become root for one command, or fails where there is no way without a question.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n --preserve-env=DEBIAN_FRONTEND "$@"
  else
    return 77
  fi
}

require_swift() {
  command -v swift >/dev/null || give_up "Swift is not installed." \
    "Install Swift 6.3 or newer from swift.org and put it on PATH, then run this again."
  local version major minor
  version=$(swift --version 2>/dev/null |
    sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)
  read -r major minor <<<"${version:-0 0}"
  if ((major < 6 || (major == 6 && minor < 3))); then
    give_up "Swift $major.$minor is too old." "Install Swift 6.3 or newer from swift.org."
  fi
}

# Installs the Debian packages of the arguments that are missing.
require_packages() {
  local missing=() package
  command -v dpkg-query >/dev/null || give_up "This is not Debian or Ubuntu: $* are needed." \
    "Install librdkafka 2.0.2 or newer and SQLite 3 with their headers, by your own means."
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  if [ "${#missing[@]}" = 0 ]; then return; fi
  say "Installing ${missing[*]}"
  install_packages "${missing[@]}" || give_up "Cannot install ${missing[*]}." \
    "Run as root: apt-get update && apt-get install -y ${missing[*]}" 77
}

# A fresh machine has no package lists: only then is the slow update worth its time.
install_packages() {
  local install=(apt-get install -y -q --no-install-recommends "$@")
  as_root "${install[@]}" >"$tools/apt.log" 2>&1 ||
    { as_root apt-get update -q && as_root "${install[@]}"; } >"$tools/apt.log" 2>&1 || {
    tail -n 5 "$tools/apt.log" >&2
    return 1
  }
}

require_pip() {
  command -v python3 >/dev/null || require_packages python3
  python3 -m pip --version >/dev/null 2>&1 || require_packages python3-pip
}

# pip_install FOLDER PACKAGE...: from PyPI into a folder of our own.
pip_install() {
  local folder=$1
  shift
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --no-input --upgrade \
    --disable-pip-version-check --no-warn-conflicts --target "$folder" "$@"
}

# The linter of .proto files.
require_buf() {
  if [ -x "$buf" ] && [ "$("$buf" --version 2>&1)" = "$buf_version" ]; then return; fi
  say "Installing buf $buf_version, which judges changes of the contract"
  require_pip
  pip_install "$tools/buf" --no-deps "buf-bin==$buf_version" ||
    give_up "Cannot install buf-bin $buf_version from PyPI." "Check the network."
}

# The number of the newest folder in Schemas/landed.
landed_newest() { ls "$repository/Schemas/landed" | grep -x '[0-9]*' | sort -n | tail -n 1; }

# Readers of the topics that are not ours, for the tests that ask whether others can read them.
require_readers() {
  require_packages kcat
  if [ "$(cat "$BATON_READERS/.versions" 2>/dev/null)" = "${readers[*]}" ]; then return; fi
  say "Installing the readers that are not ours (${readers[*]})"
  require_pip
  rm -rf "$BATON_READERS"
  pip_install "$BATON_READERS" "${readers[@]}" ||
    give_up "Cannot install ${readers[*]} from PyPI." "Check the network."
  printf '%s' "${readers[*]}" >"$BATON_READERS/.versions"
}

# The test broker, into a folder of our own. The command that PyPI installs is a script that starts
# the broker as its child and leaves it behind when stopped: the broker itself is linked instead.
require_noida() {
  if [ -x "$BATON_NOIDA_DB" ]; then return; fi
  say "Installing noida-db $noida_version, the broker for tests and for looking around"
  require_pip
  mkdir -p "$tools/noida/bin"
  pip_install "$tools/noida/lib" --no-deps "noida-db==$noida_version" ||
    give_up "Cannot install noida-db $noida_version from PyPI." \
      "Check the network, or set BATON_NOIDA_DB to the broker's binary."
  chmod 755 "$tools/noida/lib/noida_db/noida-db"
  ln -sf ../lib/noida_db/noida-db "$tools/noida/bin/noida-db"
  BATON_NOIDA_DB="$tools/noida/bin/noida-db"
}

setup() {
  mkdir -p "$tools"
  require_swift
  require_packages librdkafka-dev libsqlite3-dev
  require_noida
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

broker_pid=
# start_broker FOLDER: sets broker_pid and bootstrap.
start_broker() {
  local port attempt
  port=$(free_port)
  mkdir -p "$1"
  # A session of its own: Ctrl-C at the terminal must not stop the broker before its users.
  setsid "$BATON_NOIDA_DB" start --only kafka --kafka-port "$port" --data-dir "$1" >"$1.log" 2>&1 &
  broker_pid=$!
  export bootstrap=127.0.0.1:$port
  for attempt in $(seq 1 200); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
    kill -0 "$broker_pid" 2>/dev/null || break
    sleep 0.05
  done
  tail -n 5 "$1.log" >&2
  give_up "The broker does not start (attempt $attempt)." "Its last words are above."
}

stop_broker() {
  if [ -z "$broker_pid" ]; then return; fi
  kill -TERM "$broker_pid" 2>/dev/null || true
  wait "$broker_pid" 2>/dev/null || true
  broker_pid=
}

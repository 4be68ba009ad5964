# What the scripts share. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Where cargo builds: kept from run to run where that folder is, else the repository's own.
if [ -z "${CARGO_TARGET_DIR:-}" ] && [ -d "$HOME/.cache/spaceport/target" ]; then
  CARGO_TARGET_DIR=$HOME/.cache/spaceport/target
fi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}

say() { printf '==> %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

docker_answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# A dockerd that the scripts started themselves, because none answered and there is no systemd, is
# stopped by the last script that needed it. Who needs it holds a shared lock on "users"; the pid
# file is there only while a script is to stop it; "turn" makes starting and stopping take turns.
dockerd_state=${XDG_CACHE_HOME:-$HOME/.cache}/spaceport/dockerd
mkdir -p "$dockerd_state"

in_turn() (
  flock 9
  "$@"
) 9>"$dockerd_state/turn"

# From here on this script needs an Engine, and stop_dockerd will stop the one it starts.
own_dockerd() {
  export SPACEPORT_OWNS_DOCKERD=1
  exec 8>"$dockerd_state/users"
  in_turn flock --shared 8
}

# Leaves a dockerd that runs to whoever is at the terminal.
leave_dockerd() {
  [ -e "$dockerd_state/pid" ] || return 0
  say "dockerd keeps running for your spaces; stop it with: kill $(cat "$dockerd_state/pid")"
  rm -f "$dockerd_state/pid"
}

start_dockerd() { in_turn start_dockerd_now; }
start_dockerd_now() {
  docker_answers && return 0
  [ "$(id -u)" = 0 ] || die 'no Docker Engine answers: start it, or join the group docker'
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    # A pid file of a dockerd that is gone stops the next one if its number is in use again.
    if [ "$(cat "/proc/$(cat /var/run/docker.pid 2>/dev/null)/comm" 2>/dev/null)" != dockerd ]; then
      rm -f /var/run/docker.pid
    fi
    say 'starting dockerd'
    # In a session of its own, so that Ctrl-C does not reach it, and without our locks.
    setsid dockerd >"$dockerd_state/log" 2>&1 </dev/null 8>&- 9>&- &
    if [ -n "${SPACEPORT_OWNS_DOCKERD:-}" ]; then echo $! >"$dockerd_state/pid"; fi
  fi
  for _ in $(seq 150); do
    if docker_answers; then return 0; fi
    sleep 0.2
  done
  die "dockerd does not answer, see $dockerd_state/log"
}

# Stops the dockerd that a script started, if nobody else needs it, and waits until it is gone.
stop_dockerd() {
  exec 8>&-
  in_turn stop_dockerd_now
}
stop_dockerd_now() {
  local pid
  pid=$(cat "$dockerd_state/pid" 2>/dev/null) || return 0
  flock --exclusive --nonblock "$dockerd_state/users" true || return 0
  rm -f "$dockerd_state/pid"
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 300); do
    # Gone, or ended and waiting for its parent to notice.
    grep -qsv ') Z ' "/proc/$pid/stat" || return 0
    sleep 0.1
  done
  say "dockerd ($pid) does not stop"
}

# Copies $1 to $2 by rename, so that a running program keeps the file it was started from.
replace() {
  mkdir -p "$(dirname "$2")" && cp "$1" "$2.new" && mv "$2.new" "$2"
}

# The packages of the components, one in each folder of components/.
component_packages() {
  (cd "$root/components" && printf '%s\n' */Cargo.toml | sed 's,/Cargo.toml,-component,')
}

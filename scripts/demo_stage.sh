# What the demos have in common: a stage with a gatekeeper and hosts, and how a step is shown.
# Sourced from the root of the tree; ends what it started when the script ends.

if [ -t 1 ]; then BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' OFF=$'\e[0m'; else BOLD='' DIM='' GREEN='' RED='' OFF=''; fi

# build_for_demo: the programs, on the PATH.
build_for_demo() {
  install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
  local bin=${BOOTGATE_BIN:-$PWD/build/release/bin}
  if [ -z "${BOOTGATE_BIN:-}" ]; then
    scripts/build bootgate-agent bootgate-gatekeeper bootgate-desk bootgate-rogue
  fi
  export PATH="$bin:$PATH" TSS2_LOG=all+NONE
}

CASES=$PWD/tests/corpus/boots
WORK=$(mktemp -d "${TMPDIR:-/tmp}/bootgate.XXXXXX")
GATE=$WORK/gatekeeper
HOSTS=()
GATE_PID=
declare -A AGENTS=()  # name of a host -> process of its agent
OTHER_PIDS=()         # further processes that end with the demo

finish() {
  local code=$?
  set +e
  local pid
  for pid in "${AGENTS[@]}" "${OTHER_PIDS[@]}" $GATE_PID; do
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  for host in "${HOSTS[@]}"; do bootgate-desk down "$WORK/$host" >/dev/null 2>&1; done
  if [ "$code" -eq 0 ]; then
    rm -rf "$WORK"
  else
    echo "${RED}The demo failed (exit $code).${OFF} What it made is in $WORK; the gatekeeper's log is $WORK/gatekeeper.log" >&2
  fi
}
trap finish EXIT

step() { printf '\n%s%s%s\n' "$BOLD" "$*" "$OFF"; }
say() { printf '  %s\n' "$*"; }
good() { printf '  %s✓ %s%s\n' "$GREEN" "$*" "$OFF"; }
die() {
  printf '  %s✗ %s%s\n' "$RED" "$*" "$OFF" >&2
  exit 1
}

# run WANTED_EXIT COMMAND...: shows the command and the first lines of what it prints; its exit code
# must be as wanted.
LINES_SHOWN=14
OUTPUT=
run() {
  local wanted=$1 code=0
  shift
  printf '  %s$ %s%s\n' "$DIM" "${*//$WORK/…}" "$OFF"
  OUTPUT=$("$@" 2>&1) || code=$?
  show "${OUTPUT//$WORK/…}"
  [ "$code" -eq "$wanted" ] || die "exit code $code instead of $wanted: $*"
}
show() {
  local lines
  [ -n "$1" ] || return 0
  lines=$(wc -l <<<"$1")
  head -n "$LINES_SHOWN" <<<"$1" | cut -c1-"${COLUMNS:-150}" | sed 's/^/    /'
  if [ "$lines" -gt "$LINES_SHOWN" ]; then printf '    %s(%d more lines)%s\n' "$DIM" $((lines - LINES_SHOWN)) "$OFF"; fi
}
# quiet COMMAND...: shows nothing unless it fails.
quiet() {
  OUTPUT=$("$@" 2>&1) || die "failed: $* : $OUTPUT"
}
expect() { grep -qE -- "$1" <<<"$OUTPUT" || die "expected to read: $1"; }

# desk_part NAME KEY: where a part of a live host is.
desk_part() { bootgate-desk show "$WORK/$1" | sed -n "s/.*\"$2\": \"\(.*\)\".*/\1/p"; }
# boot CASE: the folder of a captured boot, or of one that the demo made out of one.
boot() { [ -d "$WORK/boots/$1" ] && echo "$WORK/boots/$1" || echo "$CASES/$1"; }
# host NAME CASE: a live host that booted as CASE did, with an agent configured for it.
host() {
  local name=$1 case=$2
  HOSTS+=("$name")
  quiet bootgate-desk up "$WORK/$name" --case "$(boot "$case")" --ca "$WORK/tpm-vendor"
  cat >"$WORK/$name.toml" <<EOF
state_folder = "$WORK/$name.state"
runtime_folder = "$WORK/$name.run"
boot_log = "$WORK/$name/boot_log"
user_log = "$WORK/$name/user_log"
ima_list = "$WORK/$name/ima"
kernel_boot_id = "$WORK/$name/boot_id"
[tpm]
tcti = "$(desk_part "$name" tcti)"
[credential]
require_tmpfs = false
EOF
}
# start_agent NAME, stop_agent NAME: the agent as a service of that host.
start_agent() {
  bootgate-agent run --config "$WORK/$1.toml" >>"$WORK/$1.log" 2>&1 &
  AGENTS[$1]=$!
}
stop_agent() {
  kill "${AGENTS[$1]}"
  wait "${AGENTS[$1]}" || true
  unset "AGENTS[$1]"
}
agent() {
  local name=$1
  shift
  bootgate-agent "$@" --config "$WORK/$name.toml"
}
gatekeeper() { bootgate-gatekeeper "$@" --dir "$GATE"; }
# join NAME: joins and is approved; the host id is left in HOST_ID.
join() {
  quiet gatekeeper join-token create --out "$WORK/$1.join" --address "127.0.0.1:$PORT" --label "name=$1"
  quiet agent "$1" join "$WORK/$1.join"
  HOST_ID=$(grep -oE 'h-[0-9a-f]{32}' <<<"$OUTPUT" | head -n 1)
  quiet gatekeeper host approve "$HOST_ID"
}
# eventually WHAT COMMAND...: runs it until it succeeds; a minute is more than anything here takes.
eventually() {
  local what=$1 end=$((SECONDS + 60))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || die "waited in vain: $what"
    sleep 0.1
  done
}
start_gatekeeper() {
  rm -f "$WORK/port"
  # Not through the function above: $! would be a shell around the gatekeeper.
  bootgate-gatekeeper run --port-file "$WORK/port" --dir "$GATE" >>"$WORK/gatekeeper.log" 2>&1 &
  GATE_PID=$!
  for _ in $(seq 200); do
    [ -s "$WORK/port" ] && break
    kill -0 "$GATE_PID" 2>/dev/null || die "the gatekeeper did not start: $(tail -n 3 "$WORK/gatekeeper.log")"
    sleep 0.05
  done
  PORT=$(cat "$WORK/port")
}

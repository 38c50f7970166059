# A fleet of fifty hosts, each with a TPM and an agent of its own. Three go bad in three ways; those
# who must know learn it within a second; one comes back the proper way, and no improper way works; a
# bad policy that would shut everybody out is stopped. Sourced by scripts/demo.

FLEET=50
AT_ONCE=$((2 * $(nproc)))

in_state() { bootgate-gatekeeper host list --dir "$GATE" -o json | grep -c "\"trust\": \"$1\"" || true; }
states_are() { [ "$(in_state "$1")" -eq "$2" ]; }
# fleet_up FIRST LAST: hosts n01, n02, ... which booted well; a few are made at the same time.
fleet_up() {
  local number name makers=()
  for number in $(seq "$1" "$2"); do
    name=$(printf 'n%02d' "$number")
    HOSTS+=("$name")
    (host "$name" good) &
    makers+=("$!")
    [ "${#makers[@]}" -lt "$AT_ONCE" ] || await_makers
  done
  await_makers
}
await_makers() {
  local maker
  for maker in "${makers[@]}"; do wait "$maker" || die "a host did not come up"; done
  makers=()
}

START=$SECONDS
step "1  A gatekeeper, and a fleet of $FLEET hosts with a TPM each"
host n01 good
quiet bootgate-gatekeeper init --dir "$GATE" --cluster-id demo --trust-domain demo.example --listen 127.0.0.1:0
sed -i "s|^roots = .*|roots = [\"$(desk_part n01 ek_root)\", \"$(desk_part n01 ek_issuer)\"]|" "$GATE/gatekeeper.toml"
(umask 077; echo "whsec_$(openssl rand -base64 32)" >"$WORK/pager.key")
scripts/demo_receiver "$WORK/pager.key" "$WORK/pager.port" "$WORK/pager.txt" &
OTHER_PIDS+=("$!")
eventually "the webhook's receiver" test -s "$WORK/pager.port"
cat >>"$GATE/gatekeeper.toml" <<EOF
[attestation]
interval = "3s"
[[webhook]]
name = "pager"
url = "http://127.0.0.1:$(cat "$WORK/pager.port")/bootgate"
secret_file = "$WORK/pager.key"
EOF
quiet gatekeeper policy activate deploy/policies/secure-boot.policy
quiet bootgate-gatekeeper reference learn --evidence "$CASES/good" --out "$WORK/good.json" --name good-boot --unlisted fail
quiet gatekeeper reference import "$WORK/good.json"
start_gatekeeper
fleet_up 2 "$FLEET"
quiet gatekeeper join-token create --out "$WORK/fleet.join" --address "127.0.0.1:$PORT" --label role=web --approve --uses "$FLEET"
for name in "${HOSTS[@]}"; do
  quiet agent "$name" join "$WORK/fleet.join"
  start_agent "$name"
done
eventually "all $FLEET trusted" states_are trusted "$FLEET"
good "$FLEET hosts attested and are trusted, $((SECONDS - START)) seconds after the start"

step "2  Network controllers, a webhook and a person watch; three hosts go bad, each in its own way"
bootgate-gatekeeper quarantine watch --dir "$GATE" -o json >"$WORK/watch.jsonl" 2>"$WORK/watch.log" &
OTHER_PIDS+=("$!")
eventually "the watch's snapshot" grep -q '"snapshot_complete":true' "$WORK/watch.jsonl"
quiet bootgate-desk other-kernel "$WORK/boots/other-kernel" --case "$CASES/good" --data "a kernel of somebody else"
id_of() { agent "$1" status -o json | grep -oE 'h-[0-9a-f]{32}' | head -n 1; }
# goes_bad NAME CASE: the host boots otherwise, its agent starts with it.
goes_bad() {
  stop_agent "$1"
  quiet bootgate-desk reboot "$WORK/$1" --case "$(boot "$2")"
  start_agent "$1"
}
SBOFF=$(id_of n02) MINER=$(id_of n03) KERNEL=$(id_of n04)
say "n02 boots with Secure Boot off, n03 runs a program that nobody knows, n04 boots another kernel"
goes_bad n02 secure-boot-off
quiet bootgate-desk measure "$WORK/n03" --path /usr/local/bin/miner --data "a program that nobody knows"
goes_bad n04 other-kernel
eventually "three quarantined" states_are quarantined 3
for id in "$SBOFF" "$MINER" "$KERNEL"; do
  eventually "the watcher hears of $id" grep -q "\"host_id\":\"$id\",\"trust\":\"quarantined\"" "$WORK/watch.jsonl"
done
for id in "$SBOFF" "$MINER" "$KERNEL"; do
  eventually "the webhook tells of $id" grep -q "$id  trusted -> quarantined" "$WORK/pager.txt"
done
say "what the webhook's receiver wrote, each signature checked:"
run 0 grep 'trusted -> quarantined' "$WORK/pager.txt"
[ "$(grep 'trusted -> quarantined' "$WORK/pager.txt" | cut -d' ' -f1 | sort -n | tail -n 1)" -lt 1000 ] || die "it took longer than a second"
run 0 gatekeeper quarantine list
expect "$SBOFF"
expect "$MINER"
expect "$KERNEL"
states_are trusted $((FLEET - 3)) || die "others were touched"
good "exactly these three are cut off, and the watchers know"

step "3  Incident tooling finds the cause and the evidence"
incident_of() { gatekeeper incident list --host "$1" -o json | grep -oE 'i-[0-9a-f]{16}' | head -n 1; }
for id in "$SBOFF" "$MINER" "$KERNEL"; do
  run 0 gatekeeper incident diff "$(incident_of "$id")"
  case $id in
    "$SBOFF") expect 'SecureBoot' ;;
    "$MINER") expect '/usr/local/bin/miner' ;;
    "$KERNEL") expect 'vmlinuz' ;;
  esac
done
INCIDENT=$(incident_of "$SBOFF")
run 0 gatekeeper incident export "$INCIDENT" --out "$WORK/incident.tar"
run 0 bootgate-gatekeeper evidence verify "$WORK/incident.tar"
expect 'The same verdict, byte for byte'
good "the archive alone gives the same verdict again, byte for byte"

step "4  The improper ways back"
goes_bad n02 good
say "a good boot alone:"
eventually "n02 attested again" grep -q 'this evidence passes, but a quarantine ends only' "$WORK/n02.log"
run 6 agent n02 status
states_are quarantined 3 || die "a good boot alone ended a quarantine"
say "joining again:"
stop_agent n02
quiet gatekeeper join-token create --out "$WORK/again.join" --address "127.0.0.1:$PORT" --approve
run 0 agent n02 join "$WORK/again.join"
expect 'joining does not end that'
states_are quarantined 3 || die "joining again ended a quarantine"
say "a release without a resolved incident:"
run 9 gatekeeper quarantine release "$SBOFF" --reason "it looks fine"
expect 'HOST_STATE|INCIDENT_STATE'
good "none of them works"

step "5  The proper way: cause found, resolved, released, a new boot with good evidence"
run 0 gatekeeper quarantine investigate "$SBOFF" --note "who touched the firmware?"
run 0 gatekeeper incident note "$INCIDENT" "a technician had switched it off to boot a rescue stick"
run 0 gatekeeper incident resolve "$INCIDENT" --root-cause "Secure Boot was switched off for a repair" --disposition misconfiguration --ticket T-4711
run 0 gatekeeper quarantine release "$SBOFF" --reason "T-4711"
quiet bootgate-desk reboot "$WORK/n02" --case "$(boot good)"
start_agent n02
run 0 gatekeeper host wait "$SBOFF" --for trusted --timeout 60
run 0 gatekeeper incident show "$INCIDENT"
expect 'state: +closed'
good "n02 is trusted again, and its incident is closed"

step "6  A bad policy that would shut everybody out"
cat >"$WORK/bad.policy" <<'EOF'
version=1.0;
authorizationrules
{
    [type=="secureBootEnabled", value==false] => permit();
};
issuancerules {};
EOF
run 0 gatekeeper policy activate "$WORK/bad.policy" --force --reason "what could go wrong"
eventually "the brake" bash -c "bootgate-gatekeeper brake status --dir '$GATE' | grep -q engaged"
eventually "all of them held or cut off" states_are trusted 0
run 0 gatekeeper brake status
say "$(in_state quarantined) hosts are quarantined, $(in_state suspect) are held: they keep what they have, and nothing is renewed"
[ "$(in_state suspect)" -gt $((FLEET / 2)) ] || die "the brake did not hold"
run 0 gatekeeper policy rollback --reason "it denies everybody"
run 0 gatekeeper brake release forgive --reason "the policy was wrong"
eventually "those that were held are trusted again" states_are suspect 0
good "the brake held; a rollback and one word brought the fleet back"

step "7  Who did what: the trail is whole"
run 0 gatekeeper audit verify
quiet gatekeeper audit list --action "quarantine.*"

printf '\n%s%sAll as it should be, in %d seconds.%s\n' "$BOLD" "$GREEN" $((SECONDS - START)) "$OFF"

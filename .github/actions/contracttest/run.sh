#!/usr/bin/env bash
# What action.yml runs; its inputs are in INPUT_… variables.
set -euo pipefail

bin=$(mktemp -d)
if [[ $INPUT_VERSION == local ]]; then
  (cd "$(dirname "$0")/../../.." && go build -o "$bin/contracttest" ./cmd/contracttest)
else
  GOBIN=$bin go install "github.com/dataarts-go/factory/cmd/contracttest@$INPUT_VERSION"
fi

if [[ -n $INPUT_START ]]; then
  mkdir -p "$INPUT_REPORTS"
  bash -c "$INPUT_START" >"$INPUT_REPORTS/service.log" 2>&1 &
  service=$!
  trap 'kill "$service" 2>/dev/null || true' EXIT
  for ((i = 0; ; i++)); do
    if curl --silent --output /dev/null --max-time 2 "$INPUT_TARGET"; then break; fi
    if ((i == 120)) || ! kill -0 "$service" 2>/dev/null; then
      echo "::error::the service does not answer at $INPUT_TARGET"
      tail -n 50 "$INPUT_REPORTS/service.log"
      exit 2
    fi
    sleep 0.5
  done
fi

args=(run)
# Each other input is a flag of its name, or one for each of its lines. What is not given, the settings may say.
for name in $(compgen -e INPUT_ | sort); do
  case $name in INPUT_ARGS | INPUT_REPORTS | INPUT_START | INPUT_VERSION) continue ;; esac
  flag=$(tr '[:upper:]_' '[:lower:]-' <<<"${name#INPUT_}")
  while IFS= read -r line; do
    if [[ -n $line ]]; then args+=("--$flag=$line"); fi
  done <<<"${!name}"
done
for report in html=html json=json junit=xml sarif=sarif har=har md=md; do
  args+=(--report "${report%=*}=$INPUT_REPORTS/report.${report#*=}")
done
while IFS= read -r arg; do
  if [[ -n $arg ]]; then args+=("$arg"); fi
done <<<"$INPUT_ARGS"
"$bin/contracttest" "${args[@]}"

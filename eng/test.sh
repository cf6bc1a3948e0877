#!/usr/bin/env bash
# All tests: installs what is missing, builds everything with warnings as errors, checks the form of the code, runs every test
# project and the front end's unit tests. Ends with one line of counts; exits 0 only when nothing failed.
#   bash eng/test.sh [NAME ...]     only the test projects whose folder contains one of the names ("client" for the front end)
set -uo pipefail
cd "$(dirname "$0")/.."
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 NO_COLOR=1
passed=0 failed=0 skipped=0
started=$SECONDS

wanted() { # does the caller want this project?
  [ ${#only[@]} -eq 0 ] && return 0
  local name; for name in "${only[@]}"; do [[ $1 == *"$name"* ]] && return 0; done; return 1
}
only=("$@")
stop() { echo "$1" >&2; echo "$passed passed, $((failed + 1)) failed, $skipped skipped"; exit 1; }

bash eng/install.sh || stop "The machine lacks something that the tests need (above)."
dotnet build Platform.sln -v minimal || stop "The build failed."
dotnet format whitespace Platform.sln --no-restore --verify-no-changes || stop "The form is off: run 'dotnet format whitespace Platform.sln'."

if wanted client; then
  echo "== client"
  if (cd Web/client && timeout 300 npm test --silent -- --reporter=default --reporter=json --outputFile.json="$results/client.json"); then :; else client_failed=1; fi
  read -r p f s < <(node -e '
    const r = JSON.parse(require("fs").readFileSync(process.argv[1]));
    console.log(r.numPassedTests, r.numFailedTests, r.numPendingTests + (r.numTodoTests ?? 0))' "$results/client.json" 2>/dev/null || echo 0 1 0)
  [ "${client_failed:-0}" = 1 ] && [ "$f" = 0 ] && f=1
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
fi

for project in tests/*.Tests; do
  name=$(basename "$project")
  wanted "$name" || continue
  echo "== $name"
  before=$SECONDS
  timeout --kill-after=10 900 dotnet test "$project" --no-build -v quiet --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" --results-directory "$results"
  status=$?
  counters=$(grep -o '<Counters [^>]*>' "$results/$name.trx" 2>/dev/null | head -1)
  count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
  if [ -z "$counters" ]; then
    echo "$name ended without a result (exit $status)."
    failed=$((failed + 1))
  else
    p=$(count passed) f=$(count failed) t=$(count total) e=$(count executed)
    [ "$status" -ne 0 ] && [ "$f" = 0 ] && f=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + t - e))
  fi
  echo "   $((SECONDS - before)) s"
done

echo "took $((SECONDS - started)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

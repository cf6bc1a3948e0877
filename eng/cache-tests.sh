#!/usr/bin/env bash
# Runs the public suite http-tests/cache-tests against /files: its server as an http origin, its client asking ImageApi (Release).
#   bash eng/cache-tests.sh PATH_TO_CHECKOUT [TEST_ID] [RESULT.json]
# The checkout needs `npm install` once; nothing of it is copied. Prints the counts of required and optimal tests as the suite judges them: plain, and
# with each test's dependencies honoured; with TEST_ID runs that test alone and prints its traffic; with RESULT.json writes the counts there.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$(cd "${1:?the path of a checkout of http-tests/cache-tests}" && pwd)
id=${2:-}
result=${3:-}
work=$(mktemp -d)
pids=()
finish() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap finish EXIT
free_port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }
wait_for() { for _ in $(seq 150); do curl -so /dev/null "$1" && return; sleep 0.2; done; echo "$1 does not answer" >&2; exit 1; }

[ -n "${NO_BUILD:-}" ] || dotnet build ImageApi -c Release -v quiet -p:SkipClient=true
origin=$(free_port)
(cd "$suite" && npm_config_protocol=http npm_config_port=$origin npm_config_pidfile="$work/origin.pid" exec node test-engine/server/server.mjs >"$work/origin.log" 2>&1) &
pids+=($!)

port=$(free_port)
# The suite's origin fails on purpose and in parallel: no second tries, no breaker that opens for it. Its answers carry the freshness: no policy of ours.
env ASPNETCORE_URLS="http://127.0.0.1:$port" DOTNET_ENVIRONMENT=Production \
  ImageApi__Store__Path="$work/store" TieredCache__Disk__Path="$work/cache" \
  ImageApi__Origins__suite__Kind=http ImageApi__Origins__suite__Url="http://localhost:$origin/" \
  ImageApi__Origins__suite__MaxConcurrency=128 ImageApi__Origins__suite__Retries=0 ImageApi__Origins__suite__PassCredentials=true \
  ImageApi__Origins__suite__Methods__0=PUT ImageApi__Origins__suite__Methods__1=POST ImageApi__Origins__suite__Methods__2=DELETE ImageApi__Origins__suite__Methods__3=M-SEARCH \
  dotnet ImageApi/bin/Release/net10.0/ImageApi.dll >"$work/imageapi.log" 2>&1 &
pids+=($!)
wait_for "http://127.0.0.1:$origin/"
wait_for "http://127.0.0.1:$port/health"

base="http://127.0.0.1:$port/files/suite"
if [ -n "$id" ]; then
  (cd "$suite" && npm_config_base=$base npm_config_id=$id node --no-warnings test-engine/cli.mjs) || true
  cat "$work/imageapi.log" | tail -5
  exit
fi
(cd "$suite" && npm_config_base=$base npm_package_config_id='' node --no-warnings test-engine/cli.mjs >"$work/results.json")
cp "$work/results.json" "${KEEP_RESULTS:-/dev/null}" 2>/dev/null || true
DURATION=$SECONDS SUITE=$suite RESULTS=$work/results.json RESULT=$result COMMIT=$(git rev-parse --short=12 HEAD) MODIFIED=$(git status --porcelain -uno | head -1) \
  SUITE_COMMIT=$(git -C "$suite" rev-parse --short=12 HEAD 2>/dev/null || echo unknown) node --no-warnings --input-type=module <<'JS'
import fs from 'fs'
import os from 'os'
import { pathToFileURL } from 'url'
const from = path => import(pathToFileURL(`${process.env.SUITE}/${path}`))
const tests = (await from('tests/index.mjs')).default
const { determineTestResult, resultTypes } = await from('test-engine/lib/results.mjs')
const results = JSON.parse(fs.readFileSync(process.env.RESULTS))
const counts = {}
const failed = []
for (const test of tests.flatMap(suite => suite.tests).filter(test => !test.browser_only)) {
  const kind = test.kind ?? 'required'
  const count = counts[kind] ??= { tests: 0, plain: 0, dependent: 0 }
  const good = [resultTypes.pass, resultTypes.yes]
  count.tests++
  if (results[test.id] === true) count.plain++
  if (good.includes(determineTestResult(tests, test.id, results))) count.dependent++
  if (results[test.id] !== true && kind !== 'check') failed.push(`${kind.padEnd(9)} ${test.id}: ${results[test.id]?.[1] ?? 'not run'}`)
}
console.log(failed.sort().join('\n'))
for (const [kind, count] of Object.entries(counts)) console.log(`${kind}: ${count.plain} of ${count.tests}, ${count.dependent} with dependencies honoured`)
if (process.env.RESULT) {
  const measure = (scenario, name, value) => ({ scenario, target: 'files', measure: name, unit: 'tests', conditions: {}, n: 1, errors: 0, rounds: [value], median: value, min: value, max: value })
  const kinds = Object.entries(counts).filter(([kind]) => kind !== 'check')
  fs.writeFileSync(process.env.RESULT, JSON.stringify({
    format: 'platform-results/1', name: 'cache-tests', startedAt: new Date().toISOString(), durationSeconds: Number(process.env.DURATION), commit: process.env.COMMIT, isModified: process.env.MODIFIED !== '',
    machine: { cpu: os.cpus()[0].model, cores: os.cpus().length, memoryGigabytes: Math.round(os.totalmem() / 1e8) / 10, operatingSystem: `${os.type()} ${os.release()}`, runtime: `node ${process.versions.node}`, loadAverage: Math.round(os.loadavg()[0] * 100) / 100 },
    seed: 0, parameters: { suite: process.env.SUITE_COMMIT }, targets: { files: '/files of an http origin' },
    measurements: kinds.flatMap(([kind, count]) => [measure(kind, 'tests', count.tests), measure(kind, 'passed', count.plain), measure(kind, 'passed, dependencies honoured', count.dependent)]),
    ratios: []
  }, null, 2) + '\n')
}
JS

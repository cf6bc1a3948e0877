#!/usr/bin/env bash
# The long counts, for a night or before a release: the same tests as eng/test.sh with their counts raised.
#   bash eng/soak.sh [FACTOR=100]
set -euo pipefail
cd "$(dirname "$0")/.."
factor=${1:-100}
export PLATFORM_FUZZ_COUNT=$((50000 * factor))
export PLATFORM_SOAK_FACTOR=$factor
dotnet build Platform.sln -v quiet
for project in tests/Platform.Dicom.Tests tests/Platform.Codecs.Tests tests/Platform.TieredCache.Tests tests/ImageApi.Tests; do
  dotnet test "$project" --no-build --filter 'FullyQualifiedName~Fuzz|FullyQualifiedName~Soak|FullyQualifiedName~Kill|FullyQualifiedName~AnyMutation' --logger 'console;verbosity=normal'
done

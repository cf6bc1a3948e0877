#!/usr/bin/env bash
# The long counts, for a night or before a release: the same tests as eng/test.sh with their counts raised.
#   bash eng/soak.sh [FACTOR=100] [FIRST=random]     5,000,000 broken streams and files at factor 100, numbered from FIRST on
# A failure tells the number to repeat (PLATFORM_FUZZ_FIRST=n PLATFORM_FUZZ_COUNT=1) and the file that keeps the stream.
set -euo pipefail
cd "$(dirname "$0")/.."
factor=${1:-100}
export PLATFORM_FUZZ_COUNT=$((50000 * factor))
export PLATFORM_FUZZ_FIRST=${2:-$(((RANDOM << 15 | RANDOM) % 1000 * 1000000))}
export PLATFORM_SOAK_FACTOR=$factor
echo "numbers from $PLATFORM_FUZZ_FIRST, $PLATFORM_FUZZ_COUNT of them"
dotnet build Platform.sln -v quiet
for project in tests/Platform.Dicom.Tests tests/Platform.Codecs.Tests tests/Platform.TieredCache.Tests tests/Platform.Models.Tests tests/ImageApi.Tests; do
  dotnet test "$project" --no-build --filter 'FullyQualifiedName~Fuzz|FullyQualifiedName~Soak|FullyQualifiedName~Kill|FullyQualifiedName~AnyMutation' --logger 'console;verbosity=detailed'
done

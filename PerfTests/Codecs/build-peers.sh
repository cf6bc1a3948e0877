#!/usr/bin/env bash
# Builds the peers of `codecs` into a folder. usage: bash PerfTests/Codecs/build-peers.sh DIR
# Debian: libopenjph-dev libopenjp2-7-dev libcharls-dev libdcmtk-dev libturbojpeg0-dev
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
build() { g++ -O2 -std=c++17 -shared -fPIC "$here/$1.cpp" -o "$2/$1.so" "${@:3}"; }
build openjph "$1" -lopenjph
build openjpeg "$1" -I/usr/include/openjpeg-2.5 -lopenjp2
build charls "$1" -lcharls
build dcmtk "$1" -ldcmjpeg -lijg12 -lijg16 -ldcmdata -lofstd
build turbojpeg "$1" -lturbojpeg

#!/usr/bin/env bash
# Installs what the tests need from Debian and is not there yet: the browser, Redis, and the independent tools that
# everything is checked against; and from npm an object store for the tests. Does nothing where all of it is present.
set -euo pipefail
cd "$(dirname "$0")/.."

# command -> package
declare -A needs=(
  [chromium]=chromium            # the browser tests
  [redis-server]=redis-server    # the shared tier
  [dcmdump]=dcmtk                # oracle: parsing, DICOM JSON, JPEG, RLE
  [dciodvfy]=dicom3tools          # oracle: rules of SOP classes
  [djpeg]=libjpeg-turbo-progs    # oracle: JPEG
  [dwebp]=webp                   # oracle: WebP
  [gdcmdump]=libgdcm-tools       # oracle: parsing
  [ojph_expand]=openjph-tools    # oracle: HTJ2K
  [opj_decompress]=libopenjp2-tools # oracle: JPEG 2000, HTJ2K
  [Orthanc]=orthanc              # peer: a DICOMweb server
  [nginx]=nginx-light            # peer: a server of bytes
  [wrk]=wrk                      # peer: load
)
missing=()
for command in "${!needs[@]}"; do
  command -v "$command" >/dev/null 2>&1 || [ -x "/usr/sbin/$command" ] || missing+=("${needs[$command]}")
done
[ -f /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing+=(orthanc-dicomweb)
/usr/bin/python3 -c 'import pydicom, numpy' 2>/dev/null || missing+=(python3-pydicom python3-numpy)   # oracle: data sets
compgen -G '/usr/lib/*/libwebp.so.7' >/dev/null || missing+=(libwebp7)   # pictures as WebP
/usr/bin/python3 -c 'import PIL' 2>/dev/null || missing+=(python3-pil)   # oracle: pictures
/usr/bin/python3 -c 'import nibabel' 2>/dev/null || missing+=(python3-nibabel)   # oracle: volumes
/usr/bin/python3 -c 'import importlib.util as u, sys; sys.exit(not (u.find_spec("torch") and u.find_spec("h5py")))' 2>/dev/null || missing+=(python3-torch python3-h5py)   # oracle: weights of models
command -v fc-list >/dev/null 2>&1 && [ -n "$(fc-list 2>/dev/null)" ] || missing+=(fontconfig fonts-dejavu-core)  # text in screenshots

command -v dotnet >/dev/null 2>&1 || { echo "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download" >&2; exit 1; }
node_major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)
[ "${node_major:-0}" -ge 20 ] || { echo "Node.js 20 or later is missing (found: ${node_major:-none}): https://nodejs.org" >&2; exit 1; }

# The object store that tests speak to: from npm, by its lock file, without running anything of the packages.
s3=tests/Shared/S3
if ! cmp -s "$s3/package-lock.json" "$s3/node_modules/.installed"; then
  (cd "$s3" && npm ci --ignore-scripts --no-audit --no-fund --silent) && cp "$s3/package-lock.json" "$s3/node_modules/.installed" \
    || echo "s3rver could not be installed from npm: tests that need it skip and say so." >&2
fi

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Not Debian: install by hand: ${missing[*]}. Tests that need them skip and say so." >&2
    exit 0
  fi
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  echo "Installing ${missing[*]}"
  $sudo apt-get update -qq
  # RUNLEVEL=1: the packages' own services must not start.
  $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

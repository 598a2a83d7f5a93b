#!/bin/sh
# Set up ./.venv with the package and the extras named (comma-separated): scripts/setup.sh audio,train,dev
# Installs missing system libraries through apt where that is permitted. Run again, it does nothing within a second.
set -eu
cd "$(dirname "$0")/.."
extras=$1
stamp=.venv/.set-up-$extras
python=${PYTHON:-python3}
say() { printf 'setup: %s\n' "$*" >&2; }

want=$(cat pyproject.toml constraints.txt scripts/setup.sh tests/receivers/package-lock.json | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && .venv/bin/python -c 'import live' 2>/dev/null; then exit 0; fi

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo "$@"
    else return 1; fi
}
apt() { # install those of the named Debian packages that are missing; a failure is told, not fatal
    command -v dpkg-query >/dev/null || return 0
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    say "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends $missing; } >/dev/null 2>&1 ||
        say "could not install$missing (no root or sudo, or no network); going on without"
}

command -v "$python" >/dev/null || apt python3
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
    { say "Python 3.11 to 3.13 is needed, $("$python" -V) found; name another with PYTHON=python3.x"; exit 2; }
"$python" -c 'import venv, ensurepip' 2>/dev/null || apt python3-venv
case ",$extras," in *,audio,*)
    apt gcc libc6-dev portaudio19-dev
    [ -f "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] || apt python3-dev ;;
esac
case ",$extras," in *,preview,*|*,film,*|*,webcam,*|*,ndi,*) apt libegl1 libgl1 ;; esac
case ",$extras," in *,dev,*)
    apt pulseaudio pulseaudio-utils libasound2-plugins jackd2 util-linux iproute2
    apt liblo-tools puredata-core supercollider-language godot3-server # the receivers that the tests send to
    apt blender python3-numpy
    apt chromium # the browser that the monitor and study pages are tested in
    command -v npm >/dev/null || apt nodejs npm
    (cd tests/receivers && npm ci --omit=optional --ignore-scripts --silent) >/dev/null 2>&1 ||
        say "could not install tests/receivers by npm; going on without" ;;
esac

[ -x .venv/bin/python ] || { say "making .venv"; "$python" -m venv .venv; }
say "installing livedance[$extras] and what it needs (some minutes the first time)"
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }
if ! pip install -c constraints.txt -e ".[$extras]"; then
    without=$(printf '%s' "$extras" | tr ',' '\n' | grep -vxE 'audio|midi|link|ndi|gpu' | paste -sd, -)
    say "PyAudio (it needs gcc and portaudio19-dev), python-rtmidi, LinkPython-extern, cyndilib or tensorrt-rtx could not"
    say "be installed: microphones, MIDI, Link, NDI and engines will not work, files and the demo will"
    pip install -c constraints.txt -e ".[$without]"
fi
printf '%s' "$want" >"$stamp"

#!/bin/sh
# Install the distribution packages that Headrace stands on, where they are missing.
# Debian 12 and later, Ubuntu 22.04 and later. HEADRACE_SKIP_APT=1 leaves the system alone.
set -eu
cd "$(dirname "$0")"

[ "${HEADRACE_SKIP_APT:-0}" = 1 ] && exit 0

packages=$(sed 's/#.*//' apt-packages.txt | tr -s ' \n' ' ')

if ! command -v dpkg-query > /dev/null; then
    echo "This is not Debian or Ubuntu: install the counterparts of these packages yourself," >&2
    echo "then run make again with HEADRACE_SKIP_APT=1: $packages" >&2
    exit 1
fi

missing=""
for package in $packages; do
    case "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2> /dev/null || true)" in
        ii*) ;;
        *) missing="$missing $package" ;;
    esac
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
    as_root="env"
elif command -v sudo > /dev/null; then
    as_root="sudo env"
else
    echo "These packages are missing, and there is no sudo here. As root, run:" >&2
    echo "    apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
echo "Installing$missing"
$as_root apt-get update
# shellcheck disable=SC2086  # the words are the packages
$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing

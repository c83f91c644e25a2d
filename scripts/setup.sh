#!/bin/sh
# Makes .venv with the bridge in it, or mends it. `setup.sh run` for running, `setup.sh test` for the checks as well.
# On a bare Debian 12 only python3.11 and make are there: what a virtual environment needs is then installed by apt (as root, or
# with sudo where that asks for no password).
set -eu
cd "$(dirname "$0")/.."
want=${1:-run}
python=${PYTHON:-}

# two commands at once in one clone: the second waits for the first
if command -v flock >/dev/null 2>&1; then
    exec 9>.setup.lock
    flock 9
fi

say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 1
    fi
}

install_packages() {
    command -v apt-get >/dev/null 2>&1 || return 1
    as_root apt-get update -qq >/dev/null 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}

if [ -z "$python" ]; then
    for candidate in python3.11 python3.12 python3.13 python3; do
        if command -v "$candidate" >/dev/null 2>&1 &&
           "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ]; then
    say "Python 3.11 or newer is needed and was not found. On Debian or Ubuntu: apt-get install python3"
    exit 1
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        rm -rf .venv
        say "This Python cannot make virtual environments yet; installing python3-venv."
        install_packages python3-venv || {
            say "Could not install it. Do so as root, then run this again:  apt-get install python3-venv"
            exit 1
        }
        "$python" -m venv .venv
    fi
fi

# What is installed is remembered by the checksum of what was asked for, so that a second run takes no time. What other versions of
# this clone asked for is forgotten: their packages are gone.
extras=""
[ "$want" = test ] && extras="[test]"
sum=$(cat pyproject.toml constraints.txt constraints-test.txt scripts/setup.sh | cksum)
asked=$sum$extras
if [ -f .venv/installed ] && ! grep -qF -- "$sum" .venv/installed; then rm .venv/installed; fi

pip_install() {
    .venv/bin/python -m pip install --quiet --use-pep517 --disable-pip-version-check "$@"
}

# A download whose hash is not in the constraints is refused. The clone itself has none: it goes in without its dependencies.
install() {
    if [ -n "$extras" ]; then pip_install --require-hashes -r constraints.txt -r constraints-test.txt
    else pip_install --require-hashes -r constraints.txt
    fi
    pip_install --no-deps -e .
    printf '%s\n' "$asked" >> .venv/installed
}

if [ ! -f .venv/installed ] || ! grep -qxF -- "$asked" .venv/installed; then
    say "Installing what the bridge needs (about a minute) ..."
    install
fi

# A package of another name can bring the files of one that the bridge imports. Both go, and what the bridge asks for comes back.
broken=$(.venv/bin/python scripts/environment.py --broken)
if [ -n "$broken" ]; then
    say "Some of the installed packages are not what they were; installing them anew:" $broken
    # shellcheck disable=SC2086 # one word a package
    .venv/bin/python -m pip uninstall --quiet --yes --disable-pip-version-check $broken
    rm -f .venv/installed
    install
    .venv/bin/python scripts/environment.py || {
        say "The environment cannot be mended. Remove it and run this again:  make clean"
        exit 1
    }
fi

# nextcord brings a package named discord, which is what discord.py is imported as: it gets an environment of its own
other=tests/adapters/discord/nextcord/requirements.txt
if [ "$want" = test ] && ! cmp -s "$other" .venv-nextcord/installed; then
    say "Installing nextcord, which the emulator of Discord is checked with, beside it ..."
    rm -rf .venv-nextcord
    "$python" -m venv .venv-nextcord
    .venv-nextcord/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$other"
    cp "$other" .venv-nextcord/installed
fi

# The example of an adapter from outside the tree is installed as its users would, but into an environment of its own that also sees
# what .venv has: so the other tests meet the platforms of the tree alone.
sum=$(cat examples/ntfy/pyproject.toml scripts/setup.sh | cksum)
if [ "$want" = test ] && [ "$(cat .venv-ntfy/installed 2>/dev/null)" != "$sum" ]; then
    say "Installing the example adapter beside it ..."
    rm -rf .venv-ntfy
    "$python" -m venv --without-pip .venv-ntfy
    .venv-ntfy/bin/python -c '
import pathlib, sysconfig
below = pathlib.Path(sysconfig.get_path("purelib"))
packages = pathlib.Path(".venv", *below.parts[-3:]).resolve()
(below / "bridge.pth").write_text(f"import site; site.addsitedir({str(packages)!r})\n")'
    .venv/bin/python -m pip --python .venv-ntfy install --quiet --use-pep517 --disable-pip-version-check --no-deps -e examples/ntfy
    printf '%s\n' "$sum" > .venv-ntfy/installed
fi

if [ "$want" = test ] && [ -z "${MESSENGER_BRIDGE_NO_BROWSER:-}" ] &&
   ! command -v chromium >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1; then
    say "Installing chromium for the test that types into the sandbox page ..."
    install_packages chromium || {
        say "Could not install chromium. Install it as root, or leave that one test out: MESSENGER_BRIDGE_NO_BROWSER=1 make test"
        exit 1
    }
fi
if [ "$want" = test ] && [ -z "${MESSENGER_BRIDGE_NO_BROWSER:-}" ] && ! .venv/bin/playwright --version >/dev/null 2>&1; then
    say "Installing libatomic1, which the browser's driver needs ..."
    install_packages libatomic1 && .venv/bin/playwright --version >/dev/null || {
        say "The browser's driver does not start: .venv/bin/playwright --version tells why. Without that test: MESSENGER_BRIDGE_NO_BROWSER=1 make test"
        exit 1
    }
fi
if [ "$want" = test ] && ! command -v systemd-analyze >/dev/null 2>&1; then
    say "Installing systemd for the check of its unit ..."
    install_packages systemd || {
        say "Could not install systemd (its systemd-analyze checks the unit). Install it as root, then run this again."
        exit 1
    }
fi
if [ "$want" = test ] && ! command -v systemd-nspawn >/dev/null 2>&1; then
    say "Installing systemd-container, in which the unit is run ..."
    install_packages systemd-container || say "Could not install systemd-container: the tests that run the unit are left out."
fi
if [ "$want" = test ] && [ "$(id -u)" = 0 ] && ! { command -v buildah && command -v debootstrap && command -v ip; } >/dev/null 2>&1; then
    say "Installing buildah and debootstrap, with which the container's image is built ..."
    install_packages buildah debootstrap iproute2 || say "Could not install them: the test that builds and runs the image is left out."
fi
if [ "$want" = test ]; then
    . scripts/programs.sh
fi

#!/bin/sh
# Builds messenger-bridge_VERSION_ARCH.deb into dist/ (or the folder that is named): the program with its dependencies in
# /opt/messenger-bridge/.venv, the unit, the man page and the completions. For the Python and the machine that it is built on.
# `deb.sh --bare FOLDER` leaves the dependencies out: the tests look at the rest.
set -eu
cd "$(dirname "$0")/.."
bare=""
if [ "${1:-}" = --bare ]; then bare=yes; shift; fi
out=${1:-dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
scripts/dist.sh "$work/wheel" >/dev/null
root=$work/root
home=$root/opt/messenger-bridge
python=${PYTHON:-$(readlink -f .venv/bin/python)}
version=$("$python" -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')
minor=$("$python" -c 'import sys; print(sys.version_info.minor)')

mkdir -p "$home"
"$python" -m venv --without-pip "$home/.venv"
pip() { .venv/bin/python -m pip --python "$home/.venv" install --quiet --disable-pip-version-check --no-compile "$@"; }
[ -n "$bare" ] || pip --require-hashes -r constraints.txt
pip --no-deps --no-index "$work"/wheel/*.whl

# the environment was made elsewhere than where it will be
grep -rlIF "$home" "$home/.venv/bin" "$home/.venv/pyvenv.cfg" | xargs -r sed -i "s|$home|/opt/messenger-bridge|g"
rm -f "$home"/.venv/bin/[Aa]ctivate*
for info in "$home"/.venv/lib/python3.*/site-packages/messenger_bridge-*.dist-info; do
    rm -f "$info/direct_url.json"
    sed -i '/direct_url.json/d' "$info/RECORD"
done
# it runs with the Python of the system that it is installed on
for name in python python3 "python3.$minor"; do ln -sfn "/usr/bin/python3.$minor" "$home/.venv/bin/$name"; done
sed -i -e "s|^home = .*|home = /usr/bin|" -e "s|^executable = .*|executable = /usr/bin/python3.$minor|" "$home/.venv/pyvenv.cfg"

install_as() { install -D -m "$1" "$2" "$root/$3"; }
install_as 644 systemd/messenger-bridge.service usr/lib/systemd/system/messenger-bridge.service
sed -i 's|file:///opt/messenger-bridge/|file:///usr/share/doc/messenger-bridge/|' "$root/usr/lib/systemd/system/messenger-bridge.service"
install_as 644 systemd/messenger-bridge.sysusers usr/lib/sysusers.d/messenger-bridge.conf
mkdir -p "$root/usr/bin" "$root/etc/messenger-bridge/credentials"
ln -s /opt/messenger-bridge/.venv/bin/messenger-bridge "$root/usr/bin/messenger-bridge"
chmod 700 "$root/etc/messenger-bridge/credentials"
mkdir -p "$root/usr/share"
for part in bash-completion zsh fish doc; do mv "$home/.venv/share/$part" "$root/usr/share/$part"; done
mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
mkdir -p "$root/usr/share/man"
mv "$home/.venv/share/man/man1" "$root/usr/share/man/man1"
gzip -9n "$root"/usr/share/man/man1/messenger-bridge.1
cp packaging/debian/copyright "$root/usr/share/doc/messenger-bridge/copyright"

mkdir "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "packaging/debian/$script" "$root/DEBIAN/$script"; done
arch=all
[ -n "$bare" ] || arch=$(dpkg --print-architecture)
size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$size/" -e "s/@MINOR@/$minor/" -e "s/@NEXT@/$((minor + 1))/" \
    packaging/debian/control > "$root/DEBIAN/control"
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) > "$root/DEBIAN/md5sums"
chmod -R go-w "$root"
dpkg-deb --root-owner-group ${bare:+-Znone} --build "$root" "$out/messenger-bridge_${version}_${arch}.deb" >/dev/null
echo "$out/messenger-bridge_${version}_${arch}.deb"

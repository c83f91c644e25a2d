# Part of setup.sh: programs in other languages that the tests run, all of them in folders of the clone. Nothing starts a service, and
# nothing is installed on the machine but Node, where there is none. What cannot be had is told in one line, and its tests are skipped.

# What was asked for is remembered by its checksum, so that a second run takes no time.
is_done() { [ "$(cat "$1/asked" 2>/dev/null)" = "$2" ]; }

# npm's packages into .node, from the lock file
install_node() {
    sum=$(cat tests/node/package.json tests/node/package-lock.json tests/node/.npmrc scripts/programs.sh | cksum)
    is_done .node "$sum" && return
    rm -rf .node
    mkdir .node
    cp tests/node/package.json tests/node/package-lock.json tests/node/.npmrc .node/
    if ! command -v npm >/dev/null 2>&1; then
        say "Installing Node, which some senders of webhooks are written for ..."
        install_packages nodejs npm || true
    fi
    if (cd .node && npm ci --silent >/dev/null 2>&1); then
        printf '%s\n' "$sum" > .node/asked
    else
        say "The tests with Node are left out: it needs npm, and the packages of tests/node/package-lock.json. Then run this again."
        rm -rf .node
    fi
}

# Debian's packages, unpacked into .debian/root. Lists of packages of the clone's own are read where the machine's are not there.
install_debian() {
    sum=$(cksum < scripts/programs.sh)
    is_done .debian "$sum" && return
    rm -rf .debian
    mkdir -p .debian/root .debian/lists/partial .debian/cache
    if download_packages prometheus prometheus-alertmanager webhook; then
        for package in .debian/*.deb; do dpkg -x "$package" .debian/root; done
        # it reads its texts from below /usr/share: here, from below the folder that it is started in
        sed -i 's|/usr/share/prometheus/alertmanager|usr/share/prometheus//alertmanager|g' .debian/root/usr/bin/prometheus-alertmanager
        rm -rf .debian/lists .debian/cache .debian/*.deb
        printf '%s\n' "$sum" > .debian/asked
    else
        say "The tests with Debian's prometheus, prometheus-alertmanager and webhook are left out: apt-get download did not bring them."
        rm -rf .debian
    fi
}

download_packages() {
    command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || return 1
    say "Fetching Debian's Prometheus, which asks the bridge in tests, and Alertmanager and webhook, which post into it ..."
    own="-o Dir::State::Lists=$PWD/.debian/lists -o Dir::Cache=$PWD/.debian/cache -o APT::Sandbox::User=root"
    # shellcheck disable=SC2086 # one word an option
    (cd .debian && { apt-get download -qq -o APT::Sandbox::User=root "$@" ||
        { apt-get update -qq $own && apt-get download -qq $own "$@"; }; }) >/dev/null 2>&1
}

install_node
install_debian

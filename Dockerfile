# The bridge in a container: compose.yaml shows how it is run, docs/containers.md tells it.
#   docker build -t messenger-bridge .
# Stickers, animations and voice messages are converted with --build-arg EXTRAS=media (about 130 MB more).

FROM python:3.11-slim-bookworm AS build
ARG EXTRAS=""
WORKDIR /src
RUN python -m venv /opt/messenger-bridge/.venv
COPY constraints.txt constraints-test.txt ./
# a download whose hash is not in the constraints is refused
RUN /opt/messenger-bridge/.venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r constraints.txt
COPY pyproject.toml setup.py MANIFEST.in README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE \
     bridge.yaml.example compose.yaml ./
COPY bridge bridge
COPY adapters adapters
COPY docs docs
COPY monitoring monitoring
COPY systemd systemd
RUN /opt/messenger-bridge/.venv/bin/pip install --no-cache-dir --no-compile --no-deps . && \
    if [ -n "$EXTRAS" ]; then \
        /opt/messenger-bridge/.venv/bin/pip install --no-cache-dir --no-compile -c constraints-test.txt "messenger-bridge[$EXTRAS]"; \
    fi && \
    /opt/messenger-bridge/.venv/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="messenger-bridge" \
      org.opencontainers.image.description="Mirrors chats across TeamSpirit, Telegram, Slack and Discord" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 messenger-bridge && \
    useradd --uid 10001 --gid 10001 --home-dir /var/lib/messenger-bridge --no-create-home --shell /usr/sbin/nologin messenger-bridge && \
    install -d -m 700 -o 10001 -g 10001 /var/lib/messenger-bridge
COPY --from=build /opt/messenger-bridge /opt/messenger-bridge
ENV PATH=/opt/messenger-bridge/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATE_DIRECTORY=/var/lib/messenger-bridge \
    MESSENGER_BRIDGE_CONFIG=/etc/messenger-bridge/bridge.yaml
USER 10001:10001
WORKDIR /var/lib/messenger-bridge
VOLUME /var/lib/messenger-bridge
STOPSIGNAL SIGTERM
# bridge.yaml has web.admin.listen: 127.0.0.1:8081; /livez says whether the process works, not whether every platform does
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8081/livez', timeout=12)"]
CMD ["messenger-bridge", "run"]

# The bot as an image: locked dependencies in a virtual environment, no compiler, no root.
#
#   docker build -t promotion-bot .
#   docker run --rm promotion-bot validate /config/promotion-bot.yaml
#
# Pin the base by its digest where builds must repeat: --build-arg BASE=docker.io/library/python:3.12-slim-bookworm@sha256:…
ARG BASE=docker.io/library/python:3.12-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/bot
WORKDIR /src
# Dependencies first: they change less often than the code. Every file is checked against its hash; wheels only.
COPY requirements.txt ./
RUN /opt/bot/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
RUN /opt/bot/bin/pip install --quiet --no-deps --no-build-isolation . \
 && /opt/bot/bin/python -c "from hcl2.parser import parser; parser()"

FROM ${BASE}
# git is how the bot reads and writes; ca-certificates is what it trusts.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends git ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 bot \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/promotion-bot --create-home --shell /usr/sbin/nologin bot
COPY --from=build /opt/bot /opt/bot
ENV PATH=/opt/bot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    PROMOTION_BOT_STATE_DIR=/var/lib/promotion-bot \
    PROMOTION_BOT_LISTEN_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/promotion-bot
VOLUME /var/lib/promotion-bot
# and PROMOTION_BOT_METRICS_PORT, where /metrics is given a port of its own
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["promotion-bot"]
CMD ["serve", "--config", "/config/promotion-bot.yaml"]

# Stands in for the image of Redis where no registry is reached: Debian's package, the same user.
FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN groupadd --gid 999 redis && useradd --no-log-init --no-create-home --uid 999 --gid 999 redis \
    && apt-get update && apt-get install --yes --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/*
USER 999:999
WORKDIR /data
CMD ["redis-server"]

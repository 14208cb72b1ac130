# Stands in for the image of PostgreSQL where no registry is reached: Debian's package, the same user, and
# of the image's way to start what deployments/compose uses.
FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN groupadd --gid 999 postgres && useradd --no-log-init --no-create-home --uid 999 --gid 999 postgres \
    && apt-get update && apt-get install --yes --no-install-recommends postgresql-15 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data \
    && install -d -o postgres -g postgres /var/run/postgresql
COPY postgres.sh /usr/local/bin/start
ENV PATH=/usr/lib/postgresql/15/bin:$PATH
USER 999:999
ENTRYPOINT ["start"]

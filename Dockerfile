# syntax=docker/dockerfile:1
# The program and its catalogue, as a user without rights. Two images:
#   docker build --tag songda .                                     the deployed one
#   docker build --tag songda:development --target development .    the same with the sandbox and the player, for trying it

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Downloads and build results are kept between builds, outside the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --features jemalloc --bin songda && script/split-debug target/release/songda /out
# The bill of materials is part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/var/tools \
    script/sbom /usr/share/songda/songda.cdx.json

FROM build AS build-development
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --features jemalloc,development --bin songda && script/split-debug target/release/songda /out

FROM debian:bookworm-slim AS base
# Gateways are called over TLS, which needs the system's root certificates.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/songda --create-home songda
COPY catalog/*.toml /usr/share/songda/catalog/
COPY catalog/items /usr/share/songda/catalog/items
WORKDIR /usr/share/songda
ENV SONGDA_LISTEN=0.0.0.0:8080 SONGDA_WATCH_LISTEN=0.0.0.0:9464 SONGDA_UPLOADS=/var/lib/songda/uploads
USER 10001
VOLUME /var/lib/songda
# 9464 is the watch address (/healthz, /readyz, /metrics). It must not be public.
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["songda", "healthcheck"]
ENTRYPOINT ["songda"]
CMD ["all"]

FROM base AS development
COPY --from=build-development /out /
COPY catalog/demo /usr/share/songda/catalog/demo

FROM base
COPY --from=build /out /
COPY --from=build /usr/share/songda/songda.cdx.json /usr/share/songda/songda.cdx.json

# syntax=docker/dockerfile:1
# The program and its catalogue, as a user without rights. Build: docker build --tag songda .

FROM rust:1.94-bookworm AS build
WORKDIR /src
COPY . .
# Downloads and build results are kept between builds, outside the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --features jemalloc --bin songda && cp target/release/songda /usr/local/bin/songda
# The bill of materials is part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/var/tools \
    script/sbom /usr/share/songda/songda.cdx.json

FROM debian:bookworm-slim
# Gateways are called over TLS, which needs the system's root certificates.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/songda --create-home songda
COPY --from=build /usr/local/bin/songda /usr/local/bin/songda
COPY --from=build /usr/share/songda/songda.cdx.json /usr/share/songda/songda.cdx.json
COPY catalog /usr/share/songda/catalog
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

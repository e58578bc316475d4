# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
ARG TARGETOS TARGETARCH VERSION=development COMMIT=unknown
WORKDIR /src
COPY go.mod go.sum go.work go.work.sum ./
COPY client/go.mod client/
COPY receive/go.mod receive/
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT" -o /out/bellwire ./cmd/bellwire
# Only the user of the image can read its folders: the database and the keyset.
RUN install -d -m 0700 /out/data /out/keyset

# The image has certificates and time zones, and no shell.
FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title="Bellwire" \
      org.opencontainers.image.description="Webhook server" \
      org.opencontainers.image.source="https://github.com/bellwire/bellwire" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/bellwire /usr/bin/bellwire
COPY --from=build --chown=65532:65532 /out/data /var/lib/bellwire
COPY --from=build --chown=65532:65532 /out/keyset /var/lib/bellwire-keyset
COPY deploy/docker/bellwire.yaml /etc/bellwire/bellwire.yaml
COPY LICENSE web/dist/licences.txt /usr/share/doc/bellwire/
USER 65532:65532
VOLUME ["/var/lib/bellwire", "/var/lib/bellwire-keyset"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s CMD ["/usr/bin/bellwire", "ready"]
ENTRYPOINT ["/usr/bin/bellwire"]
CMD ["serve", "--config", "/etc/bellwire/bellwire.yaml"]

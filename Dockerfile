# Two images of one static binary each, for a user without rights:
#   docker build --target factory -t factory .
#   docker build --target contracttest -t contracttest .
FROM golang:1.26.10 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/ ./cmd/factory ./cmd/contracttest
RUN mkdir /data

FROM scratch AS contracttest
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/contracttest /contracttest
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/contracttest"]

# The last stage is the default. /data is for the SQLite file; with PostgreSQL
# nothing is written.
FROM scratch AS factory
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/factory /factory
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/factory"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--db", "sqlite:/data/factory.db"]

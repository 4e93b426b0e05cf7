# Weft's two images: the target `weft` is the control plane, `weft-init` sets a pod's redirect rules. `npm run images` builds both.
# With the same files and the same base images the same bytes come out (give the builder a fixed timestamp: --timestamp 0,
# or SOURCE_DATE_EPOCH=0 with docker buildx).

# Envoy's message types are generated from this binary; the version is that of src/proxy/binary.ts.
FROM docker.io/envoyproxy/envoy:v1.40.0 AS envoy

FROM docker.io/library/node:22-bookworm-slim AS packages
WORKDIR /weft
COPY package.json package-lock.json ./
# Declarations, source maps and sources of packages are of no use at run time, and half of their bytes.
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund --no-update-notifier \
 && find node_modules -type f \( -name '*.ts' -o -name '*.cts' -o -name '*.mts' -o -name '*.map' \) -delete

FROM docker.io/library/node:22-bookworm-slim AS build
WORKDIR /weft
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
COPY --from=envoy /usr/local/bin/envoy .cache/envoy-1.40.0/envoy
COPY tsconfig.base.json tsconfig.json tsconfig.tools.json ./
COPY proto proto
COPY scripts scripts
COPY tools tools
COPY src src
RUN npm run --silent build >&2

FROM docker.io/library/debian:bookworm-slim AS weft
COPY --from=packages /usr/local/bin/node /usr/local/bin/node
WORKDIR /weft
COPY package.json LICENSE ./
COPY --from=packages /weft/node_modules node_modules
COPY --from=build /weft/dist/src dist/src
ENV NODE_ENV=production
USER 65532:65532
# Nothing may be compiled from a text or reach a prototype by name. The heap has 60 % of the container's memory limit: encoded
# resources and buffers of connections lie outside it.
ENTRYPOINT ["/usr/local/bin/node", "--disable-proto=delete", "--disallow-code-generation-from-strings", "--max-old-space-size-percentage=60", "--enable-source-maps", "/weft/dist/src/main.js"]
CMD ["--help"]

FROM docker.io/library/debian:bookworm-slim AS weft-init
RUN apt-get update \
 && apt-get install --yes --no-install-recommends iproute2 iptables \
 && rm -rf /var/lib/apt/lists /var/cache/apt /var/cache/ldconfig /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
COPY images/init/redirect.sh /usr/local/bin/redirect
ENTRYPOINT ["/usr/local/bin/redirect"]

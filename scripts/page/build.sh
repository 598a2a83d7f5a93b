#!/bin/sh
# Bundle three.js and three-vrm, pinned in package-lock.json, into live/renderers/page/vendor (committed). Needs npm.
set -eu
cd "$(dirname "$0")"
out=../../live/renderers/page/vendor
npm ci --silent
rm -rf "$out" && mkdir -p "$out"
npx esbuild three.js vrm.js --bundle --splitting --format=esm --minify --target=es2022 --legal-comments=none \
    --chunk-names=shared-[hash] --outdir="$out"
cp node_modules/three/LICENSE "$out/three.LICENSE"
cp node_modules/@pixiv/three-vrm/LICENSE "$out/three-vrm.LICENSE"

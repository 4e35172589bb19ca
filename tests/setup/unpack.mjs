// `node unpack.mjs PACKAGE`: unpack the Chromium that an npm package carries, into the folder TMPDIR.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , folder] = process.argv;
const { inflate } = await import(pathToFileURL(join(folder, "build", "index.js")));

for (const archive of ["chromium.br", "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"]) {
  await inflate(join(folder, "bin", archive));
}

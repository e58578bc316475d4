// Writes src/api/schema.d.ts, or the file that is named: the types of the API, from what the server says of itself.
import { writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";
import { start } from "./server.mjs";

const head = "// Made by make web from the server's /openapi.json. Do not edit.\n\n";

const server = await start();
try {
  const answer = await fetch(`${server.url}/openapi.json`);
  writeFileSync(process.argv[2] ?? "src/api/schema.d.ts", head + astToString(await openapi(await answer.json())));
} finally {
  await server.stop();
}

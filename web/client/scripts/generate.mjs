// Makes src/messages.ts from asyncapi.json, the server's own description of its messages.
// `npm run generate` writes it; with `--check` it only says whether it is up to date.

import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const SOURCE = new URL("../asyncapi.json", import.meta.url);
const TARGET = new URL("../src/messages.ts", import.meta.url);
const HEAD = "// The messages of the server's WebSocket. Made from asyncapi.json by `npm run generate`; not edited by hand.";

/** The document's schemas in the older dialect that the compiler reads. */
function older(value, key) {
  if (Array.isArray(value)) return value.map((item) => older(item));
  if (value === null || typeof value !== "object") {
    return key === "$ref" ? value.replace("#/components/schemas/", "#/definitions/") : value;
  }
  const { prefixItems, items, format, ...rest } = value;
  const members = Object.entries(rest).map(([name, member]) => [name, older(member, name)]);
  const schema = Object.fromEntries(members);
  if (prefixItems) Object.assign(schema, { items: older(prefixItems), minItems: prefixItems.length, maxItems: prefixItems.length });
  else if (items !== undefined) schema.items = older(items);
  // A reference stands alone there, its neighbours would be lost or make a new name.
  return schema.$ref ? { $ref: schema.$ref } : schema;
}

/** The payloads of an operation's messages. */
function payloads(document, operation) {
  return document.operations[operation].messages.map(({ $ref }) => {
    const name = $ref.split("/").at(-1);
    return { $ref: document.components.messages[name].payload.$ref.replace("#/components/schemas/", "#/definitions/") };
  });
}

const document = JSON.parse(await readFile(SOURCE, "utf8"));
const schema = {
  title: "AnyMessage",
  description: "Whatever is said, in either direction.",
  oneOf: [{ $ref: "#/definitions/ServerMessage" }, { $ref: "#/definitions/ClientMessage" }],
  definitions: {
    ...older(document.components.schemas),
    ServerMessage: { description: "What the server says.", oneOf: payloads(document, "tell") },
    ClientMessage: { description: "What a client says.", oneOf: payloads(document, "hear") },
  },
};
const made = await compile(schema, "AnyMessage", {
  additionalProperties: false,
  bannerComment: HEAD,
  format: true,
  style: { printWidth: 120, semi: true },
  unreachableDefinitions: true,
});
if (process.argv.includes("--check")) {
  if ((await readFile(TARGET, "utf8")) !== made) {
    console.error("src/messages.ts is not what asyncapi.json says: run `make describe` and commit what it writes");
    process.exit(1);
  }
} else {
  await writeFile(TARGET, made);
}

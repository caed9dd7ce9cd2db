// The two encodings of the same messages. A frame that cannot be read is an error of the
// connection: nothing after it can be trusted to be whole.

import { decode, encode } from "@msgpack/msgpack";

import type { ClientMessage, ServerMessage } from "./messages.js";

export type Encoding = "json" | "msgpack";

export interface Codec {
  /** The WebSocket sub-protocol that asks for it. */
  readonly protocol: string;
  encode(message: ClientMessage): string | Uint8Array<ArrayBuffer>;
  decode(frame: string | ArrayBuffer): ServerMessage;
}

const json: Codec = {
  protocol: "skyhaul.v1.json",
  encode: (message) => JSON.stringify(message),
  decode: (frame) => {
    if (typeof frame !== "string") throw new TypeError("a binary frame on a JSON connection");
    return JSON.parse(frame) as ServerMessage;
  },
};

const msgpack: Codec = {
  protocol: "skyhaul.v1.msgpack",
  encode: (message) => encode(message, { ignoreUndefined: true }),
  decode: (frame) => {
    if (typeof frame === "string") throw new TypeError("a text frame on a MessagePack connection");
    return decode(frame) as ServerMessage;
  },
};

export const codecs: Record<Encoding, Codec> = { json, msgpack };

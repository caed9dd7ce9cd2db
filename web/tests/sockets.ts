// What goes over a page's WebSockets, in both directions, as it was sent.

import type { ClientMessage, ServerMessage } from "@skyhaul/client";
import type { Page } from "playwright-core";

export interface Wire {
  /** One a connection, the oldest first. */
  connections: { url: string; said: ClientMessage[]; heard: ServerMessage[] }[];
}

/** To be called before the page opens its first one. */
export function tap(page: Page): Wire {
  const wire: Wire = { connections: [] };
  page.on("websocket", (socket) => {
    const connection: Wire["connections"][number] = { url: socket.url(), said: [], heard: [] };
    wire.connections.push(connection);
    socket.on("framesent", ({ payload }) => connection.said.push(JSON.parse(String(payload)) as ClientMessage));
    socket.on("framereceived", ({ payload }) => connection.heard.push(JSON.parse(String(payload)) as ServerMessage));
  });
  return wire;
}

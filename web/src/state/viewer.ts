// Whom the page is for, as its token says. The server decides what is shown; this only
// decides what is worth offering.

import { computed } from "@preact/signals";

import { token } from "./token";

export interface Viewer {
  role: "operator" | "business" | "customer";
  /** Whose deliveries a business or a customer sees. */
  account?: string;
  /** The one delivery that a customer's link is for. */
  delivery?: string;
}

/** Without a token: an open server takes everybody for an operator. */
const ANYONE: Viewer = { role: "operator" };

export const viewer = computed<Viewer>(() => (token.value ? viewerOf(token.value) : ANYONE));

/** Reads the claims without checking anything: that is the server's business. */
export function viewerOf(jwt: string): Viewer {
  try {
    const claims = JSON.parse(decoded(jwt.split(".")[1] ?? "")) as Record<string, unknown>;
    const text = (name: string) => (typeof claims[name] === "string" ? claims[name] : undefined);
    const role = text("role");
    if (role !== "business" && role !== "customer") return ANYONE;
    return { role, account: text("account"), delivery: text("delivery") };
  } catch {
    // The server refuses it, and the page says so; a stranger sees no operator's page meanwhile.
    return { role: "customer" };
  }
}

function decoded(base64url: string): string {
  const bytes = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)));
}

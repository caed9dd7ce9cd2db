// Tokens that an operator's page hands on: one for each delivery, made when it is wanted.

import { api } from "./session";
import type { Story } from "./story";

const LIFETIME = "24h";

const made = new Map<string, Promise<string>>();

/** A token that shows this delivery and nothing else. Kept in memory alone. */
export function customerToken({ id, account }: Pick<Story, "id" | "account">): Promise<string> {
  const known = made.get(id);
  if (known) return known;
  const asked = api
    .post<{ token: string }>("/api/tokens", { role: "customer", account, delivery: id, ttl: LIFETIME })
    .then(({ token }) => token);
  made.set(id, asked);
  asked.catch(() => made.delete(id));
  return asked;
}

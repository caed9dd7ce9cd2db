// The orders that this browser placed, newest first.

import { signal } from "@preact/signals";

import { recall, remember } from "./storage";

export interface RecentOrder {
  id: string;
  from: string;
  to: string;
}

const KEY = "skyhaul.recent";
const KEPT = 8;

export const recent = signal<RecentOrder[]>(load());

export function rememberOrder(order: RecentOrder): void {
  recent.value = [order, ...recent.peek().filter(({ id }) => id !== order.id)].slice(0, KEPT);
  remember(KEY, JSON.stringify(recent.peek()));
}

export function forgetOrders(): void {
  recent.value = [];
  remember(KEY, "[]");
}

function load(): RecentOrder[] {
  try {
    const stored: unknown = JSON.parse(recall(KEY) ?? "[]");
    if (!Array.isArray(stored)) return [];
    const orders = stored as Partial<RecentOrder>[];
    return orders.flatMap(({ id, from, to }) =>
      typeof id === "string" && typeof from === "string" && typeof to === "string" ? [{ id, from, to }] : [],
    );
  } catch {
    return [];
  }
}

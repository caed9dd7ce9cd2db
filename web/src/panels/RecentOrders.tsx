// What was ordered in this browser, one click away.

import { forgetOrders, recent } from "../state/recent";
import { select, selection } from "../state/selection";

export function RecentOrders() {
  const orders = recent.value;
  if (orders.length === 0 || selection.value) return null;
  return (
    <section class="card panel recent" aria-label="Recent orders">
      <header class="card-head">
        <h2 class="minor">Recent orders</h2>
        <button type="button" class="text-button small" onClick={forgetOrders}>
          Clear
        </button>
      </header>
      <ul>
        {orders.slice(0, 4).map(({ id, from, to }) => (
          <li key={id}>
            <button type="button" onClick={() => select({ kind: "delivery", id })}>
              <span class="recent-way">
                {from} <span class="soft">→</span> {to}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

// Links to a delivery: for colleagues, who have rights of their own, and for the customer,
// whose link carries a right to see this delivery and nothing else.

import { Problem } from "@skyhaul/client";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { customerToken } from "../state/tokens";
import { customerLink, deliveryLink } from "../state/link";
import type { Story } from "../state/story";
import { viewer } from "../state/viewer";
import { copied } from "./clipboard";
import { Icon } from "./Icon";

type Made = { link: string; what: string; copied: boolean };

export function Share({ story }: { story: Story }) {
  const made = useSignal<Made | null>(null);
  const failed = useSignal<string | null>(null);
  useEffect(() => {
    made.value = failed.value = null;
  }, [story.id]);

  const show = async (link: string, what: string) => {
    failed.value = null;
    made.value = { link, what, copied: await copied(link) };
  };
  const forCustomer = async () => {
    try {
      await show(customerLink(await customerToken(story)), "The customer’s link: it shows this delivery and nothing else, for a day.");
    } catch (error) {
      made.value = null;
      failed.value = words(error);
    }
  };
  return (
    <div class="share">
      <div class="button-line">
        <button type="button" class="quiet" onClick={() => void show(deliveryLink(story.id), "Opens this page on this delivery.")}>
          <Icon name="link" size={16} /> Copy link
        </button>
        {viewer.value.role === "operator" && story.account !== null && (
          <button type="button" class="quiet" onClick={() => void forCustomer()}>
            <Icon name="person" size={16} /> Customer’s link
          </button>
        )}
      </div>
      {failed.value && (
        <p class="field-error" role="alert">
          {failed.value}
        </p>
      )}
      {made.value && (
        <div class="made-link" role="status" ref={(element) => element?.scrollIntoView({ block: "nearest" })}>
          <p class="small soft">
            {made.value.copied ? "Copied. " : ""}
            {made.value.what}
          </p>
          <input
            type="text"
            readOnly
            aria-label="Link"
            value={made.value.link}
            onFocus={(event) => event.currentTarget.select()}
          />
        </div>
      )}
    </div>
  );
}

function words(error: unknown): string {
  if (!(error instanceof Problem)) return String(error);
  if (error.status === 404 || error.status === 405) return "This server does not make customers’ links.";
  return error.message;
}

// Instead of the page, where the server does not accept the token or asks for one.

import { useSignal } from "@preact/signals";

import { notice } from "../state/notices";
import { viewer } from "../state/viewer";

export function Gate() {
  const now = notice.value;
  if (now?.kind !== "refused") return null;
  const customer = now.hadToken && viewer.value.role === "customer";
  return (
    <dialog
      ref={(element) => {
        if (element && !element.open) element.showModal();
      }}
      class="gate card panel"
      role="alertdialog"
      aria-labelledby="gate-title"
      // Nothing behind it can be used.
      onCancel={(event) => event.preventDefault()}
      onClose={(event) => event.currentTarget.showModal()}
    >
      <h1 id="gate-title">{now.hadToken ? "This link is not valid" : "Who are you?"}</h1>
      {customer ? (
        <p class="soft">It may have expired. Ask whoever sent it to you for a new one.</p>
      ) : (
        <TokenForm hadToken={now.hadToken} />
      )}
    </dialog>
  );
}

function TokenForm({ hadToken }: { hadToken: boolean }) {
  const given = useSignal("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const token = given.value.trim();
        // As a link would bring it; the page begins anew with it.
        if (token) location.hash = `t=${token}`;
      }}
    >
      <p class="soft">
        {hadToken ? "Its token has expired, or belongs to another server. " : "This server asks for a token. "}
        This makes one: <code>skyhaul token --role operator</code>
      </p>
      <div class="field">
        <label for="gate-token">Token</label>
        <input
          id="gate-token"
          type="password"
          autocomplete="off"
          value={given.value}
          onInput={(event) => (given.value = event.currentTarget.value)}
        />
      </div>
      <button type="submit" class="primary">
        Open
      </button>
    </form>
  );
}

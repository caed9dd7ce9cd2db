// The list of shortcuts.

import { useEffect, useRef } from "preact/hooks";

import { help } from "../state/panels";
import { Icon } from "./Icon";
import { usable } from "./shortcuts";

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = help.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="help card panel" aria-labelledby="help-title" onClose={() => (help.value = false)}>
      <header class="card-head">
        <h2 id="help-title">Keyboard</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={() => (help.value = false)}>
          <Icon name="close" />
        </button>
      </header>
      <dl class="keys">
        {usable().map(({ key, shown, what }) => (
          <div key={key}>
            <dt>
              <kbd>{shown}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="small soft">
        On the map: arrow keys move, <kbd>+</kbd> and <kbd>−</kbd> zoom, Shift with arrow keys turns and tilts.
      </p>
      <p class="small soft">
        The interface behind this page: <a href="/docs/">HTTP</a> and <a href="/asyncapi.json">WebSocket</a>.
      </p>
    </dialog>
  );
}

// A field that suggests while one types: arrow keys choose, Enter takes, Escape closes.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";

export interface Suggestion {
  key: string;
  label: string;
  /** What kind of thing it is, or more about it. */
  note?: string;
}

interface Props {
  label: string;
  value: string;
  suggestions: Suggestion[];
  onInput: (text: string) => void;
  onPick: (suggestion: Suggestion) => void;
  /** Enter without a suggestion. */
  onEnter?: () => void;
  placeholder?: string;
  error?: string;
  labelHidden?: boolean;
  autoFocus?: boolean;
  id?: string;
  /** Beside the field, for instance a button. */
  children?: ComponentChildren;
}

export function Combobox(props: Props) {
  const { label, value, suggestions, onInput, onPick, onEnter, error, children } = props;
  const made = useId();
  const id = props.id ?? made;
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const shown = open ? suggestions : [];
  const current = active < shown.length ? active : -1;

  useEffect(() => {
    if (props.autoFocus) input.current?.focus();
  }, []);
  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: "nearest" });
  }, [current]);

  const pick = (suggestion: Suggestion) => {
    setOpen(false);
    setActive(-1);
    onPick(suggestion);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const count = suggestions.length;
      if (count > 0) setActive(current < 0 && step < 0 ? count - 1 : (current + step + count) % count);
    } else if (event.key === "Enter") {
      const chosen = shown[current];
      if (chosen) {
        event.preventDefault();
        pick(chosen);
      } else if (onEnter) {
        event.preventDefault();
        setOpen(false);
        onEnter();
      }
    } else if (event.key === "Escape" && shown.length > 0) {
      // Only the list: the next one is for whoever is around it.
      event.stopPropagation();
      setOpen(false);
      setActive(-1);
    }
  };

  return (
    <div class="field">
      <label for={id} class={props.labelHidden ? "visually-hidden" : undefined}>
        {label}
      </label>
      <div class="field-line">
        <input
          ref={input}
          id={id}
          type="text"
          role="combobox"
          autocomplete="off"
          spellcheck={false}
          aria-autocomplete="list"
          aria-expanded={shown.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={current >= 0 ? `${id}-${current}` : undefined}
          aria-invalid={error ? true : undefined}
          aria-describedby={error ? `${id}-error` : undefined}
          placeholder={props.placeholder}
          value={value}
          onInput={(event) => {
            setOpen(true);
            setActive(-1);
            onInput(event.currentTarget.value);
          }}
          onFocus={(event) => event.currentTarget.select()}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
        />
        {children}
        <ul ref={list} id={`${id}-list`} role="listbox" aria-label="Suggestions" class="suggestions panel" hidden={shown.length === 0}>
          {shown.map((suggestion, index) => (
            <li
              key={suggestion.key}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === current}
              // Before the field loses the focus.
              onMouseDown={(event) => {
                event.preventDefault();
                pick(suggestion);
              }}
              onMouseEnter={() => setActive(index)}
            >
              <span>{suggestion.label}</span>
              {suggestion.note && <span class="soft">{suggestion.note}</span>}
            </li>
          ))}
        </ul>
      </div>
      {error && (
        <p class="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

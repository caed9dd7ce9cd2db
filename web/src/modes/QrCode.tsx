// A link for whoever stands before the screen with a phone.

import { useMemo } from "preact/hooks";
import { encode } from "uqr";

/** Modules that the standard wants left free around a code. */
const QUIET_ZONE = 4;

export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    const { size, data } = encode(text, { ecc: "L", border: QUIET_ZONE });
    const dark = data.flatMap((line, y) => line.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { size, path: dark.join("") };
  }, [text]);
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
      style={{ "--modules": size }}
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#0b121b" />
    </svg>
  );
}

// The few drawings that buttons carry, as strokes in the colour of the text around them.

const PATHS = {
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  search: "M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14M16.2 16.2L20 20",
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  step: "M6 5.5v13l8.5-6.5zM18 5.5v13",
  pin: "M12 21c4.5-5 7-8.3 7-11.5A7 7 0 0 0 5 9.500C5 12.700 7.500 16 12 21zM12 7.200a2.400 2.400 0 1 0 0 4.800a2.400 2.400 0 0 0 0-4.800",
  chart: "M4 19h16M7 15v-4M12 15V6M17 15V9",
  sun: "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8M12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400",
  moon: "M20 14.500A8.500 8.500 0 1 1 9.500 4a6.800 6.800 0 0 0 10.500 10.500z",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  help: "M9.200 9a2.900 2.900 0 1 1 4.300 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.300v.2",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1",
  person: "M12 4.500a3.700 3.700 0 1 0 0 7.400a3.700 3.700 0 0 0 0-7.400M5 20c.6-3.800 3.400-5.700 7-5.700s6.400 1.900 7 5.700",
  target: "M12 6a6 6 0 1 0 0 12a6 6 0 0 0 0-12M12 2.500v4M12 17.500v4M2.500 12h4M17.500 12h4",
  swap: "M8 4v15M8 19l-3-3M8 19l3-3M16 20V5M16 5l-3 3M16 5l3 3",
  clock: "M12 4a8 8 0 1 0 0 16a8 8 0 0 0 0-16M12 8v4.500l3 1.800",
  back: "M16 5.5v13L5.500 12z",
  frameBack: "M18 5.5v13l-8.5-6.5zM6 5.5v13",
  loop: "M17 3.500l3 3l-3 3M4 11.500v-1a4 4 0 0 1 4-4h12M7 20.500l-3-3l3-3M20 12.500v1a4 4 0 0 1-4 4H4",
  fork: "M7 4v16M7 14c0-5 10-3 10-10M14 6.500l3-3l3 3",
  check: "M5 12.500l4.500 4.500L19 7.500",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.9"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

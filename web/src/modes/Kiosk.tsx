// A wall screen: the camera follows one delivery after the other, with figures that can be
// read across a room, and a code that takes the delivery along on a phone.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { countdown, figure } from "../panels/format";
import { Gate } from "../panels/Gate";
import { Notices } from "../panels/Notices";
import { customerHeadline } from "../panels/words";
import { simNow } from "../state/clock";
import { figures } from "../state/fleet";
import { useCover } from "../state/room";
import { customerLink } from "../state/link";
import { areaName } from "../state/names";
import type { Story } from "../state/story";
import { customerToken } from "../state/tokens";
import { story } from "../state/tracking";
import { world } from "../state/world";
import { caption, chooseDeliveries } from "./kiosk_choice";
import { QrCode } from "./QrCode";

export function Kiosk() {
  const head = useRef<HTMLDivElement>(null);
  useCover(head, "top");
  useEffect(chooseDeliveries, []);
  const now = figures.value;
  const told = story.value;
  return (
    <div class="kiosk">
      <header ref={head} class="kiosk-head">
        <div>
          <p class="brand">
            <img src="/favicon.svg" alt="" width="40" height="40" /> Skyhaul
          </p>
          <p class="soft">{world.value?.description || world.value?.name}</p>
        </div>
        {now && (
          <dl class="kiosk-figures figures">
            <Big label="in the air" value={figure(now.airborne)} />
            <Big label="delivered" value={figure(now.deliveries.completed)} />
            {now.completedPerMinute != null && <Big label="a minute" value={figure(now.completedPerMinute)} />}
          </dl>
        )}
      </header>
      {told ? <Shown story={told} /> : <p class="kiosk-shown panel soft">Waiting for the next delivery…</p>}
      <Notices plain />
      <Gate />
    </div>
  );
}

function Big({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dd>{value}</dd>
      <dt>{label}</dt>
    </div>
  );
}

function Shown({ story: told }: { story: Story }) {
  const { pickup, dropoff, deliveryEta, ending } = told;
  const now = simNow.value;
  const panel = useRef<HTMLElement>(null);
  useCover(panel, "bottom");
  return (
    <section ref={panel} class="kiosk-shown panel" aria-label="Delivery" data-delivery={told.id}>
      <div>
        {caption.value && <p class="kiosk-caption">{caption.value}</p>}
        {pickup && dropoff && (
          <p class="soft">
            {areaName(pickup)} → {areaName(dropoff)}
          </p>
        )}
        <h1 data-headline>{customerHeadline(told)}</h1>
        {ending === null && deliveryEta !== null && now !== null && (
          <p class="kiosk-arrival figures">
            <span class="arrival-number" role="timer">
              {countdown(deliveryEta - now)}
            </span>{" "}
            <span class="soft">until it arrives</span>
          </p>
        )}
      </div>
      <Take story={told} />
    </section>
  );
}

/** Where no link can be made there is no code. */
function Take({ story: { id, account } }: { story: Story }) {
  const link = useSignal<{ id: string; text: string } | null>(null);
  useEffect(() => {
    if (account === null) return;
    customerToken({ id, account }).then(
      (token) => (link.value = { id, text: customerLink(token) }),
      () => (link.value = null),
    );
  }, [id, account]);
  if (link.value?.id !== id) return null;
  return (
    <figure class="kiosk-take">
      <QrCode text={link.value.text} label="Code with a link to this delivery" />
      <figcaption class="soft">Follow it on your phone</figcaption>
    </figure>
  );
}

// What lies on top of the map, for whom the page is: an operator or a business, a customer
// with a link, or a wall screen.

import { useEffect, useRef } from "preact/hooks";

import { Customer } from "../modes/Customer";
import { Half } from "../modes/Half";
import { Kiosk } from "../modes/Kiosk";
import { paired } from "../state/forks";
import { operations, ordering } from "../state/panels";
import { useCover } from "../state/room";
import { canControl, playback } from "../state/playback";
import { selection } from "../state/selection";
import { embedded, half, kiosk } from "../state/settings";
import { viewer } from "../state/viewer";
import { DeliveryCard } from "./DeliveryCard";
import { DroneCard } from "./DroneCard";
import { Gate } from "./Gate";
import { Help } from "./Help";
import { HubCard } from "./HubCard";
import { Icon } from "./Icon";
import { Notices } from "./Notices";
import { Operations } from "./Operations";
import { OrderForm, openOrder } from "./OrderForm";
import { RecentOrders } from "./RecentOrders";
import { Timeline } from "./Timeline";
import { UnderWay } from "./UnderWay";
import { TopBar } from "./TopBar";
import { listenForShortcuts } from "./shortcuts";

export function Panels() {
  const { role, delivery } = viewer.value;
  if (half) return <Half />;
  if (embedded || (role === "customer" && delivery !== undefined)) return <Customer />;
  return kiosk ? <Kiosk /> : <Workplace />;
}

function Workplace() {
  const side = useRef<HTMLDivElement>(null);
  useCover(side);
  useEffect(listenForShortcuts, []);
  return (
    <>
      <div ref={side} class="side">
        <TopBar />
        {!paired.value && <div class="cards">{ordering.value && !playback.value ? <OrderForm /> : <Cards />}</div>}
        {canControl.value && <Timeline />}
      </div>
      <Notices />
      {operations.value && viewer.value.role === "operator" && <Operations />}
      <Help />
      <Gate />
    </>
  );
}

function Cards() {
  return (
    <>
      {!selection.value && !playback.value && (
        <button type="button" class="primary order-button" onClick={openOrder}>
          <Icon name="plus" /> Order a delivery
        </button>
      )}
      <DeliveryCard />
      <DroneCard />
      <HubCard />
      {/* What this browser ordered was ordered of a world that is live. */}
      {!playback.value && <RecentOrders />}
      <UnderWay />
    </>
  );
}

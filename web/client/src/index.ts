// All that the package offers.

export { Api, Problem } from "./api.js";
export type * from "./api.js";
export type { Encoding } from "./codec.js";
export type * from "./messages.js";
export { PositionBuffer, STATUSES, type Sample } from "./position-buffer.js";
export { Skyhaul, type ConnectionState, type SkyhaulOptions, type StateDetail } from "./skyhaul.js";
export {
  Subscription,
  type Change,
  type Handlers,
  type SubscriptionState,
  type Topic,
  type TopicOptions,
} from "./subscription.js";

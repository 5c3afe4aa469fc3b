// What the adapters share: the kit, and a handler that writes a line for each event.
import { appendFileSync } from "node:fs";

import { Webhook } from "@payflowx/client";
import { FileEventStore } from "@payflowx/client/node";

const state = process.env.SHOP_STATE;
export const webhook = new Webhook(process.env.WEBHOOK_SECRET, { store: new FileEventStore(`${state}/events`) });

/** The merchant's work. */
export function handle({ event }) {
  appendFileSync(`${state}/handled`, `${JSON.stringify([event.id, event.type, event.sequence])}\n`);
}

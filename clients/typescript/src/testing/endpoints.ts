/** Webhook endpoints of the double, and what is delivered to them. */

import { fromBase64, hmacKey, randomBytes, sign, toBase64 } from "../crypto.js";
import type { Book, Event } from "./book.js";
import { type Json, RefusedError } from "./refusals.js";
import { checkedEndpoint, MAX_ENDPOINTS } from "./requests.js";
import { normalForm } from "./spellings.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What the API would post to an endpoint now. */
export interface Delivery {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

interface Endpoint extends Json {
  readonly id: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly createdAt: string;
}

/** All endpoints of the merchant, with their secrets. */
export class Endpoints {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #secrets = new Map<string, string[]>();
  readonly #planned = new Set<string>();

  constructor(private readonly book: Book) {}

  /** Throws `RefusedError`. */
  create(body: Json): Json {
    const { url, eventTypes } = checkedEndpoint(body);
    if ([...this.#endpoints.values()].some((each) => normalForm(each.url) === normalForm(url))) {
      throw new RefusedError("endpoint_exists");
    }
    if (this.#endpoints.size >= MAX_ENDPOINTS) {
      throw new RefusedError("endpoint_limit");
    }
    this.plan();
    const endpoint = {
      id: this.book.newId("we"),
      url,
      eventTypes,
      status: "ENABLED",
      disabledReason: null,
      failingSince: null,
      previousSecretUntil: null,
      createdAt: this.book.time(),
      updatedAt: this.book.time(),
    };
    const secret = newSecret();
    this.#endpoints.set(endpoint.id, endpoint);
    this.#secrets.set(endpoint.id, [secret]);
    return { ...endpoint, secret };
  }

  /** The oldest first, without secrets. */
  shown(): Json[] {
    return [...this.#endpoints.values()];
  }

  /** Throws `RefusedError`. */
  delete(endpointId: string): void {
    this.plan();
    if (!this.#endpoints.delete(endpointId)) {
      throw new RefusedError("no_endpoint");
    }
    for (const event of this.book.events) {
      event.deliveries = event.deliveries.filter((each) => each.endpointId !== endpointId);
    }
  }

  /** Throws `RefusedError`. */
  rotateSecret(endpointId: string): Json {
    const endpoint = this.#endpoints.get(endpointId);
    if (endpoint === undefined) {
      throw new RefusedError("no_endpoint");
    }
    const secret = newSecret();
    const [previous] = this.#secrets.get(endpointId) ?? [];
    this.#secrets.set(endpointId, previous === undefined ? [secret] : [secret, previous]);
    const rotated = { ...endpoint, previousSecretUntil: this.book.time(this.book.nowMs + DAY_MS) };
    this.#endpoints.set(endpointId, rotated);
    return { ...rotated, secret };
  }

  /** What was not delivered yet, signed now, in the order of its scenario. */
  async deliveries(): Promise<Delivery[]> {
    const found: Delivery[] = [];
    for (const event of this.#inOrderOfDelivery()) {
      for (const each of event.deliveries) {
        const endpoint = this.#endpoints.get(each.endpointId);
        if (each.state === "PENDING" && endpoint !== undefined) {
          Object.assign(each, { state: "DELIVERED", attempts: each.attempts + 1, lastStatus: 204 });
          found.push(await this.#delivery(event, endpoint));
        }
      }
    }
    return found;
  }

  /** Gives each event its deliveries, to the endpoints that wanted it when it happened. */
  plan(again?: Event): void {
    for (const event of this.book.events) {
      if (this.#planned.has(event.id) && event !== again) {
        continue;
      }
      this.#planned.add(event.id);
      event.deliveries = [...this.#endpoints.values()]
        .filter((each) => each.eventTypes.length === 0 || each.eventTypes.includes(event.type))
        .filter((each) => event === again || each.createdAt <= event.createdAt)
        .map(({ id }) => ({
          endpointId: id,
          state: "PENDING",
          attempts: 0,
          lastStatus: null,
          lastError: null,
          nextAttemptAt: null,
        }));
    }
  }

  #inOrderOfDelivery(): Event[] {
    this.plan();
    const events = [...this.book.events];
    for (const { scenario, answer } of this.book.records.values()) {
      if (scenario.delivery === "reversed") {
        const places = [...events.keys()].filter((place) => events[place]?.transactionId === answer.transactionId);
        const reversed = places.map((place) => events[place] as Event).reverse();
        places.forEach((place, index) => events.splice(place, 1, reversed[index] as Event));
      }
    }
    return events;
  }

  async #delivery(event: Event, endpoint: Endpoint): Promise<Delivery> {
    const body = new TextEncoder().encode(JSON.stringify(this.book.message(event)));
    const at = String(Math.floor(this.book.nowMs / 1000));
    const head = new TextEncoder().encode(`${event.id}.${at}.`);
    const content = new Uint8Array([...head, ...body]);
    const signatures = (this.#secrets.get(endpoint.id) ?? []).map((secret) => signature(secret, content));
    const headers = {
      "content-type": "application/json",
      "webhook-id": event.id,
      "webhook-timestamp": at,
      "webhook-signature": (await Promise.all(signatures)).join(" "),
    };
    return { url: endpoint.url, headers, body };
  }
}

function newSecret(): string {
  return `whsec_${toBase64(randomBytes(32))}`;
}

async function signature(secret: string, content: Uint8Array<ArrayBuffer>): Promise<string> {
  const key = await hmacKey(fromBase64(secret.slice("whsec_".length)) ?? new Uint8Array());
  return `v1,${toBase64(await sign(key, content))}`;
}

/**
 * Every operation of the API: the table, and one function each.
 *
 * Generated from `docs/openapi.json` by `python -m clients.generator`. Do not edit.
 */

import type { Operation, Send } from "./calls.js";
import * as json from "./json.js";
import * as models from "./models.js";

export const OPERATIONS = {
  createPayment: {
    id: "createPayment",
    method: "POST",
    path: "/payments",
    repeat: "with_key",
    authenticated: true,
  },
  listPayments: {
    id: "listPayments",
    method: "GET",
    path: "/payments",
    repeat: "safe",
    authenticated: true,
  },
  getPayment: {
    id: "getPayment",
    method: "GET",
    path: "/payments/{transactionId}",
    repeat: "safe",
    authenticated: true,
  },
  listPaymentEvents: {
    id: "listPaymentEvents",
    method: "GET",
    path: "/payments/{transactionId}/events",
    repeat: "safe",
    authenticated: true,
  },
  cancelPayment: {
    id: "cancelPayment",
    method: "POST",
    path: "/payments/{transactionId}/cancel",
    repeat: "with_key",
    authenticated: true,
  },
  capturePayment: {
    id: "capturePayment",
    method: "POST",
    path: "/payments/{transactionId}/capture",
    repeat: "with_key",
    authenticated: true,
  },
  refundPayment: {
    id: "refundPayment",
    method: "POST",
    path: "/payments/{transactionId}/refunds",
    repeat: "with_key",
    authenticated: true,
  },
  listOperations: {
    id: "listOperations",
    method: "GET",
    path: "/payments/{transactionId}/operations",
    repeat: "safe",
    authenticated: true,
  },
  getOperation: {
    id: "getOperation",
    method: "GET",
    path: "/payments/{transactionId}/operations/{operationId}",
    repeat: "safe",
    authenticated: true,
  },
  receiveWebhook: {
    id: "receiveWebhook",
    method: "POST",
    path: "/webhooks/{provider}/{accountToken}",
    repeat: "never",
    authenticated: false,
  },
  createEndpoint: {
    id: "createEndpoint",
    method: "POST",
    path: "/webhook-endpoints",
    repeat: "never",
    authenticated: true,
  },
  listEndpoints: {
    id: "listEndpoints",
    method: "GET",
    path: "/webhook-endpoints",
    repeat: "safe",
    authenticated: true,
  },
  deleteEndpoint: {
    id: "deleteEndpoint",
    method: "DELETE",
    path: "/webhook-endpoints/{endpointId}",
    repeat: "safe",
    authenticated: true,
  },
  rotateEndpointSecret: {
    id: "rotateEndpointSecret",
    method: "POST",
    path: "/webhook-endpoints/{endpointId}/rotate-secret",
    repeat: "never",
    authenticated: true,
  },
  listEvents: {
    id: "listEvents",
    method: "GET",
    path: "/events",
    repeat: "safe",
    authenticated: true,
  },
  redeliverEvent: {
    id: "redeliverEvent",
    method: "POST",
    path: "/events/{eventId}/redeliver",
    repeat: "never",
    authenticated: true,
  },
  getHealth: {
    id: "getHealth",
    method: "GET",
    path: "/health",
    repeat: "safe",
    authenticated: false,
  },
  getOpenApi: {
    id: "getOpenApi",
    method: "GET",
    path: "/openapi.json",
    repeat: "safe",
    authenticated: false,
  },
} as const satisfies Record<string, Operation>;

export interface CreatePaymentOptions {
  readonly idempotencyKey?: string | undefined;
}

/** `POST /payments`. */
export async function createPayment(
  send: Send,
  body: models.CreatePaymentRequest,
  options: CreatePaymentOptions = {},
): Promise<models.Payment> {
  const answer = await send({
    operation: OPERATIONS.createPayment,
    body,
    idempotencyKey: options.idempotencyKey,
  });
  return models.decodePayment(answer);
}

export interface ListPaymentsOptions {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly status?: models.PaymentStatus | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly orderId?: string | undefined;
  readonly providerRef?: string | undefined;
  readonly provider?: string | undefined;
}

/** `GET /payments`. */
export async function listPayments(
  send: Send,
  options: ListPaymentsOptions = {},
): Promise<models.PaymentPage> {
  const answer = await send({
    operation: OPERATIONS.listPayments,
    query: { limit: options.limit, cursor: options.cursor, status: options.status, from: options.from, to: options.to, orderId: options.orderId, providerRef: options.providerRef, provider: options.provider },
  });
  return models.decodePaymentPage(answer);
}

/** `GET /payments/{transactionId}`. */
export async function getPayment(
  send: Send,
  transactionId: string,
): Promise<models.Payment> {
  const answer = await send({
    operation: OPERATIONS.getPayment,
    path: { transactionId },
  });
  return models.decodePayment(answer);
}

export interface ListPaymentEventsOptions {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** `GET /payments/{transactionId}/events`. */
export async function listPaymentEvents(
  send: Send,
  transactionId: string,
  options: ListPaymentEventsOptions = {},
): Promise<models.AuditEventPage> {
  const answer = await send({
    operation: OPERATIONS.listPaymentEvents,
    path: { transactionId },
    query: { limit: options.limit, cursor: options.cursor },
  });
  return models.decodeAuditEventPage(answer);
}

export interface CancelPaymentOptions {
  readonly idempotencyKey?: string | undefined;
}

/** `POST /payments/{transactionId}/cancel`. */
export async function cancelPayment(
  send: Send,
  transactionId: string,
  body?: models.CancelPaymentRequest,
  options: CancelPaymentOptions = {},
): Promise<models.Payment> {
  const answer = await send({
    operation: OPERATIONS.cancelPayment,
    path: { transactionId },
    body,
    idempotencyKey: options.idempotencyKey,
  });
  return models.decodePayment(answer);
}

export interface CapturePaymentOptions {
  readonly idempotencyKey?: string | undefined;
}

/** `POST /payments/{transactionId}/capture`. */
export async function capturePayment(
  send: Send,
  transactionId: string,
  body?: models.MoveMoneyRequest,
  options: CapturePaymentOptions = {},
): Promise<models.Operation> {
  const answer = await send({
    operation: OPERATIONS.capturePayment,
    path: { transactionId },
    body,
    idempotencyKey: options.idempotencyKey,
  });
  return models.decodeOperation(answer);
}

export interface RefundPaymentOptions {
  readonly idempotencyKey?: string | undefined;
}

/** `POST /payments/{transactionId}/refunds`. */
export async function refundPayment(
  send: Send,
  transactionId: string,
  body?: models.MoveMoneyRequest,
  options: RefundPaymentOptions = {},
): Promise<models.Operation> {
  const answer = await send({
    operation: OPERATIONS.refundPayment,
    path: { transactionId },
    body,
    idempotencyKey: options.idempotencyKey,
  });
  return models.decodeOperation(answer);
}

export interface ListOperationsOptions {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** `GET /payments/{transactionId}/operations`. */
export async function listOperations(
  send: Send,
  transactionId: string,
  options: ListOperationsOptions = {},
): Promise<models.OperationPage> {
  const answer = await send({
    operation: OPERATIONS.listOperations,
    path: { transactionId },
    query: { limit: options.limit, cursor: options.cursor },
  });
  return models.decodeOperationPage(answer);
}

/** `GET /payments/{transactionId}/operations/{operationId}`. */
export async function getOperation(
  send: Send,
  transactionId: string,
  operationId: string,
): Promise<models.Operation> {
  const answer = await send({
    operation: OPERATIONS.getOperation,
    path: { transactionId, operationId },
  });
  return models.decodeOperation(answer);
}

/** `POST /webhooks/{provider}/{accountToken}`. */
export async function receiveWebhook(
  send: Send,
  provider: string,
  accountToken: string,
  body: Uint8Array,
): Promise<models.WebhookReceived> {
  const answer = await send({
    operation: OPERATIONS.receiveWebhook,
    path: { provider, accountToken },
    body,
  });
  return models.decodeWebhookReceived(answer);
}

/** `POST /webhook-endpoints`. */
export async function createEndpoint(
  send: Send,
  body: models.CreateEndpointRequest,
): Promise<models.EndpointSecret> {
  const answer = await send({
    operation: OPERATIONS.createEndpoint,
    body,
  });
  return models.decodeEndpointSecret(answer);
}

/** `GET /webhook-endpoints`. */
export async function listEndpoints(
  send: Send,
): Promise<models.EndpointPage> {
  const answer = await send({
    operation: OPERATIONS.listEndpoints,
  });
  return models.decodeEndpointPage(answer);
}

/** `DELETE /webhook-endpoints/{endpointId}`. */
export async function deleteEndpoint(
  send: Send,
  endpointId: string,
): Promise<void> {
  await send({
    operation: OPERATIONS.deleteEndpoint,
    path: { endpointId },
  });
}

/** `POST /webhook-endpoints/{endpointId}/rotate-secret`. */
export async function rotateEndpointSecret(
  send: Send,
  endpointId: string,
): Promise<models.EndpointSecret> {
  const answer = await send({
    operation: OPERATIONS.rotateEndpointSecret,
    path: { endpointId },
  });
  return models.decodeEndpointSecret(answer);
}

export interface ListEventsOptions {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/** `GET /events`. */
export async function listEvents(
  send: Send,
  options: ListEventsOptions = {},
): Promise<models.MerchantEventPage> {
  const answer = await send({
    operation: OPERATIONS.listEvents,
    query: { limit: options.limit, cursor: options.cursor, from: options.from, to: options.to },
  });
  return models.decodeMerchantEventPage(answer);
}

/** `POST /events/{eventId}/redeliver`. */
export async function redeliverEvent(
  send: Send,
  eventId: string,
): Promise<models.MerchantEvent> {
  const answer = await send({
    operation: OPERATIONS.redeliverEvent,
    path: { eventId },
  });
  return models.decodeMerchantEvent(answer);
}

/** `GET /health`. */
export async function getHealth(
  send: Send,
): Promise<models.Health> {
  const answer = await send({
    operation: OPERATIONS.getHealth,
  });
  return models.decodeHealth(answer);
}

/** `GET /openapi.json`. */
export async function getOpenApi(
  send: Send,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await send({
    operation: OPERATIONS.getOpenApi,
  });
  return json.members(answer, "getOpenApi");
}

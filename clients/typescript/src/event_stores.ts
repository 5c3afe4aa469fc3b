/** Where a receiver of webhooks remembers what it has handled. */

/** Where it shares a database with the work, record in the same transaction: neither is then without the other. */
export interface EventStore {
  /** The sequence numbers of this payment's events that were handled. */
  handled(transactionId: string): Promise<Iterable<number>>;
  /** Remembers durably; a second time changes nothing. */
  record(eventId: string, transactionId: string, sequence: number): Promise<void>;
}

/** For tests: a restart forgets everything. */
export class MemoryEventStore implements EventStore {
  readonly #handled = new Map<string, Set<number>>();

  async handled(transactionId: string): Promise<Iterable<number>> {
    return [...(this.#handled.get(transactionId) ?? [])];
  }

  async record(_eventId: string, transactionId: string, sequence: number): Promise<void> {
    const found = this.#handled.get(transactionId) ?? new Set();
    this.#handled.set(transactionId, found.add(sequence));
  }
}

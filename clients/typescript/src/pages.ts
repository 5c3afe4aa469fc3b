/** Lists as async iterators, which fetch a page when it is needed. */

import { PayFlowXError, UnexpectedAnswerError } from "./errors.js";

/** A page of any list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
  readonly unreadable?: readonly string[];
}

/** The list is complete but for `ids`: a newer version of the service stored them. Read them again later. */
export class IncompleteListError extends PayFlowXError {
  override name = "IncompleteListError";

  constructor(readonly ids: readonly string[]) {
    super(`${ids.length} rows cannot be shown now, the first is ${ids[0]}; read them again later`);
  }
}

/**
 * `for await` over it for all items, or over `pages()`. Each iteration reads from the start.
 *
 * An iteration over items ends with `IncompleteListError` if rows could not be shown, after all others: a list that
 * misses payments must not look complete.
 */
export class Listing<T> implements AsyncIterable<T> {
  readonly #read: (cursor: string | undefined) => Promise<Page<T>>;

  constructor(read: (cursor: string | undefined) => Promise<Page<T>>) {
    this.#read = read;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const unreadable: string[] = [];
    for await (const page of this.pages()) {
      yield* page.items;
      unreadable.push(...(page.unreadable ?? []));
    }
    if (unreadable.length > 0) {
      throw new IncompleteListError(unreadable);
    }
  }

  /** The pages as they are. Throws `UnexpectedAnswerError` when a cursor comes twice. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    const seen = new Set<string>();
    let cursor: string | undefined;
    for (;;) {
      const page = await this.#read(cursor);
      yield page;
      if (page.nextCursor === null) {
        return;
      }
      cursor = page.nextCursor;
      if (seen.has(cursor)) {
        throw new UnexpectedAnswerError("the list came back to a page that was read already");
      }
      seen.add(cursor);
    }
  }

  /** All items, at most `limit`; a longer list ends there. */
  async toArray(limit: number): Promise<T[]> {
    const found: T[] = [];
    if (limit <= 0) {
      return found;
    }
    for await (const each of this) {
      found.push(each);
      if (found.length >= limit) {
        return found;
      }
    }
    return found;
  }
}

/** Stores in files, for programs on Node or Deno: `import { FileKeyStore } from "@payflowx/client/node"`. */

import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";

import type { EventStore } from "./event_stores.js";
import type { KeyStore } from "./keys.js";

/**
 * One small file for each purpose in a directory that all processes of the caller share.
 *
 * The file is complete and on the disk before its key is used. Not for network file systems without hard links.
 */
export class FileKeyStore implements KeyStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async keyFor(purpose: string, proposed: string): Promise<string> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, `${nameOf(purpose)}.key`);
    await createOnce(this.#directory, path, proposed);
    return readFile(path, "utf8");
  }
}

/** One small file for each event that was handled, in a directory for each payment. */
export class FileEventStore implements EventStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async handled(transactionId: string): Promise<Iterable<number>> {
    try {
      const names = await readdir(this.#folder(transactionId));
      return names.filter((name) => /^\d+$/.test(name)).map(Number);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        return [];
      }
      throw error;
    }
  }

  async record(eventId: string, transactionId: string, sequence: number): Promise<void> {
    const folder = this.#folder(transactionId);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await createOnce(folder, join(folder, String(sequence)), eventId);
    await sync(this.#directory);
  }

  #folder(transactionId: string): string {
    return join(this.#directory, nameOf(transactionId));
  }
}

function nameOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Creates the file whole, or leaves the one of whoever was first. It is on the disk afterwards in both cases. */
async function createOnce(directory: string, path: string, content: string): Promise<void> {
  const draft = join(directory, `.${process.pid}.${randomUUID()}`);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  } finally {
    await file.close();
    await unlink(draft);
  }
  await sync(directory);
}

async function sync(directory: string): Promise<void> {
  const opened = await open(directory, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

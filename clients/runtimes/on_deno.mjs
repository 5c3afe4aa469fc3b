// deno run --allow-net=127.0.0.1 --allow-read --allow-write=FOLDER on_deno.mjs URL KEY FOLDER
import { FileKeyStore } from "@payflowx/client/node";

import { buy } from "./buyer.mjs";

const [url, key, folder] = globalThis.Deno.args;
const store = new FileKeyStore(folder);
const made = await store.keyFor("order 1", "key-1");
const isKept = made === "key-1" && (await new FileKeyStore(folder).keyFor("order 1", "key-2")) === made;
console.log(JSON.stringify({ ...(await buy(url, key, "deno")), isKept }));

// A worker: `workerd serve` with the configuration that the test writes.
import { buy } from "./buyer.mjs";

export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    return Response.json(await buy(searchParams.get("url"), searchParams.get("key"), "workerd"));
  },
};

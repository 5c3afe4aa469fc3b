/** Spellings of one address: the API registers it once, whatever its spelling. */

const PARTS = /^(https?):\/\/([^/?#:]*)(?::(\d*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/i;
const PORTS: Readonly<Record<string, string>> = { https: "443", http: "80" };
const ALLOWED = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)([:/?#]|$))/i;

/** Whether the double takes the address: a public one, or one of this machine. */
export function isAllowed(url: string): boolean {
  return ALLOWED.test(url) && PARTS.test(url);
}

/**
 * The same for all spellings: case of scheme and host, port, empty path, percent-encoding, `#...`. `URL` would resolve
 * `.` and `..` as well, which the API sends as they are.
 */
export function normalForm(url: string): string {
  const [, scheme = "", host = "", port = "", path = "", query = ""] = PARTS.exec(url) ?? [];
  const kind = scheme.toLowerCase();
  const place = [kind, host.toLowerCase().replace(/\.+$/, ""), String(Number(port || PORTS[kind]))];
  return JSON.stringify([...place, decoded(path || "/"), decoded(query)]);
}

function decoded(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

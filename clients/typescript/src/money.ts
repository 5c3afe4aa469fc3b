/** Amounts are integers in the currency's minor unit. Decimals are text, convert exactly or not at all. */

export const MAX_AMOUNT = 999_999_999_999;
const WITHOUT_DECIMALS =
  "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const TWO_DECIMALS =
  "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF " +
  "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL " +
  "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP " +
  "MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD " +
  "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS " +
  "VED VES WST XAD XCD XCG YER ZAR ZMW ZWG";
const THREE_DECIMALS =
  "BHD IQD JOD KWD LYD OMR TND";

const DECIMAL = /^([+-]?)(\d{1,15})(?:\.(\d{1,15}))?$/;

/** Decimals of each currency of ISO 4217 that the API takes or has taken. */
export const EXPONENTS: ReadonlyMap<string, number> = new Map(
  ([[0, WITHOUT_DECIMALS], [2, TWO_DECIMALS], [3, THREE_DECIMALS]] as const).flatMap(([exponent, codes]) =>
    codes.split(" ").map((code): [string, number] => [code, exponent]),
  ),
);

/**
 * `toMinor("19.99", "USD")` is 1999.
 *
 * Throws `TypeError` for what is no text: a number such as 19.99 is no exact amount. Throws `RangeError` for an unknown
 * currency and for fractions of a minor unit: how to round is the caller's decision.
 */
export function toMinor(amount: string, currency: string): number {
  if (typeof amount !== "string") {
    throw new TypeError(`text expected, not ${typeof amount}: write "19.99"`);
  }
  const exponent = exponentOf(currency);
  const [, sign = "", whole, fraction = ""] = DECIMAL.exec(amount) ?? [];
  if (whole === undefined) {
    throw new RangeError("the amount is too large, or no decimal number");
  }
  const significant = fraction.replace(/0+$/, "");
  if (significant.length > exponent) {
    throw new RangeError(`the amount has more than the ${exponent} decimals of ${currency}; round it first`);
  }
  const minor = BigInt(whole + significant.padEnd(exponent, "0"));
  return checkMinor(sign === "-" ? -minor : minor);
}

/** `fromMinor(1999, "USD")` is `"19.99"`, with all decimals of the currency. */
export function fromMinor(amount: number | bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const minor = checkMinor(amount);
  const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const at = digits.length - exponent;
  return `${minor < 0 ? "-" : ""}${digits.slice(0, at)}${exponent === 0 ? "" : `.${digits.slice(at)}`}`;
}

/** An integer within the API's range, of either sign. Throws `TypeError`, `RangeError`. */
export function checkMinor(amount: unknown): number {
  if (typeof amount !== "bigint" && !(typeof amount === "number" && Number.isInteger(amount))) {
    throw new TypeError("an amount is an integer in the minor unit; see toMinor");
  }
  if (amount > MAX_AMOUNT || amount < -MAX_AMOUNT) {
    throw new RangeError(`an amount is at most ${MAX_AMOUNT}`);
  }
  return Number(amount) + 0;
}

function exponentOf(currency: string): number {
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) {
    throw new RangeError("the currency is not known; ISO 4217, in capitals");
  }
  return exponent;
}

// How an address is spelled, letter for letter as Python's urlencode and web/state.py spell it.

export type Pair = readonly [name: string, value: string];

// what Python's str.strip takes away: more than trim does here, less there
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const ENDS = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "gu");
const SPACES = new RegExp(`[${SPACE}]+`, "u");
const NUMBER = "(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)";
const PART = new RegExp(
  `^(?<value>.+?)(?:@(?<region>${NUMBER}(?:,${NUMBER}){3}))?(?:\\^(?<weight>${NUMBER}))?$`,
  "su",
);

/** Take the white space away from both ends. */
export function strip(text: string): string {
  return text.replace(ENDS, "");
}

/** Take a text apart at its white space. */
export function words(text: string): string[] {
  return text.split(SPACES).filter(Boolean);
}

/** Write a query as urlencode(pairs, safe=":,/@^") does. */
export function writeQuery(pairs: Iterable<Pair>): string {
  return [...pairs].map(([name, value]) => `${quote(name)}=${quote(value)}`).join("&");
}

function quote(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"))
    .replace(/[!'()*]/gu, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(?:3A|2C|2F|40|5E)/gu, decodeURIComponent)
    .replaceAll("%20", "+");
}

/** Read a query: pairs in their order. */
export function readParams(query: string): Pair[] {
  return [...new URLSearchParams(query)];
}

/** Take a part of a question apart: `ID@x,y,w,h^weight`. */
export function splitPart(text: string): { value: string; region: string; weight: number } {
  const found = PART.exec(text)?.groups;
  return {
    value: found?.["value"] ?? text,
    region: found?.["region"] ?? "",
    weight: Number(found?.["weight"] ?? 1),
  };
}

/** Python's f"{value:g}" for numbers from 0.0001 to 999999: six digits at most. */
export function spellNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

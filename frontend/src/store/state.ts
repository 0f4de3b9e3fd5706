// What a search asks, as its address says it: read it, change one thing in it, write it.
// Pure: no page, no clock, no store. The twin of web/state.py; a test holds both to the same words.
import { readParams, spellNumber, splitPart, strip, words, writeQuery, type Pair } from "./spelling";

/** Parameters that may be said several times, in the order in which they are written. */
export const MANY = ["like", "unlike", "text", "not", "by", "also", "facet", "hide"] as const;
/** Parameters that are said once. */
export const ONE = [
  "metric",
  "rule",
  "lambda",
  "k",
  "where",
  "match",
  "years",
  "within",
  "sort",
  "group",
  "mirrored",
  "exact",
  "size",
  "seed",
  "offset",
] as const;
const DEFAULTS: Readonly<Record<string, string>> = {
  rule: "difference",
  lambda: "0.5",
  k: "30",
  offset: "0",
  seed: "0",
};
const MAX_YEAR = 99_999;
const SEARCH = /^\/c\/([^/]+)$/;

export type Many = (typeof MANY)[number];
export type One = (typeof ONE)[number];
export type Sign = 1 | -1;
type Values = Readonly<Partial<Record<Many, readonly string[]>> & Partial<Record<One, string>>>;

/** A question to a collection; what is not said is absent. */
export type State = Values & { readonly collection: string };

/** Read the parameters of an address or a form; unknown and empty ones are ignored. */
export function fromParams(collection: string, params: Iterable<Pair>): State {
  const many = new Map<string, string[]>(MANY.map((name) => [name, []]));
  const one = new Map<string, string>();
  const fields: Pair[] = [];
  for (const [name, raw] of params) {
    const value = strip(raw.replaceAll("\0", ""));
    if (!value) continue;
    if (many.has(name)) many.get(name)?.push(value);
    else if ((ONE as readonly string[]).includes(name)) one.set(name, value);
    else fields.push([name, value]);
  }
  takeFields(new Map(fields), many, one);
  many.set("by", words((many.get("by") ?? []).join(" ")));
  many.set("also", (many.get("also") ?? []).filter((name) => name !== collection));
  const pairs: [string, string | string[]][] = [...one];
  for (const [name, values] of many) if (values.length) pairs.push([name, [...new Set(values)]]);
  return { collection, ...(Object.fromEntries(pairs) as Values) };
}

/** Take what forms say in fields of their own only: weights of criteria, two years. */
function takeFields(
  fields: ReadonlyMap<string, string>,
  many: Map<string, string[]>,
  one: Map<string, string>,
): void {
  const weights = [...fields].filter(([name]) => name.startsWith("weight:"));
  if (weights.length) {
    const used = weights.filter(([, text]) => /[^0.]/u.test(text));
    const plain = (text: string): boolean => used.length === 1 || text === "1" || text === "1.0";
    many.set(
      "by",
      used.map(([name, text]) => name.slice("weight:".length) + (plain(text) ? "" : `^${text}`)),
    );
  }
  const [begin, end] = [fields.get("from"), fields.get("to")];
  if (begin || end) one.set("years", `${begin ?? -MAX_YEAR}-${end ?? MAX_YEAR}`);
}

/** Write the parameters in a fixed order, without what is the default anyway. */
export function params(state: State): Pair[] {
  const pairs: Pair[] = MANY.flatMap((name) =>
    (state[name] ?? []).map((value): Pair => [name, value]),
  );
  for (const name of ONE) {
    const value = state[name];
    if (value && value !== DEFAULTS[name]) pairs.push([name, value]);
  }
  return pairs;
}

/** The address of a question: path and query. */
export function write(state: State): string {
  const query = writeQuery(params(state));
  return `/c/${state.collection}${query ? `?${query}` : ""}`;
}

/** The question that an address (path and query) asks; null where it is no search. */
export function parse(address: string): State | null {
  const path = address.replace(/[?#].*$/su, "");
  const name = SEARCH.exec(path)?.[1];
  if (!name || !/^[\w-]+$/u.test(name)) return null;
  const query = address.slice(path.length).replace(/#.*$/su, "").replace(/^\?/u, "");
  return fromParams(name, readParams(query));
}

/** Whether anything is asked for; otherwise works hang at random. */
export function hasParts(state: State): boolean {
  return [state.like, state.unlike, state.text, state.not].some((values) => values?.length);
}

// ---- one change each; every change goes back to the first page of results ----

export type Action =
  | { readonly kind: "add"; readonly parts: readonly string[]; readonly sign: Sign }
  | { readonly kind: "remove"; readonly parts: readonly string[] }
  | { readonly kind: "swap"; readonly parts: readonly string[] }
  | { readonly kind: "move"; readonly part: string; readonly sign: Sign; readonly place: number }
  | { readonly kind: "weigh"; readonly part: string; readonly weight: number }
  | { readonly kind: "say" | "unsay"; readonly name: Many; readonly value: string }
  | { readonly kind: "set"; readonly name: One; readonly value: string }
  | { readonly kind: "clear" };

/** Return the question after one change. */
export function apply(state: State, action: Action): State {
  switch (action.kind) {
    case "add":
      return action.parts.reduce((kept, part) => withPart(kept, part, action.sign), state);
    case "remove":
      return action.parts.reduce(withoutPart, state);
    case "swap":
      return action.parts.reduce(swapped, state);
    case "move":
      return withPart(state, action.part, action.sign, action.place);
    case "weigh":
      return withWeight(state, action.part, action.weight);
    case "say":
      return clean(state, action.name, [...(state[action.name] ?? []), action.value]);
    case "unsay":
      return without(state, action.name, action.value);
    case "set":
      return fromParams(state.collection, [
        ...params(state).filter(([name]) => name !== action.name && name !== "offset"),
        [action.name, action.value],
      ]);
    case "clear":
      return cleared(state);
  }
}

/** Add a picture, at `place` in its light box or at the end; it leaves where it was. */
export function withPart(state: State, part: string, sign: Sign, place = Infinity): State {
  const kept = withoutPart(state, part);
  const name = sign > 0 ? "like" : "unlike";
  const box = [...(kept[name] ?? [])];
  box.splice(Math.min(place, box.length), 0, part);
  return clean(kept, name, box);
}

/** Remove a picture, whatever its sign. */
export function withoutPart(state: State, part: string): State {
  return without(without(state, "like", part), "unlike", part);
}

/** The sign of a picture of the question; null where it is none. */
export function signOf(state: State, part: string): Sign | null {
  if (state.like?.includes(part)) return 1;
  return state.unlike?.includes(part) ? -1 : null;
}

function swapped(state: State, part: string): State {
  const sign = signOf(state, part);
  return sign === null ? state : withPart(state, part, sign > 0 ? -1 : 1);
}

/** Weigh one of the pictures anew. */
function withWeight(state: State, part: string, weight: number): State {
  if (!(weight > 0 && weight <= 1000)) return state;
  const { value, region } = splitPart(part);
  const suffix = Number(spellNumber(weight)) === 1 ? "" : `^${spellNumber(weight)}`;
  const spelled = `${value}${region ? `@${region}` : ""}${suffix}`;
  const renamed = (box: readonly string[] | undefined): readonly string[] =>
    (box ?? []).map((old) => (old === part ? spelled : old));
  return clean(clean(state, "like", renamed(state.like)), "unlike", renamed(state.unlike));
}

/** Keep the collections, the criterion and the size of the pictures only. */
function cleared(state: State): State {
  const kept = params(state).filter(([name]) => ["by", "also", "size"].includes(name));
  return fromParams(state.collection, kept);
}

function without(state: State, name: Many, value: string): State {
  return clean(state, name, (state[name] ?? []).filter((old) => old !== value));
}

/** Replace the values of one name, as reading them from an address would. */
function clean(state: State, name: Many, values: readonly string[]): State {
  const others = params(state).filter(([other]) => other !== name && other !== "offset");
  const said = values.map((value): Pair => [name, value]);
  return fromParams(state.collection, [...others, ...said]);
}

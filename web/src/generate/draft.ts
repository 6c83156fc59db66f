import type { Capabilities, Element, Generation, Role } from "../messages";

/** A piece of the writer's world, as it is being filled in. */
export type DraftElement = {
  name: string;
  type: string;
  role: Role;
  roleDescription: string;
  description: string;
  /** What is known of it, a line each: `hair: grey`. */
  facts: string;
  sendDescription: boolean;
  sendData: boolean;
};

export const NO_ELEMENT: DraftElement = {
  name: "",
  type: "",
  role: "SUBJECT",
  roleDescription: "",
  description: "",
  facts: "",
  sendDescription: true,
  sendData: true,
};

/** A generation as it is being filled in. Empty means: as the profile says. */
export type Draft = {
  profile: string;
  prompt: string;
  negativePrompt: string;
  size: string;
  count: number;
  quality: string;
  seed: string;
  outputFormat: string;
  background: string;
  strict: boolean;
  /** Images of the project's library to go by. */
  inputImages: string[];
  elements: DraftElement[];
};

export const EMPTY: Draft = {
  profile: "",
  prompt: "",
  negativePrompt: "",
  size: "",
  count: 1,
  quality: "",
  seed: "",
  outputFormat: "",
  background: "",
  strict: false,
  inputImages: [],
  elements: [],
};

/** A line without a name tells of the appearance. */
function toData(facts: string): Record<string, string> {
  const data: Record<string, string> = {};
  for (const line of facts.split("\n").filter((line) => line.trim())) {
    const [, name = "appearance", value = line] = /^([^:]+):(.*)$/.exec(line) ?? [];
    const known = data[name.trim()];
    data[name.trim()] = known ? `${known}, ${value.trim()}` : value.trim();
  }
  return data;
}

function toElement(element: DraftElement): Element {
  const data = toData(element.facts);
  return {
    name: element.name.trim(),
    type: element.type.trim(),
    role: element.role,
    roleDescription: element.roleDescription.trim(),
    description: element.description.trim(),
    omitDescription: !element.sendDescription,
    omitData: !element.sendData,
    ...(Object.keys(data).length ? { data } : {}),
  };
}

/** What to send: only what the profile can be asked for. */
export function toGeneration(draft: Draft, can: Capabilities): Generation {
  return {
    profile: draft.profile,
    prompt: draft.prompt.trim(),
    negativePrompt: can.negativePrompt ? draft.negativePrompt.trim() : "",
    size: draft.size,
    count: Math.min(draft.count, can.maxCount || 1),
    quality: can.qualities?.includes(draft.quality) ? draft.quality : "",
    outputFormat: can.outputFormats?.includes(draft.outputFormat) ? draft.outputFormat : "",
    background: can.backgrounds?.includes(draft.background) ? draft.background : "",
    elements: draft.elements.filter(({ name }) => name.trim()).map(toElement),
    strict: draft.strict,
    inputImages: draft.inputImages.slice(0, can.maxInputImages ?? 0),
    ...(can.seed && draft.seed.trim() ? { seed: draft.seed.trim() } : {}),
  };
}

function toLines(name: string, value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return [`${name}: ${value.join(", ")}`];
  if (typeof value !== "object") return [`${name}: ${String(value)}`];
  return Object.entries(value).flatMap(([inner, within]) => toLines(`${name}.${inner}`, within));
}

function fromElement(element: Element): DraftElement {
  return {
    name: element.name ?? "",
    type: element.type ?? "",
    role: element.role ?? "SUBJECT",
    roleDescription: element.roleDescription ?? "",
    description: element.description ?? "",
    facts: Object.entries(element.data ?? {})
      .flatMap(([name, value]) => toLines(name, value))
      .join("\n"),
    sendDescription: !element.omitDescription,
    sendData: !element.omitData,
  };
}

/** The draft that a generation was made from, to try again. */
export function fromGeneration(generation: Generation): Draft {
  return {
    profile: generation.profile ?? "",
    prompt: generation.prompt ?? "",
    negativePrompt: generation.negativePrompt ?? "",
    size: generation.size ?? "",
    count: generation.count ?? 1,
    quality: generation.quality ?? "",
    seed: generation.seed ?? "",
    outputFormat: generation.outputFormat ?? "",
    background: generation.background ?? "",
    strict: generation.strict ?? false,
    inputImages: generation.inputImages ?? [],
    elements: (generation.elements ?? []).map(fromElement),
  };
}

import type { Capabilities, Element, Generation, Role } from "../messages";

/** A piece of the writer's world, as it is being filled in. */
export type DraftElement = { name: string; type: string; role: Role; roleDescription: string; description: string };

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
  elements: [],
};

function toElement({ name, type, role, roleDescription, description }: DraftElement): Element {
  const data = description.trim() ? { data: { description: description.trim() } } : {};
  return { name: name.trim(), type: type.trim(), role, roleDescription: roleDescription.trim(), ...data };
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
    ...(can.seed && draft.seed.trim() ? { seed: draft.seed.trim() } : {}),
  };
}

function fromElement(element: Element): DraftElement {
  const description = element.data?.["description"];
  return {
    name: element.name ?? "",
    type: element.type ?? "",
    role: element.role ?? "SUBJECT",
    roleDescription: element.roleDescription ?? "",
    description: typeof description === "string" ? description : "",
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
    elements: (generation.elements ?? []).map(fromElement),
  };
}

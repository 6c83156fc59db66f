import type { Profile } from "../messages";

/** A profile as it is being filled in. */
export type ProfileDraft = {
  title: string;
  description: string;
  provider: string;
  model: string;
  enabled: boolean;
  imageInput: boolean;
  sizes: string[];
  defaultSize: string;
  sortOrder: string;
  priceNote: string;
  /** The model config, as JSON text. */
  config: string;
};

export const FIELDS = [
  "title",
  "description",
  "provider",
  "model",
  "enabled",
  "imageInput",
  "sizes",
  "defaultSize",
  "sortOrder",
  "priceNote",
  "modelConfig",
];

export function toDraft(profile: Profile | undefined, provider: string): ProfileDraft {
  const config = profile?.modelConfig;
  return {
    title: profile?.title ?? "",
    description: profile?.description ?? "",
    provider: profile?.provider ?? provider,
    model: profile?.model ?? "",
    enabled: profile?.enabled ?? true,
    imageInput: profile?.imageInput ?? false,
    sizes: profile?.sizes ?? [],
    defaultSize: profile?.defaultSize ?? "",
    sortOrder: String(profile?.sortOrder ?? 0),
    priceNote: profile?.priceNote ?? "",
    config: config && Object.keys(config).length ? JSON.stringify(config, null, 2) : "",
  };
}

/** The config as an object, or why it is none. */
export function readConfig(text: string): { config?: Profile["modelConfig"]; error: string } {
  if (!text.trim()) return { error: "" };
  try {
    const config: unknown = JSON.parse(text);
    if (config && typeof config === "object" && !Array.isArray(config)) {
      return { config: config as Profile["modelConfig"], error: "" };
    }
    return { error: "This must be a JSON object: names and values in braces." };
  } catch (error) {
    return { error: `This is not JSON yet: ${(error as Error).message}.` };
  }
}

export function fromDraft(draft: ProfileDraft): Profile {
  const { config } = readConfig(draft.config);
  return {
    title: draft.title.trim(),
    description: draft.description.trim(),
    provider: draft.provider,
    model: draft.model.trim(),
    enabled: draft.enabled,
    imageInput: draft.imageInput,
    sizes: draft.sizes,
    defaultSize: draft.defaultSize,
    sortOrder: Number(draft.sortOrder) || 0,
    priceNote: draft.priceNote.trim(),
    ...(config ? { modelConfig: config } : {}),
  };
}

import type { Features, Project } from "../messages";

/** Whether *Generate Image* is offered: not at all, with a reason why not now, or freely. */
export type Offer = { shown: boolean; why: string; notice: string; link: string };

const NONE: Offer = { shown: false, why: "", notice: "", link: "" };

export function generateOffer(
  features: Features | undefined,
  reachable: boolean,
  role: Project["role"],
  admin: boolean,
): Offer {
  if (role === "VIEWER") return NONE;
  if (!reachable) {
    return { ...NONE, shown: true, why: "Not connected to server. AI image generation is unavailable." };
  }
  if (!features) return { ...NONE, shown: true, why: "Loading server configuration..." };
  if (features.imageGeneration) return { ...NONE, shown: true };
  const link = admin ? "Open AI Image Generation" : "";
  if (features.killSwitch) return { ...NONE, notice: "AI is switched off on this server, so images cannot be generated.", link };
  return {
    ...NONE,
    notice: "Image generation is not set up on this server: it is switched off, or no profile is ready.",
    link,
  };
}

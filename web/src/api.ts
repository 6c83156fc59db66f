import { ApiError, readStatus } from "./errors";
import type {
  Capabilities,
  Category,
  CustomSize,
  Features,
  Generation,
  GenerationPage,
  HealthPage,
  Image,
  ImagePage,
  KindPage,
  ModelPage,
  Plan,
  Profile,
  ProfilePage,
  Project,
  ProjectPage,
  Provider,
  ProviderCheck,
  ProviderPage,
  Session,
  Settings,
  Status,
  User,
} from "./messages";

/**
 * Tells what the calls learn about the server: `reached`, `unreachable`, and `signed-out` when the session has ended.
 */
export const server = new EventTarget();

type Query = Record<string, string | number | undefined>;
type Options = { query?: Query; body?: unknown; bytes?: Blob; signal?: AbortSignal };

function address(path: string, query: Query = {}): string {
  const known = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return known.length ? `${path}?${new URLSearchParams(known.map(([key, value]) => [key, String(value)]))}` : path;
}

async function send(method: string, path: string, { query, body, bytes, signal }: Options): Promise<Response> {
  try {
    return await fetch(address(path, query), {
      method,
      credentials: "same-origin",
      headers: bytes ? { "content-type": bytes.type || "application/octet-stream" } : { "content-type": "application/json" },
      body: bytes ?? (body === undefined ? null : JSON.stringify(body)),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    server.dispatchEvent(new Event("unreachable"));
    throw new ApiError("UNREACHABLE", "The server cannot be reached.");
  }
}

async function failure(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as { error?: Status };
  // Without a body of ours it was not our gateway that answered, but something in front of it.
  if (!body.error && response.status >= 502) {
    server.dispatchEvent(new Event("unreachable"));
    return new ApiError("UNREACHABLE", response.statusText);
  }
  return readStatus(body.error ?? { message: response.statusText });
}

async function call<Answer>(method: string, path: string, options: Options = {}): Promise<Answer> {
  const response = await send(method, path, options);
  if (response.ok) {
    server.dispatchEvent(new Event("reached"));
    return (await response.json()) as Answer;
  }
  const error = await failure(response);
  if (error.reason === "CALLER_UNKNOWN" && path !== "/v1/session") server.dispatchEvent(new Event("signed-out"));
  throw error;
}

/** Makes a repetition of a call harmless. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const mask = (...fields: string[]): Query => ({ updateMask: fields.join(",") });

// Access.
export const signIn = (user: string, password: string) =>
  call<Session>("POST", "/v1/session", { body: { password: { user, password } } });
export const signInWithCode = (code: string) => call<Session>("POST", "/v1/session", { body: { code } });
export const signOut = () => call<object>("DELETE", "/v1/session");
export const getMe = () => call<User>("GET", "/v1/me");
export const setPassword = (name: string, password: string, currentPassword = "") =>
  call<User>("POST", `/v1/${name}:setPassword`, { body: { password, currentPassword } });

// Settings, providers, profiles.
export const getFeatures = (signal?: AbortSignal) =>
  call<Features>("GET", "/v1/features", signal ? { signal } : {});
export const getSettings = () => call<Settings>("GET", "/v1/settings");
export const setKillSwitch = (killSwitch: boolean) =>
  call<Settings>("PATCH", "/v1/settings", { query: mask("killSwitch"), body: { killSwitch } });
export const setImagesEnabled = (imagesEnabled: boolean) =>
  call<Settings>("PATCH", "/v1/settings", { query: mask("imagesEnabled"), body: { imagesEnabled } });
export const setCustomSizes = (sizes: CustomSize[], etag?: string) =>
  call<Settings>("PATCH", "/v1/settings", { query: mask("customSizes"), body: { customSizes: { sizes }, etag } });

export const listProviders = () => call<ProviderPage>("GET", "/v1/providers", { query: { pageSize: 1000 } });
export const createProvider = (providerId: string, provider: Provider, requestId: string) =>
  call<Provider>("POST", "/v1/providers", { query: { providerId, requestId }, body: provider });
export const updateProvider = (provider: Provider, ...fields: string[]) =>
  call<Provider>("PATCH", `/v1/${provider.name}`, { query: mask(...fields), body: provider });
export const deleteProvider = (name: string) => call<object>("DELETE", `/v1/${name}`);
export const setProviderKey = (name: string, apiKey: string) =>
  call<Provider>("POST", `/v1/${name}:setKey`, { body: { apiKey } });
export const deleteProviderKey = (name: string) => call<Provider>("POST", `/v1/${name}:deleteKey`, { body: {} });
export const listKinds = () => call<KindPage>("GET", "/v1/kinds");
export const listProviderModels = (provider: string, query: string, category: Category, signal: AbortSignal) =>
  call<ModelPage>("GET", `/v1/${provider}/models`, {
    query: { query, category: category === "CATEGORY_UNSPECIFIED" ? "" : category, pageSize: 50 },
    signal,
  });
/** Asks the provider itself, in a call that costs nothing. */
export const checkProvider = (name: string) => call<ProviderCheck>("POST", `/v1/${name}:check`, { body: {} });
export const listProviderHealth = () => call<HealthPage>("GET", "/v1/providers/-/health");

export const listProfiles = () => call<ProfilePage>("GET", "/v1/profiles", { query: { pageSize: 1000 } });
export const getCapabilities = (profile: string) => call<Capabilities>("GET", `/v1/${profile}/capabilities`);
export const createProfile = (profile: Profile, requestId: string) =>
  call<Profile>("POST", "/v1/profiles", { query: { requestId }, body: profile });
export const updateProfile = (profile: Profile, ...fields: string[]) =>
  call<Profile>("PATCH", `/v1/${profile.name}`, { query: mask(...fields), body: profile });
export const deleteProfile = (name: string) => call<object>("DELETE", `/v1/${name}`);

// Projects.
export const listProjects = (pageToken = "") =>
  call<ProjectPage>("GET", "/v1/projects", { query: { pageSize: 60, pageToken } });
export const getProject = (name: string) => call<Project>("GET", `/v1/${name}`);
export const createProject = (project: Project, projectId: string, requestId: string) =>
  call<Project>("POST", "/v1/projects", { query: { projectId, requestId }, body: project });
export const updateProject = (project: Project) =>
  call<Project>("PATCH", `/v1/${project.name}`, { query: mask("title", "description"), body: project });
export const deleteProject = (name: string) => call<object>("DELETE", `/v1/${name}`);

// Images.
export type Rendition = "W256" | "W1024";
export const listImages = (project: string, pageSize = 48, pageToken = "") =>
  call<ImagePage>("GET", `/v1/${project}/images`, { query: { pageSize, pageToken } });
export const getImage = (name: string) => call<Image>("GET", `/v1/${name}`);
export const uploadImage = (project: string, file: File, requestId: string) =>
  call<Image>("POST", `/v1/${project}/images`, {
    query: { title: file.name.replace(/\.[^.]+$/, "").slice(0, 200), requestId },
    bytes: file,
  });
export const renameImage = (image: Image, title: string) =>
  call<Image>("PATCH", `/v1/${image.name}`, { query: mask("title"), body: { title, etag: image.etag } });
export const deleteImage = (name: string) => call<object>("DELETE", `/v1/${name}`);
/** Where an image's bytes are: the original, or a smaller copy. With its hash, the browser keeps them for good. */
export const imageAddress = (name: string, rendition?: Rendition, sha256 = "") =>
  address(`/v1/${name}:download`, { rendition, v: sha256.slice(0, 16) });

// Generations.
export const previewGeneration = (project: string, generation: Generation, signal: AbortSignal) =>
  call<Plan>("POST", `/v1/${project}/generations:preview`, { body: generation, signal });
export const createGeneration = (project: string, generation: Generation, requestId: string) =>
  call<Generation>("POST", `/v1/${project}/generations`, { query: { requestId }, body: generation });
export const getGeneration = (name: string) => call<Generation>("GET", `/v1/${name}`);
export const listGenerations = (project: string, pageSize = 50) =>
  call<GenerationPage>("GET", `/v1/${project}/generations`, { query: { pageSize } });
export const cancelGeneration = (name: string) => call<Generation>("POST", `/v1/${name}:cancel`, { body: {} });
export const saveGeneration = (name: string, indexes: number[]) =>
  call<Generation>("POST", `/v1/${name}:save`, { body: { indexes } });
/** An EventSource resumes with the last number it saw when the connection breaks. */
export const openWatch = (name: string) => new EventSource(`/v1/${name}:watch`);

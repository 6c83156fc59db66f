/** The messages of our protos, as they travel in JSON. */
export type { SessionJson as Session, UserJson as User } from "./gen/inkweld/access/v1/access_pb";
export type {
  ListProjectsResponseJson as ProjectPage,
  ProjectJson as Project,
} from "./gen/inkweld/access/v1/projects_pb";
export type { ListProfilesResponseJson as ProfilePage, ProfileJson as Profile } from "./gen/inkweld/config/v1/profiles_pb";
export type {
  ListProvidersResponseJson as ProviderPage,
  ProviderJson as Provider,
} from "./gen/inkweld/config/v1/providers_pb";
export type {
  CustomSizeJson as CustomSize,
  FeaturesJson as Features,
  SettingsJson as Settings,
  SourceJson as Source,
} from "./gen/inkweld/config/v1/settings_pb";
export type { ErrorReasonJson } from "./gen/inkweld/errors/v1/error_reason_pb";
export type {
  AdaptationJson as Adaptation,
  ElementJson as Element,
  Element_RoleJson as Role,
  GeneratedImageJson as GeneratedImage,
  GenerationEventJson as GenerationEvent,
  GenerationJson as Generation,
  Generation_StateJson as State,
  ListGenerationsResponseJson as GenerationPage,
  PlanJson as Plan,
} from "./gen/inkweld/generation/v1/generations_pb";
export type {
  CapabilitiesJson as Capabilities,
  KindJson as Kind,
  ListKindsResponseJson as KindPage,
  ListProviderHealthResponseJson as HealthPage,
  ListProviderModelsResponseJson as ModelPage,
  ModelJson as Model,
  ModelNoticeJson as ModelNotice,
  Model_CategoryJson as Category,
  ProviderCheckJson as ProviderCheck,
  ProviderHealthJson as ProviderHealth,
  QuoteJson as Quote,
} from "./gen/inkweld/generation/v1/models_pb";
export type { ImageJson as Image, ListImagesResponseJson as ImagePage } from "./gen/inkweld/media/v1/images_pb";
export type { StatusJson as Status } from "./gen/google/rpc/status_pb";
export type { MoneyJson as Money } from "./gen/google/type/money_pb";

import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { getSettings, listKinds, listProfiles, listProviderHealth, listProviders } from "../api";
import { type ApiError, asApiError } from "../errors";
import { fire } from "../events";
import { leaf } from "../format";
import type { Kind, Profile, Provider, ProviderHealth, Settings } from "../messages";
import "../parts/empty-state";
import "../parts/load-error";
import { addresses, leave } from "../router";
import { base, page } from "../styles";
import "./add-provider-dialog";
import "./ai-switches";
import "./custom-sizes";
import "./profile-dialog";
import "./profile-item";
import "./provider-card";

/** Where an administrator keeps AI image generation: switches, providers, profiles, sizes. */
@customElement("ai-page")
export class AiPage extends LitElement {
  static override styles = [
    base,
    page,
    css`
      main > section {
        margin-block-start: var(--wa-space-2xl);
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        justify-content: space-between;
        gap: var(--wa-space-s) var(--wa-space-m);
        margin-block-end: var(--wa-space-m);
      }
      .head p {
        max-width: 42rem;
      }
      .grid {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(25rem, 100%), 1fr));
        gap: var(--wa-space-m);
      }
      .small-grid {
        grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr));
      }
      .waiting {
        display: grid;
        place-items: center;
        min-height: 40vh;
        font-size: 2rem;
      }
    `,
  ];

  /** The id of the profile that is open, `new` for one to be. */
  @property() profile?: string;
  @state() private settings?: Settings;
  @state() private providers: Provider[] = [];
  @state() private profiles: Profile[] = [];
  @state() private kinds: Kind[] = [];
  @state() private health: ProviderHealth[] = [];
  @state() private error?: ApiError;
  @state() private adding = false;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "AI Image Generation · Inkweld Images";
    void this.load();
  }

  private async load(): Promise<void> {
    this.error = undefined;
    try {
      const [settings, { providers }, { profiles }] = await Promise.all([getSettings(), listProviders(), listProfiles()]);
      this.settings = settings;
      this.providers = providers ?? [];
      this.profiles = profiles ?? [];
    } catch (error) {
      this.error = asApiError(error);
    }
    fire(this, "features-changed");
    await Promise.all([this.loadHealth(), this.kinds.length ? undefined : this.loadKinds()]);
  }

  private async loadKinds(): Promise<void> {
    try {
      this.kinds = (await listKinds()).kinds ?? [];
    } catch (error) {
      asApiError(error); // The generation service may be down while config answers; the cards do without.
    }
  }

  private async loadHealth(): Promise<void> {
    try {
      this.health = (await listProviderHealth()).health ?? [];
    } catch (error) {
      asApiError(error); // As with the kinds.
    }
  }

  private take(settings: Settings): void {
    this.settings = settings;
    fire(this, "features-changed");
  }

  private renderProviders() {
    return html`<section aria-labelledby="providers">
      <div class="head">
        <div>
          <h2 id="providers">Providers</h2>
          <p class="quiet small">The companies' APIs and WebUIs that draw. Keys are sealed when you set them.</p>
        </div>
        <wa-button size="s" appearance="outlined" data-testid="add-provider-button" @click=${() => (this.adding = true)}>
          <wa-icon slot="start" name="plus"></wa-icon>Add Provider
        </wa-button>
      </div>
      <div class="grid">
        ${repeat(
          this.providers,
          ({ name }) => name,
          (provider) => html`<provider-card
            .provider=${provider}
            ?kindsKnown=${this.kinds.length > 0}
            .kind=${this.kinds.find(({ name }) => leaf(name) === provider.kind)}
            .health=${this.health.find(({ provider: name }) => name === provider.name)}
            @changed=${this.load}
            @checked=${this.loadHealth}
          ></provider-card>`,
        )}
      </div>
    </section>`;
  }

  private renderProfiles() {
    return html`<section aria-labelledby="profiles" data-testid="profiles-section-card">
      <div class="head">
        <div>
          <h2 id="profiles">Image Model Profiles</h2>
          <p class="quiet small">What writers pick from: a model of a provider, under a name that tells what it is good for.</p>
        </div>
        <wa-button size="s" variant="brand" data-testid="create-profile-button" href=${addresses.profile("new")}>
          <wa-icon slot="start" name="plus"></wa-icon>Create Profile
        </wa-button>
      </div>
      ${this.profiles.length
        ? html`<div class="grid small-grid" data-testid="profiles-grid">
            ${repeat(
              this.profiles,
              ({ name }) => name,
              (profile) => html`<profile-item
                .profile=${profile}
                .provider=${this.providers.find(({ name }) => name === profile.provider)}
                @changed=${this.load}
              ></profile-item>`,
            )}
          </div>`
        : html`<empty-state data-testid="profiles-empty-state" icon="brush" heading="No profiles yet">
            Writers cannot generate anything until there is one. Set up a provider first, then offer one of its models.
          </empty-state>`}
    </section>`;
  }

  private renderAll(settings: Settings) {
    return html`
      <section aria-labelledby="switches">
        <h2 id="switches" class="visually-hidden">Switches</h2>
        <ai-switches .settings=${settings} @changed=${({ detail }: CustomEvent<Settings>) => this.take(detail)}></ai-switches>
      </section>
      ${this.renderProviders()} ${this.renderProfiles()}
      <section aria-labelledby="sizes">
        <div class="head">
          <div>
            <h2 id="sizes">Custom Image Sizes</h2>
            <p class="quiet small">Offered beside a profile's own sizes, where the model takes any.</p>
          </div>
        </div>
        <custom-sizes .settings=${settings} @changed=${({ detail }: CustomEvent<Settings>) => this.take(detail)}></custom-sizes>
      </section>
    `;
  }

  override render() {
    const editing = this.profiles.find(({ name }) => leaf(name) === this.profile);
    return html`
      <main class="page">
        <h1>AI Image Generation</h1>
        <p class="quiet">Who draws, with what, and whether at all.</p>
        ${this.settings
          ? this.renderAll(this.settings)
          : this.error
            ? html`<load-error .error=${this.error} @retry=${this.load}></load-error>`
            : html`<div class="waiting"><wa-spinner></wa-spinner></div>`}
      </main>
      <profile-dialog
        ?open=${!!this.settings && (this.profile === "new" || !!editing)}
        .profile=${editing}
        .providers=${this.providers}
        @close=${() => leave(addresses.admin)}
        @done=${() => {
          leave(addresses.admin);
          void this.load();
        }}
      ></profile-dialog>
      <add-provider-dialog
        ?open=${this.adding}
        .kinds=${this.kinds}
        @cancel=${() => (this.adding = false)}
        @done=${() => {
          this.adding = false;
          void this.load();
        }}
      ></add-provider-dialog>
    `;
  }
}

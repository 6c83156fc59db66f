import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { createProfile, newRequestId, updateProfile } from "../api";
import { type ApiError, asApiError } from "../errors";
import { checkedOf, fire, isOwn, notify, valueOf } from "../events";
import { leaf } from "../format";
import type { Model, Profile, Provider } from "../messages";
import { sentence } from "../sentences";
import { base } from "../styles";
import "./model-picker";
import { profileDialogStyles } from "./profile-dialog.styles";
import { FIELDS, type ProfileDraft, fromDraft, readConfig, toDraft } from "./profile-draft";
import "./sizes-editor";

/** Creates a profile, or changes the one it is given. Says `done` and `close`. */
@customElement("profile-dialog")
export class ProfileDialog extends LitElement {
  static override styles = [base, profileDialogStyles];

  @property({ type: Boolean }) open = false;
  @property({ attribute: false }) profile?: Profile;
  @property({ attribute: false }) providers: Provider[] = [];
  @state() private draft: ProfileDraft = toDraft(undefined, "");
  @state() private model?: Model;
  @state() private error?: ApiError;
  @state() private busy = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (!this.open || !(changed.has("open") || changed.has("profile"))) return;
    const ready = this.providers.find(({ state }) => state === "READY") ?? this.providers[0];
    this.draft = toDraft(this.profile, ready?.name ?? "");
    this.error = undefined;
  }

  private change(part: Partial<ProfileDraft>): void {
    this.draft = { ...this.draft, ...part };
  }

  /** Takes over what the model can do. The sizes named for another model go with it. */
  private pick(model: Model): void {
    const { sizes, defaultSize, maxInputImages } = model.capabilities ?? {};
    const imageInput = model.category === "IMAGE_TO_IMAGE" || !!maxInputImages;
    this.model = model;
    this.change({ model: model.model ?? "", sizes: sizes ?? [], defaultSize: defaultSize ?? "", imageInput });
  }

  private get isComplete(): boolean {
    const { title, provider, model, config } = this.draft;
    return !!title.trim() && !!provider && !!model.trim() && !readConfig(config).error;
  }

  private async submit(event?: Event): Promise<void> {
    event?.preventDefault();
    if (!this.isComplete || this.busy) return;
    this.busy = true;
    try {
      const wanted = fromDraft(this.draft);
      const { name, etag } = this.profile ?? {};
      await (name ? updateProfile({ ...wanted, name, etag }, ...FIELDS) : createProfile(wanted, newRequestId()));
      notify(this, name ? "Profile saved" : "Profile created");
      fire(this, "done");
    } catch (error) {
      this.error = asApiError(error);
    } finally {
      this.busy = false;
    }
  }

  /** What the server said of a field, and of what is inside it. */
  private renderFieldError(field: string) {
    const texts = Object.entries(this.error?.fields ?? {})
      .map(([path, text]) => ({ path: path.replace(/^profile\./, ""), text }))
      .filter(({ path }) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`));
    return texts.map(
      ({ path, text }) => html`<p class="field-error small" role="alert">${path === field ? "" : `${path.slice(field.length + 1)}: `}${text}</p>`,
    );
  }

  private renderInput(label: string, key: "title" | "description" | "priceNote" | "sortOrder", field: string, more = {}) {
    const { hint = "", testid = "", max = 500 } = more as { hint?: string; testid?: string; max?: number };
    return html`<div>
      <wa-input
        label=${label}
        hint=${hint}
        data-testid=${testid || nothing}
        maxlength=${max}
        type=${key === "sortOrder" ? "number" : "text"}
        ?required=${key === "title"}
        ?autofocus=${key === "title"}
        autocomplete="off"
        .value=${this.draft[key]}
        @input=${(event: Event) => this.change({ [key]: valueOf(event) })}
      ></wa-input>
      ${this.renderFieldError(field)}
    </div>`;
  }

  private renderProvider() {
    return html`<div>
      <wa-select
        label="Provider"
        data-testid="profile-provider-select"
        .value=${this.draft.provider}
        @change=${(event: Event) => this.change({ provider: valueOf(event), model: "", sizes: [], defaultSize: "" })}
      >
        ${this.providers.map(
          ({ name, title, state }) => html`<wa-option value=${name ?? ""} label=${title || leaf(name)}>
            ${title || leaf(name)}${state === "READY" ? nothing : html` <span class="quiet small">(not ready)</span>`}
          </wa-option>`,
        )}
      </wa-select>
      ${this.renderFieldError("provider")}
    </div>`;
  }

  private renderModel() {
    return html`<div>
      <model-picker
        .provider=${this.open ? this.draft.provider : ""}
        .value=${this.draft.model}
        @choose=${({ detail }: CustomEvent<string>) => this.change({ model: detail })}
        @pick=${({ detail }: CustomEvent<Model>) => this.pick(detail)}
        @know=${({ detail }: CustomEvent<Model | undefined>) => (this.model = detail)}
      ></model-picker>
      ${this.renderFieldError("model")}
    </div>`;
  }

  private renderSizes() {
    return html`<div>
      <h3>Sizes</h3>
      <sizes-editor
        .sizes=${this.draft.sizes}
        .standard=${this.draft.defaultSize}
        .offered=${this.model?.capabilities?.sizes ?? []}
        @change-sizes=${({ detail }: CustomEvent<Pick<ProfileDraft, "sizes" | "defaultSize">>) => this.change(detail)}
      ></sizes-editor>
      ${this.renderFieldError("sizes")} ${this.renderFieldError("default_size")}
    </div>`;
  }

  private renderConfig() {
    const { error } = readConfig(this.draft.config);
    return html`<div>
      <wa-textarea
        class="config"
        label="Model config"
        hint="Settings in the provider's own terms, as JSON: sampler, steps, quality, …"
        placeholder="{}"
        rows="4"
        resize="auto"
        spellcheck="false"
        data-testid="profile-config-input"
        .value=${this.draft.config}
        @input=${(event: Event) => this.change({ config: valueOf(event) })}
      ></wa-textarea>
      ${error ? html`<p class="field-error small" role="alert">${error}</p>` : nothing} ${this.renderFieldError("model_config")}
    </div>`;
  }

  private renderForm() {
    return html`<form @submit=${this.submit}>
      ${this.error
        ? html`<wa-callout variant="danger" size="s" role="alert" data-testid="profile-error">${sentence(this.error)}</wa-callout>`
        : nothing}
      ${this.renderInput("Name", "title", "title", { testid: "profile-name-input", max: 100 })}
      ${this.renderInput("Description", "description", "description", { hint: "What it is good for, in a sentence to writers." })}
      ${this.renderProvider()} ${this.renderModel()} ${this.renderSizes()}
      <wa-switch .checked=${this.draft.enabled} @change=${(event: Event) => this.change({ enabled: checkedOf(event) })}
        >Writers may pick it</wa-switch
      >
      ${this.renderMore()}
    </form>`;
  }

  private renderMore() {
    // What is filled in, or wrong, must be seen.
    const isTelling = !!this.draft.config || !!this.draft.priceNote || !!this.error;
    return html`<wa-details summary="More settings" appearance="outlined" ?open=${isTelling}>
      <div class="more">
        <div class="pair">
          ${this.renderInput("Price note", "priceNote", "price_note", { hint: "Shown to writers, in your words.", max: 200 })}
          ${this.renderInput("Sort order", "sortOrder", "sort_order", { hint: "Lower comes first." })}
        </div>
        <wa-switch .checked=${this.draft.imageInput} @change=${(event: Event) => this.change({ imageInput: checkedOf(event) })}
          >Takes pictures as input</wa-switch
        >
        ${this.renderConfig()}
      </div>
    </wa-details>`;
  }

  override render() {
    return html`<wa-dialog
      ?open=${this.open}
      @wa-hide=${(event: Event) => {
        if (isOwn(event) && this.open) fire(this, "close");
      }}
    >
      <span slot="label" data-testid="profile-dialog-title">${this.profile ? "Edit Image Profile" : "Create Image Profile"}</span>
      <div data-testid="profile-dialog-content">${this.open ? this.renderForm() : nothing}</div>
      <wa-button slot="footer" appearance="plain" data-testid="profile-dialog-cancel" @click=${() => fire(this, "close")}>
        Cancel
      </wa-button>
      <wa-button
        slot="footer"
        variant="brand"
        data-testid="profile-dialog-submit"
        ?disabled=${!this.isComplete}
        ?loading=${this.busy}
        @click=${() => this.submit()}
        >${this.profile ? "Save Profile" : "Create Profile"}</wa-button
      >
    </wa-dialog>`;
  }
}

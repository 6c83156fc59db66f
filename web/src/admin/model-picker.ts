import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { listProviderModels } from "../api";
import { type ApiError, asApiError, readStatus } from "../errors";
import { fire, valueOf } from "../events";
import { plural } from "../format";
import type { Category, Model, ModelPage } from "../messages";
import { sentence } from "../sentences";
import { base } from "../styles";
import { modelPickerStyles } from "./model-picker.styles";

const PAUSE_MS = 250;

const CATEGORIES: [Category, string][] = [
  ["CATEGORY_UNSPECIFIED", "All"],
  ["TEXT_TO_IMAGE", "Text to image"],
  ["IMAGE_TO_IMAGE", "Image to image"],
];

/**
 * The model of a profile: any name, and what the catalogue and the provider itself have to pick from.
 * Says `choose` with a name that was typed, `pick` with a model that was clicked, and `know` with what is known.
 */
@customElement("model-picker")
export class ModelPicker extends LitElement {
  static override styles = [base, modelPickerStyles];

  /** The provider's name; empty while nobody looks. */
  @property() provider = "";
  @property() value = "";
  @state() private page: ModelPage = {};
  @state() private category: Category = "CATEGORY_UNSPECIFIED";
  @state() private error?: ApiError;
  @state() private loading = false;
  /** What was typed since something was picked; a picked name hides no others. */
  private query = "";
  private timer = 0;
  private asking = new AbortController();

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("provider")) return;
    this.page = {};
    this.category = "CATEGORY_UNSPECIFIED";
    this.query = "";
    if (this.provider) void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    this.asking.abort();
  }

  private async load(): Promise<void> {
    this.asking.abort();
    const { signal } = (this.asking = new AbortController());
    this.loading = true;
    this.error = undefined;
    try {
      this.page = await listProviderModels(this.provider, this.query, this.category, signal);
      fire(this, "know", this.known(this.value));
    } catch (error) {
      if (signal.aborted) return;
      this.error = asApiError(error);
    } finally {
      if (!signal.aborted) this.loading = false;
    }
  }

  private known(name: string): Model | undefined {
    return this.page.models?.find(({ model }) => model === name) ?? this.page.any;
  }

  private type(name: string): void {
    fire(this, "choose", name);
    this.query = name.trim();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.load(), PAUSE_MS);
  }

  private filter(category: Category): void {
    this.category = category;
    void this.load();
  }

  private renderFilter() {
    if ((this.page.categories?.length ?? 0) < 2) return nothing;
    return html`<div class="filter" role="group" aria-label="Kind of model">
      ${CATEGORIES.map(
        ([category, words]) => html`<button type="button" aria-pressed=${category === this.category} @click=${() => this.filter(category)}>
          ${words}
        </button>`,
      )}
    </div>`;
  }

  private renderOffer(model: Model) {
    const { capabilities, known, offered } = model;
    const facts = [
      model.category === "IMAGE_TO_IMAGE" ? "needs a picture" : capabilities?.maxInputImages ? "takes pictures" : "",
      model.endDate ? `ends on ${model.endDate}` : "",
      known && !offered && !this.page.listingError ? "not in the provider's list" : "",
      known ? "" : "not in our catalogue",
    ].filter(Boolean);
    return html`<li>
      <button type="button" aria-pressed=${model.model === this.value} @click=${() => fire(this, "pick", model)}>
        <span class="title">${model.title || model.model}</span>
        <span class="id quiet">${model.model}</span>
        ${facts.length ? html`<span class="quiet">${facts.join(" · ")}</span>` : nothing}
      </button>
    </li>`;
  }

  private renderOffers() {
    const models = this.page.models ?? [];
    if (!models.length) return nothing;
    return html`<ul class="offers" aria-label="Models" data-testid="model-list">
      ${repeat(
        models,
        ({ name }) => name,
        (model) => this.renderOffer(model),
      )}
    </ul>`;
  }

  private get telling(): string {
    if (this.loading) return "Looking for models …";
    if (this.error) return "";
    const count = this.page.models?.length ?? 0;
    if (!count) return this.query ? `No model is called “${this.query}”. The name may still be right.` : "No models are known here. Type a name.";
    return this.page.nextPageToken ? `The first ${count} models. Type to find others.` : `${plural(count, "model")}.`;
  }

  private renderTelling() {
    const failed = this.error ?? (this.page.listingError ? readStatus(this.page.listingError) : undefined);
    return html`
      <p class="note quiet small" role="status">${this.telling}</p>
      ${failed && !this.loading
        ? html`<p class="note small ending" data-testid="model-list-error">
            ${this.error ? "" : "The provider's own list is missing. "}${sentence(failed)}
            <wa-button size="s" appearance="plain" @click=${this.load}><wa-icon slot="start" name="refresh"></wa-icon>Try again</wa-button>
          </p>`
        : nothing}
    `;
  }

  private renderNote() {
    const model = this.page.models?.find((known) => known.model === this.value);
    if (!model) return nothing;
    const { maxCount, maxInputImages, maxPromptLength, negativePrompt, seed } = model.capabilities ?? {};
    const can = [
      maxCount ? `up to ${plural(maxCount, "picture")}` : "",
      maxInputImages ? `${plural(maxInputImages, "input picture")}` : "",
      maxPromptLength ? `prompts of ${maxPromptLength.toLocaleString("en")} characters` : "",
      negativePrompt ? "negative prompt" : "",
      seed ? "seed" : "",
    ].filter(Boolean);
    return html`<p class="note quiet small" data-testid="model-note">
      ${model.title}${can.length ? `: ${can.join(", ")}.` : "."}
      ${model.endDate
        ? html`<span class="ending">Its provider ends it on ${model.endDate}${model.successor ? `; ${model.successor} follows` : ""}.</span>`
        : nothing}
    </p>`;
  }

  override render() {
    return html`
      <wa-input
        label="Model"
        hint="As the provider spells it. Type to search, or pick one."
        data-testid="profile-model-input"
        autocomplete="off"
        maxlength="300"
        required
        .value=${this.value}
        @input=${(event: Event) => this.type(valueOf(event))}
      ></wa-input>
      ${this.renderNote()} ${this.renderFilter()} ${this.renderOffers()} ${this.renderTelling()}
    `;
  }
}

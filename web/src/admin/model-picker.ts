import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { listModels } from "../api";
import { asApiError } from "../errors";
import { fire, valueOf } from "../events";
import { plural } from "../format";
import type { Model } from "../messages";
import { base } from "../styles";

const MOST = 50;

/** The model of a profile: any name, with what the catalogue knows to pick from. Says `choose` with a name, and `know`. */
@customElement("model-picker")
export class ModelPicker extends LitElement {
  static override styles = [
    base,
    css`
      .offers {
        display: flex;
        flex-wrap: wrap;
        gap: var(--wa-space-2xs);
        margin-block-start: var(--wa-space-xs);
        max-height: 7.5rem;
        overflow-y: auto;
      }
      .offers button {
        padding: 0.25em 0.7em;
        background: var(--wa-color-surface-lowered);
        border: 1px solid var(--wa-color-surface-border);
        border-radius: 1em;
        color: inherit;
        font: inherit;
        font-size: var(--wa-font-size-xs);
        cursor: pointer;
      }
      .offers button:hover,
      .offers button[aria-pressed="true"] {
        border-color: var(--wa-color-brand-border-loud);
        background: var(--wa-color-brand-fill-quiet);
      }
      .note {
        margin-block-start: var(--wa-space-2xs);
      }
      .ending {
        color: var(--wa-color-warning-on-quiet);
      }
    `,
  ];

  /** The kind of the provider, such as `openai`. */
  @property() kind = "";
  @property() value = "";
  @state() private models: Model[] = [];

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("kind") && this.kind) void this.load(this.kind);
  }

  private async load(kind: string): Promise<void> {
    this.models = [];
    try {
      const { models } = await listModels(kind);
      if (kind === this.kind) this.models = models ?? [];
    } catch (error) {
      asApiError(error); // The catalogue only helps; any name may be typed.
    }
    fire(this, "know", this.known());
  }

  private known(name = this.value): Model | undefined {
    return this.models.find(({ model }) => model === name) ?? this.models.find(({ model }) => model === "*");
  }

  private choose(name: string): void {
    fire(this, "choose", name);
    fire(this, "know", this.known(name));
  }

  private renderNote() {
    const model = this.models.find((known) => known.model === this.value);
    if (!model) return nothing;
    const { maxCount, negativePrompt, seed } = model.capabilities ?? {};
    const can = [
      maxCount ? `up to ${plural(maxCount, "picture")}` : "",
      negativePrompt ? "negative prompt" : "",
      seed ? "seed" : "",
    ].filter(Boolean);
    return html`<p class="note quiet small">
      ${model.title}${can.length ? `: ${can.join(", ")}.` : "."}
      ${model.endDate
        ? html`<span class="ending">Its provider ends it on ${model.endDate}${model.successor ? `; ${model.successor} follows` : ""}.</span>`
        : nothing}
    </p>`;
  }

  override render() {
    const text = this.value.toLowerCase();
    const named = this.models.filter(({ model }) => model && model !== "*");
    const exact = named.some(({ model }) => model === this.value);
    const near = named.filter(({ model, title }) => `${model} ${title}`.toLowerCase().includes(text));
    const offers = (exact || !near.length ? named : near).slice(0, MOST);
    return html`
      <wa-input
        label="Model"
        hint=${named.length ? "As the provider spells it, or one of these." : "As the provider spells it; for a WebUI the checkpoint."}
        data-testid="profile-model-input"
        autocomplete="off"
        maxlength="300"
        required
        .value=${this.value}
        @input=${(event: Event) => this.choose(valueOf(event))}
      ></wa-input>
      ${this.renderNote()}
      ${offers.length
        ? html`<div class="offers" role="group" aria-label="Known models">
            ${offers.map(
              ({ model, title }) => html`<button
                type="button"
                title=${title ?? ""}
                aria-pressed=${model === this.value}
                @click=${() => this.choose(model ?? "")}
              >
                ${model}
              </button>`,
            )}
          </div>`
        : nothing}
    `;
  }
}

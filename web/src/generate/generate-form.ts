import type WaTextarea from "@awesome.me/webawesome/dist/components/textarea/textarea.js";
import { LitElement, html, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import type { ApiError } from "../errors";
import { fire, valueOf } from "../events";
import type { Capabilities, Profile } from "../messages";
import { base } from "../styles";
import "./count-picker";
import type { Draft, DraftElement } from "./draft";
import "./element-list";
import "./image-picker";
import { generateFormStyles } from "./generate-form.styles";
import "./more-options";
import "./size-picker";

/** Everything a generation is asked for. It holds nothing itself: says `change-draft` with what changed. */
@customElement("generate-form")
export class GenerateForm extends LitElement {
  static override styles = [base, generateFormStyles];

  @property() project = "";
  @property({ attribute: false }) draft!: Draft;
  @property({ attribute: false }) profiles: Profile[] = [];
  /** What the chosen profile can do; absent while that is loading. */
  @property({ attribute: false }) can?: Capabilities;
  @property({ attribute: false }) error?: ApiError;
  @query("[data-testid=image-gen-prompt-input]") private prompt!: WaTextarea;

  override async firstUpdated(): Promise<void> {
    await this.prompt.updateComplete;
    this.focusPrompt();
  }

  focusPrompt(): void {
    this.prompt.focus();
  }

  private change(part: Partial<Draft>): void {
    fire(this, "change-draft", part);
  }

  private renderFieldError(field: string) {
    const text = this.error?.field(field);
    return text ? html`<p class="field-error small" role="alert">${text}</p>` : nothing;
  }

  private renderProfile() {
    const chosen = this.profiles.find(({ name }) => name === this.draft.profile);
    const words = [chosen?.description, chosen?.priceNote].filter(Boolean).join(" · ");
    return html`<div>
      <wa-select
        label="Profile"
        data-testid="image-gen-profile-select"
        hint=${words}
        .value=${this.draft.profile}
        @change=${(event: Event) => this.change({ profile: valueOf(event), size: "", quality: "" })}
      >
        ${this.profiles.map(({ name, title }) => html`<wa-option value=${name ?? ""}>${title}</wa-option>`)}
      </wa-select>
      ${this.renderFieldError("profile")}
    </div>`;
  }

  private renderPrompt() {
    const most = this.can?.maxPromptLength || 32000;
    const left = most - this.draft.prompt.length;
    return html`<div>
      <wa-textarea
        label="Prompt"
        data-testid="image-gen-prompt-input"
        placeholder="A night market in the rain, lanterns reflected in the wet stones, seen from a rooftop"
        rows="4"
        resize="auto"
        required
        .value=${this.draft.prompt}
        @input=${(event: Event) => this.change({ prompt: valueOf(event) })}
      ></wa-textarea>
      ${left < most * 0.2
        ? html`<p class="small ${left < 0 ? "field-error" : "quiet"}">
            ${left < 0 ? `${-left} characters more than this model reads` : `${left} characters left`}
          </p>`
        : nothing}
      ${this.renderFieldError("prompt")}
    </div>`;
  }

  private renderNegative(can: Capabilities) {
    if (!can.negativePrompt) return nothing;
    return html`<div>
      <wa-textarea
        label="Without"
        hint="What to keep out of the picture."
        data-testid="image-gen-negative-prompt-input"
        rows="1"
        resize="auto"
        .value=${this.draft.negativePrompt}
        @input=${(event: Event) => this.change({ negativePrompt: valueOf(event) })}
      ></wa-textarea>
      ${this.renderFieldError("negative_prompt")}
    </div>`;
  }

  private renderQuality(can: Capabilities) {
    if (!can.qualities?.length) return nothing;
    return html`<wa-select
      label="Quality"
      data-testid="image-gen-quality"
      .value=${this.draft.quality || "default"}
      @change=${(event: Event) => this.change({ quality: valueOf(event) === "default" ? "" : valueOf(event) })}
    >
      <wa-option value="default">As the profile says</wa-option>
      ${can.qualities.map((quality) => html`<wa-option value=${quality}>${quality}</wa-option>`)}
    </wa-select>`;
  }

  private renderInputImages(can: Capabilities) {
    if (!can.maxInputImages) return nothing;
    return html`<div>
      <image-picker
        .project=${this.project}
        .value=${this.draft.inputImages}
        .most=${can.maxInputImages}
        @choose=${({ detail }: CustomEvent<string[]>) => this.change({ inputImages: detail })}
      ></image-picker>
      ${this.renderFieldError("input_images")}
    </div>`;
  }

  private renderCapable(can: Capabilities) {
    return html`
      ${this.renderNegative(can)}
      ${can.sizes?.length || can.anySize
        ? html`<div>
            <size-picker
              .sizes=${can.sizes ?? []}
              .value=${this.draft.size || (can.defaultSize ?? "")}
              .any=${can.anySize ?? false}
              @choose=${({ detail }: CustomEvent<string>) => this.change({ size: detail })}
            ></size-picker>
            ${this.renderFieldError("size")}
          </div>`
        : nothing}
      <div class="pair">
        <div>
          <count-picker
            .value=${this.draft.count}
            .most=${can.maxCount || 1}
            @choose=${({ detail }: CustomEvent<number>) => this.change({ count: detail })}
          ></count-picker>
          ${this.renderFieldError("count")}
        </div>
        ${this.renderQuality(can)}
      </div>
      <element-list
        .elements=${this.draft.elements}
        @change-elements=${({ detail }: CustomEvent<DraftElement[]>) => this.change({ elements: detail })}
      ></element-list>
      ${this.renderInputImages(can)}
      <div><more-options .draft=${this.draft} .can=${can}></more-options>${this.renderFieldError("seed")}</div>
    `;
  }

  override render() {
    return html`
      <div class="all">
        ${this.renderPrompt()} ${this.renderProfile()}
        ${this.can ? this.renderCapable(this.can) : html`<wa-skeleton effect="sheen"></wa-skeleton>`}
      </div>
    `;
  }
}

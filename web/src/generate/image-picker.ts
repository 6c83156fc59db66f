import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { listImages } from "../api";
import { type ApiError, asApiError } from "../errors";
import { checkedOf, fire } from "../events";
import type { Image } from "../messages";
import "../parts/picture-thumb";
import { sentence } from "../sentences";
import { base } from "../styles";

/** Images of the project's library to go by. Says `choose` with their names, in the order they were chosen. */
@customElement("image-picker")
export class ImagePicker extends LitElement {
  static override styles = [
    base,
    css`
      wa-details {
        --spacing: var(--wa-space-s);
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr));
        gap: var(--wa-space-xs);
        max-height: 18rem;
        padding: 2px;
        overflow-y: auto;
      }
      label {
        position: relative;
        display: block;
        aspect-ratio: 1;
        overflow: hidden;
        border-radius: var(--wa-border-radius-m);
        cursor: pointer;
      }
      picture-thumb {
        width: 100%;
        height: 100%;
      }
      input {
        position: absolute;
        inset: 0;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }
      label:has(:checked) {
        outline: 3px solid var(--wa-color-brand-fill-loud);
        outline-offset: -3px;
      }
      label:has(:focus-visible) {
        outline: var(--wa-focus-ring);
        outline-offset: -2px;
      }
      label:has(:disabled) {
        opacity: 0.45;
        cursor: default;
      }
      .place {
        position: absolute;
        top: var(--wa-space-2xs);
        right: var(--wa-space-2xs);
        display: grid;
        place-items: center;
        width: 1.5rem;
        height: 1.5rem;
        border-radius: 50%;
        background: var(--wa-color-brand-fill-loud);
        color: var(--wa-color-brand-on-loud);
        font-size: var(--wa-font-size-xs);
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property() project = "";
  @property({ attribute: false }) value: string[] = [];
  @property({ type: Number }) most = 1;
  @state() private images?: Image[];
  @state() private error?: ApiError;

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("project")) this.images = undefined;
    if (this.value.length && !this.images) void this.load();
  }

  private async load(): Promise<void> {
    if (this.images || !this.project) return;
    this.images = [];
    try {
      this.images = (await listImages(this.project)).images ?? [];
      this.error = undefined;
    } catch (error) {
      this.error = asApiError(error);
      this.images = undefined;
    }
  }

  private choose(name: string, chosen: boolean): void {
    const others = this.value.filter((other) => other !== name);
    // Where there is room for one, another takes its place.
    fire(this, "choose", !chosen ? others : this.most === 1 ? [name] : [...others, name]);
  }

  private renderImage({ name = "", title }: Image, at: number) {
    const place = this.value.indexOf(name) + 1;
    const full = this.most > 1 && !place && this.value.length >= this.most;
    const label = title || `Image ${at + 1}`;
    return html`<li>
      <label>
        <picture-thumb .name=${name} alt="" sizes="6rem"></picture-thumb>
        <input
          type="checkbox"
          aria-label=${label}
          ?disabled=${full}
          .checked=${place > 0}
          @change=${(event: Event) => this.choose(name, checkedOf(event))}
        />
        ${place ? html`<span class="place" aria-hidden="true">${place}</span>` : nothing}
      </label>
    </li>`;
  }

  private renderImages() {
    if (this.error) return html`<p class="field-error small" role="alert">${sentence(this.error)}</p>`;
    if (!this.images?.length) return html`<p class="quiet small">The library has no images yet.</p>`;
    return html`<ul>${this.images.map((image, at) => this.renderImage(image, at))}</ul>`;
  }

  override render() {
    const chosen = this.value.length ? ` (${this.value.length} of ${this.most})` : "";
    return html`<wa-details
      summary="Images to go by${chosen}"
      appearance="outlined"
      data-testid="image-gen-input-images"
      @wa-show=${() => void this.load()}
      >${this.renderImages()}</wa-details
    >`;
  }
}

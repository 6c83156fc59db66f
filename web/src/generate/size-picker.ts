import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { fire, valueOf } from "../events";
import { shape } from "../format";
import { base } from "../styles";

const SIZE = /^[1-9]\d{1,4}x[1-9]\d{1,4}$/;

/** Sizes to choose from, each drawn in its proportion. Says `choose` with one. */
@customElement("size-picker")
export class SizePicker extends LitElement {
  static override styles = [
    base,
    css`
      legend {
        padding: 0;
        margin-block-end: var(--wa-space-2xs);
        font-weight: var(--wa-form-control-label-font-weight);
      }
      .sizes {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
        gap: var(--wa-space-xs);
      }
      label {
        position: relative;
        display: grid;
        grid-template-columns: 1.75rem 1fr;
        align-items: center;
        gap: var(--wa-space-xs);
        min-height: 3.25rem;
        padding: var(--wa-space-2xs) var(--wa-space-xs);
        background: var(--wa-form-control-background-color);
        border: 1px solid var(--wa-color-neutral-border-normal);
        border-radius: var(--wa-border-radius-m);
        font-size: var(--wa-font-size-s);
        line-height: 1.25;
        cursor: pointer;
      }
      label:hover {
        border-color: var(--wa-color-neutral-border-loud);
      }
      label:has(:checked) {
        background: var(--wa-color-brand-fill-quiet);
        border-color: var(--wa-color-brand-border-loud);
        box-shadow: inset 0 0 0 1px var(--wa-color-brand-border-loud);
      }
      label:has(:focus-visible) {
        outline: var(--wa-focus-ring);
        outline-offset: var(--wa-focus-ring-offset);
      }
      input[type="radio"] {
        position: absolute;
        inset: 0;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }
      .glyph {
        display: grid;
        place-items: center;
        height: 1.75rem;
      }
      .glyph i {
        display: block;
        width: min(1.6rem, 1.6rem * var(--ratio));
        aspect-ratio: var(--ratio);
        border: 1.5px solid currentColor;
        border-radius: 2px;
        opacity: 0.75;
      }
      .glyph i.auto {
        border-style: dashed;
      }
      .detail {
        display: block;
        color: var(--wa-color-text-quiet);
        font-size: var(--wa-font-size-xs);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      wa-input {
        margin-block-start: var(--wa-space-xs);
      }
    `,
  ];

  @property({ attribute: false }) sizes: string[] = [];
  @property() value = "";
  /** Whether other sizes are taken too. */
  @property({ type: Boolean }) any = false;
  @state() private other = false;

  override willUpdate(changed: Map<string, unknown>): void {
    // A size from an earlier generation may be none of those on offer.
    if (changed.has("value") && this.value && !this.sizes.includes(this.value)) this.other = this.any;
  }

  private renderSize(size: string) {
    const { ratio, name, detail } = shape(size);
    return html`<label>
      <input
        type="radio"
        name="size"
        value=${size}
        .checked=${!this.other && size === this.value}
        @change=${() => {
          this.other = false;
          fire(this, "choose", size);
        }}
      />
      <span class="glyph"><i class=${size === "auto" ? "auto" : ""} .style=${`--ratio: ${ratio.toFixed(3)}`}></i></span>
      <span>${name}<span class="detail">${detail}</span></span>
    </label>`;
  }

  private renderOther() {
    if (!this.any) return nothing;
    return html`<label>
      <input type="radio" name="size" value="other" .checked=${this.other} @change=${() => (this.other = true)} />
      <span class="glyph"><wa-icon name="expand"></wa-icon></span>
      <span>Other<span class="detail">Your own</span></span>
    </label>`;
  }

  override render() {
    return html`
      <fieldset data-testid="image-gen-size">
        <legend>Size</legend>
        <div class="sizes">${this.sizes.map((size) => this.renderSize(size))} ${this.renderOther()}</div>
        ${this.other
          ? html`<wa-input
              size="s"
              label="Width and height in pixels"
              placeholder="896x640"
              data-testid="image-gen-other-size"
              value=${this.sizes.includes(this.value) ? "" : this.value}
              hint="What the model cannot do exactly is matched to the nearest it can."
              @input=${(event: Event) => {
                const size = valueOf(event).replace(/\s/g, "").replace("×", "x");
                if (SIZE.test(size)) fire(this, "choose", size);
              }}
            ></wa-input>`
          : nothing}
      </fieldset>
    `;
  }
}

import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { fire, valueOf } from "../events";
import { base } from "../styles";

/** How many pictures. Says `choose` with a number. */
@customElement("count-picker")
export class CountPicker extends LitElement {
  static override styles = [
    base,
    css`
      legend {
        padding: 0;
        margin-block-end: var(--wa-space-2xs);
        font-weight: var(--wa-form-control-label-font-weight);
      }
      wa-number-input {
        max-width: 12rem;
      }
      .row {
        display: inline-grid;
        grid-auto-flow: column;
        gap: 0;
        overflow: clip;
        border: 1px solid var(--wa-color-neutral-border-normal);
        border-radius: var(--wa-border-radius-m);
        background: var(--wa-form-control-background-color);
      }
      label {
        position: relative;
        display: grid;
        place-items: center;
        min-width: 3rem;
        height: 2.5rem;
        font-variant-numeric: tabular-nums;
        cursor: pointer;
      }
      label + label {
        border-inline-start: 1px solid var(--wa-color-neutral-border-normal);
      }
      label:has(:checked) {
        background: var(--wa-color-brand-fill-quiet);
        color: var(--wa-color-brand-on-normal);
        font-weight: var(--wa-font-weight-bold);
        box-shadow: inset 0 0 0 1px var(--wa-color-brand-border-loud);
      }
      label:has(:focus-visible) {
        outline: var(--wa-focus-ring);
        outline-offset: -2px;
      }
      input {
        position: absolute;
        inset: 0;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }
    `,
  ];

  @property({ type: Number }) value = 1;
  @property({ type: Number }) most = 1;

  override render() {
    if (this.most > 6) {
      return html`<wa-number-input
        label="How many"
        data-testid="image-gen-count"
        min="1"
        max=${this.most}
        .value=${String(this.value)}
        @input=${(event: Event) => fire(this, "choose", Number(valueOf(event)) || 1)}
      ></wa-number-input>`;
    }
    const counts = Array.from({ length: this.most }, (_, at) => at + 1);
    return html`<fieldset data-testid="image-gen-count">
      <legend>How many</legend>
      <div class="row">
        ${counts.map(
          (count) => html`<label>
            <input
              type="radio"
              name="count"
              aria-label=${count}
              .checked=${count === this.value}
              @change=${() => fire(this, "choose", count)}
            />${count}
          </label>`,
        )}
      </div>
    </fieldset>`;
  }
}

import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { checkedOf, fire, valueOf } from "../events";
import type { Capabilities } from "../messages";
import { base } from "../styles";
import type { Draft } from "./draft";

/** What few people change: seed, format, background, and whether anything may be adapted. Says `change-draft`. */
@customElement("more-options")
export class MoreOptions extends LitElement {
  static override styles = [
    base,
    css`
      .all {
        display: grid;
        gap: var(--wa-space-m);
      }
      .pair {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr));
        gap: var(--wa-space-s);
      }
      wa-details {
        --spacing: var(--wa-space-s);
      }
    `,
  ];

  @property({ attribute: false }) draft!: Draft;
  @property({ attribute: false }) can!: Capabilities;

  private change(part: Partial<Draft>): void {
    fire(this, "change-draft", part);
  }

  private select(label: string, key: "outputFormat" | "background", values: string[] | undefined) {
    if (!values?.length) return nothing;
    return html`<wa-select
      size="s"
      label=${label}
      .value=${this.draft[key] || "default"}
      @change=${(event: Event) => this.change({ [key]: valueOf(event) === "default" ? "" : valueOf(event) })}
    >
      <wa-option value="default">As the model likes</wa-option>
      ${values.map((value) => html`<wa-option value=${value}>${value}</wa-option>`)}
    </wa-select>`;
  }

  override render() {
    return html`
      <wa-details summary="More" appearance="outlined" data-testid="image-gen-more">
        <div class="all">
          <div class="pair">
            ${this.can.seed
              ? html`<wa-input
                  size="s"
                  label="Seed"
                  inputmode="numeric"
                  placeholder="Random"
                  hint="The same seed and words draw the same picture."
                  data-testid="image-gen-seed"
                  .value=${this.draft.seed}
                  @input=${(event: Event) => this.change({ seed: valueOf(event).replace(/\D/g, "") })}
                ></wa-input>`
              : nothing}
            ${this.select("File format", "outputFormat", this.can.outputFormats)}
            ${this.select("Background", "background", this.can.backgrounds)}
          </div>
          <wa-switch
            size="s"
            hint="Otherwise what the model cannot do is changed to the nearest it can, and shown."
            .checked=${this.draft.strict}
            @change=${(event: Event) => this.change({ strict: checkedOf(event) })}
            >Exactly as asked, or not at all</wa-switch
          >
        </div>
      </wa-details>
    `;
  }
}

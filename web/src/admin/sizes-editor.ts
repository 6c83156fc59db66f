import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { fire, valueOf } from "../events";
import { shape } from "../format";
import { base } from "../styles";

// As in profiles.proto.
const SIZE = /^([1-9][0-9]{1,4}x[1-9][0-9]{1,4}|[1-9][0-9]{0,2}(\.[0-9])?:[1-9][0-9]{0,2}(\.[0-9])?(@[0-9](\.[0-9])?K)?|auto)$/;

/** The sizes of a profile and the one it begins with. Says `change-sizes` with both. */
@customElement("sizes-editor")
export class SizesEditor extends LitElement {
  static override styles = [
    base,
    css`
      .all {
        display: grid;
        gap: var(--wa-space-s);
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: var(--wa-space-2xs);
      }
      li {
        display: flex;
        align-items: center;
        padding-inline-start: 0.7em;
        background: var(--wa-color-surface-lowered);
        border: 1px solid var(--wa-color-surface-border);
        border-radius: var(--wa-border-radius-m);
        font-size: var(--wa-font-size-s);
        font-variant-numeric: tabular-nums;
      }
      .add {
        display: flex;
        flex-wrap: wrap;
        gap: var(--wa-space-xs);
        align-items: end;
      }
      .add wa-input {
        flex: 1 1 12rem;
      }
      .error {
        color: var(--wa-color-danger-on-quiet);
      }
    `,
  ];

  @property({ attribute: false }) sizes: string[] = [];
  @property() standard = "";
  /** What the model offers, to take over with one click. */
  @property({ attribute: false }) offered: string[] = [];
  @state() private text = "";
  @state() private error = "";

  private send(sizes: string[], standard = this.standard): void {
    fire(this, "change-sizes", { sizes, defaultSize: sizes.length && !sizes.includes(standard) ? (sizes[0] ?? "") : standard });
  }

  private add(): void {
    const wanted = this.text.replaceAll("×", "x").split(/[\s,]+/).filter(Boolean);
    const wrong = wanted.filter((size) => !SIZE.test(size));
    this.error = wrong.length ? `${wrong.join(", ")}: write 1024x1536, 16:9, 16:9@2K or auto.` : "";
    if (wrong.length || !wanted.length) return;
    this.text = "";
    this.send([...new Set([...this.sizes, ...wanted])]);
  }

  private renderSizes() {
    if (!this.sizes.length) return html`<p class="quiet small">None named: any size the model takes.</p>`;
    return html`<ul aria-label="Sizes">
      ${this.sizes.map(
        (size, at) => html`<li>
          ${shape(size).label}
          <wa-button size="s" appearance="plain" @click=${() => this.send(this.sizes.toSpliced(at, 1))}>
            <wa-icon name="close" label="Remove ${shape(size).label}"></wa-icon>
          </wa-button>
        </li>`,
      )}
    </ul>`;
  }

  private renderStandard() {
    if (!this.sizes.length) return nothing;
    return html`<wa-select
      size="s"
      label="Size to begin with"
      .value=${this.standard || "none"}
      @change=${(event: Event) => this.send(this.sizes, valueOf(event) === "none" ? "" : valueOf(event))}
    >
      ${this.sizes.map((size) => html`<wa-option value=${size}>${shape(size).label}</wa-option>`)}
    </wa-select>`;
  }

  override render() {
    return html`
      <div class="all" role="group" aria-label="Sizes">
        ${this.renderSizes()}
        <div class="add">
          <wa-input
            size="s"
            label="Add sizes"
            placeholder="1024x1536, 16:9"
            .value=${this.text}
            @input=${(event: Event) => (this.text = valueOf(event))}
            @keydown=${(event: KeyboardEvent) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              this.add();
            }}
          ></wa-input>
          <wa-button size="s" appearance="outlined" @click=${this.add}>Add</wa-button>
          ${this.offered.length
            ? html`<wa-button size="s" appearance="plain" @click=${() => this.send(this.offered)}>Take the model's</wa-button>`
            : nothing}
          ${this.sizes.length
            ? html`<wa-button size="s" appearance="plain" @click=${() => this.send([], "")}>Any size</wa-button>`
            : nothing}
        </div>
        ${this.error ? html`<p class="error small" role="alert">${this.error}</p>` : nothing} ${this.renderStandard()}
      </div>
    `;
  }
}

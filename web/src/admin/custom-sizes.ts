import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { setCustomSizes } from "../api";
import { asApiError } from "../errors";
import { fire, notify, valueOf } from "../events";
import { shape } from "../format";
import type { CustomSize, Settings } from "../messages";
import { sentence } from "../sentences";
import { base, sheet } from "../styles";

const EMPTY = { title: "", width: "", height: "" };

/** Sizes offered beside a profile's own, for models that take any. Says `changed` with the settings. */
@customElement("custom-sizes")
export class CustomSizes extends LitElement {
  static override styles = [
    base,
    sheet,
    css`
      li,
      form {
        display: grid;
        align-items: center;
        gap: var(--wa-space-2xs) var(--wa-space-m);
        padding: var(--wa-space-s) var(--wa-space-l);
      }
      li {
        grid-template-columns: 2rem minmax(0, 1fr) auto auto;
        border-block-end: 1px solid var(--wa-color-surface-border);
      }
      i {
        display: block;
        justify-self: center;
        width: min(1.6rem, 1.6rem * var(--ratio));
        aspect-ratio: var(--ratio);
        border: 1.5px solid currentColor;
        border-radius: 2px;
        opacity: 0.7;
      }
      form {
        grid-template-columns: minmax(10rem, 1fr) 7rem 7rem auto;
        align-items: end;
        padding-block: var(--wa-space-m);
      }
      .error {
        grid-column: 1 / -1;
        color: var(--wa-color-danger-on-quiet);
      }
      @media (max-width: 40rem) {
        form {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
        form > :first-child,
        form > wa-button {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  @property({ attribute: false }) settings!: Settings;
  @state() private values = EMPTY;
  @state() private error = "";
  @state() private busy = false;

  private get sizes(): CustomSize[] {
    return this.settings.customSizes?.sizes ?? [];
  }

  private async store(sizes: CustomSize[]): Promise<boolean> {
    this.busy = true;
    this.error = "";
    try {
      fire(this, "changed", await setCustomSizes(sizes, this.settings.etag));
      return true;
    } catch (error) {
      this.error = sentence(asApiError(error));
      return false;
    } finally {
      this.busy = false;
    }
  }

  private async add(event: Event): Promise<void> {
    event.preventDefault();
    const width = Number(this.values.width);
    const height = Number(this.values.height);
    if ([width, height].some((side) => !(side >= 256 && side <= 4096))) {
      this.error = "Width and height are between 256 and 4096 pixels.";
      return;
    }
    const title = this.values.title.trim() || `${width} × ${height}`;
    const size = { id: `custom-${width}x${height}-${Date.now()}`, title, width, height };
    if (await this.store([...this.sizes, size])) {
      this.values = EMPTY;
      notify(this, "Size added");
    }
  }

  private renderInput(label: string, key: keyof typeof EMPTY, placeholder: string) {
    return html`<wa-input
      size="s"
      label=${label}
      placeholder=${placeholder}
      inputmode=${key === "title" ? "text" : "numeric"}
      .value=${this.values[key]}
      @input=${(event: Event) => (this.values = { ...this.values, [key]: valueOf(event) })}
    ></wa-input>`;
  }

  private renderSize({ title, width, height }: CustomSize, at: number) {
    const { ratio, name } = shape(`${width}x${height}`);
    return html`<li>
      <i .style=${`--ratio: ${ratio.toFixed(3)}`} aria-hidden="true"></i>
      <span>${title} <span class="quiet small">${name}</span></span>
      <span class="quiet small">${width} × ${height}</span>
      <wa-button size="s" appearance="plain" @click=${() => this.store(this.sizes.toSpliced(at, 1))}>
        <wa-icon name="trash" label="Remove ${title}"></wa-icon>
      </wa-button>
    </li>`;
  }

  override render() {
    return html`<div class="sheet" data-testid="custom-sizes-card">
      <ul>
        ${this.sizes.map((size, at) => this.renderSize(size, at))}
      </ul>
      <form @submit=${this.add}>
        ${this.renderInput("Name", "title", "Book cover")} ${this.renderInput("Width", "width", "1600")}
        ${this.renderInput("Height", "height", "2560")}
        <wa-button size="s" type="submit" appearance="outlined" ?loading=${this.busy}>Add Size</wa-button>
        ${this.error ? html`<p class="error small" role="alert">${this.error}</p>` : nothing}
      </form>
    </div>`;
  }
}

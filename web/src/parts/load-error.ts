import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { ApiError } from "../errors";
import { fire } from "../events";
import { addresses } from "../router";
import { sentence } from "../sentences";
import { base } from "../styles";

/** What stands where something could not be loaded. */
@customElement("load-error")
export class LoadError extends LitElement {
  static override styles = [
    base,
    css`
      .box {
        display: grid;
        justify-items: center;
        gap: var(--wa-space-m);
        padding: var(--wa-space-3xl) var(--wa-space-l);
        text-align: center;
      }
      .box > wa-icon {
        font-size: 2rem;
        color: var(--wa-color-text-quiet);
      }
    `,
  ];

  @property({ attribute: false }) error!: ApiError;

  override render() {
    return html`
      <div class="box" role="alert">
        <wa-icon name=${this.error.reason === "UNREACHABLE" ? "offline" : "warning"}></wa-icon>
        <p>${sentence(this.error)}</p>
        ${this.error.reason === "RESOURCE_NOT_FOUND"
          ? html`<wa-button appearance="outlined" href=${addresses.projects}>To Your Projects</wa-button>`
          : html`<wa-button appearance="outlined" @click=${() => fire(this, "retry")}>
              <wa-icon slot="start" name="refresh"></wa-icon>Try Again
            </wa-button>`}
      </div>
    `;
  }
}

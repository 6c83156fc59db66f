import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { fire } from "../events";
import { base } from "../styles";

/** Says that the server cannot be reached, and when it is tried again. */
@customElement("server-banner")
export class ServerBanner extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        background: var(--wa-color-warning-fill-quiet);
        color: var(--wa-color-warning-on-normal);
        border-block-end: 1px solid var(--wa-color-warning-border-normal);
      }
      div {
        max-width: var(--page-width);
        margin-inline: auto;
        padding: var(--wa-space-xs) var(--page-gutter);
        font-size: var(--wa-font-size-s);
      }
      wa-icon {
        font-size: 1.25rem;
      }
    `,
  ];

  /** Seconds until the next try. */
  @property({ type: Number }) seconds = 0;

  override render() {
    return html`
      <div class="row" data-testid="server-banner">
        <wa-icon name="offline"></wa-icon>
        <span class="grow">
          <span role="alert">The server cannot be reached, so images cannot be generated or saved just now.</span>
          ${this.seconds > 0 ? html`Trying again in ${this.seconds} s.` : "Trying again …"}
        </span>
        <wa-button size="s" appearance="outlined" variant="warning" @click=${() => fire(this, "retry")}>Try Now</wa-button>
      </div>
    `;
  }
}

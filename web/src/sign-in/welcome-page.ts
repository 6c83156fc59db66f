import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { User } from "../messages";
import { base, sheet } from "../styles";
import "./password-form";

/** The first page after a one-time link: the moment to choose a password. */
@customElement("welcome-page")
export class WelcomePage extends LitElement {
  static override styles = [
    base,
    sheet,
    css`
      main {
        display: grid;
        justify-items: center;
        padding: clamp(2rem, 10vh, 7rem) var(--page-gutter) var(--wa-space-3xl);
      }
      .sheet {
        display: grid;
        gap: var(--wa-space-l);
        width: min(29rem, 100%);
        padding: clamp(1.5rem, 6vw, 2.5rem);
        box-shadow: 0 1.5rem 3rem -1.75rem var(--wa-color-shadow);
      }
      h1 + p {
        margin-block-start: var(--wa-space-xs);
      }
    `,
  ];

  @property({ attribute: false }) user!: User;

  override render() {
    return html`
      <main>
        <div class="sheet">
          <div>
            <h1>You are in, ${this.user.title || "welcome"}</h1>
            <p class="quiet">
              The link that brought you here worked once. Choose a password, and you can come back without one.
            </p>
          </div>
          <password-form .user=${this.user} skip="Not Now"></password-form>
        </div>
      </main>
    `;
  }
}

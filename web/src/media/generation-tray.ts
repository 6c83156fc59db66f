import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Generation } from "../messages";
import { isActive } from "../sentences";
import { base } from "../styles";
import "./generation-card";

/** What is being made in this project, and what waits to be looked at. It comes from the server, so a reload keeps it. */
@customElement("generation-tray")
export class GenerationTray extends LitElement {
  static override styles = [
    base,
    css`
      section {
        display: grid;
        gap: var(--wa-space-s);
      }
      h2 {
        font-family: var(--wa-font-family-body);
        font-size: var(--wa-font-size-s);
        font-weight: var(--wa-font-weight-bold);
        letter-spacing: 0;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr));
        gap: var(--wa-space-s);
      }
    `,
  ];

  @property({ attribute: false }) generations: Generation[] = [];

  override render() {
    if (!this.generations.length) return nothing;
    return html`
      <section data-testid="generation-tray" aria-label="Generations">
        <h2>${this.generations.some(({ state }) => isActive(state)) ? "In the making" : "Waiting for you"}</h2>
        <ul>
          ${repeat(
            this.generations,
            (generation) => generation.name,
            (generation) => html`<li><generation-card .generation=${generation}></generation-card></li>`,
          )}
        </ul>
      </section>
    `;
  }
}

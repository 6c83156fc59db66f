import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { listImages } from "../api";
import { asApiError } from "../errors";
import { ago } from "../format";
import type { Image, Project } from "../messages";
import { addresses } from "../router";
import { base, sheet } from "../styles";
import "../parts/picture-thumb";

const ROLES: Record<string, string> = { VIEWER: "You can look", EDITOR: "You can edit" };

/** A project on the shelf, with its latest pictures for a cover. */
@customElement("project-card")
export class ProjectCard extends LitElement {
  static override styles = [
    base,
    sheet,
    css`
      a {
        display: flex;
        flex-direction: column;
        height: 100%;
        overflow: hidden;
        color: inherit;
        text-decoration: none;
        transition:
          box-shadow var(--wa-transition-normal),
          border-color var(--wa-transition-normal);
      }
      a:hover {
        border-color: var(--wa-color-neutral-border-normal);
        box-shadow: 0 1rem 2rem -1.25rem var(--wa-color-shadow);
      }
      .cover {
        display: grid;
        grid-template-columns: 2fr 1fr;
        grid-template-rows: 1fr 1fr;
        gap: 2px;
        aspect-ratio: 16 / 9;
        background: var(--wa-color-surface-border);
      }
      .cover > :first-child {
        grid-row: span 2;
      }
      .cover.of-1 {
        grid-template-columns: 1fr;
      }
      .cover.of-2 > * {
        grid-row: span 2;
      }
      .blank {
        grid-column: span 2;
        display: grid;
        place-items: center;
        background: linear-gradient(150deg, var(--wa-color-brand-fill-normal), var(--glow-quiet));
        color: var(--wa-color-brand-on-quiet);
        font-family: var(--wa-font-family-heading);
        font-size: 3.5rem;
      }
      .words {
        display: grid;
        gap: var(--wa-space-2xs);
        padding: var(--wa-space-m) var(--wa-space-m) var(--wa-space-s);
        flex: 1;
        align-content: start;
      }
      .words h2 {
        font-size: 1.15rem;
        overflow-wrap: anywhere;
      }
      .words p {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
        overflow: hidden;
      }
      .facts {
        padding: 0 var(--wa-space-m) var(--wa-space-m);
      }
    `,
  ];

  @property({ attribute: false }) project!: Project;
  @state() private latest?: Image[];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      this.latest = (await listImages(this.project.name ?? "", 3)).images ?? [];
    } catch (error) {
      asApiError(error); // A card without pictures is still a card.
      this.latest = [];
    }
  }

  private renderCover() {
    if (this.latest?.length) {
      return html`<div class="cover of-${this.latest.length}">
        ${this.latest.map(
          ({ name, sha256 }) =>
            html`<picture-thumb .name=${name ?? ""} .sha256=${sha256 ?? ""} alt=""></picture-thumb>`,
        )}
      </div>`;
    }
    const initial = this.latest ? this.project.title?.slice(0, 1) : "";
    return html`<div class="cover"><div class="blank" aria-hidden="true">${initial}</div></div>`;
  }

  override render() {
    const { name, title, description, role, updateTime } = this.project;
    return html`
      <a class="sheet" data-testid="project-card" href=${addresses.media(name ?? "")}>
        ${this.renderCover()}
        <div class="words">
          <h2>${title}</h2>
          ${description ? html`<p class="quiet small">${description}</p>` : nothing}
        </div>
        <p class="facts quiet small">Changed ${ago(updateTime)}${ROLES[role ?? ""] ? ` · ${ROLES[role ?? ""]}` : ""}</p>
      </a>
    `;
  }
}

import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { listProjects } from "../api";
import { type ApiError, asApiError } from "../errors";
import type { Project } from "../messages";
import { addresses, go } from "../router";
import { base, page } from "../styles";
import "../parts/empty-state";
import "../parts/load-error";
import "./project-card";
import "./project-dialog";

/** All projects of the person, the latest first. */
@customElement("projects-page")
export class ProjectsPage extends LitElement {
  static override styles = [
    base,
    page,
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: end;
        justify-content: space-between;
        gap: var(--wa-space-m);
        margin-block-end: var(--wa-space-xl);
      }
      .shelf {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr));
        gap: var(--wa-space-l);
      }
      wa-skeleton {
        height: 17rem;
        --border-radius: var(--wa-border-radius-l);
      }
      project-card {
        height: 100%;
      }
      .more {
        display: grid;
        place-items: center;
        margin-block-start: var(--wa-space-xl);
      }
    `,
  ];

  @state() private projects?: Project[];
  @state() private next = "";
  @state() private error?: ApiError;
  @state() private creating = false;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = "Projects · Inkweld Images";
    void this.load();
  }

  private async load(token = ""): Promise<void> {
    this.error = undefined;
    try {
      const { projects, nextPageToken } = await listProjects(token);
      this.projects = [...(token ? (this.projects ?? []) : []), ...(projects ?? [])];
      this.next = nextPageToken ?? "";
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  private renderShelf() {
    if (this.error) return html`<load-error .error=${this.error} @retry=${() => this.load()}></load-error>`;
    if (!this.projects) {
      return html`<div class="shelf" aria-busy="true">${[1, 2, 3].map(() => html`<wa-skeleton effect="sheen"></wa-skeleton>`)}</div>`;
    }
    if (!this.projects.length) {
      return html`<empty-state icon="book" heading="No projects yet">
        A project holds the pictures of one book or world. Begin with the one you are writing.
        <wa-button slot="next" variant="brand" @click=${() => (this.creating = true)}>Create a Project</wa-button>
      </empty-state>`;
    }
    return html`
      <ul class="shelf">
        ${repeat(
          this.projects,
          (project) => project.name,
          (project) => html`<li><project-card .project=${project}></project-card></li>`,
        )}
      </ul>
      ${this.next
        ? html`<div class="more"><wa-button appearance="outlined" @click=${() => this.load(this.next)}>Show More</wa-button></div>`
        : nothing}
    `;
  }

  override render() {
    return html`
      <main class="page">
        <div class="head">
          <div>
            <h1>Projects</h1>
            <p class="quiet">Every book and world has its own pictures.</p>
          </div>
          <wa-button variant="brand" data-testid="create-project-button" @click=${() => (this.creating = true)}>
            <wa-icon slot="start" name="plus"></wa-icon>New Project
          </wa-button>
        </div>
        ${this.renderShelf()}
      </main>
      <project-dialog
        ?open=${this.creating}
        @cancel=${() => (this.creating = false)}
        @done=${(event: CustomEvent<Project>) => go(addresses.media(event.detail.name ?? ""))}
      ></project-dialog>
    `;
  }
}

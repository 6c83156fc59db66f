import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { createProject, newRequestId, updateProject } from "../api";
import { type ApiError, asApiError } from "../errors";
import { fire, isOwn, valueOf } from "../events";
import type { Project } from "../messages";
import { sentence } from "../sentences";
import { base } from "../styles";

/** Creates a project, or changes the one it is given; says `done` with it, or `cancel`. */
@customElement("project-dialog")
export class ProjectDialog extends LitElement {
  static override styles = [
    base,
    css`
      wa-dialog {
        --width: 34rem;
      }
      form {
        display: grid;
        gap: var(--wa-space-m);
      }
    `,
  ];

  @property({ type: Boolean }) open = false;
  @property({ attribute: false }) project?: Project;
  @state() private titleText = "";
  @state() private description = "";
  @state() private error?: ApiError;
  @state() private busy = false;
  private requestId = newRequestId();

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("open") || !this.open) return;
    this.titleText = this.project?.title ?? "";
    this.description = this.project?.description ?? "";
    this.error = undefined;
    this.requestId = newRequestId();
  }

  private async submit(event?: Event): Promise<void> {
    event?.preventDefault();
    if (this.busy || !this.titleText.trim()) return;
    this.busy = true;
    const project = { title: this.titleText.trim(), description: this.description.trim() };
    try {
      const done = this.project
        ? await updateProject({ ...project, name: this.project.name })
        : await createProject(project, "", this.requestId);
      fire(this, "done", done);
    } catch (thrown) {
      this.error = asApiError(thrown);
      // Other words are another request.
      if (this.error.reason !== "UNREACHABLE") this.requestId = newRequestId();
    } finally {
      this.busy = false;
    }
  }

  override render() {
    const isNew = !this.project;
    return html`
      <wa-dialog
        label=${isNew ? "New project" : "Edit project"}
        data-testid=${isNew ? "create-project-dialog" : "edit-project-dialog"}
        ?open=${this.open}
        @wa-hide=${(event: Event) => isOwn(event) && fire(this, "cancel")}
      >
        <form @submit=${this.submit}>
          ${this.error
            ? html`<wa-callout variant="danger" size="s" role="alert">${sentence(this.error)}</wa-callout>`
            : nothing}
          <wa-input
            label="Title"
            data-testid="project-title-input"
            placeholder="The Salt Roads"
            maxlength="200"
            autofocus
            required
            .value=${this.titleText}
            @input=${(event: Event) => (this.titleText = valueOf(event))}
          ></wa-input>
          <wa-textarea
            label="Description"
            data-testid="project-description-input"
            hint="What this world or book is about. Only members see it."
            rows="3"
            maxlength="5000"
            .value=${this.description}
            @input=${(event: Event) => (this.description = valueOf(event))}
          ></wa-textarea>
        </form>
        <wa-button slot="footer" appearance="plain" @click=${() => fire(this, "cancel")}>Cancel</wa-button>
        <wa-button
          slot="footer"
          variant="brand"
          data-testid="save-project-button"
          ?disabled=${!this.titleText.trim()}
          ?loading=${this.busy}
          @click=${() => this.submit()}
          >${isNew ? "Create Project" : "Save"}</wa-button
        >
      </wa-dialog>
    `;
  }
}

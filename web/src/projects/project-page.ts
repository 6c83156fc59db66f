import { LitElement, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { deleteProject, getProject } from "../api";
import { type ApiError, asApiError } from "../errors";
import { notify } from "../events";
import "../generate/generate-dialog";
import { generateOffer } from "../generate/offer";
import { leaf } from "../format";
import "../media/media-tab";
import type { MediaTab } from "../media/media-tab";
import type { Features, Project, User } from "../messages";
import { confirm } from "../parts/confirm-dialog";
import { type Place, addresses, go, leave } from "../router";
import { sentence } from "../sentences";
import { base, page } from "../styles";
import "./project-dialog";
import { projectPageStyles } from "./project-page.styles";

/** One project: what it is called, what can be done, and its media. */
@customElement("project-page")
export class ProjectPage extends LitElement {
  static override styles = [base, page, projectPageStyles];

  @property({ attribute: false }) place!: Extract<Place, { page: "project" }>;
  @property({ attribute: false }) features?: Features;
  @property({ type: Boolean }) reachable = true;
  @property({ attribute: false }) user!: User;
  @state() private project?: Project;
  @state() private error?: ApiError;
  @state() private editing = false;
  @query("media-tab") private media?: MediaTab;

  override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get("place") as { project?: string } | undefined;
    if (changed.has("place") && before?.project !== this.place.project) void this.load();
    const wasReachable = changed.get("reachable");
    if (wasReachable === false && this.reachable) void (this.project ? this.media?.reload() : this.load());
  }

  private async load(): Promise<void> {
    this.project = this.error = undefined;
    try {
      this.project = await getProject(this.place.project);
      document.title = `${this.project.title} · Inkweld Images`;
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  private get canChange(): boolean {
    return this.reachable && this.project?.role !== "VIEWER";
  }

  private get offer() {
    return generateOffer(this.features, this.reachable, this.project?.role, this.user.admin ?? false);
  }

  private readonly generate = (): void => go(addresses.media(this.place.project, { generate: "" }));

  private async delete(project: Project): Promise<void> {
    const sure = await confirm({
      title: `Delete “${project.title}”?`,
      text: "All its pictures and generations go with it, for every member. This cannot be undone.",
      action: "Delete Project",
      danger: true,
    });
    if (!sure) return;
    try {
      await deleteProject(project.name ?? "");
      notify(this, "Project deleted");
      go(addresses.projects, { replace: true });
    } catch (error) {
      notify(this, sentence(asApiError(error)), "danger");
    }
  }

  private renderGenerate() {
    const { shown, why } = this.offer;
    if (!shown) return nothing;
    return html`
      <wa-button id="generate" variant="brand" data-testid="add-media-generate" ?disabled=${!!why} @click=${this.generate}>
        <wa-icon slot="start" name="spark"></wa-icon>Generate Image
      </wa-button>
      ${why ? html`<wa-tooltip for="generate">${why}</wa-tooltip>` : nothing}
    `;
  }

  private renderMenu(project: Project) {
    if (!this.canChange) return nothing;
    return html`<wa-dropdown
      placement="bottom-end"
      @wa-select=${(event: CustomEvent<{ item: { value: string } }>) =>
        event.detail.item.value === "edit" ? (this.editing = true) : void this.delete(project)}
    >
      <wa-button slot="trigger" appearance="plain" data-testid="project-menu-button">
        <wa-icon name="more" label="More about this project"></wa-icon>
      </wa-button>
      <wa-dropdown-item value="edit"><wa-icon slot="icon" name="pencil"></wa-icon>Edit title and description</wa-dropdown-item>
      ${project.role === "OWNER"
        ? html`<wa-dropdown-item value="delete" variant="danger"
            ><wa-icon slot="icon" name="trash"></wa-icon>Delete project</wa-dropdown-item
          >`
        : nothing}
    </wa-dropdown>`;
  }

  private renderHead(project: Project) {
    return html`
      <header>
        <nav class="way" aria-label="Breadcrumb"><a href=${addresses.projects}>Projects</a></nav>
        <div class="title">
          <div class="grow">
            <h1>${project.title}</h1>
            ${project.description ? html`<p class="quiet description">${project.description}</p>` : nothing}
          </div>
          <div class="actions">
            ${this.canChange
              ? html`<wa-button appearance="outlined" data-testid="add-media-upload" @click=${() => this.media?.upload()}>
                  <wa-icon slot="start" name="upload"></wa-icon>Upload
                </wa-button>`
              : nothing}
            ${this.renderGenerate()} ${this.renderMenu(project)}
          </div>
        </div>
        <nav class="tabs" aria-label="Parts of the project">
          <a aria-current="page" data-testid="sidebar-media-button" href=${addresses.media(this.place.project)}>Media</a>
        </nav>
      </header>
    `;
  }

  private renderNotice() {
    const { notice, link } = this.offer;
    if (!notice) return nothing;
    return html`<wa-callout variant="neutral" size="s" data-testid="generation-off-notice">
      <wa-icon slot="icon" name="info"></wa-icon>${notice}
      ${link ? html`<a href=${addresses.admin}>${link}</a>` : nothing}
    </wa-callout>`;
  }

  private renderDialogs(project: Project) {
    const { generate, generation } = this.place;
    return html`
      <generate-dialog
        .project=${this.place.project}
        .generation=${generation ? `${this.place.project}/generations/${generation}` : ""}
        ?open=${generate || !!generation}
        .why=${this.offer.why || this.offer.notice}
        .canChange=${this.canChange}
        @close=${() => leave(addresses.media(this.place.project))}
        @again=${() => go(addresses.media(this.place.project, { generate: "" }), { replace: true })}
        @created=${({ detail }: CustomEvent<string>) => {
          go(addresses.media(this.place.project, { generation: leaf(detail) }), { replace: true });
          void this.media?.loadGenerations();
        }}
        @changed=${() => this.media?.reload()}
      ></generate-dialog>
      <project-dialog
        .project=${project}
        ?open=${this.editing}
        @cancel=${() => (this.editing = false)}
        @done=${({ detail }: CustomEvent<Project>) => {
          this.project = detail;
          this.editing = false;
        }}
      ></project-dialog>
    `;
  }

  override render() {
    const { project, error } = this;
    if (error) return html`<main class="page"><load-error .error=${error} @retry=${this.load}></load-error></main>`;
    if (!project) return html`<main class="page waiting"><wa-spinner></wa-spinner></main>`;
    return html`
      <main class="page">
        ${this.renderHead(project)} ${this.renderNotice()}
        <media-tab
          .project=${this.place.project}
          .open=${this.place.image}
          ?canChange=${this.canChange}
          ?canGenerate=${this.offer.shown && !this.offer.why}
          @generate=${this.generate}
        ></media-tab>
      </main>
      ${this.renderDialogs(project)}
    `;
  }
}

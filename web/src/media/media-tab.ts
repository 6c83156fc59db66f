import { LitElement, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { getGeneration, listGenerations, listImages } from "../api";
import { type ApiError, asApiError } from "../errors";
import { fire } from "../events";
import { leaf, plural } from "../format";
import type { Generation, Image } from "../messages";
import { addresses, go, leave } from "../router";
import { isActive } from "../sentences";
import { base } from "../styles";
import "../parts/empty-state";
import "../parts/load-error";
import { dismiss, isDismissed } from "./dismissed";
import "./generation-tray";
import "./image-grid";
import "./image-viewer";
import "./upload-zone";
import type { UploadZone } from "./upload-zone";

const DAY = 86_400_000;

/** Whether a generation still wants attention: it runs, its drafts wait, or it failed lately. */
function isWaiting({ name, state, images, endTime }: Generation): boolean {
  if (isActive(state)) return true;
  if (isDismissed(name ?? "") || state === "CANCELLED") return false;
  if (images?.length) return !images.some(({ saved }) => saved);
  return Date.now() - Date.parse(endTime ?? "") < DAY;
}

/** A project's pictures: what is being made, and the library. */
@customElement("media-tab")
export class MediaTab extends LitElement {
  static override styles = [
    base,
    css`
      .all {
        display: grid;
        gap: var(--wa-space-l);
      }
      .head {
        display: flex;
        align-items: baseline;
        justify-content: space-between;
        gap: var(--wa-space-s);
        margin-block-end: var(--wa-space-s);
      }
      .loading {
        display: flex;
        flex-wrap: wrap;
        gap: var(--wa-space-s);
      }
      .loading wa-skeleton {
        flex: 1 1 14rem;
        height: 12rem;
        --border-radius: var(--wa-border-radius-m);
      }
      .more {
        display: grid;
        place-items: center;
        margin-block-start: var(--wa-space-xl);
      }
    `,
  ];

  /** The project, `projects/{project}`. */
  @property() project = "";
  /** The id of the image that is open. */
  @property() open?: string;
  @property({ type: Boolean }) canChange = false;
  @property({ type: Boolean }) canGenerate = false;
  @state() private images?: Image[];
  @state() private next = "";
  @state() private error?: ApiError;
  @state() private generations: Generation[] = [];
  @state() private prompts: ReadonlyMap<string, string> = new Map();
  @state() private loadingMore = false;
  @query("upload-zone") private zone!: UploadZone;
  @query(".more") private end?: HTMLElement;
  private readonly nearing = new IntersectionObserver(
    ([entry]) => entry?.isIntersecting && void this.loadMore(),
    { rootMargin: "600px" },
  );

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("project")) void this.reload();
  }

  override updated(): void {
    this.nearing.disconnect();
    if (this.end) this.nearing.observe(this.end);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.nearing.disconnect();
  }

  /** Looks again at everything: after saving, uploading, or coming back. */
  async reload(): Promise<void> {
    await Promise.all([this.loadImages(), this.loadGenerations()]);
  }

  upload(): void {
    this.zone.choose();
  }

  private async loadImages(): Promise<void> {
    this.error = undefined;
    try {
      const { images, nextPageToken } = await listImages(this.project);
      this.images = images ?? [];
      this.next = nextPageToken ?? "";
      void this.loadPrompts();
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  private async loadMore(): Promise<void> {
    if (this.loadingMore || !this.next) return;
    this.loadingMore = true;
    try {
      const { images, nextPageToken } = await listImages(this.project, 48, this.next);
      const known = new Set(this.images?.map(({ name }) => name));
      this.images = [...(this.images ?? []), ...(images ?? []).filter(({ name }) => !known.has(name))];
      this.next = nextPageToken ?? "";
      void this.loadPrompts();
    } catch (error) {
      this.error = asApiError(error);
    } finally {
      this.loadingMore = false;
    }
  }

  async loadGenerations(): Promise<void> {
    try {
      const { generations } = await listGenerations(this.project);
      this.generations = generations ?? [];
      this.learn(this.generations);
    } catch (error) {
      asApiError(error); // The library stands without its tray.
    }
  }

  private learn(generations: Generation[]): void {
    const said = generations.map(({ name, prompt }): [string, string] => [name ?? "", prompt ?? ""]);
    this.prompts = new Map([...this.prompts, ...said]);
  }

  /** Learns the prompts of pictures whose generation is not among the latest. */
  private async loadPrompts(): Promise<void> {
    const names = new Set(this.images?.map(({ generation }) => generation ?? ""));
    for (const name of names) {
      if (!name || this.prompts.has(name)) continue;
      try {
        this.learn([await getGeneration(name)]);
      } catch (error) {
        asApiError(error);
        return;
      }
    }
  }

  private renderViewer() {
    const name = this.open ? `${this.project}/images/${this.open}` : "";
    const images = this.images ?? [];
    const at = images.findIndex((image) => image.name === name);
    const close = () => leave(addresses.media(this.project));
    return html`<image-viewer
      .name=${name}
      .canTurnBack=${at > 0}
      .canTurnOn=${at >= 0 && at < images.length - 1}
      .canChange=${this.canChange}
      @close=${close}
      @turn=${({ detail }: CustomEvent<number>) => {
        const to = images[at + detail]?.name;
        if (to) go(addresses.media(this.project, { image: leaf(to) }), { replace: true });
      }}
      @renamed=${({ detail }: CustomEvent<Image>) =>
        (this.images = images.map((image) => (image.name === detail.name ? detail : image)))}
      @deleted=${({ detail }: CustomEvent<string>) => {
        this.images = images.filter((image) => image.name !== detail);
        close();
      }}
    ></image-viewer>`;
  }

  private renderLibrary() {
    if (this.error && !this.images) return html`<load-error .error=${this.error} @retry=${this.reload}></load-error>`;
    if (!this.images) {
      return html`<div class="loading" aria-busy="true">
        ${[1, 2, 3, 4, 5, 6].map(() => html`<wa-skeleton effect="sheen"></wa-skeleton>`)}
      </div>`;
    }
    if (!this.images.length) return this.renderEmpty();
    return html`
      <div class="head">
        <h2>Library</h2>
        <p class="quiet small" data-testid="media-status-bar">
          ${this.next ? `${this.images.length} newest` : plural(this.images.length, "item")}
        </p>
      </div>
      <image-grid .images=${this.images} .prompts=${this.prompts} .project=${this.project}></image-grid>
      ${this.next
        ? html`<div class="more">
            <wa-button appearance="outlined" ?loading=${this.loadingMore} @click=${this.loadMore}>Show More</wa-button>
          </div>`
        : nothing}
    `;
  }

  private get emptyWords(): string {
    if (!this.canChange) return "Pictures that are added to this project appear here.";
    const own = "drop your own anywhere on this page.";
    if (!this.canGenerate) return `Pictures of this project appear here: ${own}`;
    return `Describe a scene, a face or a place, and keep the pictures you like. Or ${own}`;
  }

  private renderEmpty() {
    return html`<empty-state data-testid="empty-card" icon="image" heading="No pictures yet">
      ${this.emptyWords}
      ${this.canGenerate
        ? html`<wa-button slot="next" variant="brand" @click=${() => fire(this, "generate")}>
            <wa-icon slot="start" name="spark"></wa-icon>Make the First One
          </wa-button>`
        : nothing}
      ${this.canChange
        ? html`<wa-button slot="next" appearance="outlined" @click=${this.upload}>Upload Pictures</wa-button>`
        : nothing}
    </empty-state>`;
  }

  override render() {
    const waiting = this.generations.filter(isWaiting);
    return html`
      <upload-zone .project=${this.project} ?disabled=${!this.canChange} @uploaded=${this.loadImages}>
        <div class="all" data-testid="media-container">
          <generation-tray
            ?hidden=${!waiting.length}
            .generations=${waiting}
            @ended=${this.loadGenerations}
            @dismiss=${({ detail }: CustomEvent<string>) => {
              dismiss(detail);
              this.generations = [...this.generations];
            }}
          ></generation-tray>
          <section aria-label="Library">${this.renderLibrary()}</section>
        </div>
      </upload-zone>
      ${this.renderViewer()}
    `;
  }
}

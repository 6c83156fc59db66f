import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { getGeneration } from "../api";
import { type ApiError, asApiError, readStatus } from "../errors";
import { fire } from "../events";
import { cost, day, plural, shape } from "../format";
import type { GeneratedImage, Generation } from "../messages";
import "../parts/load-error";
import "../parts/picture-thumb";
import { STATES, isActive, sentence } from "../sentences";
import { base } from "../styles";
import { generationViewStyles } from "./generation-view.styles";
import { GenerationWatch, progressWords } from "./watch";

/**
 * A generation while it is made and after: its pictures as they come, and which of them are chosen.
 * Says `ended` with the generation, and `chosen` with the indexes.
 */
@customElement("generation-view")
export class GenerationView extends LitElement {
  static override styles = [base, generationViewStyles];

  /** The generation, `projects/{project}/generations/{generation}`. */
  @property() name = "";
  @property({ attribute: false }) chosen: ReadonlySet<number> = new Set();
  @state() private error?: ApiError;
  private readonly watch = new GenerationWatch(this, (generation) => fire(this, "ended", generation), true);

  get generation(): Generation | undefined {
    return this.watch.generation;
  }

  /** Takes in what another call said of it. */
  take(generation: Generation): void {
    this.watch.take(generation);
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("name") && this.name) void this.load();
  }

  private async load(): Promise<void> {
    this.error = undefined;
    try {
      const generation = await getGeneration(this.name);
      this.watch.follow(generation);
      if (!isActive(generation.state)) fire(this, "ended", generation);
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  private toggle(index: number): void {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(index)) chosen.add(index);
    fire(this, "chosen", chosen);
  }

  private renderImage(image: GeneratedImage, prompt: string, many: boolean) {
    const index = image.index ?? 0;
    const ended = !isActive(this.generation?.state);
    const chosen = this.chosen.has(index);
    const thumb = html`<picture-thumb .name=${image.image ?? ""} alt=${prompt} sizes=${many ? "24rem" : "40rem"}></picture-thumb>`;
    if (image.saved) return html`${thumb}<span class="flag"><wa-icon name="check"></wa-icon>Saved</span>`;
    if (!ended) return thumb;
    return html`<button
      type="button"
      aria-pressed=${chosen}
      aria-label="Picture ${index + 1}"
      data-testid="result-image"
      @click=${() => this.toggle(index)}
    >
      ${thumb}<span class="mark">${chosen ? html`<wa-icon name="check"></wa-icon>` : nothing}</span>
    </button>`;
  }

  private renderMaking(index: number) {
    const partial = this.watch.partials.get(index);
    if (!partial) return html`<li class="making"><wa-icon name="spark"></wa-icon></li>`;
    return html`<li class="making">
      <img src=${partial} alt="Picture ${index + 1}, not finished" data-testid="partial-image" />
    </li>`;
  }

  private renderPictures(generation: Generation) {
    const images = generation.images ?? [];
    const active = isActive(generation.state);
    const count = active ? Math.max(generation.count ?? 1, images.length) : images.length;
    const { ratio } = shape(generation.plan?.size || generation.size || "1:1");
    return html`<ul class="pictures of-${Math.min(count, 5)}" .style=${`--ratio: ${ratio.toFixed(3)}`} data-testid="result-grid">
      ${Array.from({ length: count }, (_, at) => {
        const image = active ? images.find(({ index }) => index === at) : images[at];
        return image
          ? html`<li>${this.renderImage(image, generation.prompt ?? "", count > 1)}</li>`
          : this.renderMaking(at);
      })}
    </ul>`;
  }

  private renderProgress() {
    const { fraction } = this.watch;
    return html`
      <div class="progress">
        <p class="row">
          <strong class="grow" role="status" data-testid="generation-status">${progressWords(this.watch)} …</strong>
          ${fraction === undefined ? nothing : html`<span class="quiet" aria-hidden="true">${Math.round(fraction * 100)} %</span>`}
        </p>
        <wa-progress-bar
          label="Progress"
          value=${Math.round((fraction ?? 0) * 100)}
          ?indeterminate=${fraction === undefined}
        ></wa-progress-bar>
        <p class="quiet small">You can close this. It goes on, and waits for you in the project.</p>
      </div>
    `;
  }

  private renderEnd(generation: Generation) {
    const images = generation.images ?? [];
    const error = generation.error && readStatus(generation.error);
    const paid = cost(generation.cost);
    const words = images.length
      ? `${plural(images.length, "picture")}${images.length > 1 ? ". Choose the ones to keep" : ""}`
      : STATES[generation.state ?? "STATE_UNSPECIFIED"];
    return html`
      <div class="progress">
        <p role="status" data-testid="generation-status"><strong>${words}</strong>${paid ? html`<span class="quiet"> · ${paid}</span>` : nothing}</p>
        ${error
          ? html`<wa-callout variant="danger" role="alert" data-testid="image-gen-error-message" data-reason=${error.reason}>
              <wa-icon slot="icon" name="warning"></wa-icon>${sentence(error)}
            </wa-callout>`
          : nothing}
        ${images.some(({ saved }) => !saved) && generation.expireTime
          ? html`<p class="quiet small">What you do not save is kept until ${day(generation.expireTime)}.</p>`
          : nothing}
        ${generation.mayHaveBeenBilled
          ? html`<p class="quiet small">The provider may have billed for something that brought no picture.</p>`
          : nothing}
      </div>
    `;
  }

  override render() {
    const { generation, error } = this;
    if (error) return html`<load-error .error=${error} @retry=${this.load}></load-error>`;
    if (!generation || generation.name !== this.name) return html`<div class="waiting"><wa-spinner></wa-spinner></div>`;
    return html`
      ${this.renderPictures(generation)}
      ${isActive(generation.state) ? this.renderProgress() : this.renderEnd(generation)}
      <p class="prompt">${generation.prompt}</p>
    `;
  }
}

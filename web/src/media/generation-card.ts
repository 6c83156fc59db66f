import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { cancelGeneration } from "../api";
import { asApiError, readStatus } from "../errors";
import { fire, notify } from "../events";
import { leaf, plural } from "../format";
import { GenerationWatch, progressWords } from "../generate/watch";
import type { Generation } from "../messages";
import { addresses } from "../router";
import { STATES, isActive, sentence } from "../sentences";
import { base, sheet } from "../styles";
import "../parts/picture-thumb";

/** One generation in the tray. Says `ended` when it has, and `dismiss`. */
@customElement("generation-card")
export class GenerationCard extends LitElement {
  static override styles = [
    base,
    sheet,
    css`
      .sheet {
        position: relative;
        display: grid;
        grid-template-columns: 4rem minmax(0, 1fr) auto;
        align-items: center;
        gap: var(--wa-space-s);
        padding: var(--wa-space-xs);
      }
      .plate {
        position: relative;
        display: grid;
        place-items: center;
        width: 4rem;
        height: 4rem;
        overflow: hidden;
        border-radius: var(--wa-border-radius-m);
        background: var(--plate);
        color: var(--wa-color-text-quiet);
        font-size: 1.4rem;
      }
      .plate.making {
        background: linear-gradient(110deg, var(--glow-quiet) 30%, var(--glow-middle) 50%, var(--glow-quiet) 70%) 0 0 / 300% 100%;
        color: var(--glow-strong);
        animation: sweep 2.4s linear infinite;
      }
      @keyframes sweep {
        from {
          background-position: 150% 0;
        }
        to {
          background-position: -50% 0;
        }
      }
      picture-thumb {
        position: absolute;
        inset: 0;
      }
      .prompt {
        overflow: hidden;
        font-size: var(--wa-font-size-s);
        font-weight: var(--wa-font-weight-semibold);
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .prompt a {
        color: inherit;
        text-decoration: none;
      }
      .prompt a::after {
        content: "";
        position: absolute;
        inset: 0;
      }
      .state {
        color: var(--wa-color-text-quiet);
        font-size: var(--wa-font-size-xs);
        line-height: 1.4;
      }
      .bad {
        color: var(--wa-color-danger-on-quiet);
      }
      wa-progress-bar {
        --track-height: 0.25rem;
        --indicator-color: var(--glow);
        margin-block-start: var(--wa-space-2xs);
      }
      wa-button {
        z-index: 1;
      }
    `,
  ];

  @property({ attribute: false }) generation!: Generation;
  @state() private stopping = false;
  private readonly watch = new GenerationWatch(this, (generation) => fire(this, "ended", generation));

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("generation")) this.watch.follow(this.generation);
  }

  private async stop(): Promise<void> {
    this.stopping = true;
    try {
      this.watch.take(await cancelGeneration(this.generation.name ?? ""));
    } catch (thrown) {
      const error = asApiError(thrown);
      if (error.reason !== "GENERATION_ENDED") notify(this, sentence(error), "danger");
    } finally {
      this.stopping = false;
    }
  }

  private words(now: Generation): string {
    if (isActive(now.state)) return progressWords(this.watch);
    if (now.images?.length) return `${plural(now.images.length, "picture")} to look at`;
    if (now.error) return sentence(readStatus(now.error));
    return STATES[now.state ?? "STATE_UNSPECIFIED"];
  }

  private renderButton(now: Generation) {
    if (isActive(now.state)) {
      return html`<wa-button size="s" appearance="plain" data-testid="cancel-generation-button" ?loading=${this.stopping} @click=${this.stop}>
        <wa-icon name="stop" label="Stop"></wa-icon>
      </wa-button>`;
    }
    return html`<wa-button size="s" appearance="plain" @click=${() => fire(this, "dismiss", now.name)}>
      <wa-icon name="close" label="Dismiss"></wa-icon>
    </wa-button>`;
  }

  override render() {
    const now = this.watch.generation ?? this.generation;
    const active = isActive(now.state);
    const first = now.images?.[0];
    const failed = !active && !first;
    return html`
      <div class="sheet" data-testid="generation-card" data-state=${now.state ?? ""}>
        <div class="plate ${active && !first ? "making" : ""}">
          ${first
            ? html`<picture-thumb .name=${first.image ?? ""} sizes="4rem" alt=""></picture-thumb>`
            : html`<wa-icon name=${failed ? "warning" : "spark"}></wa-icon>`}
        </div>
        <div>
          <p class="prompt">
            <a href=${addresses.media(now.name?.split("/generations/")[0] ?? "", { generation: leaf(now.name) })}>${now.prompt}</a>
          </p>
          <p class="state ${failed && now.state !== "CANCELLED" ? "bad" : ""}" role="status">${this.words(now)}</p>
          ${active
            ? html`<wa-progress-bar
                label="Progress"
                value=${Math.round((this.watch.fraction ?? 0) * 100)}
                ?indeterminate=${this.watch.fraction === undefined}
              ></wa-progress-bar>`
            : nothing}
        </div>
        ${this.renderButton(now)}
      </div>
    `;
  }
}

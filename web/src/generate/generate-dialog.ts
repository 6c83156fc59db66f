import { LitElement, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { cancelGeneration, saveGeneration } from "../api";
import { asApiError } from "../errors";
import { fire, isOwn, notify } from "../events";
import { plural } from "../format";
import type { Generation } from "../messages";
import { sentence } from "../sentences";
import { base } from "../styles";
import "./describe-step";
import type { DescribeStep } from "./describe-step";
import { generateDialogStyles } from "./generate-dialog.styles";
import "./generation-view";
import type { GenerationView } from "./generation-view";

const STEPS = ["Describe", "Draw", "Choose"] as const;

/**
 * From words to pictures: describe, watch, choose. Which generation it shows comes from the address.
 * Says `created` with a name, `again` to go back to the form, `changed` when the library has, and `close`.
 */
@customElement("generate-dialog")
export class GenerateDialog extends LitElement {
  static override styles = [base, generateDialogStyles];

  @property() project = "";
  /** The generation to show; empty for the form. */
  @property() generation = "";
  @property({ type: Boolean }) open = false;
  @property({ type: Boolean }) canChange = true;
  /** Why nothing can be generated just now; empty when it can. */
  @property() why = "";
  @state() private busy = false;
  @state() private ended?: Generation;
  @state() private chosen: ReadonlySet<number> = new Set();
  @query("generation-view") private view?: GenerationView;
  @query("describe-step") private describe?: DescribeStep;

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("generation")) return;
    this.ended = undefined;
    this.chosen = new Set();
  }

  private async stop(): Promise<void> {
    this.busy = true;
    try {
      this.view?.take(await cancelGeneration(this.generation));
    } catch (thrown) {
      const error = asApiError(thrown);
      if (error.reason !== "GENERATION_ENDED") notify(this, sentence(error), "danger");
    } finally {
      this.busy = false;
    }
  }

  private async save(): Promise<void> {
    this.busy = true;
    try {
      const indexes = [...this.chosen].sort((a, b) => a - b);
      await saveGeneration(this.generation, indexes);
      notify(this, `${plural(indexes.length, "picture")} saved to the library`);
      fire(this, "changed");
      fire(this, "close");
    } catch (error) {
      notify(this, sentence(asApiError(error)), "danger");
    } finally {
      this.busy = false;
    }
  }

  private atEnd(generation: Generation): void {
    this.ended = generation;
    const unsaved = (generation.images ?? []).filter(({ saved }) => !saved);
    this.chosen = new Set(unsaved.map(({ index }) => index ?? 0));
  }

  private again(): void {
    const generation = this.ended ?? this.view?.generation;
    if (generation) this.describe?.restore(generation);
    fire(this, "again");
  }

  private renderSteps() {
    const at = !this.generation ? 0 : this.ended ? 2 : 1;
    return html`<ol class="steps" slot="header-actions" aria-label="Steps" data-testid="image-generation-stepper">
      ${STEPS.map((step, index) => html`<li aria-current=${index === at ? "step" : nothing}>${step}</li>`)}
    </ol>`;
  }

  private renderView() {
    return html`<generation-view
      .name=${this.generation}
      .chosen=${this.chosen}
      @ended=${({ detail }: CustomEvent<Generation>) => this.atEnd(detail)}
      @chosen=${({ detail }: CustomEvent<ReadonlySet<number>>) => (this.chosen = detail)}
    ></generation-view>`;
  }

  private renderFormActions() {
    const { isReady = false, isBusy = false, price = "" } = this.describe ?? {};
    return html`
      <span class="note quiet small">${this.why || price}</span>
      <wa-button appearance="plain" data-testid="image-gen-cancel-button" @click=${() => fire(this, "close")}>Cancel</wa-button>
      <wa-button variant="brand" data-testid="image-gen-generate-button" ?disabled=${!isReady || !!this.why} ?loading=${isBusy} @click=${() => this.describe?.submit()}>
        <wa-icon slot="start" name="spark"></wa-icon>Generate
      </wa-button>
    `;
  }

  private renderMakingActions() {
    return html`
      <span class="note"></span>
      <wa-button appearance="plain" variant="danger" data-testid="image-gen-stop-button" ?loading=${this.busy} @click=${this.stop}>
        Stop
      </wa-button>
      <wa-button appearance="outlined" data-testid="image-gen-close-button" @click=${() => fire(this, "close")}>
        Close, Keep Drawing
      </wa-button>
    `;
  }

  private renderEndActions(generation: Generation) {
    const unsaved = (generation.images ?? []).some(({ saved }) => !saved);
    const again = generation.images?.length ? "Change and Draw Again" : "Try Again";
    return html`
      <span class="note"></span>
      <wa-button appearance="plain" data-testid="image-gen-close-button" @click=${() => fire(this, "close")}>Close</wa-button>
      <wa-button
        appearance=${generation.images?.length ? "outlined" : "accent"}
        variant=${generation.images?.length ? "neutral" : "brand"}
        data-testid="image-gen-try-again-button"
        ?disabled=${!!this.why}
        @click=${this.again}
        >${again}</wa-button
      >
      ${unsaved && this.canChange
        ? html`<wa-button
            variant="brand"
            data-testid="image-gen-use-image-button"
            ?disabled=${!this.chosen.size}
            ?loading=${this.busy}
            @click=${this.save}
            >Save ${this.chosen.size > 1 ? this.chosen.size : ""} to Library</wa-button
          >`
        : nothing}
    `;
  }

  private renderActions() {
    if (!this.generation) return this.renderFormActions();
    return this.ended ? this.renderEndActions(this.ended) : this.renderMakingActions();
  }

  override render() {
    return html`
      <wa-dialog
        data-testid="image-gen-dialog"
        ?open=${this.open}
        @wa-hide=${(event: Event) => {
          if (isOwn(event) && this.open) fire(this, "close");
        }}
        @wa-after-show=${() => {
          // Whoever is quicker than the animation stays where they are.
          if (!this.describe?.matches(":focus-within")) this.describe?.focusPrompt();
        }}
      >
        <span slot="label" data-testid="image-gen-dialog-title">Generate Image</span>
        ${this.renderSteps()}
        <div data-testid="image-gen-dialog-content">
          <describe-step
            .project=${this.project}
            ?shown=${this.open && !this.generation}
            ?hidden=${!!this.generation}
            @readiness=${() => this.requestUpdate()}
          ></describe-step>
          ${this.open && this.generation ? this.renderView() : nothing}
        </div>
        <div slot="footer" class="footer" data-testid="image-gen-dialog-actions">${this.renderActions()}</div>
      </wa-dialog>
    `;
  }
}

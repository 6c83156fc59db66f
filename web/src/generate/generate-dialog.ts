import { LitElement, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import {
  cancelGeneration,
  createGeneration,
  getCapabilities,
  listProfiles,
  newRequestId,
  previewGeneration,
  saveGeneration,
} from "../api";
import { type ApiError, asApiError } from "../errors";
import { fire, isOwn, notify } from "../events";
import { plural, price } from "../format";
import type { Capabilities, Generation, Plan, Profile } from "../messages";
import "../parts/empty-state";
import "../parts/load-error";
import { sentence } from "../sentences";
import { base } from "../styles";
import { type Draft, EMPTY, fromGeneration, toGeneration } from "./draft";
import { generateDialogStyles } from "./generate-dialog.styles";
import "./generate-form";
import type { GenerateForm } from "./generate-form";
import "./generation-view";
import type { GenerationView } from "./generation-view";
import "./plan-preview";

const STEPS = ["Describe", "Draw", "Choose"] as const;
const PREVIEW_DELAY = 400;

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
  @property({ type: Boolean }) reachable = true;
  @property({ type: Boolean }) canChange = true;
  /** Why nothing can be generated just now; empty when it can. */
  @property() why = "";
  @state() private profiles?: Profile[];
  @state() private can?: Capabilities;
  @state() private draft: Draft = EMPTY;
  @state() private plan?: Plan;
  @state() private planError?: ApiError;
  @state() private planning = false;
  @state() private loadError?: ApiError;
  @state() private error?: ApiError;
  @state() private busy = false;
  @state() private ended?: Generation;
  @state() private chosen: ReadonlySet<number> = new Set();
  @query("generation-view") private view?: GenerationView;
  @query("generate-form") private form?: GenerateForm;
  private preview?: AbortController;
  private timer = 0;
  private sent = { id: newRequestId(), body: "" };

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("generation")) {
      this.ended = undefined;
      this.chosen = new Set();
    }
    const showsForm = this.open && !this.generation;
    if (showsForm && (changed.has("open") || changed.has("generation"))) {
      this.error = undefined;
      void this.load();
    }
  }

  private async load(): Promise<void> {
    this.loadError = undefined;
    try {
      const { profiles } = await listProfiles();
      this.profiles = (profiles ?? []).filter(({ enabled }) => enabled);
      const known = this.profiles.some(({ name }) => name === this.draft.profile);
      const profile = known ? this.draft.profile : (this.profiles[0]?.name ?? "");
      if (profile) this.change({ profile });
      if (profile && !this.can) await this.loadCapabilities(profile);
    } catch (error) {
      this.loadError = asApiError(error);
    }
  }

  private async loadCapabilities(profile: string): Promise<void> {
    this.can = undefined;
    try {
      const can = await getCapabilities(profile);
      if (this.draft.profile !== profile) return;
      this.can = can;
      this.previewSoon();
    } catch (error) {
      this.planError = asApiError(error);
      this.can = {};
    }
  }

  private change(part: Partial<Draft>): void {
    const other = part.profile !== undefined && part.profile !== this.draft.profile;
    this.draft = { ...this.draft, ...part };
    if (other) void this.loadCapabilities(this.draft.profile);
    else this.previewSoon();
  }

  private previewSoon(): void {
    clearTimeout(this.timer);
    this.preview?.abort();
    this.planning = true;
    this.timer = window.setTimeout(() => void this.loadPreview(), PREVIEW_DELAY);
  }

  private async loadPreview(): Promise<void> {
    if (!this.can || !this.draft.prompt.trim() || !this.reachable) {
      this.plan = this.planError = undefined;
      this.planning = false;
      return;
    }
    const asked = new AbortController();
    this.preview = asked;
    try {
      this.plan = await previewGeneration(this.project, toGeneration(this.draft, this.can), asked.signal);
      this.planError = undefined;
    } catch (error) {
      if (asked.signal.aborted) return;
      this.planError = asApiError(error);
      this.plan = undefined;
    }
    this.planning = false;
  }

  private async submit(): Promise<void> {
    if (!this.can || this.busy) return;
    const generation = toGeneration(this.draft, this.can);
    const body = JSON.stringify(generation);
    // A repetition after a lost answer is the same request; other words are another.
    if (body !== this.sent.body) this.sent = { id: newRequestId(), body };
    this.busy = true;
    this.error = undefined;
    try {
      const { name } = await createGeneration(this.project, generation, this.sent.id);
      this.sent = { id: newRequestId(), body: "" };
      fire(this, "created", name);
    } catch (error) {
      this.error = asApiError(error);
    } finally {
      this.busy = false;
    }
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
    if (generation) {
      const { profile } = this.draft;
      this.draft = fromGeneration(generation);
      if (this.draft.profile !== profile) this.can = undefined;
    }
    fire(this, "again");
  }

  private renderSteps() {
    const at = !this.generation ? 0 : this.ended ? 2 : 1;
    return html`<ol class="steps" slot="header-actions" aria-label="Steps" data-testid="image-generation-stepper">
      ${STEPS.map((step, index) => html`<li aria-current=${index === at ? "step" : nothing}>${step}</li>`)}
    </ol>`;
  }

  private renderForm() {
    if (this.loadError) return html`<load-error .error=${this.loadError} @retry=${this.load}></load-error>`;
    if (!this.profiles) return html`<div class="waiting"><wa-spinner></wa-spinner></div>`;
    if (!this.profiles.length) {
      return html`<empty-state icon="spark" heading="Nothing to draw with yet">
        An administrator has to offer a profile first: a model of a provider under a name of its own.
      </empty-state>`;
    }
    return html`
      <div class="columns">
        <generate-form
          .draft=${this.draft}
          .profiles=${this.profiles}
          .can=${this.can}
          .error=${this.error ?? this.planError}
          @change-draft=${({ detail }: CustomEvent<Partial<Draft>>) => this.change(detail)}
        ></generate-form>
        <aside aria-label="Plan">
          <plan-preview
            .plan=${this.plan}
            .error=${this.planError}
            ?busy=${this.planning}
            .each=${this.can?.price}
            .size=${this.draft.size || (this.can?.defaultSize ?? "")}
          ></plan-preview>
        </aside>
      </div>
      ${this.error
        ? html`<wa-callout class="error" variant="danger" role="alert" data-testid="image-gen-error-message" data-reason=${this.error.reason}>
            <wa-icon slot="icon" name="warning"></wa-icon>${sentence(this.error)}
          </wa-callout>`
        : nothing}
    `;
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
    const ready = this.draft.prompt.trim() !== "" && !!this.can && !this.why;
    return html`
      <span class="note quiet small">${this.why || (this.plan && !this.planError ? price(this.plan.quote) : "")}</span>
      <wa-button appearance="plain" data-testid="image-gen-cancel-button" @click=${() => fire(this, "close")}>Cancel</wa-button>
      <wa-button variant="brand" data-testid="image-gen-generate-button" ?disabled=${!ready} ?loading=${this.busy} @click=${this.submit}>
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
        @wa-after-show=${() => this.form?.focusPrompt()}
      >
        <span slot="label" data-testid="image-gen-dialog-title">Generate Image</span>
        ${this.renderSteps()}
        <div data-testid="image-gen-dialog-content">
          ${this.open ? (this.generation ? this.renderView() : this.renderForm()) : nothing}
        </div>
        <div slot="footer" class="footer" data-testid="image-gen-dialog-actions">${this.renderActions()}</div>
      </wa-dialog>
    `;
  }
}

import { LitElement, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { createGeneration, getCapabilities, listProfiles, newRequestId, previewGeneration } from "../api";
import { type ApiError, asApiError } from "../errors";
import { fire } from "../events";
import { price } from "../format";
import type { Capabilities, Generation, Plan, Profile } from "../messages";
import "../parts/empty-state";
import "../parts/load-error";
import { sentence } from "../sentences";
import { base } from "../styles";
import { describeStepStyles } from "./describe-step.styles";
import { type Draft, EMPTY, fromGeneration, toGeneration } from "./draft";
import "./generate-form";
import type { GenerateForm } from "./generate-form";
import "./plan-preview";

const PREVIEW_DELAY = 400;

/**
 * The first step: what to draw, and what that will mean. It keeps the words while it is out of sight.
 * Says `readiness` when what can be done with it changed, and `created` with the generation's name.
 */
@customElement("describe-step")
export class DescribeStep extends LitElement {
  static override styles = [base, describeStepStyles];

  @property() project = "";
  /** Whether it is on screen. */
  @property({ type: Boolean }) shown = false;
  @state() private profiles?: Profile[];
  @state() private can?: Capabilities;
  @state() private draft: Draft = EMPTY;
  @state() private plan?: Plan;
  @state() private planError?: ApiError;
  @state() private planning = false;
  @state() private loadError?: ApiError;
  @state() private error?: ApiError;
  @state() private busy = false;
  @query("generate-form") private form?: GenerateForm;
  private preview?: AbortController;
  private timer = 0;
  private sent = { id: newRequestId(), body: "" };

  /** Whether there is enough to generate from. */
  get isReady(): boolean {
    return this.draft.prompt.trim() !== "" && !!this.can;
  }

  get isBusy(): boolean {
    return this.busy;
  }

  /** What it would cost, once there is a plan. */
  get price(): string {
    return this.plan && !this.planError ? price(this.plan.quote) : "";
  }

  /** Takes the words of an earlier generation. */
  restore(generation: Generation): void {
    const { profile } = this.draft;
    this.draft = fromGeneration(generation);
    if (this.draft.profile !== profile) this.can = undefined;
  }

  focusPrompt(): void {
    this.form?.focusPrompt();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("shown") || !this.shown) return;
    this.error = undefined;
    void this.load();
  }

  override updated(): void {
    fire(this, "readiness");
  }

  private async load(): Promise<void> {
    this.loadError = undefined;
    try {
      const { profiles } = await listProfiles();
      this.profiles = (profiles ?? []).filter(({ enabled }) => enabled);
      const isKnown = this.profiles.some(({ name }) => name === this.draft.profile);
      const profile = isKnown ? this.draft.profile : (this.profiles[0]?.name ?? "");
      if (profile !== this.draft.profile || !this.can) {
        this.draft = { ...this.draft, profile };
        if (profile) await this.loadCapabilities(profile);
      } else this.previewSoon();
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
    if (!this.can || !this.draft.prompt.trim()) {
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

  async submit(): Promise<void> {
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

  override render() {
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
          .project=${this.project}
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
}

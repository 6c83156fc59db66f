import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { ApiError } from "../errors";
import { plural, price, shape } from "../format";
import type { Plan, Quote } from "../messages";
import { sentence } from "../sentences";
import { base } from "../styles";

const total = (counts: number[] | undefined): number => (counts ?? []).reduce((sum, count) => sum + count, 0);

/** What would be sent, what would be changed, and what it would cost, before anything is. */
@customElement("plan-preview")
export class PlanPreview extends LitElement {
  static override styles = [
    base,
    css`
      .all {
        display: grid;
        gap: var(--wa-space-m);
      }
      h3 {
        margin-block-end: var(--wa-space-2xs);
        font-size: var(--wa-font-size-m);
      }
      li strong::first-letter {
        text-transform: uppercase;
      }
      li strong {
        display: inline-block;
      }
      .price {
        font-family: var(--wa-font-family-heading);
        font-size: var(--wa-font-size-l);
        line-height: 1.2;
      }
      .frame {
        display: grid;
        place-items: center;
        height: 9rem;
        padding: var(--wa-space-m);
        background: var(--wa-color-surface-lowered);
        border-radius: var(--wa-border-radius-m);
      }
      .frame > div {
        display: grid;
        place-items: center;
        height: min(100%, 11rem / var(--ratio));
        aspect-ratio: var(--ratio);
        max-width: 100%;
        background: linear-gradient(150deg, var(--wa-color-brand-fill-normal), var(--glow-quiet));
        border-radius: var(--wa-border-radius-s);
        color: var(--wa-color-text-quiet);
        font-size: var(--wa-font-size-xs);
        font-variant-numeric: tabular-nums;
      }
      .busy {
        opacity: 0.55;
      }
      li {
        padding: var(--wa-space-xs) var(--wa-space-s);
        background: var(--glow-quiet);
        border-radius: var(--wa-border-radius-m);
        font-size: var(--wa-font-size-s);
        line-height: 1.45;
      }
      ul {
        display: grid;
        gap: var(--wa-space-2xs);
      }
      pre {
        margin: 0;
        max-height: 14rem;
        overflow: auto;
        font-family: var(--wa-font-family-longform);
        font-size: var(--wa-font-size-s);
        line-height: 1.5;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      mark {
        border-radius: var(--wa-border-radius-s);
        background: var(--glow-quiet);
        color: inherit;
        box-decoration-break: clone;
      }
      wa-details {
        --spacing: var(--wa-space-s);
      }
    `,
  ];

  @property({ attribute: false }) plan?: Plan;
  @property({ attribute: false }) error?: ApiError;
  /** Whether what is shown is about to change. */
  @property({ type: Boolean }) busy = false;
  @property() size = "";
  /** What one picture costs, where that is known before anything is asked. */
  @property({ attribute: false }) each?: Quote;

  private renderAdaptations(plan: Plan) {
    if (!plan.adaptations?.length) return nothing;
    return html`
      <div>
        <h3>Changed on the way</h3>
        <ul aria-label="Adaptations" data-testid="adaptations">
          ${plan.adaptations.map(
            ({ field, asked, sent, why }) => html`<li>
              <strong>${field?.replaceAll("_", " ")}:</strong> ${asked} → ${sent || "not sent"}. ${why}
            </li>`,
          )}
        </ul>
      </div>
    `;
  }

  private renderWords({ promptParts, compiledPrompt }: Plan) {
    if (!promptParts?.length) return compiledPrompt;
    return promptParts.map(({ text, element }) =>
      element ? html`<mark title="From ${element}">${text}</mark>` : (text ?? ""),
    );
  }

  private renderPlan(plan: Plan) {
    return html`
      <div>
        <p class="price" data-testid="plan-price">${price(plan.quote)}</p>
        <p class="quiet small">
          for ${plural(total(plan.counts) || 1, "picture")} by ${plan.model}
          ${(plan.counts?.length ?? 0) > 1 ? html`in ${plan.counts?.length} calls` : nothing}
        </p>
      </div>
      ${this.renderAdaptations(plan)}
      <wa-details summary="The words as they are sent" appearance="outlined">
        <pre data-testid="compiled-prompt">${this.renderWords(plan)}</pre>
        ${plan.negativePrompt ? html`<p class="quiet small">Without: ${plan.negativePrompt}</p>` : nothing}
      </wa-details>
    `;
  }

  private renderState() {
    if (this.error) {
      return html`<wa-callout variant="warning" size="s" data-testid="plan-error">
        <wa-icon slot="icon" name="info"></wa-icon>${sentence(this.error)}
      </wa-callout>`;
    }
    if (this.plan) return this.renderPlan(this.plan);
    return html`
      ${this.each ? html`<div><p class="price">${price(this.each)}</p><p class="quiet small">for one picture</p></div>` : nothing}
      <p class="quiet small">Write what you want to see, and this shows what will be sent and what it costs.</p>
    `;
  }

  override render() {
    const size = this.plan?.size || this.size;
    return html`
      <div class="all ${this.busy ? "busy" : ""}" aria-live="polite" data-testid="plan-preview">
        <div class="frame" aria-hidden="true">
          <div .style=${`--ratio: ${shape(size).ratio.toFixed(3)}`}>${shape(size).label}</div>
        </div>
        ${this.renderState()}
      </div>
    `;
  }
}
